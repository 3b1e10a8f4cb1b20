"""The table of measures: names, units, number formats, and what is good.

Importing this module is cheap: it needs no numpy and no torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class MeasureInfo:
    """What a measure is called, how it is printed, and which values are good.

    Attributes
    ----------
    label : str
        Name in tables and on pages.
    unit : str
        Empty for ratios.
    decimals : int
        Digits after the point when printed.
    better : {"high", "low", "zero", ""}
        Where the better values are; empty for measures that are no quality.
    text : str
        What the measure is, in a few words.
    good : str
        Good values of a soundtrack that is compared with a reference or with the ground truth.
    short_label : str
        Name in narrow columns, if it differs.
    row_label : str
        Name in a table with one row per measure, if it differs; indented below the row that it
        belongs to.
    good_with_truth : str
        Replaces ``good`` where the ground truth is known.
    signed : bool
        Whether positive values are printed with a plus sign.
    needs_comparison : bool
        Whether ``good`` applies only where there is a reference or the ground truth.
    """

    label: str
    unit: str = ""
    decimals: int = 2
    better: str = ""
    text: str = ""
    good: str = ""
    short_label: str = ""
    row_label: str = ""
    good_with_truth: str = ""
    signed: bool = False
    needs_comparison: bool = True

    def format(self, value: float | None) -> str:
        """Return a value as text, without its unit."""
        return format_value(value, self.decimals, signed=self.signed)

    @property
    def row(self) -> str:
        """Name in a table with one row per measure."""
        return self.row_label or self.label

    @property
    def column(self) -> str:
        """Name at the head of a narrow column."""
        return self.short_label or self.label

    @property
    def column_with_unit(self) -> str:
        """Name at the head of a narrow column, with the unit."""
        return f"{self.column} {self.unit}".rstrip()

    def to_dict(self) -> dict[str, str | int]:
        """Return what the results of a comparison say of a measure."""
        names = "label", "unit", "decimals", "better", "text"
        return {name: getattr(self, name) for name in names}


_ABOVE = "  above the reference's"

MEASURES: Mapping[str, MeasureInfo] = MappingProxyType(
    {
        "length_samples": MeasureInfo(
            "length", "samples", 0, "zero", "samples longer than the picture", "0", signed=True
        ),
        "lag_start_ms": MeasureInfo(
            "lag at the start", "ms", 1, "zero", "delay at the start", "-10 to 10", signed=True
        ),
        "lag_end_ms": MeasureInfo(
            "lag at the end", "ms", 1, "zero", "delay at the end", "as at the start", signed=True
        ),
        "onset_f": MeasureInfo(
            "onset F",
            better="high",
            text="F-measure of onsets within 50 ms",
            good="above 0.95",
            good_with_truth="high",  # a slow attack has no sharp onset, however correct it is
        ),
        "onset_chance": MeasureInfo(
            "by chance",
            text="onset F of the same onsets, shifted circularly: the mean of 200 shifts",
            short_label="(chance)",
            row_label="  by chance",
        ),
        "onset_chance_high": MeasureInfo(
            "chance, 95 %",
            text="onset F that 95 % of the circular shifts stay below",
            short_label="(95 %)",
            row_label="  95 % of chance below",
        ),
        "in_sync": MeasureInfo(
            "in sync",
            better="high",
            text="share of onset energy from 45 ms early to 125 ms late (ITU-R BT.1359), where the"
            " original's is .2 higher than when it is shifted",
            good="high",
        ),
        "envelope_correlation": MeasureInfo(
            "envelope",
            better="high",
            text="correlation of the RMS envelope with the original's, by film",
            good="above 0.9",
        ),
        "envelope_error": MeasureInfo(
            "envelope error",
            "",
            4,
            "low",
            "mean absolute error of the RMS envelope, in amplitude",
            "low",
        ),
        "spectral_distance_db": MeasureInfo(
            "log-spectral distance",
            "dB",
            1,
            "low",
            "distance of the log spectra from the original's where that sounds, at equal level,"
            " within a frame",
            "low",
            short_label="distance",
        ),
        "silence_distance_db": MeasureInfo(
            "distance of silence",
            "dB",
            1,
            text="log-spectral distance of silence",
            short_label="(silence)",
            row_label="  of silence",
        ),
        "pitch": MeasureInfo(
            "pitch",
            better="high",
            text="share of pitched frames within a semitone",
            good="above 0.9",
        ),
        "judge": MeasureInfo(
            "judge",
            better="high",
            text="probability of the film's label, by a judge that has not heard the film",
            good="high",
        ),
        "judge_chance": MeasureInfo(
            "judge by chance",
            text="probability of a label that is guessed",
            short_label="(chance)",
            row_label="  by chance",
        ),
        "level_error_db": MeasureInfo(
            "level error", "dB", 1, "low", "mean absolute error of the level of frames", "low"
        ),
        "line_comb_db": MeasureInfo(
            "line comb", "dB", 1, text="spectral lines at multiples of the frame rate"
        ),
        "line_comb_above_db": MeasureInfo(
            "line comb",
            "dB",
            1,
            "low",
            "spectral lines at multiples of the frame rate, relative to the original",
            "at most 3",
            row_label=_ABOVE,
            signed=True,
        ),
        "tremolo_comb_db": MeasureInfo(
            "tremolo comb", "dB", 1, text="amplitude modulation at the frame rate"
        ),
        "tremolo_comb_above_db": MeasureInfo(
            "tremolo comb",
            "dB",
            1,
            "low",
            "amplitude modulation at the frame rate, relative to the original",
            "at most 3",
            short_label="tremolo",
            row_label=_ABOVE,
            signed=True,
        ),
        "black_db": MeasureInfo("black", "dBFS", 1, "low", "level while the screen is black"),
        "black_above_db": MeasureInfo(
            "black",
            "dB",
            1,
            "low",
            "level while the screen is black, relative to the original",
            "at most 3",
            row_label=_ABOVE,
            signed=True,
        ),
        "loudness_lufs": MeasureInfo(
            "loudness",
            "LUFS",
            1,
            text="integrated, ITU-R BS.1770",
            good="-23, where asked for",
            needs_comparison=False,
        ),
        "true_peak_dbtp": MeasureInfo(
            "true peak",
            "dBTP",
            1,
            text="before limiting",
            good="at most -1",
            needs_comparison=False,
        ),
        "clipped": MeasureInfo(
            "clipped", "samples", 0, "low", "samples at full scale", "0", needs_comparison=False
        ),
    }
)
"""All measures of a soundtrack by the names of `Measurements`, in the order of printing."""

MAIN_MEASURES = (
    "onset_f",
    "in_sync",
    "envelope_correlation",
    "spectral_distance_db",
    "pitch",
    "judge",
)
"""The measures that a comparison prints, and for which it computes confidence intervals."""


def format_value(value: float | None, decimals: int, *, signed: bool = False) -> str:
    """Return a value as text; "-" for None, "silent" for minus infinity, and no minus zero.

    >>> format_value(-0.04, 1, signed=True), format_value(None, 1), format_value(-math.inf, 1)
    ('+0.0', '-', 'silent')
    """
    if value is None:
        return "-"
    if value == -math.inf:
        return "silent"
    return format(round(value, decimals) + 0.0, f"{'+' if signed else ''}.{decimals}f")
