"""Frames -> super-resolved images without a list of molecules: what networks learn from, how they are judged."""
