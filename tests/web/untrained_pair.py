"""A pair of networks that have learned nothing: a moment's work, and always the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from frame2sound.synaesthesia.pair import Pair, build_networks
from frame2sound.synaesthesia.pair_file import save_pair
from frame2sound.synaesthesia.recipe import load_synaesthesia_recipe
from frame2sound.synaesthesia.sound_windows import RATE, fit_components, log_mel
from frame2sound.synaesthesia.squiggles import draw_squiggles


def write_untrained_pair(path: Path) -> None:
    """Write the file of a pair."""
    recipe = load_synaesthesia_recipe("strokes", ["network.components=8"])
    windows = np.random.default_rng(0).uniform(-0.1, 0.1, (12, RATE)).astype(np.float32)
    strokes = draw_squiggles(32, 0)
    ranges = (strokes.mean(0), strokes.std(0), strokes.min(0), strokes.max(0))
    torch.manual_seed(0)
    networks = build_networks(recipe, torch.from_numpy(np.stack(ranges)).float())
    save_pair(Pair(recipe, fit_components(log_mel(windows), 8), *networks, windows[:1]), path)
