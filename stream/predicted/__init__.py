"""The prediction of the dense image from few localizations: a layer of its own, no measurement."""
