"""Flashes to be seen, clicks to be played, and an engine that plays them in simulated time."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np

from frame2sound.api.brains import load_brain
from frame2sound.brain.brain import Brain
from frame2sound.brain.corpus import Corpus, Piece
from frame2sound.brain.pretrained import find_brain
from frame2sound.film.decoding.frame_timing import Frame
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.live.controls import Controls
from frame2sound.live.engine import SAMPLE_RATE, LiveEngine
from frame2sound.live.frame_sources import PlayedFrames
from frame2sound.live.live_corpus import LiveCorpus
from frame2sound.live.session import LiveSession, OfflineClock

QUIET_BED = Controls(bed_gain=-60, min_gap=0.2, follow_loudness=0)
"""Only events are heard."""


@cache
def brain() -> Brain:
    from pathlib import Path

    return load_brain(find_brain(Path("bells")))


def click_sound(seconds=4.0, every=0.5):
    """Return clicks that begin at once, with their highest sample, and decay."""
    sound = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
    age = np.arange(2400)
    click = 0.8 * np.cos(0.3 * age) * np.exp(-age / 200)
    for start in np.arange(0.25, seconds - 0.1, every):
        at = round(start * SAMPLE_RATE)
        sound[at : at + len(click)] += click
    return sound


@cache
def clicks() -> LiveCorpus:
    corpus = Corpus(brain().clock, (Piece("clicks", 0, click_sound()),), sample_rate=SAMPLE_RATE)
    return LiveCorpus(corpus, brain(), SAMPLE_RATE)


@cache
def bells() -> LiveCorpus:
    return LiveCorpus(brain().corpus, brain(), SAMPLE_RATE)


def film_of(pictures, fps):
    """Return frames of a film with these pictures."""
    fps = Fraction(fps)
    return [Frame(i / fps, (i + 1) / fps, picture) for i, picture in enumerate(pictures)]


def flashes(fps, seconds, every=0.5):
    """Return a film that is black, and white for one frame now and then, and when that is."""
    pictures = [np.zeros((64, 64), np.uint8) for _ in range(round(seconds * fps))]
    at = [round((k + 1) * every * fps) for k in range(round(seconds / every) - 1)]
    for frame in at:
        pictures[frame] = np.full((64, 64), 255, np.uint8)
    return film_of(pictures, fps), [frame / Fraction(fps) for frame in at]


@cache
def bouncing(seconds=4):
    """Return the pictures of a demo film ``(n, 64, 64)``."""
    scene = load_scene("bounce", seconds=seconds, seed=2, size=(64, 64))
    pictures = (scene.draw(frame).mean(axis=2) for frame in range(scene.frame_count))
    return np.stack([picture.astype(np.uint8) for picture in pictures])


def play(film, fps, corpus=None, **settings):
    """Return the sound of a film as it is heard, the events, and the session."""
    engine = LiveEngine(brain(), corpus or clicks(), float(fps), **settings)
    blocks, events = [], []
    session = LiveSession(
        engine,
        PlayedFrames("film", Fraction(fps), lambda: film),
        on_frame=lambda frame, sample, played: events.append(played),
    )

    def on_block(block, first, seconds):
        blocks.append(block)
        session.on_block(first, len(block), seconds)

    clock = OfflineClock(engine, on_block)
    session.run(clock)
    session.drain(clock)
    return np.concatenate(blocks), [each for each in events if each is not None], session
