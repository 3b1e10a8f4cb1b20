"""Read musical scales from text, such as "D minor", "19-tet" or "hz 110 220 330"."""

from __future__ import annotations

import math
import re
from difflib import get_close_matches
from fractions import Fraction

from frame2sound.sound.scale import CONCERT_PITCH_HZ, Scale, note_to_hz

SCALE_SEMITONES: dict[str, tuple[float, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "melodic minor": (0, 2, 3, 5, 7, 9, 11),
    "harmonic major": (0, 2, 4, 5, 7, 8, 11),
    "ionian": (0, 2, 4, 5, 7, 9, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "aeolian": (0, 2, 3, 5, 7, 8, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
    "major pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "major blues": (0, 2, 3, 4, 7, 9),
    "whole tone": (0, 2, 4, 6, 8, 10),
    "chromatic": tuple(range(12)),
    "octatonic": (0, 2, 3, 5, 6, 8, 9, 11),
    "half-whole octatonic": (0, 1, 3, 4, 6, 7, 9, 10),
    "augmented": (0, 3, 4, 7, 8, 11),
    "altered": (0, 1, 3, 4, 6, 8, 10),
    "lydian dominant": (0, 2, 4, 6, 7, 9, 10),
    "phrygian dominant": (0, 1, 4, 5, 7, 8, 10),
    "double harmonic": (0, 1, 4, 5, 7, 8, 11),
    "hungarian minor": (0, 2, 3, 6, 7, 8, 11),
    "hijaz": (0, 1, 4, 5, 7, 8, 10),
    "rast": (0, 2, 3.5, 5, 7, 9, 10.5),
    "bayati": (0, 1.5, 3, 5, 7, 8, 10),
    "hirajoshi": (0, 2, 3, 7, 8),
    "in": (0, 1, 5, 7, 8),
    "yo": (0, 2, 5, 7, 9),
}
"""Semitones above the tonic. The melodic minor is the ascending one; rast and bayati have quarter
tones; hirajoshi is Burrows' spelling."""

_ALIASES = {
    "maj": "major",
    "min": "minor",
    "natural minor": "minor",
    "jazz minor": "melodic minor",
    "pentatonic": "major pentatonic",
    "minor blues": "blues",
    "wholetone": "whole tone",
    "diminished": "octatonic",
    "whole half octatonic": "octatonic",
    "half whole diminished": "half-whole octatonic",
    "super locrian": "altered",
    "acoustic": "lydian dominant",
    "freygish": "phrygian dominant",
    "byzantine": "double harmonic",
    "hijaz kar": "double harmonic",
    "hijazkar": "double harmonic",
    "gypsy minor": "hungarian minor",
}

_NAMES = {name: name for name in SCALE_SEMITONES} | _ALIASES

_NOTE = re.compile(
    r"([a-g])(#+|b+|[- ]?sharp|[- ]?flat)?(-?\d{1,2})?(?=$|[ :_-])[ :_-]*", re.IGNORECASE
)
_CHORD = re.compile(r"([A-Ga-g](?:#+|[bB]+)?)(m|M|min|maj)", re.ASCII)
_DEFAULT_OCTAVE = 4

_EXPECTED_SYNTAX = (
    "expected a note and a scale as 'D minor', 'F#m', 'Eb' (its major) or 'dorian on D'; or "
    "'12-tet', 'just 1/1 9/8 5/4 3/2 on D', 'hz 110 220 330'; any but 'hz' may end in A4=<hertz>"
)


def parse_scale(text: str) -> Scale:
    """Return the scale that a text describes.

    ``<note> <scale>``, such as ``D minor`` or ``Bb blues``, and ``<scale> on <note>`` are read by
    `parse_named_scale`. A note alone is its major scale, ``Dm`` its minor one.
    ``<n>-tet`` divides the octave equally, from A4. ``just <ratio>...`` repeats ratios, from 1 to
    below 2, in every octave above and below C4, or the note after ``on``. ``hz <hertz>...`` has
    only the tones it names. ``A4=<hertz>`` sets the concert pitch of all others.

    Raises
    ------
    ValueError
        The text is none of these.

    Examples
    --------
    >>> round(parse_scale("D minor").step_to_hz(2), 1)
    349.2
    >>> parse_scale("12-tet A4=442").tonic_hz
    442.0
    >>> round(parse_scale("just 1/1 5/4 3/2 on A3").step_to_hz(2), 6)
    330.0
    >>> parse_scale("hz 110 220 330").step_to_hz(2)
    330.0
    """
    kind, *words = text.split() or [""]
    concert = CONCERT_PITCH_HZ
    try:
        if kind.lower() == "hz":
            return Scale.from_hz([_positive(word) for word in words])
        if words and words[-1].upper().startswith("A4="):
            concert = _positive(words.pop()[3:])
        if kind.lower() == "just" and words:
            return _just(words, concert)
        line = " ".join([kind, *words])
        equal = re.fullmatch(r"([1-9]\d{0,2})[- ]?(?:tet|edo)", line.lower())
        if equal:
            return Scale.equal(int(equal[1]), concert)
        if line and not re.match(r"\d|just$", line.lower()):
            return parse_named_scale(line, concert)
    except (ValueError, ZeroDivisionError) as error:
        remedy = "" if "expected" in str(error) else f"; {_EXPECTED_SYNTAX}"
        raise ValueError(f"got scale {text!r}: {error}{remedy}") from error
    raise ValueError(f"got scale {text!r}, {_EXPECTED_SYNTAX}")


def parse_named_scale(text: str, concert_hz: float) -> Scale:
    """Return the scale with a name such as "D minor", "Eb", "F#m", "dorian on D3" or "chromatic".

    A note alone is its major scale, and one with ``m`` its minor scale, as musicians write keys.
    The octave only selects which tone is step 0: the scale repeats in every octave.

    Parameters
    ----------
    text : str
        A tonic and a scale, in upper or lower case; the words of a scale in any order.
    concert_hz : float
        Pitch of A4, in hertz.

    Raises
    ------
    ValueError
        The scale is unknown, or has no tonic.

    Examples
    --------
    >>> [round(parse_named_scale("A minor", 440.0).step_to_hz(step), 1) for step in range(3)]
    [440.0, 493.9, 523.3]
    """
    tonic, kind = _split_tonic(_with_ascii_accidentals(text))
    words = [word for word in _words(kind) if word not in ("scale", "mode")]
    known = {_words(given): name for given, name in _NAMES.items()}
    name = known.get(tuple(words)) or known.get(tuple(words[::-1]))
    if tonic and not words:
        name = "major"
    if name is None:
        raise ValueError(_unknown(" ".join(words), tonic))
    if not tonic and name != "chromatic":
        raise ValueError(f"{name!r} has no tonic: write it as 'D {name}'")
    cents = [100 * step for step in SCALE_SEMITONES[name]]
    return Scale.from_cents(cents, parse_tonic_hz(tonic or "A4", concert_hz))


def parse_tonic_hz(note: str, concert_hz: float) -> float:
    """Return the pitch of a note in hertz; without an octave, it is in that of middle C.

    >>> round(parse_tonic_hz("E♭", 440.0), 2) == round(parse_tonic_hz("d#4", 440.0), 2)
    True
    """
    match = _NOTE.fullmatch(_with_ascii_accidentals(note).strip())
    if match is None:
        raise ValueError(f"got note {note!r}, expected one such as 'D', 'C#', 'Eb' or 'Bb3'")
    letter, accidental, octave = match.groups()
    signs = (accidental or "").lower().strip(" -").replace("sharp", "#").replace("flat", "b")
    return note_to_hz(f"{letter.upper()}{signs}{octave or _DEFAULT_OCTAVE}", concert_hz)


def _with_ascii_accidentals(text: str) -> str:
    return text.replace("♯", "#").replace("♭", "b").strip()


def _split_tonic(text: str) -> tuple[str, str]:
    """Return the tonic, empty if there is none, and the name of the scale."""
    after = re.fullmatch(r"(.*\S)\s+(?:on|in)\s+(\S.*)", text, re.IGNORECASE)
    if after is not None:
        return after[2], after[1]
    chord = _CHORD.fullmatch(text)
    if chord is not None:
        return chord[1], "major" if chord[2] in ("M", "maj") else "minor"
    note = _NOTE.match(text)
    return ("", text) if note is None else (note[0].rstrip(" :_-"), text[note.end() :])


def _words(name: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\s_-]+", name.lower()))


def _unknown(kind: str, tonic: str) -> str:
    near = get_close_matches(kind, _NAMES, 1)
    meant = f"did you mean {f'{tonic} {near[0]}'.strip()!r}? " if near else ""
    german = "H is B in English; " if kind.split()[:1] == ["h"] else ""
    listed = f"expected one of {', '.join(SCALE_SEMITONES)}" if tonic or near else ""
    return f"no scale is called {kind!r}; {german}{meant}{listed}".removesuffix("; ")


def _just(words: list[str], concert_hz: float) -> Scale:
    tonic = "C"
    if len(words) > 2 and words[-2].lower() == "on":
        words, tonic = words[:-2], words[-1]
    return Scale.just([Fraction(word) for word in words], parse_tonic_hz(tonic, concert_hz))


def _positive(word: str) -> float:
    value = float(word)
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"got {word}, expected hertz above 0")
    return value
