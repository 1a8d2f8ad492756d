"""Masks of the pupil that are learned: parameters of a modulator, the images behind it, what is asked of them."""
