"""What several screens are made of: one component or small builder a module."""
