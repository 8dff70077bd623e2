"""The phone's door: one transaction for each pushed command, images of what a device may see."""
