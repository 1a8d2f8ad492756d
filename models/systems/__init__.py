"""The networks, one file each. SYSTEMS names them without importing torch."""

SYSTEMS = ("default", "decode")
