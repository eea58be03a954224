"""A small product that collects money and pays bills, and keeps its users' books in Xero in step."""
