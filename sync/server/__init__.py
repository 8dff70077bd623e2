"""The server's half of sync. It sees the database only through ports.py."""
