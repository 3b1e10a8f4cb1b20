"""From raw soundtrack to sound that may leave the program: each step named, in this order.

Chunks are ``(n,)`` or ``(n, channels)``; steps keep what was exactly silent so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
from av.audio.frame import AudioFrame
from numpy.typing import NDArray

from frame2sound.clock import sample_at
from frame2sound.errors import BrainError
from frame2sound.film.decoding.audio_chunks import AudioChunk
from frame2sound.sound.dc_blocker import DcBlocker
from frame2sound.sound.limiter import Limiter
from frame2sound.sound.windows import hann_fade_in

Chunks = Iterable[NDArray[np.float32]]

MIN_SILENCE_SECONDS = 0.05
"""Exact silence that lasts so long is meant: the picture is black."""

SETTLING_FADE_SECONDS = 0.01
"""In which a filter's ringing then fades to exact silence."""


def remove_dc(chunks: Chunks, sample_rate: int) -> Iterator[NDArray[np.float32]]:
    """Take away what is slower than sound.

    The filter rings for a third of a second. Where the soundtrack has been exactly silent in all
    channels for `SILENT_SECONDS`, the picture being black, the ringing fades within
    `SETTLING_SECONDS`, and the filter forgets what was before. No other step has a tail longer than
    a resampler's; effects, which may well ring into the black, come after this one.
    """
    removals: list[DcBlocker] = []
    hold, settling = (
        round(MIN_SILENCE_SECONDS * sample_rate),
        round(SETTLING_FADE_SECONDS * sample_rate),
    )
    fall = np.concatenate([np.ones(hold), hann_fade_in(settling)[::-1], [0.0]]).astype(np.float32)
    silent = 0
    for chunk in chunks:
        planes = chunk[:, None] if chunk.ndim == 1 else chunk
        out = np.empty_like(planes)
        for start, end in pairwise(_silence_edges(planes, hold)):
            quiet = not planes[start].any()
            if not removals or (not quiet and silent >= hold + settling):
                removals = [DcBlocker(sample_rate) for _ in planes[0]]
            for plane, removal in enumerate(removals):
                out[start:end, plane] = removal.process(planes[start:end, plane])
            if quiet:
                place = np.minimum(silent + np.arange(end - start), hold + settling)
                out[start:end] *= fall[place, None]
            silent = silent + end - start if quiet else 0
        yield out.reshape(chunk.shape)


def _silence_edges(planes: NDArray[np.float32], shortest: int) -> list[int]:
    """Return where stretches of exact silence begin and end, with both ends of the chunk.

    Those that are too short to matter, and do not reach beyond the chunk, are passed over.
    """
    sounding = planes.any(axis=1)
    turns = np.flatnonzero(np.diff(sounding, prepend=True, append=True))
    begins, ends = turns[::2], turns[1::2]
    kept = (ends - begins >= shortest) | (begins == 0) | (ends == len(planes))
    inner = np.stack([begins[kept], ends[kept]])
    return sorted({0, *inner.ravel().tolist(), len(planes)})


def apply_gain(chunks: Chunks, gain_db: float) -> Iterator[NDArray[np.float32]]:
    """Change the level."""
    gain = np.float32(10 ** (gain_db / 20))
    for chunk in chunks:
        yield chunk * gain


def resample(
    chunks: Chunks, sample_rate: int, output_sample_rate: int
) -> Iterator[NDArray[np.float32]]:
    """Change the sample rate of one or two channels, without delay (FFmpeg's resampler)."""
    if sample_rate == output_sample_rate:
        yield from chunks
        return
    resampler: av.AudioResampler | None = None
    shape: tuple[int, ...] = ()
    for chunk in chunks:
        if len(chunk):
            shape = chunk.shape[1:]
            layout = "stereo" if shape == (2,) else "mono"
            resampler = resampler or av.AudioResampler("flt", layout, output_sample_rate)
            packed = np.ascontiguousarray(chunk.reshape(1, -1))
            frame = AudioFrame.from_ndarray(packed, "flt", layout)
            frame.sample_rate = sample_rate
            yield from (_samples(out, shape) for out in resampler.resample(frame))
    if resampler is not None:
        yield from (_samples(out, shape) for out in resampler.resample(None))


def _samples(frame: AudioFrame, shape: tuple[int, ...]) -> NDArray[np.float32]:
    return frame.to_ndarray().astype(np.float32, copy=False).reshape(-1, *shape)


def mix_original(
    chunks: Chunks, original: Iterable[AudioChunk], gain_db: float, channels: int
) -> Iterator[NDArray[np.float32]]:
    """Lay the film's own sound under a soundtrack; each is spread over ``channels`` if it is mono.

    Own sound farther than the soundtrack reaches is dropped.
    """
    gain = np.float32(10 ** (gain_db / 20))
    waiting = iter(original)
    held: AudioChunk | None = next(waiting, None)
    position = 0
    for chunk in chunks:
        spread = channels > 1 and chunk.ndim == 1
        mixed = np.repeat(chunk[:, None], channels, axis=1) if spread else chunk.copy()
        end = position + len(chunk)
        while held is not None and held.start_sample < end:
            begin = max(held.start_sample, position)
            stop = min(held.start_sample + len(held.samples), end)
            if stop > begin:
                taken = held.samples[begin - held.start_sample : stop - held.start_sample]
                under = taken[:, None] if taken.ndim < mixed.ndim else taken
                mixed[begin - position : stop - position] += gain * under
            if held.start_sample + len(held.samples) > end:
                break
            held = next(waiting, None)
        yield mixed
        position = end


def limit(
    chunks: Chunks, sample_rate: int, limiter: Limiter | None = None
) -> Iterator[NDArray[np.float32]]:
    """Hold the true peak at -1 dBTP; `BrainError` where the sound is not finite.

    A new ``limiter`` may be given, which then knows how much it took away.
    """
    limiter = limiter or Limiter(sample_rate)
    try:
        for chunk in chunks:
            yield limiter.process(chunk)
    except ValueError as error:
        raise non_finite_error(error) from error
    yield limiter.flush()


def fade(
    chunks: Chunks, sample_rate: int, in_seconds: float, out_seconds: float
) -> Iterator[NDArray[np.float32]]:
    """Fade in at the beginning and out at the end, in raised cosines.

    Where the end is shows only when the chunks have ended, so the last ``out_seconds`` are held
    back. Sound shorter than its fades has them one upon the other.
    """
    rise = hann_fade_in(round(in_seconds * sample_rate)).astype(np.float32)
    fall = hann_fade_in(round(out_seconds * sample_rate)).astype(np.float32)[::-1]
    held: NDArray[np.float32] | None = None
    position = 0
    for chunk in chunks:
        risen = chunk.copy()
        risen[: max(len(rise) - position, 0)].T[...] *= rise[position : position + len(chunk)]
        position += len(chunk)
        held = risen if held is None else np.concatenate([held, risen])
        ready = max(len(held) - len(fall), 0)
        yield held[:ready]
        held = held[ready:].copy()
    if held is not None:
        held.T[...] *= fall[len(fall) - len(held) :]
        yield held


def non_finite_error(error: ValueError) -> BrainError:
    """Return the error of a brain whose sound is not finite."""
    return BrainError(f"the brain made no sound: {error}; train it again")


def fit_duration(
    chunks: Chunks, sample_rate: int, get_seconds: Callable[[], Fraction]
) -> Iterator[NDArray[np.float32]]:
    """Make the sound exactly ``round(seconds * sample_rate)`` samples long.

    ``seconds`` is asked when the chunks have ended. Resampling leaves a sample too many or too
    few; so much is cut from, or added in silence to, the last chunk.
    """
    given = 0
    last = np.empty(0, np.float32)
    for chunk in chunks:
        if len(chunk):
            if len(last):
                yield last
            given += len(last)
            last = chunk
    missing = sample_at(get_seconds(), sample_rate) - given
    padding = [(0, max(missing - len(last), 0))] + [(0, 0)] * (last.ndim - 1)
    yield np.pad(last[: max(missing, 0)], padding)
