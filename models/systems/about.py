"""What each system is for, and who published it: what `livesmlm models` says beside names. No torch."""

from __future__ import annotations

from typing import NamedTuple


class About(NamedTuple):
    """A system in two lines: what goes in and comes out; authors, journal, year."""

    task: str
    paper: str


ABOUT = {
    "default": About("frames -> molecules in x, y (z), live", "this project, after Speiser et al. 2021"),
    "decode": About("the same, the yardstick; for spots in depth", "Speiser et al., Nat. Methods 18, 2021"),
    "deeploco": About("tiles of single frames -> weighted points -> molecules", "Boyd et al., bioRxiv 2018"),
    "deepstorm3d": About("single frames of large spots -> voxels -> molecules", "Nehme et al., Nat. Methods 17, 2020"),
    "deepstorm3d-list": About("the same trunk -> molecules without voxels", "Nehme et al., Nat. Methods 17, 2020"),
    "deepstorm3d-mask": About("the same, behind a mask learned with it", "Nehme et al., Nat. Methods 17, 2020"),
    "moeckl-phase": About("a bead in 5 slices -> wavefront, Noll 2 to 28", "Moeckl et al., APL 115, 2019"),
    "moeckl-phase-images": About("the same, with a loss on the images", "Moeckl et al., APL 115, 2019"),
    "paine-fienup": About("one aberrated image -> start of a phase fit", "Paine & Fienup, Opt. Lett. 43, 2018"),
    "bgnet": About("crop with a molecule -> the background under it", "Moeckl et al., PNAS 117, 2020"),
    "xu-bleaching": About("light of a spot that stays -> bleaching steps", "Xu et al., JACS 141, 2019"),
    "zelger": About("crop -> x, y, z, photons, background, Noll 5, 6, 11", "Zelger et al., Opt. Express 26, 2018"),
    "zelger-alone": About("the same without aberrations", "Zelger et al., Opt. Express 26, 2018"),
    "smnet-z": About("crop -> z", "Zhang et al., Nat. Methods 15, 2018"),
    "smnet-xy": About("crop -> x, y", "Zhang et al., Nat. Methods 15, 2018"),
    "smnet-orientation": About("crop -> polar angle and azimuth of a dipole", "Zhang et al., Nat. Methods 15, 2018"),
    "smnet-aberrations": About("crop in two planes -> Noll 5 to 25", "Zhang et al., Nat. Methods 15, 2018"),
    "hershko": About("frames behind a learned mask -> molecules, colour", "Hershko et al., Opt. Express 27, 2019"),
    "kim": About("crop -> colour (two dyes, open pupil), z", "Kim, Moon & Xu, Nat. Commun. 10, 2019"),
    "hershko-colour": About("crop -> colour (2 to 5 dyes, open pupil)", "Hershko et al., Opt. Express 27, 2019"),
    "deep-storm": About("frames -> super-resolved image, summed live", "Nehme et al., Optica 5, 2018"),
    "deep-storm-light": About("the same, lighter", "Nehme et al., Optica 5, 2018"),
    "anna-palm": About("few localizations -> dense image, a prediction", "Ouyang et al., Nat. Biotechnol. 36, 2018"),
}
