"""Everything that runs while the camera runs: frames in, super-resolved image and localization table out."""
