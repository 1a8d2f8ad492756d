"""How good a localizer is: on dense scenes, on single emitters against the bound, on nothing at all."""
