"""A brain of any target that foretells a sound it knows, as loud as the picture is bright."""

from fractions import Fraction

import numpy as np
import torch

from frame2sound.brain.corpus import Corpus, Piece
from frame2sound.brain.predictor import StatelessPredictor
from frame2sound.brain.recipe import parse_recipe
from frame2sound.brain.targets import build_target
from frame2sound.clock import Clock

RATE = 22050
KINDS = {
    "pcm": {"kind": "pcm"},
    "pcm-lead": {"kind": "pcm", "lead_seconds": 0.008},
    "stft-real": {"kind": "stft-real"},
    "stft-mag": {"kind": "stft-mag", "window_length": 512, "windows_per_frame": 2},
    "stft-both": {"kind": "stft-both", "windows_per_frame": 4},
    "log-mag": {"kind": "log-mag", "window_length": 512, "windows_per_frame": 4},
    "mel": {"kind": "mel", "window_length": 512, "windows_per_frame": 4},
}


def known_sound(seconds=3.0, seed=0):
    """A tone that begins anew every half second, in noise."""
    time = np.arange(round(seconds * RATE)) / RATE
    tone = 0.2 * np.sin(2 * np.pi * 443 * time) * np.exp(-6 * (time % 0.5))
    return np.float32(tone + np.random.default_rng(seed).normal(0, 0.02, len(time)))


class Foreteller(StatelessPredictor):
    """Foretells frame by frame what its target wants of a sound."""

    def __init__(self, kind="log-mag", fps=30, sound=None):
        parts = {"network": {"kind": "mlp", "hidden": [8]}, "target": KINDS[kind]}
        clock = {"fps": str(fps), "sample_rate": RATE}
        self.clock = Clock(Fraction(fps), RATE)
        self.target = build_target(parse_recipe({"name": kind, "clock": clock, **parts}), 0.1)
        self.sound = known_sound() if sound is None else sound
        self._seen = 0

    def predict(self, frames):
        around = np.pad(self.sound, self.target.excerpt_length + self.clock.max_samples_per_frame)
        at = self.clock.sample_bounds(len(frames), self._seen)[:-1] % len(self.sound)
        self._seen += len(frames)
        begin = (
            at
            - self.target.lead_samples
            + self.target.excerpt_length
            + self.clock.max_samples_per_frame
        )
        excerpts = around[begin[:, None] + np.arange(self.target.excerpt_length)]
        light = frames.mean(axis=(1, 2)).astype(np.float32)[:, None] / 255
        return self.target.decode(self.target.encode(torch.from_numpy(excerpts * light)))

    @property
    def corpus(self):
        return Corpus(self.clock, (Piece("known", 0, self.sound),))
