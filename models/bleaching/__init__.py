"""Bleaching steps in the intensity of molecules that stay where they are: how traces are made, simulated and read."""
