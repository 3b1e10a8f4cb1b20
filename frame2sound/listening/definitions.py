"""What each feature is called, what it means, and its unit."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Definition:
    """A feature as it is shown.

    Attributes
    ----------
    label : str
        What tables call it.
    unit : str
        Empty for a number without one.
    text : str
        What it is, in one sentence.
    decimals : int
        That are worth showing.
    """

    label: str
    unit: str
    text: str
    decimals: int = 0


FRAME_FEATURES = {
    "level_db": Definition(
        "level", "dBFS", "Root mean square of the samples; a full-scale sine has -3.01.", 1
    ),
    "centroid_hz": Definition("centroid", "Hz", "Mean frequency, weighted by linear magnitude."),
    "bandwidth_hz": Definition(
        "bandwidth", "Hz", "Standard deviation of frequency, weighted by linear magnitude."
    ),
    "rolloff_hz": Definition(
        "rolloff", "Hz", "Frequency up to which 85 % of the summed magnitudes lie."
    ),
    "flatness": Definition(
        "flatness",
        "",
        "Geometric over arithmetic mean of the powers of all bins: near 0 for a tone, .56 for "
        "white noise.",
        4,
    ),
    "zero_crossing_rate": Definition(
        "zero crossings",
        "",
        "Changes of sign per sample: a sine has twice its frequency over the sample rate.",
        4,
    ),
    "onset_strength_db": Definition(
        "onset strength", "dB", "Mean rise of 128 mel bands since the frame before.", 2
    ),
    "pitch_hz": Definition(
        "pitch",
        "Hz",
        "Fundamental frequency, 60 to 4200 Hz, by YIN and the nearest spectral peak; for one voice "
        "at a time.",
        1,
    ),
    "mfcc": Definition(
        "MFCC",
        "dB",
        "Orthonormal cosine transform (type 2) of 128 Slaney mel bands in dB; number 0 is the "
        "level.",
        1,
    ),
    "chroma": Definition(
        "chroma", "", "Power of each pitch class from C to B, relative to the strongest.", 2
    ),
}
"""The features of each frame; columns of the table of frames begin with these names."""

SOUND_FEATURES = {
    "onsets": Definition(
        "onsets",
        "seconds",
        "When the spectral flux of 40 bands has a peak 2 dB above its surroundings.",
        3,
    ),
    "tempo": Definition(
        "tempo",
        "BPM",
        "Beats a minute, 40 to 240, at which the spectral flux repeats; its strength is the mean "
        "autocorrelation at one to four beats.",
        1,
    ),
    "key": Definition(
        "key",
        "",
        "The major or minor key whose profile by Albrecht and Shanahan correlates best with the "
        "mean chroma.",
    ),
    "loudness": Definition(
        "loudness", "LUFS", "Integrated loudness of all channels after ITU-R BS.1770-4.", 1
    ),
    "notes": Definition(
        "notes",
        "",
        "Stretches of stable pitch of one voice: start and end in seconds, pitch in Hz, level in "
        "dBFS.",
    ),
}
"""The features of a sound as a whole."""
