"""Play blocks of sound with pyo, through JACK, PortAudio or into a file."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.live.pyo_server import Audio, close_server, open_sound_card, open_sound_file
from frame2sound.rendering.granular.pyo_engine import quiet_pyo

Samples = NDArray[np.float32]

LATE_PERIODS = 2.0
"""Blocks that are asked for later than so many periods after the one before are a dropout."""

CLOCK_SHARE = 0.02
"""How fast the estimated clock of the sound card follows what is observed."""


class PyoOutput:
    """A pyo server that plays what a function returns, block by block.

    One can be open at a time. Close it, or use a ``with`` block.

    Parameters
    ----------
    read : callable
        Returns the next block, ``(samples, 2)``; is called from pyo's own thread.
    sample_rate, block_samples : int
    on_block : callable, optional
        Is called with each block after it was handed over, its first sample, and when it was asked
        for, by `time.perf_counter`.

    Attributes
    ----------
    blocks, dropouts : int
        Blocks that were asked for, and how often one was asked for too late.
    """

    def __init__(
        self,
        read: Callable[[int], Samples],
        sample_rate: int,
        block_samples: int,
        on_block: Callable[[Samples, int, float], object] | None = None,
    ) -> None:
        self.sample_rate, self.block_samples = sample_rate, block_samples
        self.blocks = self.dropouts = 0
        self.audio = ""
        self._read, self._on_block = read, on_block
        self._server: Any = None
        self._origin: float | None = None
        self._last = 0.0

    def start(self, audio: Audio = "auto") -> None:
        """Open JACK or PortAudio, and play until it is closed; ``auto`` tries them in this order.

        Raises
        ------
        SoundtrackError
            JACK does not run, runs at another rate or block, or there is no sound card.
        """
        self._server, self.audio = open_sound_card(audio, self.sample_rate, self.block_samples)
        self._build()
        self._server.start()

    def write(self, path: Path, seconds: float) -> None:
        """Let pyo's offline server write whole blocks into a WAV file of 32-bit floats."""
        self._server = open_sound_file(path, seconds, self.sample_rate, self.block_samples)
        self._build()
        self._server.start()

    def sample_at(self, seconds: float) -> int:
        """Return the sample that is asked for at a time of `time.perf_counter`."""
        origin = seconds if self._origin is None else self._origin
        return max(round((seconds - origin) * self.sample_rate), 0)

    def close(self) -> None:
        """Stop, and release the sound card."""
        server, self._server = self._server, None
        if server is not None:
            close_server(server)

    def __enter__(self) -> PyoOutput:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _build(self) -> None:
        """Let a pair of tables, filled before each block, be read once a block."""
        pyo, size = quiet_pyo(), self.block_samples
        tables = [pyo.DataTable(size) for _ in range(2)]
        self._buffers = [np.asarray(table.getBuffer()) for table in tables]
        self._players = [
            pyo.TableRead(table, freq=self.sample_rate / size, loop=1, interp=1).out(channel)
            for channel, table in enumerate(tables)
        ]
        self._tables = tables
        self._server.setCallback(self._fill)

    def _fill(self) -> None:
        self._observe(time.perf_counter())
        sound = self._read(self.block_samples)
        for buffer, channel in zip(self._buffers, sound.T, strict=True):
            buffer[:] = channel
        if self._on_block is not None:
            self._on_block(sound, (self.blocks - 1) * self.block_samples, self._last)

    def _observe(self, now: float) -> None:
        """Take in when a block was asked for: count it, and follow the sound card's clock."""
        period = self.block_samples / self.sample_rate
        origin = now - self.blocks * period
        is_late = self._origin is not None and now - self._last > LATE_PERIODS * period
        self.dropouts += is_late
        if self._origin is None or is_late:
            self._origin = origin
        else:  # a block can be asked for late, but never early
            self._origin = min(origin, self._origin + CLOCK_SHARE * (origin - self._origin))
        self._last = now
        self.blocks += 1
