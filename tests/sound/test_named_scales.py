"""Scales by name: every tone where twelve-tone temperament, or its quarter tones, has it."""

import doctest
import math

import numpy as np
import pytest

from frame2sound.sound import named_scales as scales
from frame2sound.sound.named_scales import SCALE_SEMITONES, parse_named_scale, parse_scale

D4, CSHARP4, EFLAT4, BFLAT4 = (440 * 2 ** (semitone / 12) for semitone in (-7, -8, -6, 1))
MINOR, MAJOR = (0, 2, 3, 5, 7, 8, 10, 12), (0, 2, 4, 5, 7, 9, 11, 12)
DORIAN = (0, 2, 3, 5, 7, 9, 10, 12)


def test_the_examples_in_the_docstrings_hold():
    assert doctest.testmod(scales).failed == 0


@pytest.mark.parametrize(
    ("text", "tonic", "semitones"),
    [
        ("D minor", D4, MINOR),
        ("d MINOR", D4, MINOR),
        ("  D   natural  minor scale ", D4, MINOR),
        ("Dm", D4, MINOR),
        ("dmin", D4, MINOR),
        ("minor on D", D4, MINOR),
        ("minor in d4", D4, MINOR),
        ("D3 minor", D4 / 2, MINOR),
        ("D aeolian", D4, MINOR),
        ("D", D4, MAJOR),
        ("DM", D4, MAJOR),
        ("D maj", D4, MAJOR),
        ("D ionian", D4, MAJOR),
        ("D dorian", D4, DORIAN),
        ("D-Dorian mode", D4, DORIAN),
        ("dorian on C#", CSHARP4, DORIAN),
        ("C sharp dorian", CSHARP4, DORIAN),
        ("C♯ dorian", CSHARP4, DORIAN),
        ("Db dorian", CSHARP4, DORIAN),
        ("E♭ major", EFLAT4, MAJOR),
        ("E-flat major", EFLAT4, MAJOR),
        ("eb", EFLAT4, MAJOR),
        ("D# major", EFLAT4, MAJOR),
        ("Bb major", BFLAT4, MAJOR),
        ("bb", BFLAT4, MAJOR),
        ("b minor", 440 * 2 ** (2 / 12), MINOR),
        ("A blues", 440, (0, 3, 5, 6, 7, 10, 12)),
        ("A flat", 440 * 2 ** (-1 / 12), MAJOR),
        ("A minor blues", 440, (0, 3, 5, 6, 7, 10, 12)),
        ("A pentatonic", 440, (0, 2, 4, 7, 9, 12)),
        ("A pentatonic minor", 440, (0, 3, 5, 7, 10, 12)),
        ("A harmonic minor", 440, (0, 2, 3, 5, 7, 8, 11, 12)),
        ("A melodic minor", 440, (0, 2, 3, 5, 7, 9, 11, 12)),
        ("A whole-tone", 440, (0, 2, 4, 6, 8, 10, 12)),
        ("A phrygian", 440, (0, 1, 3, 5, 7, 8, 10, 12)),
        ("A lydian", 440, (0, 2, 4, 6, 7, 9, 11, 12)),
        ("A mixolydian", 440, (0, 2, 4, 5, 7, 9, 10, 12)),
        ("A locrian", 440, (0, 1, 3, 5, 6, 8, 10, 12)),
        ("A hijaz", 440, (0, 1, 4, 5, 7, 8, 10, 12)),
        ("A rast", 440, (0, 2, 3.5, 5, 7, 9, 10.5, 12)),
        ("half-whole diminished on A", 440, (0, 1, 3, 4, 6, 7, 9, 10, 12)),
        ("A diminished", 440, (0, 2, 3, 5, 6, 8, 9, 11, 12)),
        ("chromatic", 440, range(13)),
        ("D chromatic", D4, range(13)),
        ("A minor A4=442", 442, MINOR),
        ("12 TET", 440, range(13)),
        ("24-edo", 440, [step / 2 for step in range(25)]),
        ("just 1 3/2 on Eb", EFLAT4, (0, 12 * math.log2(1.5), 12)),
    ],
)
def test_scales_have_their_tones(text, tonic, semitones):
    scale = parse_scale(text)
    wanted = [tonic * 2 ** (semitone / 12) for semitone in semitones]
    np.testing.assert_allclose(
        [scale.step_to_hz(k) for k in range(len(wanted))], wanted, rtol=1e-12
    )
    assert scale.step_to_hz(len(wanted) - 1) == pytest.approx(2 * tonic)


def test_modes_are_rotations_of_the_major_scale():
    major = SCALE_SEMITONES["major"]
    modes = ("ionian", "dorian", "phrygian", "lydian", "mixolydian", "aeolian", "locrian")
    for degree, mode in enumerate(modes):
        turned = [(step - major[degree]) % 12 for step in major]
        assert sorted(turned) == list(SCALE_SEMITONES[mode])


@pytest.mark.parametrize("name", SCALE_SEMITONES)
def test_every_scale_is_found_by_its_name_and_fits_an_octave(name):
    scale = parse_named_scale(f"G {name}", 440.0)
    assert scale == parse_named_scale(f"{name.upper()} on G", 440.0)
    assert len(scale.ratios) == len(SCALE_SEMITONES[name])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("D minr", "did you mean 'D minor'"),
        ("D dorain", "did you mean 'D dorian'"),
        ("dorain on Eb", "did you mean 'Eb dorian'"),
        ("Bb pentatonik", "did you mean 'Bb pentatonic'"),
        ("D foo", "no scale is called 'foo'; expected one of major, minor, "),
        ("foo", "expected a note and a scale as 'D minor'"),
        ("minor", "'minor' has no tonic: write it as 'D minor'"),
        ("H minor", "H is B in English"),
        ("dorian on H", "got note 'H', expected one such as 'D', 'C#', 'Eb' or 'Bb3'"),
        ("D minor A4=0", "got 0, expected hertz above 0"),
        ("minor D minor", "expected one of major"),
    ],
)
def test_what_is_no_scale_is_refused_with_what_is_near(text, words):
    with pytest.raises(ValueError, match="expected") as refused:
        parse_scale(text)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
