"""Background under single emitters: crops of frames, what networks for it are trained on, how good an estimate is."""
