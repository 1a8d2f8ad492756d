"""Aberrations of a whole microscope: what they are called, bead stacks and molecules that show them."""
