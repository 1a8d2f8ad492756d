"""Dense images predicted from few localizations: what networks learn from, and how their images are judged."""
