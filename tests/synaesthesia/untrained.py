"""A pair of networks that were never trained, and a sound: quick to make, and always the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
import torch

from frame2sound.synaesthesia.pair import Pair, build_networks
from frame2sound.synaesthesia.pair_file import save_pair
from frame2sound.synaesthesia.recipe import load_synaesthesia_recipe
from frame2sound.synaesthesia.sound_windows import RATE, fit_components, log_mel
from frame2sound.synaesthesia.squiggles import draw_squiggles


def write_pair(path: Path, components: int = 8) -> None:
    """Write a pair whose strokes change with the sound."""
    recipe = load_synaesthesia_recipe("strokes", [f"network.components={components}"])
    rng = np.random.default_rng(0)
    count = components + 4
    levels = 10 ** rng.uniform(-3, 0, (count, 20)).repeat(RATE // 20 + 1, axis=1)[:, :RATE]
    windows = np.float32(levels * rng.uniform(-0.5, 0.5, (count, RATE)))
    strokes = draw_squiggles(32, 0)
    parts = (strokes.mean(0), strokes.std(0), strokes.min(0) - 0.1, strokes.max(0) + 0.1)
    torch.manual_seed(0)
    networks = build_networks(recipe, torch.from_numpy(np.stack(parts)).float())
    save_pair(
        Pair(recipe, fit_components(log_mel(windows), components), *networks, windows[:2]), path
    )


def write_sound(path: Path, seconds: float = 1.5, sample_rate: int = 44_100) -> None:
    """Write tones and noises that follow each other, in stereo."""
    rng = np.random.default_rng(1)
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    tone = np.sin(2 * np.pi * (300 + 900 * time) * time) * np.sin(3 * time) ** 2
    noise = rng.uniform(-1, 1, len(time)) * (np.sin(9 * time) > 0)
    samples = 0.3 * np.stack([tone, tone + noise], axis=1)
    soundfile.write(path, samples, sample_rate, "PCM_16")
