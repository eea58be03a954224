"""Xero's resources as they are called over the wire, one file each."""
