"""Read musical scales from text, such as "D minor", "19-tet" or "hz 110 220 330"."""

from __future__ import annotations

import math
import re
from difflib import get_close_matches

from frame2sound.sound.scale import CONCERT_PITCH_HZ, Scale, note_to_hz
from frame2sound.sound.tone_systems import is_tone_system, parse_tone_system

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
    "'12-tet', '13-ed3', 'just 1/1 9/8 5/4 3/2 on D', 'cents 0 240 480 720 960 on D', "
    "'hz 110 220 330', 'major nested in D minor'; any but 'hz' may end in A4=<hertz>"
)

MAX_CHARACTERS, MAX_NESTED = 10_000, 10

_NESTED = re.compile(r"(.+?) nested in (.+)", re.IGNORECASE)


def parse_scale(text: str) -> Scale:
    """Return the scale that a text describes.

    ``<note> <scale>``, such as ``D minor`` or ``Bb blues``, and ``<scale> on <note>`` are read by
    `parse_named_scale`. A note alone is its major scale, ``Dm`` its minor one.
    ``<n>-tet``, ``<n>-ed<interval>``, ``just <ratio>...`` and ``cents <cents>...``, all of which
    may go on ``on <note>``, are read by `parse_tone_system`. ``hz <hertz>...`` has only the tones
    it names. ``<scale> nested in <scale>`` has the first in each step of the second, see
    `Scale.nest`; the first needs no note, and the second may be ``itself``. ``A4=<hertz>`` sets the
    concert pitch of all but ``hz``. A pitch such as ``220 Hz`` may stand for a note.

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
    >>> round(parse_scale("13-ed3 on 200 Hz").step_to_hz(13), 6)
    600.0
    >>> len(parse_scale("major nested in D minor").ratios)
    49
    """
    if len(text) > MAX_CHARACTERS or text.lower().count(" nested in ") > MAX_NESTED:
        raise ValueError(
            f"got scale {text[:40]!r}..., expected at most {MAX_CHARACTERS} characters and "
            f"{MAX_NESTED} nested scales; write a Scala file for long lists"
        )
    line = " ".join(text.split())
    try:
        return _parse_line(line)
    except (ValueError, ArithmeticError) as error:
        remedy = "" if "expected" in str(error) else f"; {_EXPECTED_SYNTAX}"
        raise ValueError(f"got scale {text!r}: {error}{remedy}") from error
    except LookupError:
        raise ValueError(f"got scale {text!r}, {_EXPECTED_SYNTAX}") from None


def _parse_line(line: str) -> Scale:
    """Return the scale of a line; `LookupError` if it begins as none."""
    nested = _NESTED.fullmatch(line)
    if nested is not None:
        without_tonic = tuple(_words(nested[1])) in {_words(name) for name in _NAMES}
        inner = _parse_line(f"C {nested[1]}" if without_tonic else nested[1])
        outer = nested[1] if nested[2].lower() == "itself" else nested[2]
        return _parse_line(outer).nest(inner)
    kind, *words = line.split() or [""]
    if kind.lower() == "hz":
        return Scale.from_hz([_positive(word) for word in words])
    concert = CONCERT_PITCH_HZ
    if words and words[-1].upper().startswith("A4="):
        concert = _positive(words.pop()[3:])
    line = " ".join([kind, *words])
    if is_tone_system(line):
        system, tonic = _split_after_on(line)
        return parse_tone_system(system, parse_tonic_hz(tonic, concert) if tonic else None, concert)
    if not line or line[0].isdigit():
        raise LookupError
    return parse_named_scale(line, concert)


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

    A number with ``Hz`` is its own pitch, whatever the concert pitch.

    >>> round(parse_tonic_hz("E♭", 440.0), 2) == round(parse_tonic_hz("d#4", 440.0), 2)
    True
    """
    hertz = re.fullmatch(r"(\S+?) ?hz", note.strip(), re.IGNORECASE)
    if hertz is not None:
        return _positive(hertz[1])
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
    name, tonic = _split_after_on(text)
    if tonic:
        return tonic, name
    chord = _CHORD.fullmatch(text)
    if chord is not None:
        return chord[1], "major" if chord[2] in ("M", "maj") else "minor"
    note = _NOTE.match(text)
    return ("", text) if note is None else (note[0].rstrip(" :_-"), text[note.end() :])


def _split_after_on(text: str) -> tuple[str, str]:
    """Return what is before and after "on" or "in"; the latter is empty if there is none."""
    parts = re.fullmatch(r"(.*\S)\s+(?:on|in)\s+(\S.*)", text, re.IGNORECASE)
    return (text, "") if parts is None else (parts[1], parts[2])


def _words(name: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\s_-]+", name.lower()))


def _unknown(kind: str, tonic: str) -> str:
    near = get_close_matches(kind, _NAMES, 1)
    meant = f"did you mean {f'{tonic} {near[0]}'.strip()!r}? " if near else ""
    german = "H is B in English; " if kind.split()[:1] == ["h"] else ""
    listed = f"expected one of {', '.join(SCALE_SEMITONES)}" if tonic or near else ""
    return f"no scale is called {kind!r}; {german}{meant}{listed}".removesuffix("; ")


def _positive(word: str) -> float:
    value = float(word)
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"got {word}, expected hertz above 0")
    return value
