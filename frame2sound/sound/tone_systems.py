"""Read tone systems from text: equal divisions of any interval, just ratios, and cents."""

from __future__ import annotations

import math
import re
from fractions import Fraction

from frame2sound.sound.scale import Scale, note_to_hz

MAX_DIVISIONS = 999

_EQUAL = re.compile(
    r"(?P<divisions>[+-]?\d{1,9})[- ]?(?:tet|edo|ed(?P<interval>\d\S*))", re.IGNORECASE
)
_LIST = re.compile(
    r"(?P<kind>just|cents)(?P<tones>(?: .*?)?)(?: period (?P<period>\S+))?", re.IGNORECASE
)


def is_tone_system(text: str) -> bool:
    """Return whether a text begins as one that `parse_tone_system` reads."""
    return re.match(r"[+-]?\d+[- ]?(tet|ed)|(just|cents)(?= |$)", text, re.IGNORECASE) is not None


def parse_tone_system(text: str, tonic_hz: float | None, concert_hz: float) -> Scale:
    """Return the scale of a tone system.

    ``<n>-tet`` or ``<n>-edo`` has n equal steps to the octave, ``<n>-ed<interval>`` to another
    interval, a ratio such as ``3`` or ``3/2``, or cents such as ``700c``. ``just <ratio>...`` and
    ``cents <cents>...`` list tones from the tonic up; ``period <ratio or cents>`` is where they
    repeat, an octave if it is not given.

    Parameters
    ----------
    text : str
    tonic_hz : float or None
        The pitch of step 0; None is A4 of equal systems, and C4 of the others.
    concert_hz : float
        Pitch of A4, in hertz.

    Raises
    ------
    ValueError
        The text is none of these, or its tones do not ascend.

    Examples
    --------
    >>> bohlen_pierce = parse_tone_system("13-ed3", 200.0, 440.0)
    >>> round(bohlen_pierce.step_to_hz(13), 6)
    600.0
    >>> parse_tone_system("just 1/1 7/5 5/3 period 3/1", 200.0, 440.0).step_to_hz(3)
    600.0
    """
    equal = _EQUAL.fullmatch(text)
    if equal is not None:
        interval = 2.0 if equal["interval"] is None else _interval(equal["interval"])
        return _equal(int(equal["divisions"]), interval, tonic_hz or concert_hz)
    listed = _LIST.fullmatch(text)
    if listed is None:
        raise ValueError("expected equal steps as '19-tet', or of another interval as '13-ed3'")
    tonic = tonic_hz or note_to_hz("C4", concert_hz)
    words = listed["tones"].split()
    if not words:
        raise ValueError("got no tones, expected at least one")
    if listed["kind"].lower() == "just":
        ratios = [parse_ratio(word) for word in words]
        return Scale.just(ratios, tonic, parse_ratio(listed["period"] or "2"))
    cents = [_finite(word) for word in words]
    return Scale.from_cents(cents, tonic, _finite(listed["period"] or "1200"))


def parse_ratio(word: str) -> Fraction:
    """Return a ratio such as ``3/2``, ``3`` or ``1.5``.

    >>> parse_ratio("3/2"), parse_ratio("1.25")
    (Fraction(3, 2), Fraction(5, 4))
    """
    if not re.fullmatch(r"\d{1,12}([/.]\d{1,12})?", word) or re.fullmatch(r".*/0+", word):
        raise ValueError(f"got ratio {word!r}, expected one such as '3/2' or '1.5'")
    return Fraction(word)


def _equal(divisions: int, interval: float, tonic_hz: float) -> Scale:
    if not 1 <= divisions <= MAX_DIVISIONS:
        raise ValueError(f"got {divisions} equal steps, expected 1 to {MAX_DIVISIONS}")
    return Scale.equal(divisions, tonic_hz, interval)


def _interval(word: str) -> float:
    """Return the ratio of an interval, given as a ratio or in cents."""
    is_cents = word.lower().endswith("c")
    ratio = 2 ** (_finite(word[:-1]) / 1200) if is_cents else float(parse_ratio(word))
    if not 1 < ratio <= 1024:
        raise ValueError(f"got an interval of {word}, expected one above 1 and at most ten octaves")
    return ratio


def _finite(word: str) -> float:
    value = float(word)
    if not math.isfinite(value) or abs(value) > 12_000:
        raise ValueError(f"got {word} cents, expected at most 12000, ten octaves")
    return value
