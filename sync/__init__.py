"""The way between phone and server: intent up, state down."""
