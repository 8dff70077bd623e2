"""The phone's end of sync: what it keeps, what it shows meanwhile, and how it talks to the server."""
