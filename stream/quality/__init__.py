"""How good the picture is while it is taken: resolution, localization precision, sanity of the positions."""
