"""Micro-Manager's core: in this process, or in a running Micro-Manager over its bridge."""
