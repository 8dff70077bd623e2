"""Held work: seen with both values, booked as it is or corrected, or set aside; each by a named person."""
