"""Tones of any system: their pitches in closed form, as tables, as sound, and through effects."""

import doctest

import numpy as np
import pytest
import soundfile

import frame2sound as f2s
from frame2sound.sound import scala_file, tone_systems
from frame2sound.sound.named_scales import parse_scale
from frame2sound.tuning import steps, waves

RATE = 11_025


def hz_of(system, **options):
    return [tone.hz for tone in f2s.tones(system, **options).tones]


def heard(tmp_path, system, **options):
    made = f2s.tones(system, tmp_path / "a.wav", sample_rate=RATE, overwrite=True, **options)
    return made, soundfile.read(tmp_path / "a.wav")[0]


def partials_hz(sound, count):
    """The strongest sines of a steady sound, ascending: maxima of a spectrum, interpolated."""
    power = np.log(np.abs(np.fft.rfft(sound * np.blackman(len(sound)))) + 1e-12)
    peaks = 1 + np.flatnonzero((power[1:-1] > power[:-2]) & (power[1:-1] > power[2:]))
    strongest = np.sort(peaks[np.argsort(power[peaks])[-count:]])
    left, middle, right = power[strongest - 1], power[strongest], power[strongest + 1]
    offset = (left - right) / (2 * (left - 2 * middle + right))
    return (strongest + offset) * RATE / len(sound)


def cents(one, other):
    return np.abs(1200 * np.log2(np.asarray(one) / np.asarray(other)))


@pytest.mark.parametrize("module", [scala_file, tone_systems, steps, waves])
def test_the_examples_in_the_docstrings_hold(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0


@pytest.mark.parametrize(
    ("system", "expected"),
    [
        ("19-tet on A3", 220 * 2 ** (np.arange(20) / 19)),
        ("13-ed3 on 200 Hz", 200 * 3 ** (np.arange(14) / 13)),
        ("9-ED3/2", 440 * 1.5 ** (np.arange(10) / 9)),
        ("7 ed700c on A3 A4=432", 216 * 2 ** (np.arange(8) / 12)),
        ("just 1/1 9/7 5/3 period 3 on 210Hz", [210, 270, 350, 630]),
        ("just 1 1.25 3/2 on 200 hz", [200, 250, 300, 400]),
        ("cents 0 386.314 701.955 on 100 Hz", [100, 125, 150, 200]),
        ("cents 0 600 period 1800 on 100 Hz", [100, 100 * 2**0.5, 100 * 2**1.5]),
        ("hz 330 110 220", [110, 220, 330]),
        ("major on 240 Hz", 240 * 2 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12]) / 12)),
        ("3-tet nested in hz 100 200 400", 100 * 2 ** (np.arange(7) / 3)),
        ("12-tet nested in itself", 440 * 2 ** (np.arange(145) / 144)),
        ("3-tet nested in 2-tet nested in 5-tet", 440 * 2 ** (np.arange(31) / 30)),
    ],
)
def test_systems_have_their_tones(system, expected):
    np.testing.assert_allclose(hz_of(system), expected, rtol=1e-6)


def test_each_step_holds_the_nested_scale_in_small():
    inner, outer = np.array([0, 2, 4, 5, 7, 9, 11]), np.array([0, 2, 3, 5, 7, 8, 10, 12])
    semitones = (outer[:-1, None] + np.diff(outer)[:, None] * inner / 12).ravel()
    expected = 440 * 2 ** (np.append(semitones, 12) / 12)
    for text in ("major nested in A minor", "C major nested in A minor"):
        np.testing.assert_allclose(hz_of(text), expected, rtol=1e-12)


def test_a_scala_file_is_read_everywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = [
        "! f.scl",
        "!",
        "Two fifths and an octave",
        " 3",
        "!",
        " 9/8 whole tone",
        "701.955",
        "2",
    ]
    (tmp_path / "f.scl").write_text("\n".join(lines))
    np.testing.assert_allclose(hz_of("f.scl on 200 Hz"), [200, 225, 300, 400], rtol=1e-6)
    lines[2], lines[1] = "Å\x0bscale in équal\x1cparts\x0c…", "! Å…"
    for encoding in ("utf-8", "utf-8-sig", "cp1252"):
        for end in ("\n", "\r\n", "\r"):
            (tmp_path / "f.scl").write_bytes(end.join(lines).encode(encoding))
            np.testing.assert_allclose(hz_of("f.scl on 200 Hz"), [200, 225, 300, 400], rtol=1e-6)
    for bad, says in (
        ("a\n0\n", "number of tones"),
        ("a\n2\n3/2\n", "got 1 tones"),
        ("", "number"),
    ):
        (tmp_path / "f.scl").write_text(bad)
        with pytest.raises(
            f2s.ParameterError, match=f"f.scl is not readable as a Scala file.*{says}"
        ):
            f2s.tones("f.scl")


@pytest.mark.parametrize(
    ("text", "expected"), [("0 4 7", [0, 4, 7]), ("-1..2", [-1, 0, 1, 2]), ("2..0,5", [2, 1, 0, 5])]
)
def test_steps_are_read(text, expected):
    assert steps.parse_steps(text) == expected


@pytest.mark.parametrize(
    ("wave", "function"),
    [
        ("triangle", lambda turn: 1 - 4 * np.abs((turn + 0.25) % 1 - 0.5)),
        ("square", lambda turn: np.where(turn % 1 < 0.5, 1.0, -1.0)),
        ("saw", lambda turn: 2 * ((turn + 0.5) % 1) - 1),
    ],
)
def test_harmonics_are_the_series_of_the_wave(wave, function):
    turn = (np.arange(4096) + 0.5) / 4096
    order = np.arange(1, 20)
    expected = 2 * (function(turn) * np.sin(2 * np.pi * np.outer(order, turn))).mean(axis=1)
    np.testing.assert_allclose(waves.harmonics(wave, 19), expected, atol=1e-5)


@pytest.mark.parametrize("wave", waves.WAVES)
def test_a_tone_is_the_sum_of_its_harmonics_below_half_the_rate_and_nothing_else(wave, monkeypatch):
    turns = 1100 * np.arange(RATE // 2) / RATE
    expected = sum(
        amplitude * np.sin(2 * np.pi * order * turns)
        for order, amplitude in enumerate(waves.harmonics(wave, 5), 1)
    )
    monkeypatch.setattr(waves, "BLOCK_SAMPLES", 1000)
    blocks = list(waves.chord_blocks([1100.0], wave, RATE // 2, RATE))
    assert [len(block) for block in blocks] == [1000] * 5 + [RATE // 2 - 5000]
    sound = np.concatenate(blocks)
    fade = round(0.01 * RATE)
    np.testing.assert_allclose(sound[fade:-fade], expected[fade:-fade], atol=1e-5)
    shape = np.sin(np.pi / 2 * (np.arange(fade) + 0.5) / fade) ** 2
    for part, faded in ((slice(fade), shape), (slice(-fade, None), shape[::-1])):
        np.testing.assert_allclose(sound[part], expected[part] * faded, atol=1e-5)


def test_tones_follow_one_another_and_chords_sound_together_within_a_cent(tmp_path):
    made, sound = heard(tmp_path, "19-tet on A3", steps="0 7 19", chord=["0 6 11"], seconds="0.3")
    assert len(sound) == round(1.2 * RATE)
    assert np.abs(sound).max() == pytest.approx(10 ** (-1 / 20), abs=1e-6)
    edges = [round(number * 3 * RATE / 10) for number in range(5)]
    groups = [[0], [7], [19], [0, 6, 11]]
    for begin, end, group in zip(edges[:-1], edges[1:], groups, strict=True):
        found = partials_hz(sound[begin:end], len(group))
        assert cents(found, [220 * 2 ** (step / 19) for step in group]).max() < 1
    assert [tone.step for tone in made.tones] == [0, 7, 19, 6, 11]
    assert str(made).endswith("a.wav  1.200 s  11025 Hz  5 tones of 19-tet on A3")


def test_tones_that_the_rate_cannot_hold_are_left_out_and_told(tmp_path):
    made, sound = heard(tmp_path, "12-tet on A7", steps="0 12", seconds=0.1)
    assert len(sound) == 1102
    assert made.notes == (
        "1 of 2 tones are left out, from 7040 Hz on: not below half the sample rate, 5512.5 Hz",
    )
    with pytest.raises(f2s.ParameterError, match="got tones from 7040 Hz on, expected some below"):
        heard(tmp_path, "12-tet on A8")


def test_reversing_twice_is_nothing_and_once_is_backwards(tmp_path):
    plain, once, twice = (
        heard(tmp_path, "C major", wave="saw", seconds=0.1, effects=effects)[1]
        for effects in (None, "reverse", "reverse, reverse")
    )
    np.testing.assert_array_equal(once, plain[::-1])
    np.testing.assert_array_equal(twice, plain)


def test_an_echo_comes_at_its_sample_and_may_end_by_itself(tmp_path):
    effects = "delay seconds=.2 feedback=0.5 mix=0.5"
    made, sound = heard(tmp_path, "C major", steps="0", seconds=0.1, effects=effects)
    short, lag = round(0.1 * RATE), round(0.2 * RATE)
    assert len(sound) == short + 11 * lag  # 0.5 ** 10 is below -60 dB
    for number in range(3):
        begin = (number + 1) * lag
        echo = sound[begin : begin + short]
        np.testing.assert_allclose(echo, sound[:short] * 0.5**number, atol=1e-6)
        assert not np.abs(sound[begin - lag + short : begin]).max() > 1e-6
    assert made.seconds == len(sound) / RATE


@pytest.mark.parametrize("ratio", [0.5, 2.0])
def test_stretched_tones_keep_their_pitch_and_are_as_long_as_asked(tmp_path, ratio):
    effects = f"time-stretch ratio={ratio}"
    _, sound = heard(tmp_path, "hz 441", seconds=1, effects=effects)
    assert len(sound) == round(RATE * ratio)
    edge = len(sound) // 10
    assert cents(partials_hz(sound[edge:-edge], 1), 441) < 1


def test_layers_add_the_reverse_and_the_original(tmp_path):
    plain, mirrored, both = (
        heard(tmp_path, "D minor", seconds=0.1, effects=effects)[1]
        for effects in (None, "layer of=reverse db=-6", "reverse, layer of=original db=-6")
    )
    gain = 10 ** (-6 / 20)
    for found, expected in (
        (mirrored, plain + gain * plain[::-1]),
        (both, plain[::-1] + gain * plain),
    ):
        scaled = expected * np.abs(found).max() / np.abs(expected).max()
        np.testing.assert_allclose(found, scaled, atol=1e-6)


def test_a_longer_sound_keeps_its_end_under_a_shorter_layer(tmp_path):
    stretched, layered = (
        heard(tmp_path, "hz 300", seconds=0.4, effects=f"time-stretch ratio=2{layer}")[1]
        for layer in ("", ", layer of=original db=-96")
    )
    assert len(layered) == len(stretched) == round(0.8 * RATE)
    np.testing.assert_allclose(layered, stretched, atol=1e-4)


def test_a_nested_scale_of_render_is_the_one_of_tones():
    scale = parse_scale("5-tet nested in D minor")
    assert [scale.step_to_hz(step) for step in range(36)] == hz_of("5-tet nested in D minor")
