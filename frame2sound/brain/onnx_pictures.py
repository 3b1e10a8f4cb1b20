"""The way of pictures into a network as ONNX, for one frame; see `frame_encoding`."""

from __future__ import annotations

import numpy as np

from frame2sound.brain.config import Eigenframes, Fft2, InputConfig
from frame2sound.brain.frame_encoding import HALF, POOLED_SIZE, input_size, view_size
from frame2sound.brain.onnx_graph import OnnxGraph
from frame2sound.brain.weights import Weights
from frame2sound.film.small_frames import GREY_WEIGHTS, SIZE


class PictureFeatures:
    """Adds the features of a frame and its past to a graph.

    Parameters
    ----------
    graph : OnnxGraph
    config : InputConfig
    weights : mapping of str to array
        Those of the fixed features, without their prefix.
    """

    def __init__(self, graph: OnnxGraph, config: InputConfig, weights: Weights) -> None:
        self.graph, self.config, self.weights = graph, config, weights

    def features(self, frames: str) -> str:
        """Return features ``(1, width)`` of uint8 frames ``(past_frames + 1, 64, 64)``, or RGB."""
        graph, config, past = self.graph, self.config, self.config.past_frames
        views = self._views(frames)
        if not isinstance(config, Eigenframes):
            parts = [graph.rows(views, past - back) for back in range(config.still_frames)]
            if config.motion:
                parts.append(self._motion(views))
            return graph.reshape(graph.concatenate(parts), 1, input_size(config))
        still = self._of_pictures(views, "still", past + 1)
        parts = [graph.rows(still, past - back) for back in range(config.still_frames)]
        if config.motion:
            parts.append(self._of_pictures(self._motion(views), "motion", 1))
        if "brightness.gain" in self.weights:
            brightness = self._brightness(self._grey(graph.rows(views, past), 1))
            parts.append(self._standardised(brightness, "brightness"))
        return graph.concatenate(parts)

    def _motion(self, views: str) -> str:
        past = self.config.past_frames
        return self.graph.apply(
            "Sub", self.graph.rows(views, past), self.graph.rows(views, past - 1)
        )

    def _views(self, frames: str) -> str:
        """Return pictures ``(past_frames + 1, view_size)``, transformed if the input is."""
        graph, config = self.graph, self.config
        count, planes = config.past_frames + 1, 3 if config.colour else 1
        values = graph.scaled(graph.apply("Cast", frames, to=1), 1 / 255)
        if config.colour:
            values = graph.apply("Transpose", values, perm=[0, 3, 1, 2])
        values = graph.reshape(values, count, planes, SIZE, SIZE)
        if isinstance(config, Fft2) or (isinstance(config, Eigenframes) and config.of == "fft2"):
            values = self._fft2(values)
        return graph.reshape(values, count, view_size(config))

    def _fft2(self, planes: str) -> str:
        """Return real and imaginary parts ``(..., 2, 64, 33)``, by matrices of the transform."""
        graph = self.graph
        turns = np.outer(np.arange(SIZE), np.arange(SIZE)) / SIZE
        matrix = np.exp(-2j * np.pi * turns) / np.sqrt(SIZE)
        column_real, column_imag = (graph.constant(part) for part in (matrix.real, matrix.imag))
        row = matrix[:, :HALF]
        across = [
            graph.apply("MatMul", planes, graph.constant(part)) for part in (row.real, row.imag)
        ]
        real = graph.apply(
            "Sub",
            graph.apply("MatMul", column_real, across[0]),
            graph.apply("MatMul", column_imag, across[1]),
        )
        imag = graph.apply(
            "Add",
            graph.apply("MatMul", column_real, across[1]),
            graph.apply("MatMul", column_imag, across[0]),
        )
        gains = np.ones((SIZE, HALF), np.float32)
        gains[0, 0] = 1 / SIZE
        axis = graph.constant(np.array([2], np.int64))
        parts = [graph.apply("Unsqueeze", graph.scaled(x, gains), axis) for x in (real, imag)]
        return graph.concatenate(parts, 2)

    def _of_pictures(self, views: str, part: str, count: int) -> str:
        assert isinstance(self.config, Eigenframes)
        components = self.graph.linear(views, self.weights, part)
        if not self.config.profiles:
            return components
        profiles = self._profiles(self.graph.apply("Abs", self._grey(views, count)), count)
        return self.graph.concatenate(
            [components, self._standardised(profiles, f"{part}.profiles")]
        )

    def _grey(self, views: str, count: int) -> str:
        """Return pictures ``(count, 4096)`` in grey."""
        if not self.config.colour:
            return views
        planes = self.graph.reshape(views, count, 3, SIZE * SIZE)
        weights = np.asarray(GREY_WEIGHTS, np.float32).reshape(1, 3, 1)
        return self.graph.reduce("Sum", self.graph.scaled(planes, weights), 1)

    def _profiles(self, grey: str, count: int) -> str:
        graph = self.graph
        grey = graph.reshape(grey, count, SIZE, SIZE)
        profiles = []
        for axis in (1, 2):
            profiles.append(graph.reduce("Max", grey, axis))
            profiles.append(graph.scaled(graph.reduce("Mean", grey, axis), 4.0))
        pooled = [
            graph.reduce("Mean", graph.reshape(each, count, SIZE // width, width), 2)
            for each in profiles
            for width in POOLED_SIZE
        ]
        return graph.concatenate(pooled)

    def _brightness(self, grey: str) -> str:
        graph = self.graph
        powers = [graph.apply("Sqrt", grey), grey, graph.apply("Mul", grey, grey)]
        return graph.concatenate([graph.reduce("Mean", each, 1, keep=True) for each in powers])

    def _standardised(self, values: str, part: str) -> str:
        mean = self.graph.constant(self.weights[f"{part}.mean"])
        return self.graph.scaled(
            self.graph.apply("Sub", values, mean), self.weights[f"{part}.gain"]
        )
