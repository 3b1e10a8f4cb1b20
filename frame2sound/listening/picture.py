"""A picture of what was heard: spectrum with notes and centroid, chroma, and level with onsets."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from frame2sound.evaluation.plots import (
    BACKGROUND_COLOUR,
    COLOUR_MAP,
    DPI,
    GRID_COLOUR,
    MUTED_TEXT_COLOUR,
    ONSET_COLOUR,
    PANEL_COLOUR,
    RANGE_DB,
    TEXT_COLOUR,
    WAVEFORM_COLOUR,
)
from frame2sound.listening.chroma import PITCH_CLASSES
from frame2sound.listening.listener import SILENCE_DB, Heard, View
from frame2sound.sound.mel_scale import slaney_mel_corners

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FloatArray = NDArray[np.float64]

WIDTH, HEIGHT = 1400, 900
"""Of the picture, in pixels."""

NOTE_COLOUR, CENTROID_COLOUR = "#ff7a66", "#d6b3ff"

_LOWEST_HZ, _ROWS = 50.0, 360
_TICKS_HZ = (100, 300, 1000, 3000, 10_000)
_LEFT, _PANEL_WIDTH = 0.07, 0.91
_PANELS = {"spectrum": (0.4, 0.5), "chroma": (0.21, 0.17), "level": (0.06, 0.13)}


def draw_picture(path: Path, title: str, summary: str, heard: Heard, view: View) -> None:
    """Draw what was heard in a sound as a PNG of 1400 x 900 pixels.

    Parameters
    ----------
    title, summary : str
        The heading, and what is written beside it.
    heard : Heard
    view : View
        Of the same sound.
    """
    from matplotlib.figure import Figure

    figure = Figure((WIDTH / DPI, HEIGHT / DPI), dpi=DPI)
    figure.text(_LEFT, 0.945, title, color=TEXT_COLOUR, size=15, va="center", parse_math=False)
    figure.text(
        _LEFT + _PANEL_WIDTH,
        0.945,
        summary,
        color=MUTED_TEXT_COLOUR,
        size=10,
        va="center",
        ha="right",
        parse_math=False,
    )
    end = max(heard.seconds, 1e-3)
    panels = {name: _panel(figure, name, end) for name in _PANELS}
    if len(view.seconds):
        _draw_spectrum(panels["spectrum"], heard, view)
        _draw_chroma(panels["chroma"], view, end)
    _draw_level(panels["level"], heard, view)
    panels["level"].tick_params(labelbottom=True)
    panels["level"].set_xlabel("seconds", color=MUTED_TEXT_COLOUR, size=9)
    figure.savefig(path, dpi=DPI, facecolor=BACKGROUND_COLOUR, format="png")


def _panel(figure: Figure, name: str, end: float) -> Axes:
    bottom, height = _PANELS[name]
    axes = figure.add_axes(
        (_LEFT, bottom, _PANEL_WIDTH, height), label=name, facecolor=PANEL_COLOUR, xlim=(0.0, end)
    )
    axes.set_autoscale_on(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(colors=MUTED_TEXT_COLOUR, labelsize=9, length=0, pad=6, labelbottom=False)
    return axes


def _draw_spectrum(axes: Axes, heard: Heard, view: View) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    top = heard.sample_rate / 2
    octaves = math.log2(top / _LOWEST_HZ)
    hz = _LOWEST_HZ * 2 ** (np.linspace(0, octaves, _ROWS))
    middles = slaney_mel_corners(view.mel_db.shape[1], heard.sample_rate)[1:-1]
    nearest = np.searchsorted((middles[1:] + middles[:-1]) / 2, hz)
    levels = view.mel_db[:, nearest].T
    top_db = max(float(levels.max()), SILENCE_DB)
    axes.set(ylim=(0, octaves))
    axes.imshow(
        levels,
        extent=(*_span(view), 0, octaves),
        origin="lower",
        cmap=LinearSegmentedColormap.from_list("heat", COLOUR_MAP),
        vmin=top_db - RANGE_DB,
        vmax=top_db,
        aspect="auto",
    )
    ticks = [tick for tick in _TICKS_HZ if tick < top / 1.1]
    names = [f"{tick} Hz" if tick < 1000 else f"{tick // 1000} kHz" for tick in ticks]
    axes.set_yticks([math.log2(tick / _LOWEST_HZ) for tick in ticks], names)
    centroid = np.where(view.level_db > SILENCE_DB, view.centroid_hz, np.nan)
    places = np.log2(np.maximum(centroid, _LOWEST_HZ) / _LOWEST_HZ)
    axes.plot(view.seconds, places, color=CENTROID_COLOUR, linewidth=0.8, alpha=0.8)
    for note in heard.notes:
        place = math.log2(max(note.hz, _LOWEST_HZ) / _LOWEST_HZ)
        axes.hlines(place, note.start_seconds, note.end_seconds, colors=NOTE_COLOUR, linewidth=3)
    _legend(axes, {"notes": NOTE_COLOUR, "centroid": CENTROID_COLOUR})


def _draw_chroma(axes: Axes, view: View, end: float) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    axes.set(ylim=(-0.5, 11.5))
    axes.imshow(
        view.chroma.T,
        extent=(*_span(view), -0.5, 11.5),
        origin="lower",
        cmap=LinearSegmentedColormap.from_list("heat", COLOUR_MAP),
        vmin=0,
        vmax=1,
        aspect="auto",
    )
    axes.set_yticks(range(0, 12, 2), PITCH_CLASSES[::2])
    axes.set_ylabel("chroma", color=MUTED_TEXT_COLOUR, size=9)


def _draw_level(axes: Axes, heard: Heard, view: View) -> None:
    axes.set(ylim=(-80, 0))
    axes.set_yticks([-60, -40, -20], ["-60", "-40", "-20 dBFS"])
    for level in (-60, -40, -20):
        axes.axhline(level, color=GRID_COLOUR, linewidth=0.6, zorder=1)
    floor = np.full(len(view.seconds), -80.0)
    axes.fill_between(view.seconds, floor, view.level_db, color=WAVEFORM_COLOUR, alpha=0.8)
    axes.vlines(heard.onsets, -80, 0, colors=ONSET_COLOUR, linewidth=0.8, alpha=0.7)
    _legend(axes, {"level": WAVEFORM_COLOUR, "onsets": ONSET_COLOUR})


def _span(view: View) -> tuple[float, float]:
    """Return when the first column of an image begins, and when the last ends."""
    half = view.seconds[1] / 2 if len(view.seconds) > 1 else 0.01
    return -half, float(view.seconds[-1]) + half


def _legend(axes: Axes, colours: dict[str, str]) -> None:
    for number, (name, colour) in enumerate(colours.items()):
        axes.text(
            0.995 - 0.07 * number,
            0.97,
            name,
            color=colour,
            size=9,
            ha="right",
            va="top",
            transform=axes.transAxes,
        )
