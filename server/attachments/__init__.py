"""Photos and signatures: brought in pieces, checked, kept once under the SHA-256 of their bytes."""
