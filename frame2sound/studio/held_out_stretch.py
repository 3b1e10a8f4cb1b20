"""The held-out stretch of a training: film to hear a brain on, which it does not learn from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.brain import Brain
from frame2sound.brain.corpus import Corpus
from frame2sound.brain.pieces import Piece
from frame2sound.clock import Clock, sample_at
from frame2sound.comparison.segments import EvaluationFilm, Segment
from frame2sound.errors import TrainingError
from frame2sound.library.corpus_sound import SoundFormat, read_piece
from frame2sound.library.split import HeldOutRange
from frame2sound.library.store import PickledFilm
from frame2sound.rendering.offline import render_frames
from frame2sound.rendering.renderer import MONO_GAIN
from frame2sound.rendering.style import Style
from frame2sound.training.trainer import Trainer

Samples = NDArray[np.float32]

MAX_RUN_SECONDS, MAX_SECONDS = 10.0, 20.0
"""Longest part of one run of held-out frames, and longest stretch."""

MIN_RUN_SECONDS = 1.0
"""Shorter runs are left out if there are longer ones."""

WARMUP_SECONDS = 5.0
"""Film before a segment that the brain sees first; comparisons, which take longer, have more."""

FADE_SECONDS = 0.01
"""Fades at the cuts between segments, so that they do not click."""


@dataclass(frozen=True)
class HeldOutStretch:
    """Segments of films, one after another, that a training holds out.

    Attributes
    ----------
    segments : tuple of Segment
    films : tuple of PickledFilm
        Of the segments.
    runs : tuple of HeldOutRange
        All that is held out, also what is not in the segments.
    """

    segments: tuple[Segment, ...]
    films: tuple[PickledFilm, ...]
    runs: tuple[HeldOutRange, ...]

    @classmethod
    def from_training(cls, trainer: Trainer) -> HeldOutStretch:
        """Return the middles of as many held-out runs as fit, spread over all.

        Raises
        ------
        TrainingError
            Nothing is held out.
        """
        pairs, clock = trainer.training_data.held_out, trainer.live_brain.clock
        runs = [
            (pairs.films[pairs.film_indices[run[0]]], int(pairs.clock_frames[run[0]]), len(run))
            for run in pairs.contiguous_runs()
        ]
        ranges = tuple(
            HeldOutRange(film, clock.start_sample(first), clock.start_sample(first + count))
            for film, first, count in runs
        )
        if not runs:
            raise TrainingError(
                "nothing is held out, since the library is too short or the recipe says so"
            )
        chosen = _choose_runs([count for _, _, count in runs], clock)
        segments = tuple(
            Segment(
                EvaluationFilm.from_held_out(ranges[number]),
                number + 1,
                clock,
                *_middle(*runs[number][1:], clock),
                trainer.recipe.training.loudness,
            )
            for number in chosen
        )
        return cls(segments, tuple(runs[number][0] for number in chosen), ranges)

    @property
    def fps(self) -> Fraction:
        """Frames per second of the brain's clock."""
        return self.segments[0].clock.fps

    @cached_property
    def frames(self) -> NDArray[np.uint8]:
        """The pictures, as the library has them: (n, 64, 64), or (n, 64, 64, 3) in colour."""
        return np.concatenate([each.frames()[each.warmup_frames :] for each in self.segments])

    def original(self, sound_format: SoundFormat) -> Samples:
        """Return the films' own sound as loud as it is learned, ``(n,)`` or ``(n, 2)``."""
        parts = zip(self.films, self.segments, strict=True)
        return np.concatenate([_own_sound(*part, sound_format) for part in parts])

    def render(self, brain: Brain, corpus: Corpus | None) -> Samples:
        """Return the brain's sound, as the mode that is its default gives it.

        With a corpus that is a mosaic, at the rate of the corpus.
        """
        style = Style(mode="overlap-add" if corpus is None else "mosaic")
        rate = brain.clock.sample_rate if corpus is None else corpus.sample_rate
        return np.concatenate([_render(each, brain, style, corpus, rate) for each in self.segments])

    def without_held_out(self, corpus: Corpus) -> Corpus | None:
        """Return a corpus without the sound that is held out; None if nothing is left."""
        pieces = corpus.pieces
        for run in self.runs:
            bounds = (
                sample_at(Fraction(at, corpus.clock.sample_rate), corpus.sample_rate)
                for at in (run.start_sample, run.end_sample)
            )
            pieces = tuple(_cut_out(pieces, run.film.name, *bounds))
        return replace(corpus, pieces=pieces) if pieces else None


def _choose_runs(lengths: list[int], clock: Clock) -> list[int]:
    """Return the numbers of runs whose middles fill the stretch, spread over all."""
    seconds = [min(length / float(clock.fps), MAX_RUN_SECONDS) for length in lengths]
    long = [number for number, each in enumerate(seconds) if each >= MIN_RUN_SECONDS]
    pool = long or list(range(len(lengths)))
    mean = sum(seconds[number] for number in pool) / len(pool)
    count = min(len(pool), max(int(MAX_SECONDS / mean), 1))
    spread = np.linspace(0, len(pool) - 1, count).round().astype(int)
    return [pool[place] for place in spread]


def _middle(first_frame: int, frame_count: int, clock: Clock) -> tuple[int, int]:
    count = min(frame_count, int(MAX_RUN_SECONDS * clock.fps))
    return first_frame + (frame_count - count) // 2, count


def _length(segment: Segment, frame_count: int, sample_rate: int) -> int:
    return Clock(segment.clock.fps, sample_rate).start_sample(frame_count)


def _own_sound(film: PickledFilm, segment: Segment, sound_format: SoundFormat) -> Samples:
    end = segment.start_sample + segment.sample_count
    piece = read_piece(film, segment.start_sample, end, sound_format, segment.gain_db)
    is_levelled = piece.channels == 2 and segment.loudness == "equal"
    sound = piece.samples * MONO_GAIN if is_levelled else piece.samples
    length = _length(segment, segment.frame_count, sound_format.sample_rate)
    return _faded(_fit(sound, length), sound_format.sample_rate)


def _render(
    segment: Segment, brain: Brain, style: Style, corpus: Corpus | None, sample_rate: int
) -> Samples:
    seen = min(segment.warmup_frames, int(WARMUP_SECONDS * segment.clock.fps))
    frames = segment.frames_for(brain)[segment.warmup_frames - seen :]
    sound = render_frames(brain, style, frames, corpus, seen - segment.lead_in_frames)
    lead = _length(segment, segment.lead_in_frames, sample_rate)
    length = _length(segment, segment.frame_count, sample_rate)
    return _faded(_fit(sound[lead:], length), sample_rate)


def _fit(sound: Samples, length: int) -> Samples:
    """Return sound of one or two channels, cut or padded with silence."""
    fitted = np.zeros((length, *sound.shape[1:]), np.float32)
    fitted[: len(sound)] = sound[:length]
    return fitted


def _faded(sound: Samples, sample_rate: int) -> Samples:
    count = min(round(FADE_SECONDS * sample_rate), len(sound) // 2)
    ramp = np.linspace(0, 1, count, endpoint=False, dtype=np.float32)
    ramp = ramp if sound.ndim == 1 else ramp[:, None]
    faded = np.array(sound)
    faded[:count] *= ramp
    faded[len(faded) - count :] *= ramp[::-1]
    return faded


def _cut_out(pieces: tuple[Piece, ...], film: str, begin: int, end: int) -> Iterator[Piece]:
    """Yield pieces without the samples of a film from ``begin`` up to ``end``."""
    for piece in pieces:
        stop = piece.start_sample + len(piece)
        if piece.film != film or end <= piece.start_sample or begin >= stop:
            yield piece
            continue
        for first, last in ((piece.start_sample, begin), (end, stop)):
            if first < last:
                part = piece.data[first - piece.start_sample : last - piece.start_sample]
                yield replace(piece, start_sample=first, data=part)
