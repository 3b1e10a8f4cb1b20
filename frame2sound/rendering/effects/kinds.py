"""The effects: their settings with ranges, and how each is applied."""

from __future__ import annotations

import math
from itertools import zip_longest
from typing import Annotated, ClassVar, Literal

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from frame2sound.errors import SoundtrackError
from frame2sound.rendering.audio_spool import AudioSpool
from frame2sound.rendering.effects.host import (
    ChunkIterator,
    Chunks,
    EffectContext,
    fit_length,
    reblock,
    run_filter,
    run_plugin,
)
from frame2sound.rendering.effects.time_stretching import stretch_and_shift

Share = Annotated[float, Meta(ge=0, le=1)]
Hertz = Annotated[float, Meta(ge=1, le=192_000)]
Decibels = Annotated[float, Meta(ge=-96, le=48)]

MAX_TAIL_SECONDS = 60.0

SLOWEST_COMB_SECONDS = 1640 / 44_100
"""The longest loop of the plugin's reverb (Freeverb's, with the spread of its right side)."""


class Effect(Struct, frozen=True, forbid_unknown_fields=True):
    """One effect; an unknown setting or a value out of range is an error.

    Attributes
    ----------
    is_additive : bool
        Whether the effect on a sum of sounds is the sum of the effects on each.
    is_per_channel : bool
        Whether it takes any number of channels, and treats each by itself.
    """

    is_additive: ClassVar[bool] = True
    is_per_channel: ClassVar[bool] = False

    @property
    def moves_time(self) -> bool:
        """Whether a part of its output needs other than the same part of its input."""
        return False

    @property
    def tail_seconds(self) -> float:
        """How long it goes on after the sound, until it is 60 dB fainter; at most a minute."""
        return 0.0

    def apply(self, chunks: Chunks, context: EffectContext) -> ChunkIterator:
        """Return a stream of the same length, in chunks ``(n, channels)``."""
        raise NotImplementedError


class Reverse(Effect, frozen=True):
    """Reverses everything, or each segment of ``seconds`` in its place."""

    is_per_channel: ClassVar[bool] = True
    seconds: Annotated[float, Meta(ge=0.01, le=60)] | None = None

    @property
    def moves_time(self) -> bool:
        """Always."""
        return True

    def apply(self, chunks: Chunks, context: EffectContext) -> ChunkIterator:
        """Spool everything to disk, or buffer one segment."""
        if self.seconds is not None:
            length = max(1, round(self.seconds * context.sample_rate))
            yield from (piece[::-1] for piece in reblock(chunks, length, context.channels))
            return
        with AudioSpool(context.spool_folder) as spool:
            spool.write(chunks)
            yield from spool.read_reversed()


class Delay(Effect, frozen=True):
    """Echoes every ``seconds``, each ``feedback`` times the last; ``mix`` is their level."""

    seconds: Annotated[float, Meta(ge=0.001, le=10)] = 0.25
    feedback: Annotated[float, Meta(ge=0, le=0.95)] = 0.4
    mix: Share = 0.3

    @property
    def tail_seconds(self) -> float:
        """The echoes above -60 dB."""
        return _tail_seconds(self.seconds, self.feedback)

    def apply(self, chunks: Chunks, context: EffectContext) -> ChunkIterator:
        """Stream; the dry sound is not delayed."""
        from pedalboard import Delay as Plugin

        return run_plugin(Plugin(self.seconds, self.feedback, self.mix), chunks, context)


class Reverb(Effect, frozen=True):
    """Reverb of size ``room``, with ``wet`` level, ``damping`` of treble and stereo ``width``."""

    room: Share = 0.5
    wet: Share = 0.3
    damping: Share = 0.5
    width: Share = 1.0

    @property
    def tail_seconds(self) -> float:
        """The reverberation time of its slowest loop."""
        return _tail_seconds(SLOWEST_COMB_SECONDS, 0.7 + 0.28 * self.room)

    def apply(self, chunks: Chunks, context: EffectContext) -> ChunkIterator:
        """Stream; the dry sound is not delayed."""
        from pedalboard import Reverb as Plugin

        # The plugin doubles its dry level.
        plugin = Plugin(self.room, self.damping, self.wet, (1 - self.wet) / 2, self.width)
        return run_plugin(plugin, chunks, context)


class TimeStretch(Effect, frozen=True):
    """Sound ``ratio`` times as long at the same pitch, in a soundtrack as long as before.

    Above 1 it is slower, and the part beyond the film's end is cut; below 1 it is faster, and
    silence follows. Only the film's beginning stays in sync with the picture. Sound that keeps no
    length has ``round(n * ratio)`` samples.
    """

    is_additive: ClassVar[bool] = False
    ratio: Annotated[float, Meta(ge=0.1, le=10)]

    @property
    def moves_time(self) -> bool:
        """Always."""
        return True

    def apply(self, chunks: Chunks, context: EffectContext) -> ChunkIterator:
        """Spool everything to disk, because the length is known only at the end."""
        with AudioSpool(context.spool_folder) as spool:
            spool.write(chunks)
            long = stretch_and_shift(spool.read(), context, self.ratio, 0.0)
            if context.keep_length:
                long = fit_length(long, spool.sample_count, context.channels)
            yield from long


class PitchShift(Effect, frozen=True):
    """Shifts the pitch by ``semitones`` at the same speed, in sync within 20 ms."""

    is_additive: ClassVar[bool] = False
    semitones: Annotated[float, Meta(ge=-36, le=36)]

    def apply(self, chunks: Chunks, context: EffectContext) -> ChunkIterator:
        """Stream in chunks of seconds."""
        return stretch_and_shift(chunks, context, 1.0, self.semitones)


class LowPass(Effect, frozen=True):
    """Low-pass at ``hz``, 24 dB per octave (Butterworth)."""

    is_per_channel: ClassVar[bool] = True
    hz: Hertz

    def apply(self, chunks: Chunks, context: EffectContext) -> ChunkIterator:
        """Stream."""
        sections = _butterworth(4, [_normalised_frequency("low-pass", self.hz, context)], "low")
        return run_filter(sections, chunks, context)


class HighPass(Effect, frozen=True):
    """High-pass at ``hz``, 24 dB per octave (Butterworth)."""

    is_per_channel: ClassVar[bool] = True
    hz: Hertz

    def apply(self, chunks: Chunks, context: EffectContext) -> ChunkIterator:
        """Stream."""
        sections = _butterworth(4, [_normalised_frequency("high-pass", self.hz, context)], "high")
        return run_filter(sections, chunks, context)


class BandPass(Effect, frozen=True):
    """Band-pass of ``octaves`` around ``hz``, 12 dB per octave on each side (Butterworth)."""

    is_per_channel: ClassVar[bool] = True
    hz: Hertz
    octaves: Annotated[float, Meta(ge=0.05, le=8)] = 1.0

    def apply(self, chunks: Chunks, context: EffectContext) -> ChunkIterator:
        """Stream."""
        half = 2 ** (self.octaves / 2)
        edges = [self.hz / half, self.hz * half]
        place = [_normalised_frequency("band-pass", edge, context) for edge in edges]
        return run_filter(_butterworth(2, place, "band"), chunks, context)


class Peak(Effect, frozen=True):
    """Peak filter: changes the level around ``hz`` by ``db``; a higher ``q`` is narrower."""

    hz: Hertz
    db: Decibels
    q: Annotated[float, Meta(ge=0.1, le=50)] = 1.0

    def apply(self, chunks: Chunks, context: EffectContext) -> ChunkIterator:
        """Stream."""
        from pedalboard import PeakFilter

        _normalised_frequency("peak", self.hz, context)
        return run_plugin(PeakFilter(self.hz, self.db, self.q), chunks, context)


class Gain(Effect, frozen=True):
    """Changes the level by ``db``."""

    is_per_channel: ClassVar[bool] = True
    db: Decibels

    def apply(self, chunks: Chunks, context: EffectContext) -> ChunkIterator:
        """Stream."""
        gain = np.float32(10 ** (self.db / 20))
        return (chunk * gain for chunk in chunks)


class Chorus(Effect, frozen=True):
    """Chorus with modulation at ``hz`` by ``depth``; ``mix`` is its level."""

    hz: Annotated[float, Meta(ge=0.01, le=99)] = 1.0
    depth: Share = 0.25
    mix: Share = 0.5

    def apply(self, chunks: Chunks, context: EffectContext) -> ChunkIterator:
        """Stream; the dry sound is not delayed."""
        from pedalboard import Chorus as Plugin

        return run_plugin(Plugin(self.hz, self.depth, mix=self.mix), chunks, context)


class Distortion(Effect, frozen=True):
    """Soft clipping: gain of ``db``, then ``tanh``."""

    is_additive: ClassVar[bool] = False
    db: Annotated[float, Meta(ge=0, le=60)] = 12.0

    def apply(self, chunks: Chunks, context: EffectContext) -> ChunkIterator:
        """Stream."""
        drive = np.float32(10 ** (self.db / 20))
        return (np.tanh(chunk * drive) for chunk in chunks)


class Layer(Effect, frozen=True):
    """Adds the sound reversed, or the original as it was before all effects, ``db`` louder."""

    is_per_channel: ClassVar[bool] = True
    of: Literal["reverse", "original"]
    db: Decibels = 0.0

    @property
    def moves_time(self) -> bool:
        """Whether it adds the reverse."""
        return self.of == "reverse"

    def apply(self, chunks: Chunks, context: EffectContext) -> ChunkIterator:
        """Spool everything to disk; the sum is as long as the longer of both."""
        gain = np.float32(10 ** (self.db / 20))
        with AudioSpool(context.spool_folder) as spool:
            spool.write(chunks)
            if self.of == "reverse":
                layer = spool.read_reversed()
            else:
                layer = context.original.read() if context.original else iter(())
            for sound, added in zip_longest(spool.read(), layer):
                yield _sum(sound, added, gain)


EFFECTS: dict[str, type[Effect]] = {
    "reverse": Reverse,
    "delay": Delay,
    "reverb": Reverb,
    "time-stretch": TimeStretch,
    "pitch-shift": PitchShift,
    "low-pass": LowPass,
    "high-pass": HighPass,
    "band-pass": BandPass,
    "peak": Peak,
    "gain": Gain,
    "chorus": Chorus,
    "distortion": Distortion,
    "layer": Layer,
}


def _tail_seconds(loop_seconds: float, feedback: float) -> float:
    """Return after which time a loop's sound is 60 dB fainter, rounded up to whole loops."""
    loops = 1 + math.ceil(math.log(1e-3) / math.log(feedback)) if feedback else 1
    return min(loops * loop_seconds, MAX_TAIL_SECONDS)


def _sum(
    sound: NDArray[np.float32] | None, added: NDArray[np.float32] | None, gain: np.float32
) -> NDArray[np.float32]:
    """Return a chunk plus ``gain`` times another; either may be shorter, or None at the end."""
    if added is None or sound is None:
        return gain * added if sound is None and added is not None else np.asarray(sound)
    length = max(len(sound), len(added))
    total = np.zeros((length, sound.shape[1]), np.float32)
    total[: len(sound)] = sound
    total[: len(added)] += gain * added
    return total


def _butterworth(order: int, edges: list[float], kind: str) -> NDArray[np.float64]:
    """Return a filter's second-order sections; edges are shares of half the sample rate."""
    from scipy.signal import butter

    sections: NDArray[np.float64] = butter(order, np.squeeze(edges), kind, output="sos")
    return sections


def _normalised_frequency(effect: str, hz: float, context: EffectContext) -> float:
    """Return a frequency as a share of half the sample rate."""
    half = context.sample_rate / 2
    if hz >= half:
        raise SoundtrackError(
            f"{effect}: got hz reaching {hz:g}, expected below {half:g}, half the sample rate"
        )
    return hz / half
