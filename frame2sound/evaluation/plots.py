"""Plots of soundtracks: film strip and motion above, sound below, on one time axis.

They use matplotlib's objects without pyplot, so there are no windows and no global state.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from frame2sound.evaluation.downsample import (
    MIN_FREQUENCY_HZ,
    Frames,
    Samples,
    Times,
    frame_indices_at,
    log_spectrogram,
    motion_image,
    peak_amplitude,
    waveform_extremes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BACKGROUND_COLOUR, PANEL_COLOUR, GRID_COLOUR = "#12151c", "#171b24", "#39414f"
TEXT_COLOUR, MUTED_TEXT_COLOUR = "#e8e6e1", "#949cab"
WAVEFORM_COLOUR, ONSET_COLOUR = "#f2c57c", "#ff7a66"
COLOUR_MAP = ("#171b24", "#1f3350", "#2b5f83", "#3f9aa5", "#9ad1a8", "#f5ecc0", "#fffdf5")

DPI = 100
RANGE_DB, MIN_PEAK_DB = 75.0, -40.0
MIN_GRID_PIXELS = 14  # smallest distance of grid lines
_GRID_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
_TILES = 14


@dataclass(frozen=True)
class Layout:
    """Sizes and distances of a plot, in pixels."""

    width: int = 1400
    left: int = 92
    right: int = 28
    top: int = 64
    bottom: int = 52
    gap: int = 8
    row_spacing: int = 30
    motion_height: int = 47
    waveform_height: int = 150
    spectrogram_height: int = 300

    @property
    def axis_width(self) -> int:
        """Width of the time axis."""
        return self.width - self.left - self.right

    @property
    def tile_size(self) -> int:
        """Side of a frame of the film strip; frames are square and fill the time axis."""
        return self.axis_width // _TILES

    @property
    def film_height(self) -> int:
        """Height of film strip and motion."""
        return self.tile_size + self.gap + self.motion_height

    def height(self, rows: int) -> int:
        """Height of a plot with so many sounds."""
        row = self.row_spacing + self.waveform_height + self.gap + self.spectrogram_height
        return self.top + self.film_height + rows * row + self.bottom


SINGLE_LAYOUT = Layout(waveform_height=168, spectrogram_height=432)
PAIR_LAYOUT = Layout(waveform_height=84, spectrogram_height=197)
COMPARISON_LAYOUT = Layout(waveform_height=56, spectrogram_height=118)


def plot_soundtrack(
    path: str | Path,
    samples: Samples,
    sample_rate: int,
    frames: Frames,
    frame_times: Times,
    title: str,
    onsets: ArrayLike | None = None,
    reference: Samples | None = None,
) -> None:
    """Draw a soundtrack below its film, as a PNG of 1400 x 900 pixels.

    Parameters
    ----------
    samples : array of shape (samples,)
        Full scale is 1.0; sample 0 is at 0 seconds.
    sample_rate : int
        In Hz, of the sound and of the reference.
    frames : array of shape (N, 64, 64)
        Grey, 0 to 255.
    frame_times : array of shape (N + 1,)
        When each frame appears, in seconds, and when the last one ends.
    onsets : array, optional
        Times in seconds to mark with thin lines, such as the events of a demo film.
    reference : array of shape (samples,), optional
        The original soundtrack, to draw below.
    """
    soundtracks = {"soundtrack": samples}
    if reference is not None:
        soundtracks["original soundtrack"] = reference
    layout = SINGLE_LAYOUT if reference is None else PAIR_LAYOUT
    _save(
        soundtrack_figure(soundtracks, sample_rate, frames, frame_times, title, onsets, layout),
        path,
    )


def plot_comparison(
    path: str | Path,
    soundtracks: Mapping[str, Samples],
    sample_rate: int,
    frames: Frames,
    frame_times: Times,
    title: str,
    onsets: ArrayLike | None = None,
) -> None:
    """Draw several soundtracks of one animation, by label, below one film strip, as a PNG.

    All spectrograms have the same scale. The image is 1400 pixels wide, and 212 pixels higher for
    each soundtrack. With a path that ends in ``.webp`` it is a WebP.
    """
    _save(
        soundtrack_figure(
            soundtracks, sample_rate, frames, frame_times, title, onsets, COMPARISON_LAYOUT
        ),
        path,
    )


def soundtrack_figure(
    soundtracks: Mapping[str, Samples],
    sample_rate: int,
    frames: Frames,
    frame_times: Times,
    title: str,
    onsets: ArrayLike | None = None,
    layout: Layout = SINGLE_LAYOUT,
) -> Figure:
    """Return a plot of soundtracks below their film as a matplotlib figure, as for a notebook.

    Its axes have the labels "film" and "motion", then "waveform" and "spectrogram" for each sound.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height = layout.height(len(soundtracks))
    figure = Figure(
        figsize=(layout.width / DPI, height / DPI), dpi=DPI, facecolor=BACKGROUND_COLOUR
    )
    FigureCanvasAgg(figure)
    marks = np.zeros(0) if onsets is None else np.asarray(onsets, dtype=np.float64)
    end = max(
        [
            1e-3,
            float(frame_times[-1]),
            *(len(sound) / sample_rate for sound in soundtracks.values()),
        ]
    )
    step = _grid_step(frame_times, MIN_GRID_PIXELS * end / layout.axis_width)
    _draw_heading(figure, layout, title, len(marks) > 0, step)
    spectra = [log_spectrogram(sound, sample_rate, end) for sound in soundtracks.values()]
    max_level_db = max([MIN_PEAK_DB, *(float(levels.max()) for levels in spectra)])
    amplitude = max([1e-3, *(peak_amplitude(sound) for sound in soundtracks.values())])

    top = layout.top
    film = _axes(figure, layout, top, layout.tile_size, "film", end)
    _draw_strip(film, frames, frame_times, end)
    top += layout.tile_size + layout.gap
    motion = _axes(figure, layout, top, layout.motion_height, "motion", end)
    _draw_motion(motion, frames, frame_times, end)
    _draw_lines(motion, marks, ONSET_COLOUR, 0.75)
    top += layout.motion_height
    for (label, sound), levels in zip(soundtracks.items(), spectra, strict=True):
        top += layout.row_spacing
        waveform = _axes(figure, layout, top, layout.waveform_height, "waveform", end)
        _draw_waveform(waveform, sound, sample_rate, amplitude)
        waveform.set_title(label, color=TEXT_COLOUR, size=10, loc="left", pad=5, parse_math=False)
        top += layout.waveform_height + layout.gap
        spectrogram = _axes(figure, layout, top, layout.spectrogram_height, "spectrogram", end)
        _draw_spectrogram(spectrogram, levels, sample_rate, end, max_level_db)
        top += layout.spectrogram_height
        for axes in (waveform, spectrogram):
            if step:
                _draw_lines(axes, frame_times[::step], TEXT_COLOUR, 0.16)
            _draw_lines(axes, marks, ONSET_COLOUR, 0.75)
    last = figure.axes[-1]
    last.tick_params(labelbottom=True)
    last.set_xlabel("seconds", color=MUTED_TEXT_COLOUR, size=10)
    return figure


def _grid_step(times: Times, min_seconds: float) -> int:
    """Return the smallest step in frames that lasts at least ``min_seconds``; 0 without any."""
    for step in _GRID_STEPS:
        if np.diff(times[::step]).min(initial=np.inf) >= min_seconds:
            return step if len(times) > step else 0
    return 0


def _draw_heading(figure: Figure, layout: Layout, title: str, events: bool, step: int) -> None:
    line = 1 - 32 / (figure.get_figheight() * DPI)
    left, right = layout.left / layout.width, 1 - layout.right / layout.width
    figure.text(left, line, title, color=TEXT_COLOUR, size=15, va="center", parse_math=False)
    grid = "" if not step else "grey lines: frames" if step == 1 else f"grey lines: {step} frames"
    above = line + 9 / (figure.get_figheight() * DPI) if events and step else line
    below = 2 * line - above
    if events:
        figure.text(
            right, above, "red lines: events", color=ONSET_COLOUR, size=9, va="center", ha="right"
        )
    figure.text(right, below, grid, color=MUTED_TEXT_COLOUR, size=9, va="center", ha="right")


def _axes(figure: Figure, layout: Layout, top: int, height: int, label: str, end: float) -> Axes:
    whole = figure.get_figheight() * DPI
    place = (
        layout.left / layout.width,
        1 - (top + height) / whole,
        layout.axis_width / layout.width,
        height / whole,
    )
    axes = figure.add_axes(place, label=label, facecolor=PANEL_COLOUR, xlim=(0.0, end), yticks=[])
    axes.set_autoscale_on(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(colors=MUTED_TEXT_COLOUR, labelsize=9, length=0, pad=6, labelbottom=False)
    return axes


def _draw_strip(axes: Axes, frames: Frames, times: Times, end: float) -> None:
    """Draw frames along the time axis: each is the one on screen at the middle of its tile."""
    axes.set(ylim=(0, 1), facecolor="none")
    width = end / _TILES
    middles = (np.arange(_TILES) + 0.5) * width
    for middle, frame in zip(middles, frame_indices_at(times, middles), strict=True):
        if frame >= 0:
            extent = (middle - 0.48 * width, middle + 0.48 * width, 0.02, 0.98)
            axes.imshow(frames[frame], extent=extent, cmap="gray", vmin=0, vmax=255, aspect="auto")
    axes.set_ylabel("film", color=MUTED_TEXT_COLOUR, size=9)


def _draw_motion(axes: Axes, frames: Frames, times: Times, end: float) -> None:
    """Draw `motion_image` along the time axis."""
    axes.set(ylim=(0, 1))
    image = motion_image(frames, times, end)
    axes.imshow(image, extent=(0, end, 0, 1), cmap="gray", vmin=0, vmax=255, aspect="auto")
    axes.set_ylabel("motion", color=MUTED_TEXT_COLOUR, size=9)


def _draw_waveform(axes: Axes, samples: Samples, sample_rate: int, amplitude: float) -> None:
    starts, low, high = waveform_extremes(samples)
    axes.set(ylim=(-1.08 * amplitude, 1.08 * amplitude))
    axes.axhline(0, color=GRID_COLOUR, linewidth=0.6, zorder=1)
    axes.fill_between(
        starts / sample_rate, low, high, color=WAVEFORM_COLOUR, linewidth=0.7, zorder=2
    )


def _draw_spectrogram(
    axes: Axes, levels: NDArray[np.float64], sample_rate: int, end: float, max_level_db: float
) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    octaves = math.log2(sample_rate / 2 / MIN_FREQUENCY_HZ)
    axes.set(ylim=(0, octaves))
    axes.imshow(
        levels,
        extent=(0, end, 0, octaves),
        origin="lower",
        cmap=LinearSegmentedColormap.from_list("heat", COLOUR_MAP),
        vmin=max_level_db - RANGE_DB,
        vmax=max_level_db,
        aspect="auto",
    )
    ticks = [hertz for hertz in (100, 300, 1000, 3000, 10000) if hertz < sample_rate / 2.2]
    names = [f"{hertz} Hz" if hertz < 1000 else f"{hertz // 1000} kHz" for hertz in ticks]
    axes.set_yticks([math.log2(hertz / MIN_FREQUENCY_HZ) for hertz in ticks], names)


def _draw_lines(axes: Axes, times: Times, color: str, alpha: float) -> None:
    low, high = axes.get_ylim()
    axes.vlines(times, low, high, colors=color, linewidth=0.8, alpha=alpha, zorder=4)


def _save(figure: Figure, path: str | Path) -> None:
    is_webp = Path(path).suffix == ".webp"
    options = {"format": "webp", "pil_kwargs": {"quality": 88}} if is_webp else {"format": "png"}
    figure.savefig(path, dpi=DPI, facecolor=BACKGROUND_COLOUR, **options)
