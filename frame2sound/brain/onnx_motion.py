"""Export a motion head as ONNX: a step from a frame's motion to its event; the state is an input.

The optical flow that motion is measured by (`frame2sound.brain.motion`) is no operator of ONNX:
the sixteen numbers are an input.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from frame2sound.atomic import atomic_write
from frame2sound.brain.brain import Brain
from frame2sound.brain.event_head import BED_SMOOTHING_FRAMES, MotionHead
from frame2sound.brain.motion import (
    FEATURE_COUNT,
    MAX_GAP_FRAMES,
    MOTION_NUMBERS,
    PAST_PICTURES,
    USUAL_SCALE,
)
from frame2sound.brain.onnx_export import EXTRA, METADATA_KEY
from frame2sound.brain.onnx_graph import OnnxGraph
from frame2sound.brain.ridge_regression import RankedRegression, RidgeRegression
from frame2sound.errors import BrainError
from frame2sound.extras import import_extra

_NUMBERS = len(MOTION_NUMBERS)

_NARROWEST = 1e-5
"""Quantiles that are closer are a step of this width."""


def export_motion_onnx(brain: Brain, path: Path, *, overwrite: bool = False) -> None:
    """Write a brain's motion head as one stateless step.

    The inputs are ``motion`` (1, 16), the `MOTION_NUMBERS` of the frame; ``is_new`` (1,), 1 if it
    shows another picture than the one before, else 0; ``scale`` (1, 16), by which the numbers are
    divided; ``event_scale`` (1,), by which the onset curve is; and the state. The outputs are the
    ``strength``, ``level_db`` and ``bed_db`` of `EventCurves`; ``onset``, the curve itself; and the
    next state, under the names of the inputs with ``next_`` before them. The metadata
    ``frame2sound`` say in JSON what the first state and the usual scales are.

    Raises
    ------
    BrainError
        The brain has no motion head; the file exists and ``overwrite`` is false, or it cannot be
        written.
    MissingPackageError
        onnx is not installed.
    """
    onnx = import_extra("onnx", EXTRA, "`export_onnx`")
    if brain.motion_head is None:
        raise BrainError(
            "got a brain without a motion head, expected one with; train it by a recipe with "
            "`events.head`"
        )
    model = build_motion_onnx(brain.motion_head, str(brain.clock.fps), onnx)
    with atomic_write(path, BrainError, overwrite=overwrite) as partial:
        partial.write_bytes(model.SerializeToString(deterministic=True))


def build_motion_onnx(head: MotionHead, fps: str, onnx: Any) -> Any:
    """Return the model that `export_motion_onnx` writes."""
    graph = OnnxGraph(onnx)
    between = head.bed if head.settings.events == "motion" else head.level
    still_db = float(between.predict_within(np.zeros((1, FEATURE_COUNT)))[0])
    motion = graph.input("motion", (1, _NUMBERS))
    is_new = graph.apply("Greater", graph.input("is_new", (1,)), graph.constant(np.float32(0.5)))
    scale = graph.input("scale", (1, _NUMBERS))
    event_scale = graph.input("event_scale", (1,))
    past = graph.input("past", (PAST_PICTURES, _NUMBERS))
    pictures = graph.concatenate([past, _compressed(graph, motion, scale)], 0)
    features = graph.reshape(pictures, 1, FEATURE_COUNT)
    zero = graph.constant(np.zeros(1, np.float32))
    onset = graph.apply("Where", is_new, _onset(graph, head, features), zero)
    threshold = graph.scaled(event_scale, head.settings.threshold)
    graph.output("strength", graph.apply("Div", onset, threshold), (1,))
    level_db = _ranked(graph, head.event_level, features)
    graph.output("level_db", graph.apply("Where", is_new, level_db, zero), (1,))
    _add_bed(graph, is_new, _within(graph, between, features), still_db)
    graph.output("onset", onset, (1,))
    later = graph.rows(pictures, *range(1, PAST_PICTURES + 1))
    graph.output("next_past", graph.apply("Where", is_new, later, past), (PAST_PICTURES, _NUMBERS))
    return graph.model({METADATA_KEY: json.dumps(_metadata(head, fps, still_db))})


def _compressed(graph: OnnxGraph, motion: str, scale: str) -> str:
    """Return the numbers as `MotionContext` gives them to the regressions."""
    scaled = graph.apply("Div", motion, scale)
    size = graph.scaled(graph.apply("Abs", scaled), 3)
    grown = graph.apply("Add", size, graph.constant(np.float32(1)))
    return graph.apply("Mul", graph.apply("Sign", scaled), graph.apply("Log", grown))


def _regression(graph: OnnxGraph, regression: RidgeRegression, features: str) -> str:
    weights = graph.constant(regression.weights[:, None])
    bias = graph.constant(np.array([regression.bias]))
    return graph.reshape(graph.apply("Gemm", features, weights, bias), 1)


def _onset(graph: OnnxGraph, head: MotionHead, features: str) -> str:
    units = head.onset.units
    if len(units.biases):
        weights, biases = graph.constant(units.weights), graph.constant(units.biases)
        outputs = graph.apply("Relu", graph.apply("Gemm", features, weights, biases))
        features = graph.concatenate([features, outputs])
    return _regression(graph, head.onset.regression, features)


def _within(graph: OnnxGraph, regression: RidgeRegression, features: str) -> str:
    limits = (graph.constant(np.float32(each)) for each in (regression.low, regression.high))
    return graph.apply("Clip", _regression(graph, regression, features), *limits)


def _ranked(graph: OnnxGraph, ranked: RankedRegression, features: str) -> str:
    """Return the value of the same rank: a sum of ramps, one from each quantile to the next."""
    widths = np.maximum(np.diff(ranked.predicted), _NARROWEST)
    predicted = _regression(graph, ranked.regression, features)
    above = graph.apply("Sub", predicted, graph.constant(ranked.predicted[:-1]))
    shares = graph.apply("Div", above, graph.constant(widths))
    zero, one = graph.constant(np.float32(0)), graph.constant(np.float32(1))
    shares = graph.reshape(graph.apply("Clip", shares, zero, one), 1, len(widths))
    first = graph.constant(ranked.values[:1])
    rises = graph.constant(np.diff(ranked.values)[:, None])
    return graph.reshape(graph.apply("Gemm", shares, rises, first), 1)


def _add_bed(graph: OnnxGraph, is_new: str, level_db: str, still_db: float) -> None:
    """Give out the level between events as `EventStream` smoothes it, and its state."""
    held_db, bed_db, since = (graph.input(name, (1,)) for name in ("held_db", "bed", "since"))
    zero = graph.constant(np.zeros(1, np.float32))
    one = graph.constant(np.ones(1, np.float32))
    longest = graph.constant(np.array([MAX_GAP_FRAMES], np.float32))
    since = graph.apply("Min", graph.apply("Add", since, one), longest)
    since = graph.apply("Where", is_new, zero, since)
    stands = graph.apply("GreaterOrEqual", since, longest)
    still = graph.constant(np.array([still_db], np.float32))
    held_db = graph.apply("Where", stands, still, graph.apply("Where", is_new, level_db, held_db))
    share = 1 - np.exp(-1 / BED_SMOOTHING_FRAMES)
    step = graph.scaled(graph.apply("Sub", held_db, bed_db), share)
    bed_db = graph.apply("Add", bed_db, step)
    graph.output("bed_db", bed_db, (1,))
    for name, value in (("held_db", held_db), ("bed", bed_db), ("since", since)):
        graph.output(f"next_{name}", value, (1,))


def _metadata(head: MotionHead, fps: str, still_db: float) -> dict[str, Any]:
    return {
        "version": 1,
        "fps": fps,
        "motion": list(MOTION_NUMBERS),
        "scale": USUAL_SCALE.tolist(),
        "event_scale": head.settings.event_scale,
        "events": head.settings.events,
        "level": head.settings.level,
        "first_state": {
            "past": "zeros",
            "held_db": [still_db],
            "bed": [still_db],
            "since": [MAX_GAP_FRAMES],
        },
    }
