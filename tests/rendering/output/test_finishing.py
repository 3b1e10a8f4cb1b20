"""Finishing: each step does what its name says, in pieces as in one."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from frame2sound.film.decoding.audio_chunks import AudioChunk
from frame2sound.rendering.audio_spool import AudioSpool
from frame2sound.rendering.output import finishing
from frame2sound.sound.limiter import CEILING_DB
from frame2sound.sound.true_peak import true_peaks

RATE = 22050


def noise(length, seed=0, channels=1):
    shape = length if channels == 1 else (length, channels)
    return np.random.default_rng(seed).uniform(-0.5, 0.5, shape).astype(np.float32)


def pieces(sound, sizes=(100, 0, 1000)):
    return np.split(sound, np.cumsum(sizes))


def whole(chunks):
    chunks = [chunk for chunk in chunks if len(chunk)]
    return np.concatenate(chunks) if chunks else np.empty(0, np.float32)


def test_direct_current_is_removed_across_pieces():
    sound = noise(5000) + np.float32(0.3)
    out = whole(finishing.remove_dc(pieces(sound), RATE))
    np.testing.assert_array_equal(out, whole(finishing.remove_dc([sound], RATE)))
    # 5 Hz: 0.2 s is six time constants of 1 / (2 pi 5) s.
    assert abs(out[4410:].mean()) < 0.02


@pytest.mark.parametrize(("gain_db", "gain"), [(0, 1), (20, 10), (-6.0206, 0.5)])
def test_amplify_multiplies(gain_db, gain):
    sound = noise(3000)
    out = whole(finishing.apply_gain(pieces(sound), gain_db))
    np.testing.assert_allclose(out, sound * gain, rtol=1e-5)
    assert out.dtype == np.float32


def test_resampling_to_the_same_rate_changes_nothing():
    sound = noise(3000)
    np.testing.assert_array_equal(whole(finishing.resample(pieces(sound), RATE, RATE)), sound)


@pytest.mark.parametrize("to_rate", [24000, 44100, 48000, 16000])
@pytest.mark.parametrize("at", [0, 5000, 12345, RATE - 200])
def test_resampling_keeps_a_click_within_a_sample_of_its_time(to_rate, at):
    sound = np.zeros(RATE, np.float32)
    sound[at] = 0.5
    out = whole(finishing.resample(pieces(sound), RATE, to_rate))
    assert abs(len(out) - to_rate) <= 1
    assert abs(int(np.abs(out).argmax()) - at * to_rate / RATE) <= 1


def test_resampling_keeps_a_tone():
    time = np.arange(RATE) / RATE
    tone = np.sin(2 * np.pi * 1000 * time).astype(np.float32)
    out = whole(finishing.resample(pieces(tone), RATE, 48000))
    expected = np.sin(2 * np.pi * 1000 * np.arange(len(out)) / 48000)
    # FFmpeg's default filter is right to some -70 dB; at the ends it mirrors the sound.
    np.testing.assert_allclose(out[500:-500], expected[500:-500], atol=1e-3)


def laid(chunks, own, gain_db=0.0, channels=1):
    return whole(finishing.mix_original(chunks, own, gain_db, channels))


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("sizes", [(), (100, 0, 1000), (1, 1, 1)])
def test_own_sound_is_laid_under_at_its_gain(channels, sizes):
    sound = noise(5000)
    own = noise(5000, 1, channels)
    cuts = [0, 1300, 1301, 3000, 5000]
    parts = [AudioChunk(a, own[a:b]) for a, b in pairwise(cuts)]
    out = laid(pieces(sound, sizes), parts, -20, channels)
    spread = sound if channels == 1 else sound[:, None]
    assert out.shape == own.shape
    np.testing.assert_allclose(out, spread + 0.1 * own, atol=1e-7)


@pytest.mark.parametrize("start", [0, 1, 700, 4999])
@pytest.mark.parametrize("length", [1, 400, 9000])
def test_own_sound_keeps_its_place_whether_late_short_or_long(start, length):
    own = noise(length, 2)
    out = laid(pieces(np.zeros(5000, np.float32)), [AudioChunk(start, own)])
    expected = np.zeros(5000, np.float32)
    kept = own[: 5000 - start]
    expected[start : start + len(kept)] = kept
    np.testing.assert_array_equal(out, expected)


def test_gaps_in_own_sound_stay_open():
    own = [AudioChunk(0, np.ones(50, np.float32)), AudioChunk(2000, np.ones(50, np.float32))]
    out = laid(pieces(np.zeros(3000, np.float32)), own)
    np.testing.assert_array_equal(np.flatnonzero(out), [*range(50), *range(2000, 2050)])


def test_no_own_sound_and_sound_beyond_the_end_change_nothing():
    sound = noise(2000)
    np.testing.assert_array_equal(laid(pieces(sound), []), sound)
    np.testing.assert_array_equal(laid(pieces(sound), [AudioChunk(2000, noise(9))]), sound)


def test_mixing_leaves_the_soundtrack_itself_alone():
    sound = noise(100)
    before = sound.copy()
    laid([sound], [AudioChunk(0, noise(100, 1))])
    np.testing.assert_array_equal(sound, before)


@pytest.mark.parametrize("channels", [1, 2])
def test_the_limit_holds_and_nothing_is_lost(channels):
    sound = 3 * noise(5000, 0, channels)
    out = whole(finishing.limit(pieces(sound), RATE))
    assert out.shape == sound.shape
    planes = out[:, None] if channels == 1 else out
    assert max(true_peaks(plane).max() for plane in planes.T) <= 10 ** (CEILING_DB / 20)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("given", [10_999, 11_000, 11_025, 11_040, 11_300])
def test_fit_pads_with_silence_or_cuts_at_the_end(channels, given):
    sound = noise(given, 0, channels)
    out = whole(finishing.fit_duration(pieces(sound), RATE, lambda: Fraction(1, 2)))
    assert len(out) == 11_025
    np.testing.assert_array_equal(out[:given], sound[:11_025])
    assert not out[given:].any()


@pytest.mark.parametrize("channels", [1, 2])
def test_every_piece_that_fit_gives_has_all_channels(channels):
    sound = noise(500, 0, channels)
    fitted = list(finishing.fit_duration(pieces(sound, (100, 0)), RATE, lambda: Fraction(1, 10)))
    assert {piece.shape[1:] for piece in fitted} == {sound.shape[1:]}


def test_fit_asks_for_the_length_after_the_last_piece():
    known = []

    def chunks():
        yield noise(1000)
        known.append(Fraction(1, 10))

    assert len(whole(finishing.fit_duration(chunks(), RATE, lambda: known[0]))) == 2205


def test_fit_rounds_as_the_clock_does():
    assert (
        len(whole(finishing.fit_duration([noise(900)], RATE, lambda: Fraction(1001, 24000)))) == 920
    )


@pytest.mark.parametrize("step", ["remove", "amplify", "resample", "mix", "fade"])
def test_two_channels_are_treated_as_one_is(step):
    steps = {
        "remove": lambda sound: finishing.remove_dc(sound, RATE),
        "amplify": lambda sound: finishing.apply_gain(sound, -3),
        "resample": lambda sound: finishing.resample(sound, RATE, 48000),
        "mix": lambda sound: finishing.mix_original(sound, [AudioChunk(50, noise(900, 3))], 0, 2),
        "fade": lambda sound: finishing.fade(sound, RATE, 0.1, 0.2),
    }
    left = noise(RATE)
    stereo = whole(steps[step](pieces(np.stack([left, left], axis=1))))
    mono = whole(steps[step](pieces(left)))
    assert stereo.shape == (len(mono), 2)
    expected = mono if mono.ndim == 2 else np.stack([mono, mono], axis=1)
    np.testing.assert_allclose(stereo, expected, atol=1e-6)


def test_channels_do_not_leak_when_resampled():
    stereo = np.stack([noise(RATE), np.zeros(RATE, np.float32)], axis=1)
    out = whole(finishing.resample(pieces(stereo), RATE, 44100))
    assert out[:, 0].any()
    assert not out[:, 1].any()


def offset(channels=1):
    """Half a second of sound on an offset, then 0.3 s of black, then sound again."""
    sound = noise(11025 + 6615 + 11025, 0, channels) * np.float32(0.2) + np.float32(0.5)
    sound[11025:17640] = 0
    return sound


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("sizes", [(), (100, 0, 1000), (11025,), (12127,), (12130, 1, 1, 60)])
def test_black_is_exactly_silent_after_the_filter_has_settled(channels, sizes):
    sound = offset(channels)
    out = whole(finishing.remove_dc(pieces(sound, sizes), RATE))
    # 50 ms and 10 ms after the black began.
    assert not out[11025 + 1323 : 17640].any()
    assert np.abs(np.diff(out[11025 + 1 : 17640], axis=0)).max() < 0.005
    np.testing.assert_array_equal(out, whole(finishing.remove_dc([sound], RATE)))


def test_what_comes_after_black_sounds_as_if_the_film_began_there():
    out = whole(finishing.remove_dc([offset()], RATE))
    anew = whole(finishing.remove_dc([offset()[17640:]], RATE))
    np.testing.assert_array_equal(out[17640:], anew)


def test_short_gaps_are_no_black():
    sound = noise(RATE) * np.float32(0.2) + np.float32(0.5)
    sound[5000:6000] = 0
    sound[::2] = 0
    expected = finishing.DcBlocker(RATE).process(sound)
    out = whole(finishing.remove_dc(pieces(sound), RATE))
    np.testing.assert_allclose(out, expected, atol=1e-7)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("sizes", [(), (100, 0, 1000), (1, 2, 3), (2000, 19000, 5)])
def test_fades_rise_and_fall_at_the_ends_alone(channels, sizes):
    sound = np.ones((RATE, channels), np.float32) if channels == 2 else np.ones(RATE, np.float32)
    out = whole(finishing.fade(pieces(sound, sizes), RATE, 0.1, 0.5))
    assert out.shape == sound.shape
    ramps = out if channels == 1 else out[:, 0]
    assert (ramps[2205:11025] == 1).all()
    time = (np.arange(2205) + 0.5) / 2205
    np.testing.assert_allclose(ramps[:2205], 0.5 - 0.5 * np.cos(np.pi * time), atol=1e-6)
    assert (np.diff(ramps[11026:]) < 0).all()
    assert ramps[-1] < 1e-6


@pytest.mark.parametrize("length", [0, 1, 500, 3000])
def test_sound_shorter_than_its_fades_has_both(length):
    out = whole(finishing.fade([np.ones(length, np.float32)], RATE, 0.1, 0.1))
    assert len(out) == length
    np.testing.assert_allclose(out, out[::-1], atol=1e-6)


def test_no_fade_changes_nothing():
    np.testing.assert_array_equal(
        whole(finishing.fade(pieces(noise(3000)), RATE, 0, 0)), noise(3000)
    )


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("together", [1000, 4096, 100_000])
def test_a_spool_gives_back_what_it_took_both_ways_and_again(channels, together, tmp_path):
    sound = noise(10_000, 0, channels)
    with AudioSpool(tmp_path) as spool:
        spool.write(pieces(sound))
        for _ in range(2):
            np.testing.assert_array_equal(whole(spool.read(together)), sound)
            np.testing.assert_array_equal(whole(spool.read_reversed(together)), sound[::-1])
        assert spool.sample_count == 10_000
    with AudioSpool(tmp_path) as spool:
        np.testing.assert_array_equal(whole(spool.tee(pieces(sound))), sound)
        np.testing.assert_array_equal(whole(spool.read(together)), sound)
    assert not list(tmp_path.iterdir())
