"""Micro-Manager's Core through pycro-manager: connecting, taking images, and noticing that nobody answers."""
