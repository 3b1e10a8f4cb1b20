"""Write tones and chords, one after another, as a WAV, and through effects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frame2sound.atomic import atomic_write, check_writable, write_error_message
from frame2sound.errors import SoundtrackError
from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.rendering.audio_spool import AudioSpool
from frame2sound.rendering.effects import EffectChain
from frame2sound.sound.wav_file import open_wav
from frame2sound.tuning.waves import chord_blocks

Samples = NDArray[np.float32]

PEAK = 10 ** (-1 / 20)
"""The largest sample: 1 dB below full scale."""


def write_chords(
    out: Path,
    chords_hz: Sequence[Sequence[float]],
    seconds: Fraction,
    *,
    wave: str,
    sample_rate: int,
    effects: EffectChain,
    overwrite: bool = False,
    on_progress: ProgressCallback = ignore_progress,
) -> int:
    """Write tones that sound together, one group after another; return the number of samples.

    The WAV has one channel of 24 bits, its peak 1 dB below full scale. Group ``i`` begins at sample
    ``round(i * seconds * sample_rate)``; without effects the last ends there, too. With them it is
    as long as they make it.

    Raises
    ------
    SoundtrackError
        The file exists and ``overwrite`` is false, or it cannot be written.
    """
    if out.suffix.lower() != ".wav":
        raise SoundtrackError(f"got {out}, expected the name of a .wav")
    check_writable(out, SoundtrackError, overwrite=overwrite)

    def sounds() -> Iterator[Samples]:
        for number, chord in enumerate(chords_hz):
            on_progress(out.name, number, len(chords_hz), "")
            begin, end = (round(at * seconds * sample_rate) for at in (number, number + 1))
            yield from chord_blocks(chord, wave, end - begin, sample_rate)
        on_progress(out.name, len(chords_hz), len(chords_hz), "")

    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            spool = stack.enter_context(AudioSpool(out.parent))
            played = effects.apply(sounds(), sample_rate, 1, out.parent, keep_length=False)
            peak = max(float(np.abs(chunk).max(initial=0)) for chunk in spool.tee(played))
            partial = stack.enter_context(atomic_write(out, SoundtrackError, overwrite=overwrite))
            _write(spool, partial, sample_rate, np.float32(PEAK / peak if peak else 1))
    except OSError as failure:
        raise SoundtrackError(write_error_message(out, failure)) from failure
    return spool.sample_count


def _write(spool: AudioSpool, path: Path, sample_rate: int, gain: np.float32) -> None:
    with open_wav(path, sample_rate, 1, "PCM_24") as file:
        for block in spool.read():
            file.write(gain * block)
