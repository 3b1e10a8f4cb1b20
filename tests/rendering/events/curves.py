"""Curves of events by hand."""

import numpy as np

from frame2sound.brain.event_curves import EventCurves


def curves_of(strength, *, lead=0.0, level_db=-20.0, bed_db=-200.0, appearance=None):
    """Return curves with these strengths; other values are one for all frames, or one for each."""
    frames = len(strength)
    if appearance is None:
        appearance = np.zeros((frames, 64))
    return EventCurves(
        np.asarray(strength, np.float64),
        np.ones(frames, np.bool_),
        np.broadcast_to(np.float64(lead), frames).copy(),
        np.broadcast_to(np.float64(level_db), frames).copy(),
        np.broadcast_to(np.float64(bed_db), frames).copy(),
        np.asarray(appearance, np.float32),
    )


def strength_at(frames, count, height=2.0):
    """Return a curve that is ``height`` at some frames and 0 at others."""
    strength = np.zeros(count)
    strength[list(frames)] = height
    return strength
