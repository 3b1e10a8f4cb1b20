import doctest
import math
from fractions import Fraction

import pytest

from frame2sound.film.drawing import synthesis
from frame2sound.sound import scale as tones
from frame2sound.sound.scale import Scale, hz_to_note, nearest_tone_hz, note_to_hz, ratio_to_cents


@pytest.mark.parametrize("module", [tones, synthesis])
def test_the_examples_in_the_docstrings_hold(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize(
    ("note", "midi"), [("C-1", 0), ("A0", 21), ("C4", 60), ("C#5", 73), ("Bb3", 58), ("Cb4", 59)]
)
def test_notes_agree_with_midi_numbers(note, midi):
    assert note_to_hz(note) == pytest.approx(440 * 2 ** ((midi - 69) / 12), rel=1e-12)


def test_every_note_of_the_piano_comes_back_by_name():
    for midi in range(21, 109):
        hz = 440 * 2 ** ((midi - 69) / 12)
        assert note_to_hz(hz_to_note(hz)) == pytest.approx(hz, rel=1e-12)


def test_concert_pitch_can_be_another():
    assert note_to_hz("A4", concert_hz=415) == 415
    assert hz_to_note(415, concert_hz=415) == "A4"


@pytest.mark.parametrize(
    "text", ["", "H4", "A", "4A", "A4.5", "A9999", "A-100", "A" + "#" * 9999 + "4"]
)
def test_what_is_no_note_is_named_in_the_error(text):
    with pytest.raises(ValueError, match=f"got '{text}', expected a note"):
        note_to_hz(text)


@pytest.mark.parametrize(("divisions", "period"), [(12, 2), (19, 2), (31, 2), (13, 3), (5, 1.5)])
def test_equal_steps_are_equal_and_fill_the_period(divisions, period):
    scale = Scale.equal(divisions, tonic_hz=100, period=period)
    steps = [
        ratio_to_cents(scale.step_to_hz(n + 1) / scale.step_to_hz(n))
        for n in range(-divisions, 2 * divisions)
    ]
    assert steps == pytest.approx([ratio_to_cents(period) / divisions] * len(steps), rel=1e-9)


def test_just_ratios_are_exact_over_the_octaves():
    scale = Scale.just(["1", "9/8", Fraction(5, 4), "3/2"], tonic_hz=256)
    assert [scale.step_to_hz(n) for n in (0, 1, 2, 3, 4, 7, -1)] == [
        256,
        288,
        320,
        384,
        512,
        768,
        192,
    ]


def test_cents_and_ratios_make_the_same_scale():
    from_cents = Scale.from_cents([0, 1200 * math.log2(1.5)], tonic_hz=200)
    assert from_cents.step_to_hz(3) == pytest.approx(600)


def test_a_scale_of_hertz_has_only_its_tones():
    scale = Scale.from_hz([300, 100, 170])
    assert [scale.step_to_hz(n) for n in range(3)] == pytest.approx([100, 170, 300])
    assert nearest_tone_hz(5000, scale) == pytest.approx(300)
    with pytest.raises(ValueError, match="got step 3, expected 0 to 2"):
        scale.step_to_hz(3)


def test_snap_finds_the_nearest_tone_of_all():
    scale = Scale.equal(12, tonic_hz=220, degrees=(0, 2, 4, 7, 9))
    tones_hz = [scale.step_to_hz(n) for n in range(-20, 21)]
    for hz in (30.0, 101.0, 219.0, 233.5, 300.0, 431.0, 1234.5):
        nearest = min(tones_hz, key=lambda tone: abs(math.log(tone / hz)))
        assert nearest_tone_hz(hz, scale) == pytest.approx(nearest, rel=1e-12)


def test_snapping_a_tone_changes_nothing():
    scale = Scale.equal(7, tonic_hz=55)
    for step in range(-15, 40):
        assert scale.hz_to_step(scale.step_to_hz(step)) == step


def test_impossible_scales_are_refused():
    with pytest.raises(ValueError, match="expected them to ascend from 1"):
        Scale(100, (1.0, 1.5, 1.2))
    with pytest.raises(ValueError, match="stay below the period"):
        Scale(100, (1.0, 2.0))
    with pytest.raises(ValueError, match="got 0 divisions, expected at least 1"):
        Scale.equal(0, tonic_hz=100)
    with pytest.raises(ValueError, match="got no tones"):
        Scale.from_hz([])
    with pytest.raises(ValueError, match="got a pitch of -1, expected a finite number above 0"):
        nearest_tone_hz(-1, Scale.equal(12, tonic_hz=440))
