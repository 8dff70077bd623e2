"""The demo: a real town, its people, and one believable day of orders."""
