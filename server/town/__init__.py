"""A town read from an OpenStreetMap file: addresses, streets, cabinets, and its base map."""
