"""The steps of processing from the raw soundtrack to the output.

Chunks are ``(n,)`` or ``(n, channels)``; exact silence stays exact silence in every step.
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
"""Exact silence of this length is intended, because the picture is black."""

SETTLING_FADE_SECONDS = 0.01
"""Fade of a filter's ringing to exact silence."""


def remove_dc(
    chunks: Chunks, sample_rate: int, first_sample: int = 0, deciding: int | None = None
) -> Iterator[NDArray[np.float32]]:
    """Remove frequencies below hearing, from sound whose first sample has this number.

    The filter rings for a third of a second. Where the soundtrack has been exactly silent in all
    channels for `MIN_SILENCE_SECONDS`, because the picture is black, the ringing is faded out
    within `SETTLING_FADE_SECONDS`, and the filter is reset. The tails of all other steps are at
    most as long as a resampler's, except those of effects, which come later. Of more channels, the
    first ``deciding`` say where there is silence.
    """
    blockers: list[DcBlocker] = []
    hold, settling = (
        round(MIN_SILENCE_SECONDS * sample_rate),
        round(SETTLING_FADE_SECONDS * sample_rate),
    )
    fall = np.concatenate([np.ones(hold), hann_fade_in(settling)[::-1], [0.0]]).astype(np.float32)
    silent = 0
    for chunk in chunks:
        planes = chunk[:, None] if chunk.ndim == 1 else chunk
        out = np.empty_like(planes)
        for start, end in pairwise(_silence_edges(planes[:, :deciding], hold)):
            is_silent = not planes[start, :deciding].any()
            if not blockers or (not is_silent and silent >= hold + settling):
                begin = 0 if blockers else first_sample
                blockers = [DcBlocker(sample_rate, begin) for _ in planes[0]]
            for plane, blocker in enumerate(blockers):
                out[start:end, plane] = blocker.process(planes[start:end, plane])
            if is_silent:
                place = np.minimum(silent + np.arange(end - start), hold + settling)
                out[start:end] *= fall[place, None]
            silent = silent + end - start if is_silent else 0
        yield out.reshape(chunk.shape)


def _silence_edges(planes: NDArray[np.float32], shortest: int) -> list[int]:
    """Return the starts and ends of exact silence, and both ends of the chunk.

    Short silences that do not touch an end of the chunk are ignored.
    """
    sounding = planes.any(axis=1)
    turns = np.flatnonzero(np.diff(sounding, prepend=True, append=True))
    begins, ends = turns[::2], turns[1::2]
    relevant = (ends - begins >= shortest) | (begins == 0) | (ends == len(planes))
    inner = np.stack([begins[relevant], ends[relevant]])
    return sorted({0, *inner.ravel().tolist(), len(planes)})


def apply_gain(chunks: Chunks, gain_db: float) -> Iterator[NDArray[np.float32]]:
    """Yield chunks with a gain."""
    gain = np.float32(10 ** (gain_db / 20))
    for chunk in chunks:
        yield chunk * gain


def resample(
    chunks: Chunks, sample_rate: int, output_sample_rate: int
) -> Iterator[NDArray[np.float32]]:
    """Yield one or two channels at another sample rate, without delay (FFmpeg's resampler)."""
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
    chunks: Chunks,
    original: Iterable[AudioChunk],
    gain_db: float,
    channels: int,
    first_sample: int = 0,
) -> Iterator[NDArray[np.float32]]:
    """Yield the soundtrack mixed with the film's own sound; mono is copied to all channels.

    The film's own sound is cut at the end of the soundtrack, whose first sample has this number.
    """
    gain = np.float32(10 ** (gain_db / 20))
    originals = iter(original)
    pending: AudioChunk | None = next(originals, None)
    position = first_sample
    for chunk in chunks:
        spread = channels > 1 and chunk.ndim == 1
        mixed = np.repeat(chunk[:, None], channels, axis=1) if spread else chunk.copy()
        end = position + len(chunk)
        while pending is not None and pending.start_sample < end:
            begin = max(pending.start_sample, position)
            stop = min(pending.start_sample + len(pending.samples), end)
            if stop > begin:
                taken = pending.samples[begin - pending.start_sample : stop - pending.start_sample]
                original_part = taken[:, None] if taken.ndim < mixed.ndim else taken
                mixed[begin - position : stop - position] += gain * original_part
            if pending.start_sample + len(pending.samples) > end:
                break
            pending = next(originals, None)
        yield mixed
        position = end


def limit(
    chunks: Chunks, sample_rate: int, limiter: Limiter | None = None
) -> Iterator[NDArray[np.float32]]:
    """Yield sound with a true peak of at most -1 dBTP.

    A new ``limiter`` may be given, to read its statistics afterwards.

    Raises
    ------
    BrainError
        The sound is not finite.
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
    """Yield sound with a fade-in and a fade-out, both raised cosines.

    The end is known only after the last chunk, so ``out_seconds`` are delayed. In sound shorter
    than both, the fades overlap.
    """
    rise = hann_fade_in(round(in_seconds * sample_rate)).astype(np.float32)
    fall = hann_fade_in(round(out_seconds * sample_rate)).astype(np.float32)[::-1]
    pending: NDArray[np.float32] | None = None
    position = 0
    for chunk in chunks:
        faded_in = chunk.copy()
        faded_in[: max(len(rise) - position, 0)].T[...] *= rise[position : position + len(chunk)]
        position += len(chunk)
        pending = faded_in if pending is None else np.concatenate([pending, faded_in])
        ready = max(len(pending) - len(fall), 0)
        yield pending[:ready]
        pending = pending[ready:].copy()
    if pending is not None:
        pending.T[...] *= fall[len(fall) - len(pending) :]
        yield pending


def non_finite_error(error: ValueError) -> BrainError:
    """Return the error of a brain whose sound is not finite."""
    return BrainError(f"the brain made no sound: {error}; train it again")


def drop_first(chunks: Chunks, count: int) -> Iterator[NDArray[np.float32]]:
    """Yield chunks without their first samples."""
    for chunk in chunks:
        yield chunk[count:]
        count = max(count - len(chunk), 0)


def cut_at(chunks: Chunks, count: int) -> Iterator[NDArray[np.float32]]:
    """Yield the first samples, and read no further."""
    for chunk in chunks:
        yield chunk[:count]
        count -= min(len(chunk), count)
        if not count:
            return


def fit_duration(
    chunks: Chunks,
    sample_rate: int,
    get_seconds: Callable[[], Fraction],
    first_sample: int = 0,
) -> Iterator[NDArray[np.float32]]:
    """Yield the samples from ``first_sample``, that of the first chunk, to a time.

    That is ``round(seconds * sample_rate)``. ``get_seconds`` is called after the last chunk, which
    is cut or padded with silence: resampling may give a sample too many or too few.
    """
    yielded = 0
    last = np.empty(0, np.float32)
    for chunk in chunks:
        if len(chunk):
            if len(last):
                yield last
            yielded += len(last)
            last = chunk
    missing = sample_at(get_seconds(), sample_rate) - first_sample - yielded
    padding = [(0, max(missing - len(last), 0))] + [(0, 0)] * (last.ndim - 1)
    yield np.pad(last[: max(missing, 0)], padding)
