"""Listen to the sound card with pyo, through JACK or PortAudio."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.errors import SoundtrackError
from frame2sound.live.pyo_server import Audio, close_server, open_sound_card
from frame2sound.rendering.granular.pyo_engine import quiet_pyo

Samples = NDArray[np.float32]

SAMPLE_RATE, BLOCK_SAMPLES = 48_000, 256
"""What PortAudio is asked for; JACK has its own."""

TABLE_BLOCKS = 1024
"""So much sound is kept until it is read: more than five seconds at 48 kHz."""

POLL_SECONDS, PATIENCE_SECONDS = 0.002, 5.0
"""How often it is looked whether sound has come, and when no more is expected."""


class PyoInput:
    """The sound that comes into the sound card, mixed to mono.

    pyo writes it into a circular table, which is read from outside. One can be open at a time.
    Close it, or use a ``with`` block.

    Parameters
    ----------
    audio : {"auto", "jack", "portaudio"}
        ``auto`` is JACK if it runs, else PortAudio.

    Attributes
    ----------
    audio : {"jack", "portaudio"}
    sample_rate : int
    lost_samples : int
        Samples that were overwritten before they were read.

    Raises
    ------
    SoundtrackError
        JACK does not run, or there is no sound card with an input.
    """

    def __init__(self, audio: Audio = "auto") -> None:
        self._server: Any
        self._server, self.audio = open_sound_card(audio, SAMPLE_RATE, BLOCK_SAMPLES, is_input=True)
        self.sample_rate = round(self._server.getSamplingRate())
        self.lost_samples = 0
        self._block = int(self._server.getBufferSize())
        self._blocks = self._position = 0
        self._build()
        self._server.start()

    @property
    def waiting_samples(self) -> int:
        """How many samples have come that were not read."""
        # The block that is counted last is still being written.
        return max(self._blocks - 1, 0) * self._block - self._position

    def read(self, count: int) -> Samples:
        """Return the next samples, ``(count,)``, as soon as they have come.

        Raises
        ------
        SoundtrackError
            Nothing comes any more.
        """
        self._wait_for(count)
        overwritten = self.waiting_samples + self._block - len(self._table)
        if overwritten > 0:
            self.lost_samples += overwritten
            self._position += overwritten
            self._wait_for(count)
        places = np.arange(self._position, self._position + count) % len(self._table)
        self._position += count
        return self._table[places]

    def forget(self) -> None:
        """Begin with what comes from now on."""
        self._position += self.waiting_samples

    def close(self) -> None:
        """Stop, and release the sound card."""
        server, self._server = self._server, None
        if server is not None:
            close_server(server)

    def __enter__(self) -> PyoInput:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _wait_for(self, count: int) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS + count / self.sample_rate
        while self.waiting_samples < count:
            if time.monotonic() > deadline:
                raise SoundtrackError(
                    f"no sound has come from {self.audio} for {PATIENCE_SECONDS:g} s, expected it "
                    "to run on; start it and this command again"
                )
            time.sleep(POLL_SECONDS)

    def _build(self) -> None:
        pyo = quiet_pyo()
        table = pyo.DataTable(TABLE_BLOCKS * self._block)
        mono = pyo.Input([0, 1], mul=0.5).mix(1)
        self._objects = (table, mono, pyo.TableFill(mono, table))
        self._table = np.asarray(table.getBuffer())
        self._server.setCallback(self._count)

    def _count(self) -> None:
        self._blocks += 1
