"""Scales by their names: a tonic and a scale, such as "D minor", in twelve-tone temperament."""

from __future__ import annotations

import re
from difflib import get_close_matches

from frame2sound.sound.scale import Scale, note_to_hz

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


def parse_named_scale(text: str, concert_hz: float) -> Scale:
    """Read a scale such as "D minor", "Eb", "F#m", "dorian on D3" or "chromatic".

    A note alone is its major scale, and one with ``m`` its minor scale, as musicians write keys.
    An octave only says which tone is step 0: the scale repeats in every octave.

    Parameters
    ----------
    text : str
        A tonic and a scale in any case; words of a scale in any order.
    concert_hz : float
        What A4 is tuned to, in hertz.

    Raises
    ------
    ValueError
        There is no such scale, or it has no tonic.

    Examples
    --------
    >>> [round(named_scale("A minor", 440.0).tone(step), 1) for step in range(3)]
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
    """Return the pitch of a note whose octave may be left out: it is then that of middle C.

    >>> round(tonic_hz("E♭", 440.0), 2) == round(tonic_hz("d#4", 440.0), 2)
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
