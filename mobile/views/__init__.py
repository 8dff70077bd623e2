"""What a screen says, worked out from rows before anything is drawn. Pure: no Flet, no clock."""
