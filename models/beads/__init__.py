"""From a stack of beads to the pupil: find them, fit them together, say whether the optics are explained."""
