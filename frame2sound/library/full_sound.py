"""A film's sound as it is heard: mono or stereo, at up to 48 kHz, in a FLAC file of its folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from frame2sound.errors import LibraryError
from frame2sound.library.card import FullSoundFormat
from frame2sound.library.folders import DAMAGED_REMEDY
from frame2sound.untrusted import one_line_reason, open_regular

HEADROOM = 2.0
"""The absolute sample that full scale of the file stands for: 6 dB over the film's full scale."""

STREAM_INFO_END = 42
"""Bytes of a FLAC file up to the end of its stream info."""

SAMPLE_BITS = 20
"""Bits of a sample; FLAC leaves out the other four of 24, as they are zero.

White noise at full scale costs 2 x 20 bits x 48 kHz = 240 kB/s, and a step is 1/8 of a step of 16
bits, so the sound of 16-bit films is kept exactly.
"""


@dataclass(frozen=True)
class FullSound:
    """The sound of a film as it is heard; it is read from its file part by part.

    Sample 0 is at time 0 of the film.

    Attributes
    ----------
    path : Path
        A FLAC file, whose full scale is `HEADROOM`.
    format : FullSoundFormat
        What the film's card says of it.
    """

    path: Path
    format: FullSoundFormat

    @property
    def sample_rate(self) -> int:
        """In Hz."""
        return self.format.sample_rate

    @property
    def channels(self) -> int:
        """1 for mono, 2 for stereo."""
        return self.format.channels

    @property
    def samples(self) -> int:
        """Number of samples of each channel."""
        return self.format.samples

    def read(self, begin: int, end: int) -> NDArray[np.float32]:
        """Return the samples from ``begin`` up to ``end``, at the film's own level.

        Where the film has no samples, before 0 and after its end, they are 0.

        Returns
        -------
        float32 array (end - begin, channels)

        Raises
        ------
        LibraryError
            The file is missing or damaged.
        """
        samples = np.zeros((max(end - begin, 0), self.channels), np.float32)
        first, last = max(begin, 0), min(end, self.samples)
        if first < last:
            with self._damage_is_an_error(), open_regular(self.path) as file:
                _check_format(file, self.format)
                part = _decode(file, first, last)
                samples[first - begin : last - begin] = part * np.float32(HEADROOM)
        return samples

    def check(self) -> None:
        """Raise `LibraryError` if the file is missing, or is not what the film's card says."""
        with self._damage_is_an_error(), open_regular(self.path) as file:
            _check_format(file, self.format)

    @contextmanager
    def _damage_is_an_error(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError) as error:
            raise LibraryError(
                f"{self.path} is missing or damaged ({one_line_reason(error)}); {DAMAGED_REMEDY}"
            ) from error


def _check_format(file: IO[bytes], expected: FullSoundFormat) -> None:
    """Raise `ValueError` unless a FLAC file begins with the stream info of a format (RFC 9639)."""
    head = file.read(STREAM_INFO_END)
    file.seek(0)
    if len(head) < STREAM_INFO_END or head[:4] != b"fLaC" or head[4] & 0x7F:
        raise ValueError("it is no .flac file")
    fields = int.from_bytes(head[18:26], "big")  # rate: 20 bits, channels: 3, bits: 5, samples: 36
    got = (fields >> 44, (fields >> 41 & 7) + 1, fields & (1 << 36) - 1)
    if got != (expected.sample_rate, expected.channels, expected.samples):
        raise ValueError(
            f"its rate, channels and samples are {got[0]}, {got[1]} and {got[2]}, expected "
            f"{expected.sample_rate}, {expected.channels} and {expected.samples}"
        )


def _decode(file: IO[bytes], first: int, last: int) -> NDArray[np.float32]:
    """Return samples of a FLAC file, ``(last - first, channels)``; full scale is 1."""
    import soundfile

    try:
        with soundfile.SoundFile(file) as sound:
            sound.seek(first)
            part: NDArray[np.float32] = sound.read(last - first, "float32", always_2d=True)
    except soundfile.SoundFileError as error:
        raise ValueError(str(error)) from error
    if len(part) < last - first:
        raise ValueError(f"it ends at sample {first + len(part)}")
    return part
