"""Musical pitch: note names, temperaments, just ratios and scales, all in hertz."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

CONCERT_PITCH_HZ = 440.0
"""The pitch of A4 in hertz (ISO 16)."""

MAX_NESTED_TONES = 10_000
"""Of a scale in the steps of another, in each period."""

_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_NOTE = re.compile(r"([A-Ga-g])([#b]{0,99})(-?\d{1,2})")


def note_to_hz(note: str, concert_hz: float = CONCERT_PITCH_HZ) -> float:
    """Return the pitch of a named note in twelve-tone equal temperament.

    Parameters
    ----------
    note : str
        A letter, ``#`` or ``b`` up to 99 times, and an octave from -99 to 99; middle C is C4.
    concert_hz : float
        Pitch of A4, in hertz.

    Raises
    ------
    ValueError
        The text is not a note.

    Examples
    --------
    >>> note_to_hz("A4"), round(note_to_hz("C#5"), 2), round(note_to_hz("Bb3"), 2)
    (440.0, 554.37, 233.08)
    """
    match = _NOTE.fullmatch(note.strip())
    if match is None:
        raise ValueError(f"got {note!r}, expected a note such as 'A4', 'C#5' or 'Bb3'")
    letter, accidentals, octave = match.groups()
    semitone = _LETTERS[letter.upper()] + accidentals.count("#") - accidentals.count("b")
    return float(concert_hz * 2 ** (int(octave) - 4 + (semitone - 9) / 12))


def hz_to_note(hz: float, concert_hz: float = CONCERT_PITCH_HZ) -> str:
    """Return the name of the note nearest to a pitch, spelt with sharps.

    >>> hz_to_note(440.0), hz_to_note(233.0), hz_to_note(8.2)
    ('A4', 'A#3', 'C-1')
    """
    _above_zero("a pitch", hz)
    octave, semitone = divmod(round(12 * math.log2(hz / concert_hz)) + 57, 12)
    return f"{_NAMES[semitone]}{octave}"


def ratio_to_cents(ratio: float | Fraction) -> float:
    """Return a ratio of two pitches as an interval in cents, 1200 to the octave.

    >>> round(ratio_to_cents(Fraction(3, 2)), 3)
    701.955
    """
    _above_zero("a ratio", ratio)
    return 1200 * math.log2(ratio)


@dataclass(frozen=True)
class Scale:
    """A musical scale: tones in ascending order, which may repeat in every period.

    Parameters
    ----------
    tonic_hz : float
        The pitch of step 0, in hertz.
    ratios : tuple of float
        Ratios to the tonic, ascending from 1, all below ``period``.
    period : float or None
        The ratio after which the tones repeat (2 is the octave), or None for a scale that does
        not repeat.

    Raises
    ------
    ValueError
        The tones do not ascend from the tonic within one period.

    Examples
    --------
    >>> pentatonic = Scale.equal(12, tonic_hz=220.0, degrees=(0, 2, 4, 7, 9))
    >>> [round(pentatonic.step_to_hz(step), 1) for step in (-1, 0, 1, 5)]
    [185.0, 220.0, 246.9, 440.0]
    """

    tonic_hz: float
    ratios: tuple[float, ...]
    period: float | None = 2.0

    def __post_init__(self) -> None:
        _above_zero("a tonic", self.tonic_hz)
        bounds = (*self.ratios, math.inf if self.period is None else self.period)
        if len(bounds) < 2 or bounds[0] != 1 or any(np.diff(bounds) <= 0):
            raise ValueError(
                f"got ratios {self.ratios} with period {self.period}, "
                "expected them to ascend from 1 and stay below the period"
            )

    @classmethod
    def equal(
        cls,
        divisions: int,
        tonic_hz: float,
        period: float = 2.0,
        degrees: Iterable[int] | None = None,
    ) -> Scale:
        """Return a scale of all or some degrees of a period that is divided into equal steps.

        >>> bohlen_pierce = Scale.equal(13, tonic_hz=200.0, period=3.0)
        >>> round(bohlen_pierce.step_to_hz(13), 6)
        600.0
        """
        if divisions < 1:
            raise ValueError(f"got {divisions} divisions, expected at least 1")
        kept = range(divisions) if degrees is None else degrees
        return cls(tonic_hz, tuple(period ** (degree / divisions) for degree in kept), period)

    @classmethod
    def just(
        cls, ratios: Iterable[Fraction | str], tonic_hz: float, period: Fraction | int = 2
    ) -> Scale:
        """Return a scale of just ratios, given as fractions or as text such as ``"3/2"``.

        >>> Scale.just(["1", "5/4", "3/2"], tonic_hz=200.0).step_to_hz(1)
        250.0
        """
        return cls(tonic_hz, tuple(float(Fraction(ratio)) for ratio in ratios), float(period))

    @classmethod
    def from_cents(
        cls, intervals: Iterable[float], tonic_hz: float, period_cents: float = 1200.0
    ) -> Scale:
        """Return a scale of intervals above the tonic, in cents.

        >>> round(Scale.from_cents([0, 240, 480, 720, 960], tonic_hz=100.0).step_to_hz(5), 6)
        200.0
        """
        ratios = tuple(2 ** (interval / 1200) for interval in intervals)
        return cls(tonic_hz, ratios, 2 ** (period_cents / 1200))

    @classmethod
    def from_hz(cls, tones: Iterable[float]) -> Scale:
        """Return a scale that has only the given tones, in hertz.

        >>> Scale.from_hz([110.0, 130.0, 200.0]).step_to_hz(2)
        200.0
        """
        hertz = sorted(set(tones))
        if not hertz:
            raise ValueError("got no tones, expected at least one")
        _above_zero("a tone", hertz[0])
        return cls(hertz[0], tuple(hz / hertz[0] for hz in hertz), None)

    def nest(self, inner: Scale) -> Scale:
        """Return this scale with another one in each of its steps, its period shrunk to the step.

        The intervals within a step are to the step as those of ``inner`` are to its period, in
        cents. Of a scale that does not repeat, the last tone is the end.

        Raises
        ------
        ValueError
            The inner scale does not repeat, or the result has more than 10000 tones a period.

        Examples
        --------
        >>> halves = Scale.equal(2, tonic_hz=1.0)
        >>> Scale.equal(12, tonic_hz=440.0).nest(halves).hz_to_step(880.0)
        24
        """
        if inner.period is None:
            raise ValueError("a list of tones has no period, expected a scale that repeats to nest")
        count = len(self.ratios) * len(inner.ratios)
        if count > MAX_NESTED_TONES:
            raise ValueError(f"got {count} nested tones, expected at most {MAX_NESTED_TONES}")
        shares = [math.log(ratio, inner.period) for ratio in inner.ratios]
        ends = self.ratios[1:] if self.period is None else (*self.ratios[1:], self.period)
        ratios = [
            low * (high / low) ** share
            for low, high in zip(self.ratios, ends, strict=False)
            for share in shares
        ]
        last = self.ratios[-1:] if self.period is None else ()
        return Scale(self.tonic_hz, (*ratios, *last), self.period)

    def step_to_hz(self, step: int) -> float:
        """Return the pitch of a step in hertz; step 0 is the tonic, -1 the tone below it.

        Raises
        ------
        ValueError
            The scale does not repeat, and the step is out of its range.
        """
        periods, index = divmod(step, len(self.ratios))
        if self.period is None:
            if periods:
                raise ValueError(f"got step {step}, expected 0 to {len(self.ratios) - 1}")
            return self.tonic_hz * self.ratios[index]
        return self.tonic_hz * self.ratios[index] * self.period**periods

    def hz_to_step(self, hz: float) -> int:
        """Return the step whose tone is nearest to a pitch, by interval; a tie goes down.

        >>> Scale.equal(12, tonic_hz=440.0).hz_to_step(880.0)
        12
        """
        _above_zero("a pitch", hz)
        octaves, periods = math.log2(hz / self.tonic_hz), 0
        marks = [math.log2(ratio) for ratio in self.ratios]
        if self.period is not None:
            span = math.log2(self.period)
            periods = math.floor(octaves / span)
            octaves -= periods * span
            marks.append(span)
        nearest = int(np.argmin([abs(octaves - mark) for mark in marks]))
        return periods * len(self.ratios) + nearest


def nearest_tone_hz(hz: float, scale: Scale) -> float:
    """Return the tone of a scale that is nearest to a pitch, both in hertz.

    Nearness is measured as an interval, so 210 Hz is as far from 200 as 220.5 is from 210.

    Examples
    --------
    >>> nearest_tone_hz(450.0, Scale.equal(12, tonic_hz=440.0))
    440.0
    """
    return scale.step_to_hz(scale.hz_to_step(hz))


def _above_zero(what: str, value: float | Fraction) -> None:
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"got {what} of {value}, expected a finite number above 0")
