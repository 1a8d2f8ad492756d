"""What networks for bleaching traces are trained on."""

from __future__ import annotations

from models.sample_space import Range, SampleSpace

TRACES = SampleSpace({
    "frames": Range(100, 1000, "log-uniform"),  # of a trace
    "photons": Range(30, 5000, "log-uniform"),  # photo-electrons of one fluorophore in a frame
    "snr": Range(0.7, 60, "log-uniform"),  # light of one fluorophore over the noise while it alone shines
    "read_noise_e": Range(0, 20),  # photo-electrons, of the whole sum over pixels
    "brightness_spread": Range(0, 0.4),  # standard deviation of its logarithm among a molecule's fluorophores
    "life_share": Range(0.06, 0.6, "log-uniform"),  # mean life of a fluorophore over the length of the trace
    "flicker": Range(0, 0.12),  # relative fluctuation of the light, beyond that of its photons
    "flicker_frames": Range(0.3, 30, "log-uniform"),  # for which it lasts
    "dark_frames": Range(0.3, 30, "log-uniform"),  # mean length of a dark state
    "background_error": Range(-0.5, 0.5),  # background left in the trace, in fluorophores
    "leak": Range(0.02, 0.3),  # of a neighbour's light into the trace
    "most_steps": 8.0,  # molecules with more are not told from those with as many
    "blinking_share": 0.4,  # of the molecules whose fluorophores go dark now and then
    "lasting_share": 0.2,  # of those in which some fluorophores outlast the trace
    "neighbour_share": 0.25,  # of those with a neighbour that bleaches too
    "em_share": 0.45,  # of those behind an EM register
})  # fmt: skip
"""As published the network tells 0 to 4 steps: `most_steps = 4` in a file of the sample space."""
