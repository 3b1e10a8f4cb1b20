"""Effects: read strictly, in place, as long as before, and the same in pieces of any size."""

import numpy as np
import pytest

from frame2sound.errors import SoundtrackError
from frame2sound.rendering.effects import load_chain, parse_chain

RATE = 22050
DRY = ["delay", "reverb wet=0.3", "chorus"]
FILTERS = [
    "low-pass hz=6000",
    "high-pass hz=100",
    "band-pass hz=2000 octaves=2",
    "peak hz=900 db=6",
]
CAUSAL = [*DRY, *FILTERS, "gain db=6", "distortion"]
OTHERS = ["reverse", "reverse seconds=0.1", "pitch-shift semitones=5", "time-stretch ratio=1.5"]
OTHERS += ["layer of=reverse", "reverse seconds=0.1, layer of=original db=-6"]
OTHERS += ["time-stretch ratio=0.5", "pitch-shift semitones=-7, reverb, low-pass hz=3000"]


def noise(length, channels=1, seed=0):
    shape = length if channels == 1 else (length, channels)
    return np.random.default_rng(seed).uniform(-0.3, 0.3, shape).astype(np.float32)


def click(at, length=RATE):
    sound = np.zeros(length, np.float32)
    sound[at] = 0.5
    return sound


def burst(hz, at, seconds, width=0.02):
    time = np.arange(round(seconds * RATE)) / RATE
    return (np.sin(2 * np.pi * hz * time) * np.exp(-0.5 * ((time - at) / width) ** 2)).astype(
        np.float32
    )


def played(text, sound, folder, channels=1, sizes=()):
    pieces = np.split(sound, np.cumsum(sizes, dtype=int))
    return np.concatenate(list(parse_chain(text).apply(iter(pieces), RATE, channels, folder)))


def centre(sound):
    """When the middle of the energy is, in seconds."""
    power = sound.astype(np.float64) ** 2
    return (power * np.arange(len(power))).sum() / power.sum() / RATE


def loudest_hz(sound):
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return power.argmax() * RATE / len(sound)


@pytest.mark.parametrize("text", [*CAUSAL, *OTHERS])
@pytest.mark.parametrize("channels", [1, 2])
def test_length_and_channels_are_kept_and_pieces_do_not_matter(text, channels, tmp_path):
    sound = noise(15_001, channels)
    whole = played(text, sound, tmp_path, channels)
    assert whole.shape == sound.shape
    assert whole.dtype == np.float32
    assert whole.any()
    pieces = played(text, sound, tmp_path, channels, (1, 0, 4096, 5000, 2))
    np.testing.assert_allclose(pieces, whole, atol=1e-7)


@pytest.mark.parametrize("text", [*CAUSAL, *OTHERS])
def test_silence_stays_exactly_silent_and_nothing_stays_nothing(text, tmp_path):
    assert not played(text, np.zeros(9000, np.float32), tmp_path).any()
    assert not list(parse_chain(text).apply([], RATE, 1, tmp_path))


@pytest.mark.parametrize("text", CAUSAL)
def test_black_before_the_first_sound_stays_exactly_black(text, tmp_path):
    assert not played(text, click(9000), tmp_path)[:9000].any()


@pytest.mark.parametrize(
    ("text", "gain"), [("delay", 0.7), ("reverb wet=0.3", 0.7), ("chorus", 0.5)]
)
def test_the_dry_sound_stays_where_it_was_to_the_sample(text, gain, tmp_path):
    out = played(text, click(9000), tmp_path)
    assert np.abs(out).argmax() == 9000
    assert out[9000] == pytest.approx(0.5 * gain, rel=1e-3)


@pytest.mark.parametrize("text", FILTERS)
def test_filters_delay_a_click_by_no_more_than_their_own_phase(text, tmp_path):
    # The steepest, at 6 kHz and 24 dB an octave, takes three samples to rise; a band, longer.
    assert 0 <= np.abs(played(text, click(9000), tmp_path)).argmax() - 9000 <= 4


def test_echoes_come_when_and_as_loud_as_asked(tmp_path):
    out = played("delay seconds=0.1 feedback=0.5 mix=0.4", click(1000), tmp_path)
    at = np.flatnonzero(np.abs(out) > 1e-3)
    np.testing.assert_array_equal(at[:4], 1000 + 2205 * np.arange(4))
    np.testing.assert_allclose(out[at[:4]], [0.3, 0.2, 0.1, 0.05], rtol=1e-3)


def test_stereo_halls_are_wide_and_mono_can_enter_them(tmp_path):
    out = played("reverb wet=0.5", click(1000), tmp_path, channels=2)
    assert out.shape == (RATE, 2)
    tail = out[3000:]
    assert abs(np.corrcoef(tail.T)[0, 1]) < 0.9


@pytest.mark.parametrize(
    ("text", "hz", "gain_db"),
    [
        ("low-pass hz=1000", 4000, -52.0),
        ("low-pass hz=1000", 1000, -3),
        ("low-pass hz=1000", 100, 0),
        ("high-pass hz=1000", 250, -48.5),
        ("band-pass hz=1000", 1000, 0),
        ("band-pass hz=1000", 1414.2, -3),
        ("peak hz=1000 db=6", 1000, 6),
        ("peak hz=1000 db=-6 q=10", 3000, 0),
        ("gain db=-6", 440, -6),
    ],
)
def test_filters_pass_what_they_say(text, hz, gain_db, tmp_path):
    tone = 0.1 * np.sin(2 * np.pi * hz * np.arange(RATE) / RATE).astype(np.float32)
    out = played(text, tone, tmp_path)[RATE // 2 :]
    got = 20 * np.log10(np.sqrt((out**2).mean()) / (0.1 / np.sqrt(2)))
    # The slopes are 80 log10 of the ratio of tan(pi hz / rate): the bilinear transform's.
    assert got == pytest.approx(gain_db, abs=0.3)


def test_reverse_turns_all_or_each_stretch(tmp_path):
    sound = noise(10_000)
    np.testing.assert_array_equal(played("reverse", sound, tmp_path, sizes=(70,)), sound[::-1])
    out = played("reverse seconds=0.2", sound, tmp_path)
    expected = [sound[a : a + 4410][::-1] for a in (0, 4410, 8820)]
    np.testing.assert_array_equal(out, np.concatenate(expected))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("semitones", [-12, -5, 3, 12])
def test_a_pitch_is_shifted_and_stays_in_place(semitones, tmp_path):
    # Across the seam at 8 s, too.
    for at in (2.0, 7.99, 8.02):
        out = played(f"pitch-shift semitones={semitones}", burst(440, at, 10), tmp_path)
        assert centre(out) == pytest.approx(at, abs=0.02)
    tone = 0.2 * np.sin(2 * np.pi * 440 * np.arange(3 * RATE) / RATE).astype(np.float32)
    out = played(f"pitch-shift semitones={semitones}", tone, tmp_path)[RATE : 2 * RATE]
    assert loudest_hz(out) == pytest.approx(440 * 2 ** (semitones / 12), rel=0.005)


@pytest.mark.parametrize("ratio", [0.5, 1.1, 2.0])
def test_stretched_sound_keeps_its_pitch_and_moves_in_proportion(ratio, tmp_path):
    sound = burst(440, 4.5, 10, 0.2)
    out = played(f"time-stretch ratio={ratio}", sound, tmp_path)
    assert centre(out) == pytest.approx(4.5 * ratio, abs=0.02)
    assert loudest_hz(out) == pytest.approx(440, rel=0.005)
    quick = played("time-stretch ratio=0.5", noise(RATE), tmp_path)
    assert not quick[RATE // 2 + 1 :].any()


def test_seams_do_not_show_in_a_held_tone(tmp_path):
    tone = 0.2 * np.sin(2 * np.pi * 330 * np.arange(20 * RATE) / RATE).astype(np.float32)
    out = played("pitch-shift semitones=4", tone, tmp_path)[RATE:-RATE]
    levels = np.sqrt((out[: len(out) // 441 * 441].reshape(-1, 441) ** 2).mean(axis=1))
    assert 20 * np.log10(levels.max() / levels.min()) < 2


def test_groups_of_channels_have_the_layers_of_each(tmp_path):
    chain = parse_chain("reverse, layer of=original db=-6, layer of=reverse db=-12")
    sound = noise(9000, 4)
    together = np.concatenate(list(chain.apply_to_groups([sound], RATE, 2, 2, tmp_path)))
    for begin in (0, 2):
        (alone,) = chain.apply([sound[:, begin : begin + 2]], RATE, 2, tmp_path)
        np.testing.assert_array_equal(together[:, begin : begin + 2], alone)


def test_a_file_reads_as_the_same_line_does(tmp_path):
    path = tmp_path / "hall.toml"
    path.write_text(
        '[[effect]]\nkind = "delay"\nseconds = 0.25\n[[effect]]\nkind = "gain"\ndb = -3'
    )
    assert load_chain(path) == parse_chain(" delay seconds=.25 ,gain db=-3 ")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("delay feedback=2", "delay: got feedback=2, expected a number from 0 to 0.95"),
        ("reverb wet=nan", "reverb: got wet=nan, expected a number from 0 to 1"),
        ("reverse seconds=100", "reverse: got seconds=100, expected a number from 0.01 to 60"),
        ("gain db=loud", "gain: got db=loud, expected a number from -96 to 48"),
        ("gain db=true", "gain: got db=True"),
        ("layer of=up", "layer: got of=up, expected reverse or original"),
        ("layer", "layer: got no of, expected of, db"),
        ("gain", "gain: got no db, expected db"),
        ("delay tempo=3", "delay: got setting 'tempo', expected seconds, feedback, mix"),
        ("delay mix", "delay: got 'mix', expected setting=value"),
        ("delay mix=0.1 mix=0.2", "delay: got mix twice"),
        ("flanger", "no effect 'flanger'; expected one of reverse, delay"),
        ("delay,,gain db=1", "no effect ''"),
        ("", "no effect ''"),
    ],
)
def test_what_is_wrong_is_named(text, says):
    with pytest.raises(SoundtrackError, match=says):
        parse_chain(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("effect = 3", "expected tables"),
        ("[[effects]]", "expected tables"),
        ("[[effect]]\nkind = 3", "no effect 3"),
        ("[[effect]", "not readable"),
    ],
)
def test_a_file_that_is_no_chain_is_refused(text, says, tmp_path):
    path = tmp_path / "chain.toml"
    path.write_text(text)
    with pytest.raises(SoundtrackError, match=says):
        load_chain(path)
    with pytest.raises(SoundtrackError, match="not readable"):
        load_chain(tmp_path / "none.toml")


@pytest.mark.parametrize("text", ["low-pass hz=12000", "band-pass hz=10000", "peak hz=20000 db=1"])
def test_frequencies_above_half_the_rate_are_refused(text, tmp_path):
    with pytest.raises(SoundtrackError, match="half the sample rate"):
        played(text, noise(100), tmp_path)
