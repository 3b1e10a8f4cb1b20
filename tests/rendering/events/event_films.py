"""A corpus whose events are known, and how events are played over a brain that is known."""

from __future__ import annotations

import numpy as np

from frame2sound.brain.corpus import Corpus, FilmPictures, Piece
from frame2sound.brain.event_curves import EventCurves
from frame2sound.clock import Clock
from frame2sound.rendering.events.event_picker import slice_curves
from frame2sound.rendering.frame_curves import FrameCurves
from tests.rendering.foretelling import RATE, Foreteller

LEFT, RIGHT = np.zeros((8, 8)), np.zeros((8, 8))
LEFT[:, :3], RIGHT[:, 5:] = 255, 200


def stroke(hertz, level=0.3, decay=0.05, seconds=0.6):
    """Return a tone that begins at once and decays."""
    age = np.arange(round(seconds * RATE)) / RATE
    return level * np.sin(2 * np.pi * hertz * age + 1) * np.exp(-age / decay)


def sound_with(strokes, seconds):
    """Return silence with sounds that begin at given times."""
    sound = np.zeros(round(seconds * RATE))
    for at, each in strokes.items():
        begin = round(at * RATE)
        sound[begin : begin + len(each)] += each[: len(sound) - begin]
    return np.float32(sound)


STROKES = {
    "bells": {0.5: stroke(2000), 1.5: stroke(2000, 0.1), 2.5: stroke(2000, 0.03)},
    "drums": {0.4: stroke(150), 1.4: stroke(150, 0.1), 2.4: stroke(150, 0.03)},
}


def corpus_of(strokes=None, seconds=3.2, clock=None, noise=0.0):
    """Return films of strokes; the first shows light on the left, the second on the right."""
    strokes = STROKES if strokes is None else strokes
    clock = Foreteller().clock if clock is None else clock
    random = np.random.default_rng(0)
    pieces, pictures = [], {}
    for (film, events), picture in zip(strokes.items(), (LEFT, RIGHT), strict=False):
        sound = sound_with(events, seconds)
        sound += np.float32(random.normal(0, noise, len(sound)) if noise else 0)
        pieces.append(Piece(film, 0, sound))
        pictures[film] = FilmPictures(np.arange(0, seconds, 0.5), np.uint8([picture] * 7))
    return Corpus(clock, tuple(pieces), pictures)


def play(style, brain, curves, corpus, *, batch=None, frames=None, log=None, needed_by=()):
    """Return the sound of a renderer that is given curves of events, in batches."""
    count = len(curves) if isinstance(curves, EventCurves) else frames
    on_event = None if log is None else log.append
    renderer = style.build_renderer(brain, corpus, on_event, needed_by=needed_by)
    clock = Clock(brain.clock.fps, renderer.sample_rate)
    pictures = np.full((count, 64, 64), 255, np.uint8)
    brain._seen, batch = 0, batch or count
    predictions = brain.predict(pictures)
    chunks = []
    for first in range(0, count, batch):
        part = slice(first, min(first + batch, count))
        events = None if curves is None else slice_curves(curves, part.start, part.stop)
        plain = FrameCurves.from_frames(pictures[part])
        seen = FrameCurves(plain.brightness, plain.motion, plain.place, events)
        bounds = clock.sample_bounds(part.stop - part.start, part.start)
        chunks.append(renderer.process(predictions[part], bounds, seen))
    return np.concatenate([*chunks, renderer.flush()]), renderer


def decibels(sound):
    return 10 * np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1e-20)
