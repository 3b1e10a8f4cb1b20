"""WAV files of any length: beyond 4 GiB they are RF64 (EBU Tech 3306), as audio editors read."""

from __future__ import annotations

import errno
import os
import shutil
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import soundfile

MAX_WAV_BYTES = 2**32 - 1
"""The header of a WAV file cannot say that it is longer."""

MAX_HEADER_BYTES = 200
"""What precedes the samples is shorter."""

_BLOCK_OFFSET = 32
"""Where a WAV file says how many bytes one sample of all channels has."""

_SIZES_OFFSET = 20
"""Where an RF64 says its size after the first 8 bytes, that of its samples, and their number."""

MIN_FREE_BYTES = 1 << 20
"""A disk with less is taken to be full where a write fails: libsndfile does not say why."""

WavSubtype = Literal["PCM_16", "PCM_24", "FLOAT"]


@contextmanager
def open_wav(
    path: Path, sample_rate: int, channels: int, subtype: WavSubtype
) -> Iterator[soundfile.SoundFile]:
    """Yield a WAV file to write into, which becomes an RF64 if it is too long for a WAV.

    That takes the space of both for a while.

    Parameters
    ----------
    path : Path
        Is replaced.
    sample_rate : int
        In Hz.
    channels : int
    subtype : str
        ``"PCM_16"``, ``"PCM_24"`` or ``"FLOAT"``.

    Raises
    ------
    OSError
        It cannot be written, as on a full disk.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "click.wav"
    >>> with open_wav(path, 48000, 1, "PCM_24") as file:
    ...     file.write([1.0, 0.0])
    >>> soundfile.info(path).frames
    2
    """
    layout = sample_rate, channels, subtype
    with _WavFile(os.fsencode(path), "w", *layout, format="WAV") as file:
        yield file
        samples = file.frames
    if path.stat().st_size > MAX_WAV_BYTES:
        longer = path.with_name(f"{path.name}.rf64")
        try:
            soundfile.SoundFile(os.fsencode(longer), "w", *layout, format="RF64").close()
            _copy_samples(path, longer, samples)
            longer.replace(path)
        finally:
            longer.unlink(missing_ok=True)


class _WavFile(soundfile.SoundFile):  # type: ignore[misc]
    """A sound file whose failures to write are those of the system."""

    def write(self, data: Any) -> None:
        """Append samples ``(n,)`` or ``(n, channels)``."""
        try:
            super().write(data)
        except soundfile.LibsndfileError as error:
            is_full = shutil.disk_usage(Path(os.fsdecode(self.name)).parent).free < MIN_FREE_BYTES
            number = errno.ENOSPC if is_full else errno.EIO
            raise OSError(number, os.strerror(number)) from error


def _copy_samples(source: Path, target: Path, samples: int) -> None:
    """Append the bytes of a WAV file's samples to an empty RF64."""
    with source.open("rb") as wav, target.open("r+b") as rf64:
        header = wav.read(MAX_HEADER_BYTES)
        (block_bytes,) = struct.unpack_from("<H", header, _BLOCK_OFFSET)
        wav.seek(header.index(b"data") + 8)
        rf64.seek(0, 2)
        shutil.copyfileobj(wav, rf64, 1 << 20)
        size = rf64.tell()
        rf64.seek(_SIZES_OFFSET)
        rf64.write(struct.pack("<QQQ", size - 8, samples * block_bytes, samples))
