"""A picture of the study: the primary differences of each film, by law, and their mean."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from study_analysis import DISTANCE, ENVELOPE, MARGINS, Difference, Report

LEFT, PANEL, GAP, ROW, TOP, BOTTOM = 96, 270, 34, 20, 46, 40
"""Of names, a panel, between panels, of a law, above and below, in pixels."""

NEARER = {ENVELOPE: "deep is nearer \u2192", DISTANCE: "\u2190 deep is nearer"}
TITLES = {ENVELOPE: "envelope, correlation", DISTANCE: "log-spectral distance, dB"}
INK, FAINT, DOT, BAND = "#222", "#999", "#1f6f9f", "#e9e4d8"


def picture(report: Report) -> str:
    """Return an SVG: a dot for each film, the mean with its 95 % interval, the margin as a band."""
    height = TOP + ROW * (len(report.laws) + 2) + BOTTOM
    width = LEFT + len(report.primary) * (PANEL + GAP)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'font-family="sans-serif" font-size="12" fill="{INK}">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        *_names(report),
    ]
    for number, difference in enumerate(report.primary):
        values = {law: parts[number] for law, parts in sorted(report.laws.items())}
        lines += _panel(difference, values, LEFT + number * (PANEL + GAP))
    return "\n".join([*lines, "</svg>"]) + "\n"


def _names(report: Report) -> Iterator[str]:
    for row, name in enumerate([*sorted(report.laws), "", "mean"]):
        yield _text(LEFT - 10, _middle(row) + 4, name, "end")


def _panel(difference: Difference, values: dict[str, np.ndarray], left: float) -> Iterator[str]:
    measure, mean = difference.contrast.measure, difference.films.shown
    margin = MARGINS[measure]
    films = np.concatenate(list(values.values()))
    reach = 1.08 * max(margin, *map(abs, mean.interval), float(np.abs(films).max()))
    rows = len(values)

    def at(value: float) -> float:
        return left + PANEL / 2 * (1 + value / reach)

    bottom = TOP + ROW * (rows + 2)
    yield _text(left + PANEL / 2, TOP - 28, TITLES[measure], "middle")
    yield _text(left + PANEL / 2, TOP - 12, NEARER[measure], "middle", FAINT)
    yield (
        f'<rect x="{at(-margin):.1f}" y="{TOP}" width="{at(margin) - at(-margin):.1f}" '
        f'height="{bottom - TOP}" fill="{BAND}"/>'
    )
    yield f'<path d="M{at(0):.1f} {TOP}V{bottom}" stroke="{FAINT}"/>'
    for tick in _ticks(reach):
        yield f'<path d="M{at(tick):.1f} {bottom}v5" stroke="{FAINT}"/>'
        yield _text(at(tick), bottom + 18, f"{tick:+g}" if tick else "0", "middle", FAINT)
    for row, found in enumerate(values.values()):
        for value in found:
            yield (
                f'<circle cx="{at(value):.1f}" cy="{_middle(row)}" r="4" fill="{DOT}" '
                'fill-opacity=".7"/>'
            )
    low, high, middle = at(mean.interval[0]), at(mean.interval[1]), _middle(rows + 1)
    yield f'<path d="M{low:.1f} {middle}H{high:.1f}" stroke="{INK}" stroke-width="3"/>'
    yield f'<circle cx="{at(mean.value):.1f}" cy="{middle}" r="5" fill="{INK}"/>'


def _ticks(reach: float) -> list[float]:
    """Return round numbers from below 0 to above it."""
    step = 10.0 ** np.floor(np.log10(reach))
    step = next(each for each in (step / 5, step / 2, step, 2 * step) if reach / each < 4)
    count = int(reach / step)
    return [float(f"{number * step:.6g}") for number in range(-count, count + 1)]


def _middle(row: int) -> int:
    return TOP + ROW * row + ROW // 2


def _text(x: float, y: float, text: str, anchor: str, fill: str = INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}">{text}</text>'
