"""Xero's rules: what it takes, what it refuses and in which words. Nothing here knows HTTP."""
