"""Export a brain as ONNX: a step from one frame to its prediction, with the state as inputs."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from frame2sound.atomic import atomic_write
from frame2sound.brain.brain import Brain
from frame2sound.brain.frame_encoding import BRIGHTNESS_COUNT
from frame2sound.brain.onnx_graph import OnnxGraph
from frame2sound.brain.onnx_layers import backbone_layers
from frame2sound.brain.onnx_pictures import PictureFeatures
from frame2sound.brain.spectra import (
    LEVEL_WEIGHT,
    MAX_LIFT,
    LogMagnitudes,
    Magnitudes,
    MelMagnitudes,
    Spectra,
)
from frame2sound.brain.targets import PcmBlocks
from frame2sound.brain.weights import FEATURES_PREFIX, features_width, under
from frame2sound.errors import BrainError
from frame2sound.extras import import_extra
from frame2sound.film.small_frames import picture_shape
from frame2sound.sound.mel_scale import bands_to_bins

EXTRA = "onnx"
"""The extra of frame2sound that installs what this needs."""

METADATA_KEY = "frame2sound"


def export_onnx(brain: Brain, path: Path, *, overwrite: bool = False) -> None:
    """Write a brain as one stateless step.

    The inputs are ``frame``, uint8 (64, 64) or in colour; ``past``, the frames before it, if the
    brain sees them; and the parts of the network's state. The outputs are ``output``, the
    network's numbers; ``prediction``, the decoded magnitudes or sound, of brains that predict
    these; and the next state, under the names of the inputs with ``next_`` before them. The
    metadata ``frame2sound`` say in JSON what the first state is.

    Raises
    ------
    BrainError
        The file exists and ``overwrite`` is false, or it cannot be written.
    MissingPackageError
        onnx is not installed.
    """
    onnx = import_extra("onnx", EXTRA, "`export_onnx`")
    model = build_onnx(brain, onnx)
    with atomic_write(path, BrainError, overwrite=overwrite) as partial:
        partial.write_bytes(model.SerializeToString(deterministic=True))


def build_onnx(brain: Brain, onnx: Any) -> Any:
    """Return the model that `export_onnx` writes."""
    graph, config, weights = OnnxGraph(onnx), brain.recipe.input, brain.weights
    state = _State(graph)
    features, width = _features(brain, graph, state)
    fed_back = None
    if "feedback.weight" in weights:
        fed_back = state.input("feedback", (1, len(weights["feedback.bias"])), _silence(brain))
        features = graph.concatenate([fed_back, features])
        width += len(weights["feedback.bias"])
    hidden, following = backbone_layers(graph, brain.recipe, weights, features, width, state.input)
    output = graph.linear(hidden, weights, "head")
    if fed_back is not None:
        following.insert(0, graph.linear(output, weights, "feedback"))
    graph.output("output", output, (1, brain.target.length))
    _add_prediction(brain, graph, output)
    if config.past_frames:
        following.insert(0, state.next_past)
    state.output(following)
    return graph.model({METADATA_KEY: json.dumps(_metadata(brain, state))})


class _State:
    """The parts of the state, in the order in which they are added."""

    def __init__(self, graph: OnnxGraph) -> None:
        self.graph = graph
        self.next_past = ""
        self.first: dict[str, Any] = {}
        self._parts: list[tuple[str, tuple[int, ...], str]] = []

    def input(
        self, name: str, shape: tuple[int, ...], first: Any = "zeros", kind: str = "FLOAT"
    ) -> str:
        """Add a part, and return its value; ``first`` is what it is before the first frame."""
        self.first[name] = first
        self._parts.append((name, shape, kind))
        return self.graph.input(name, shape, kind)

    def output(self, following: list[str]) -> None:
        """Give out the next state."""
        for (name, shape, kind), value in zip(self._parts, following, strict=True):
            self.graph.output(f"next_{name}", value, shape, kind)


def _features(brain: Brain, graph: OnnxGraph, state: _State) -> tuple[str, int]:
    """Return the features of the frame and its past ``(1, width)``, and their width."""
    config, shape = brain.recipe.input, picture_shape(brain.colour)
    frame = graph.input("frame", shape, "UINT8")
    frames, past = graph.reshape(frame, 1, *shape), config.past_frames
    if past:
        before = state.input("past", (past, *shape), "the first frame", "UINT8")
        frames = graph.concatenate([before, frames], 0)
        state.next_past = graph.rows(frames, *range(1, past + 1))
    pictures = PictureFeatures(graph, config, under(brain.weights, FEATURES_PREFIX))
    brightness = BRIGHTNESS_COUNT if brain.recipe.network.brightness_branch else 0
    return pictures.features(frames), features_width(brain.recipe) + brightness


def _silence(brain: Brain) -> list[float]:
    """Return what is fed back before the first frame: the feedback of silence."""
    weight, bias = brain.weights["feedback.weight"], brain.weights["feedback.bias"]
    silence = np.full(weight.shape[1], brain.target.silence_value, np.float32)
    values: list[float] = (weight @ silence + bias).tolist()
    return values


def _add_prediction(brain: Brain, graph: OnnxGraph, output: str) -> None:
    """Give out what the target decodes, if it is magnitudes or blocks of sound."""
    target = brain.target
    if isinstance(target, PcmBlocks):
        offset = graph.constant(np.float32(target.offset))
        sound = graph.apply("Add", graph.scaled(output, target.scale), offset)
        graph.output("prediction", sound, (1, target.length))
    elif isinstance(target, Magnitudes | LogMagnitudes):
        windows = target.recipe.windows_per_frame
        values = graph.reshape(output, windows, target.numbers)
        if isinstance(target, LogMagnitudes):
            magnitudes = _log_magnitudes(graph, target, values)
        else:
            magnitudes = graph.scaled(graph.apply("Relu", values), target.scale)
        graph.output("prediction", magnitudes, (windows, target.bins))


def _log_magnitudes(graph: OnnxGraph, target: LogMagnitudes, values: str) -> str:
    """Return magnitudes ``(windows, bins)`` that have the predicted level."""
    level = graph.scaled(graph.columns(values, 0, 1), 1 / LEVEL_WEIGHT)
    level = _magnitude(graph, target, level)
    shape = _magnitude(graph, target, graph.columns(values, 1, target.numbers))
    power = graph.reduce("Sum", graph.apply("Mul", shape, shape), 1, keep=True)
    floor = graph.constant(np.float32(target.floor))
    norm = graph.apply("Max", graph.apply("Sqrt", power), floor)
    gain = _clipped(graph, graph.apply("Div", level, norm), MAX_LIFT)
    magnitudes = graph.apply("Mul", shape, gain)
    if not isinstance(target, MelMagnitudes):
        return magnitudes
    spread = bands_to_bins(np.eye(target.numbers - 1), target.weights)
    power = graph.apply("Mul", magnitudes, magnitudes)
    return graph.apply("Sqrt", graph.apply("MatMul", power, graph.constant(spread)))


def _magnitude(graph: OnnxGraph, target: LogMagnitudes, decades: str) -> str:
    clipped = _clipped(graph, decades, target.max_decades)
    power = graph.apply("Exp", graph.scaled(clipped, 2 * math.log(10)))
    above = graph.apply("Sub", power, graph.constant(np.float32(1)))
    return graph.scaled(graph.apply("Sqrt", graph.apply("Relu", above)), target.floor)


def _clipped(graph: OnnxGraph, values: str, highest: float) -> str:
    limits = (graph.constant(np.float32(limit)) for limit in (0, highest))
    return graph.apply("Clip", values, *limits)


def _metadata(brain: Brain, state: _State) -> dict[str, Any]:
    target, clock = brain.target, brain.clock
    table: dict[str, Any] = {
        "version": 1,
        "brain": brain.recipe.name,
        "fps": str(clock.fps),
        "sample_rate": clock.sample_rate,
        "target": brain.recipe.target.__struct_config__.tag,
        "first_state": state.first,
    }
    if isinstance(target, Spectra):
        table |= {
            "window_length": target.n_fft,
            "window": target.recipe.window,
            "window_centres": target.centres.tolist(),
        }
    return table
