"""Steps of a scale: read from text, and described as tones."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from fractions import Fraction
from pathlib import Path

from frame2sound.atomic import atomic_write
from frame2sound.errors import SoundtrackError
from frame2sound.sound.scale import Scale, hz_to_note, note_to_hz, ratio_to_cents

MAX_STEPS = 10_000

MIN_HZ, MAX_HZ = 8.0, 1e6
"""Of tones that are described."""

MAX_DENOMINATOR = 1000
"""Of ratios that are shown as fractions."""

_RANGE = re.compile(r"(-?\d{1,6})(?:\.\.(-?\d{1,6}))?")


@dataclass(frozen=True)
class Tone:
    """A step of a scale.

    Attributes
    ----------
    step : int
        0 is the tonic.
    ratio : float
        To the tonic.
    cents : float
        The interval from the tonic.
    hz : float
    note : str
        The nearest note of twelve-tone temperament at A4 = 440 Hz.
    note_cents : float
        How far the tone is above that note.
    """

    step: int
    ratio: float
    cents: float
    hz: float
    note: str
    note_cents: float

    @property
    def fraction(self) -> str:
        """The ratio as a fraction if it is a simple one, otherwise with four decimals.

        >>> Tone(0, 1.5, 702.0, 330.0, "E4", 2.0).fraction
        '3/2'
        """
        simple = Fraction(self.ratio).limit_denominator(MAX_DENOMINATOR)
        is_simple = math.isclose(self.ratio, simple, rel_tol=1e-12)
        return f"{simple.numerator}/{simple.denominator}" if is_simple else f"{self.ratio:.4f}"


def parse_steps(text: str) -> list[int]:
    """Return the steps of a text such as ``0 4 7``, ``0..12`` or ``12..0``.

    Raises
    ------
    ValueError
        It is none, has no steps, or more than 10000.

    Examples
    --------
    >>> parse_steps("0 2..4, 1..-1")
    [0, 2, 3, 4, 1, 0, -1]
    """
    steps: list[int] = []
    for word in text.replace(",", " ").split():
        ends = _RANGE.fullmatch(word)
        if ends is None:
            raise ValueError(f"got step {word!r}, expected whole numbers, as '0 4 7' or '0..12'")
        first = int(ends[1])
        last = first if ends[2] is None else int(ends[2])
        if len(steps) + abs(last - first) >= MAX_STEPS:
            raise ValueError(f"got more than {MAX_STEPS} steps, expected fewer")
        way = 1 if last >= first else -1
        steps += range(first, last + way, way)
    if not steps:
        raise ValueError("got no steps, expected at least one, as '0 4 7'")
    return steps


def one_period(scale: Scale) -> list[int]:
    """Return the steps of one period with its end, or all of a scale that does not repeat.

    >>> one_period(Scale.equal(3, 220.0)), one_period(Scale.from_hz([110.0, 220.0]))
    ([0, 1, 2, 3], [0, 1])
    """
    return list(range(len(scale.ratios) + (scale.period is not None)))


def describe_step(scale: Scale, step: int) -> Tone:
    """Return the tone of a step.

    Raises
    ------
    ValueError
        The step is out of the scale's range, or its tone is below 8 Hz or above 1 MHz.

    Examples
    --------
    >>> describe_step(Scale.equal(12, 440.0), 3).note
    'C5'
    """
    try:
        hz = scale.step_to_hz(step)
    except OverflowError:
        hz = math.inf
    if not MIN_HZ <= hz <= MAX_HZ:
        raise ValueError(f"got step {step}, whose tone has {hz:.3g} Hz, expected 8 Hz to 1 MHz")
    ratio, note = hz / scale.tonic_hz, hz_to_note(hz)
    beyond = ratio_to_cents(hz / note_to_hz(note))
    return Tone(step, ratio, ratio_to_cents(ratio), hz, note, beyond)


def write_tone_table(path: Path, tones: Iterable[Tone], *, overwrite: bool = False) -> None:
    """Write a table with one row per tone, as CSV with a header.

    Raises
    ------
    SoundtrackError
        The file exists and ``overwrite`` is false, or it cannot be written.
    """
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(field.name for field in fields(Tone))
    rows.writerows(map(astuple, tones))
    with atomic_write(path, SoundtrackError, overwrite=overwrite) as partial:
        partial.write_text(text.getvalue(), "utf-8")
