"""Colours told by the shape of the spot: dyes, simulated crops, the best that can be done, and scores."""
