"""The words and rules that phone and server both use. Standard library only; no I/O and no clock."""
