"""Adapters to what the device offers: storage, camera, photos, network. Each also imports in CPython."""
