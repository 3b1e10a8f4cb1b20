"""Play grains with pyo, live or into a file, at the same samples as `add_grains`."""

from __future__ import annotations

import heapq
import importlib
import os
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from frame2sound.errors import SoundtrackError
from frame2sound.sound.grains import Grains
from frame2sound.sound.windows import grain_envelope

BUFFER_SAMPLES = 256
"""Samples that pyo computes at once. Grains may start at any sample of a buffer."""

ENVELOPE_SAMPLES = 8192


class PyoEngine:
    """A pyo server with the voices that play a cloud of grains.

    Before each buffer, free voices get the grains that start in it: a trigger, delayed to the
    sample, starts an envelope and a line that reads the source. Only the server differs between
    offline and live. One engine can be open at a time; close it, or use a ``with`` block.

    Parameters
    ----------
    grains : Grains
        Grains that start before sample 0 are ignored.
    source : array of shape (n,)
        The sound that the grains read.
    sample_rate : int
    envelope : str
        One of `frame2sound.sound.windows.ENVELOPE_PEAKS`.
    channels : int
        1, or 2 to pan the grains.
    audio : {"offline", "portaudio", "jack", "manual"}
        Into a file; live; or buffer by buffer, with `process_buffer`.

    Raises
    ------
    SoundtrackError
        There is no sound card.
    """

    def __init__(
        self,
        grains: Grains,
        source: NDArray[np.float32],
        sample_rate: int,
        envelope: str = "hann",
        channels: int = 1,
        audio: Literal["offline", "portaudio", "jack", "manual"] = "offline",
    ) -> None:
        self.sample_rate = sample_rate
        self._grains = grains.select(np.flatnonzero(grains.onset >= 0))
        self._grains = self._grains.select(np.argsort(self._grains.onset, kind="stable"))
        self._source = source
        self._shape = envelope
        self._channels = channels
        self._pyo = quiet_pyo()
        self._server = self._pyo.Server(
            sr=sample_rate, nchnls=channels, buffersize=BUFFER_SAMPLES, duplex=0, audio=audio
        )
        self._server.setVerbosity(1)
        self._offline = audio == "offline"
        self._buffer = self._next = 0
        if not self._offline:
            self._boot()

    @property
    def seconds(self) -> float:
        """The end of the last grain."""
        ends = self._grains.onset + self._grains.length
        return int(ends.max(initial=0)) / self.sample_rate

    def write(self, path: Path) -> None:
        """Render offline into a WAV file of 32-bit floats, in whole buffers."""
        # pyo opens the file as it boots, and computes all of it as it starts.
        self._server.recordOptions(
            dur=self.seconds + BUFFER_SAMPLES / self.sample_rate,
            filename=str(path),
            fileformat=0,
            sampletype=3,
        )
        self._boot()
        self._server.start()

    def start_live(self) -> None:
        """Play live, until the engine is closed."""
        self._server.start()

    def process_buffer(self) -> None:
        """Compute one buffer of a ``manual`` server."""
        self._server.process()

    def close(self) -> None:
        """Stop, and release the sound card."""
        if self._server.getIsStarted():
            self._server.stop()
        if self._server.getIsBooted():
            self._server.shutdown()

    def __enter__(self) -> PyoEngine:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _boot(self) -> None:
        self._server.boot()
        if not self._server.getIsBooted():
            raise SoundtrackError("found no sound card to play to; write to a file instead")
        # Reading reaches past both ends of the sound, into silence.
        around = np.abs(self._grains.playback_rate) * self._grains.length
        self._margin = int(np.ceil(around.max(initial=0))) + 4
        samples = np.pad(self._source.astype(np.float64), self._margin)
        self._table = _table(self._pyo, samples)
        self._envelope = _table(self._pyo, grain_envelope(self._shape, ENVELOPE_SAMPLES))
        self._voice_of_grain, count = _assign_voices(self._grains)
        self._voices = [
            _Voice(self._pyo, self._table, self._envelope, self._channels) for _ in range(count)
        ]
        self._gains = (
            np.stack(self._grains.channel_gains(self._channels), axis=1).astype(float).tolist()
        )
        self._server.setCallback(self._trigger_grains)

    def _trigger_grains(self) -> None:
        """Trigger the grains that start in the next buffer."""
        grains, begin = self._grains, self._buffer * BUFFER_SAMPLES
        self._buffer += 1
        while self._next < len(grains) and grains.onset[self._next] < begin + BUFFER_SAMPLES:
            i = self._next
            # pyo cuts the delay to whole samples; half a one more keeps rounding out of it.
            place = float(np.clip(grains.source_position[i], -self._margin, len(self._source)))
            self._voices[self._voice_of_grain[i]].trigger(
                (int(grains.onset[i]) - begin + 0.5) / self.sample_rate,
                int(grains.length[i]) / self.sample_rate,
                place + self._margin,
                float(grains.playback_rate[i]) * int(grains.length[i]),
                self._gains[i],
            )
            self._next += 1


class _Voice:
    """Plays one grain after another."""

    def __init__(self, pyo: Any, table: Any, shape: Any, channels: int) -> None:
        self._size = table.getSize()
        self._trigger = pyo.Trig().stop()
        self._delayed = pyo.SDelay(self._trigger, delay=0, maxdelay=1)
        self._shape = pyo.TrigEnv(self._delayed, shape, dur=1, interp=2)
        self._line = pyo.TrigLinseg(self._delayed, [(0, 0), (1, 1)])
        self._read = pyo.Pointer2(table, self._line, interp=4, autosmooth=False, mul=self._shape)
        self._out = pyo.Sig(self._read, mul=[0.0] * channels).out()

    def trigger(
        self, delay: float, seconds: float, begin: float, span: float, gains: list[float]
    ) -> None:
        """Play ``span`` samples of the table from ``begin`` on, ``delay`` after the buffer's start.

        pyo's line has moved on by a step when it is first read, so it starts a step before.
        """
        first = begin - span / (seconds * self._trigger.getSamplingRate())
        self._delayed.setDelay(delay)
        self._shape.setDur(seconds)
        self._line.setList([(0, first / self._size), (seconds, (first + span) / self._size)])
        self._out.setMul(gains)
        self._trigger.play()


def _assign_voices(grains: Grains) -> tuple[list[int], int]:
    """Return the voice of each grain, and how many voices there are.

    A voice is free for a buffer that begins after its last grain has ended, and not before the
    second buffer after that grain's first: until then its trigger is in the delay.
    """
    voices: list[int] = []
    busy: list[tuple[int, int]] = []
    for onset, length in zip(grains.onset.tolist(), grains.length.tolist(), strict=True):
        buffer = onset // BUFFER_SAMPLES
        free = busy and busy[0][0] <= buffer
        voice = heapq.heappop(busy)[1] if free else len(busy)
        until = max((onset + length) // BUFFER_SAMPLES + 1, buffer + 2)
        heapq.heappush(busy, (until, voice))
        voices.append(voice)
    return voices, len(busy)


def _table(pyo: Any, samples: NDArray[np.float64]) -> Any:
    table = pyo.DataTable(len(samples))
    np.asarray(table.getBuffer())[:] = samples
    return table


def quiet_pyo() -> Any:
    """Import pyo in double precision, without its word that it found no window toolkit."""
    os.environ.setdefault("PYO_GUI_WX", "0")
    return importlib.import_module("pyo64")
