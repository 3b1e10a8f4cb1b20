"""A picture as wavetables: each row is the cycle of a waveform, read from the top to the bottom."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from frame2sound.sonification.oscillators import OscillatorBank
from frame2sound.sonification.pictures import Brightness, with_rows

Samples = NDArray[np.float32]

HOP_SECONDS = 0.003

TABLE_SAMPLES, MAX_TABLES = 2048, 256
"""Samples of a table, and tables in a file, as most wavetable synthesisers read them."""

TABLE_RATE = 44_100

MIN_COLUMNS = 3
"""Two samples make a cycle of no harmonic but the Nyquist frequency."""

_CLM = f"<!>{TABLE_SAMPLES} 00000000 wavetable (frame2sound)".encode()
"""Content of the chunk by which a synthesiser knows the length of a table."""


class WavetableOscillator:
    """Plays cycles at a pitch; from one to the next they cross-fade.

    A cycle is summed from its harmonics below half the sample rate, so nothing aliases.

    Parameters
    ----------
    columns : int
        Samples of a cycle.
    pitch_hz : float
    sample_rate : int
        In Hz.
    """

    def __init__(self, columns: int, pitch_hz: float, sample_rate: int) -> None:
        self.hop = max(round(HOP_SECONDS * sample_rate), 1)
        below_nyquist = int(np.ceil(sample_rate / 2 / pitch_hz)) - 1
        self._harmonics = min((columns - 1) // 2, below_nyquist)
        hz = np.arange(1, self._harmonics + 1, dtype=np.float64) * pitch_hz
        self._bank = OscillatorBank(hz, np.zeros(len(hz)), sample_rate, self.hop)

    def render(self, cycles: Iterable[Brightness]) -> Iterator[Samples]:
        """Yield sound of the cycles at sample 0, ``hop``..., ``(hops, columns)``."""
        skipped = self.hop
        for batch in cycles:
            spectra = np.fft.rfft(2 * batch, axis=1)[:, 1 : self._harmonics + 1]
            sound = self._bank.process(spectra * (2 / batch.shape[1]))
            yield sound[skipped:]
            skipped = 0


def make_tables(brightness: Brightness) -> Samples:
    """Return at most 256 tables of 2048 samples, ``(tables, 2048)``, without offset, peak at 1."""
    rows = with_rows(brightness, min(len(brightness), MAX_TABLES))
    width = rows.shape[1]
    kept = min((width - 1) // 2, TABLE_SAMPLES // 2 - 1)
    spectra = np.zeros((len(rows), TABLE_SAMPLES // 2 + 1), complex)
    spectra[:, 1 : kept + 1] = np.fft.rfft(rows, axis=1)[:, 1 : kept + 1]
    tables = np.fft.irfft(spectra, TABLE_SAMPLES, axis=1)
    return np.asarray(tables / max(float(np.abs(tables).max()), 1e-9), np.float32)


def write_tables(tables: Samples, path: Path) -> None:
    """Write tables one after another as a WAV of 32-bit floats, with a ``clm`` chunk."""
    data = np.ascontiguousarray(tables, "<f4").tobytes()
    is_float, channels, width = 3, 1, 4
    format_chunk = struct.pack(
        "<HHIIHHH", is_float, channels, TABLE_RATE, TABLE_RATE * width, width, 8 * width, 0
    )
    fact = struct.pack("<I", tables.size)
    chunks = ((b"fmt ", format_chunk), (b"fact", fact), (b"clm ", _CLM), (b"data", data))
    body = b"".join(
        name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
        for name, content in chunks
    )
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body) + 4) + b"WAVE" + body)
