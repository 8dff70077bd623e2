"""How long a drive takes: one protocol, several sources, each naming itself."""
