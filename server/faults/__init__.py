"""Faults of street cabinets that technicians report: rows, what the office does about them, its page."""
