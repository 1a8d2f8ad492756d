"""How a point of light looks on the camera."""
