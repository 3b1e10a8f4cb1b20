"""Read a soundtrack as measures take it: mono, at the rate that brains learn."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from frame2sound.sound.resampler import resample


def read_rendered(path: Path, sample_rate: int) -> NDArray[np.float32]:
    """Return the sound of a WAV in one channel at a sample rate, ``(n,)``.

    What is equal in two channels stays as loud as both together (ITU-R BS.1770).
    """
    sound, rate = soundfile.read(os.fsencode(path), dtype="float32", always_2d=True)
    mono: NDArray[np.float32] = sound.sum(axis=1) / np.float32(np.sqrt(sound.shape[1]))
    if rate == sample_rate or not len(mono):
        return mono
    count = round(len(mono) * sample_rate / rate)
    return np.concatenate([*resample([mono], (rate, sample_rate), 0, 0, count)])
