"""Crops with one emitter: what networks for them are trained on, what they say of it, and how good that is."""
