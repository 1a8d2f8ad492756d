"""A spatial light modulator in the pupil: a mask as its image, in a file or on the device."""
