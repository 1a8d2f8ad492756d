"""The networks, one file each. SYSTEMS names them without importing torch."""

SYSTEMS = {"localizer-2d": "models.systems.localizer_2d:Localizer2D"}
