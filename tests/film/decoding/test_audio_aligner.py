"""Sound on the film's timeline: places, gaps, folding, and resampling without loss."""

from fractions import Fraction

import av
import numpy as np
import pytest

from frame2sound.clock import sample_at
from frame2sound.film.decoding.audio_aligner import (
    DRIFT_TOLERANCE_SECONDS,
    MAX_PEAK,
    AudioAligner,
    downmix,
)

RATES = [8000, 22050, 32000, 44100, 48000, 96000]
SURROUND = ["FL", "FR", "FC", "LFE", "BL", "BR"]


def piece(samples, at=Fraction(0), rate=48_000, layout="mono", tick=None):
    """A decoded frame of float sound, ``(channels, n)``, that begins at a time in seconds."""
    planes = np.atleast_2d(np.asarray(samples, np.float32))
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(planes), "fltp", layout)
    frame.sample_rate = rate
    frame.time_base = tick or Fraction(1, rate)
    frame.pts = None if at is None else round(at / frame.time_base)
    return frame


def laid(track, *frames):
    """Feed frames; lay what comes end to end at its place, with NaN where nothing came."""
    sounds = [sound for frame in frames for sound in track.process(frame)] + list(track.flush())
    end = max((sound.start_sample + len(sound.samples) for sound in sounds), default=0)
    line = np.full((end, *sounds[0].samples.shape[1:]), np.nan, np.float32)
    reached = 0
    for sound in sounds:
        assert sound.start_sample >= reached  # in order, without overlap
        reached = sound.start_sample + len(sound.samples)
        line[sound.start : reached] = sound.samples
    return line


def noise(n, channels=1):
    return np.random.default_rng(7).uniform(-0.5, 0.5, (channels, n)).astype(np.float32)


def chunks(samples, size, at=Fraction(0), rate=48_000, layout="mono"):
    """Successive frames of a sound."""
    planes = np.atleast_2d(samples)
    for begin in range(0, planes.shape[1], size):
        yield piece(planes[:, begin : begin + size], at + Fraction(begin, rate), rate, layout)


def test_sound_at_its_own_rate_comes_back_as_it_is():
    sound = noise(10_000)[0]
    line = laid(AudioAligner(48_000, Fraction(0)), *chunks(sound, 1024))
    np.testing.assert_array_equal(line, sound)


@pytest.mark.parametrize("late", [Fraction(1, 2), Fraction(1), Fraction(1001, 30000)])
def test_late_sound_starts_late_at_the_exact_sample(late):
    sound = noise(5000)[0]
    line = laid(AudioAligner(48_000, Fraction(0)), *chunks(sound, 1024, late))
    begin = sample_at(late, 48_000)
    assert np.isnan(line[:begin]).all()
    np.testing.assert_array_equal(line[begin:], sound)


@pytest.mark.parametrize("start", [Fraction(1, 100), Fraction(1, 30), Fraction(10)])
def test_early_sound_is_cut(start):
    sound = noise(48_000)[0]
    began = max(Fraction(0), start - Fraction(1, 20))
    line = laid(AudioAligner(48_000, start), *chunks(sound, 1024, began))
    np.testing.assert_array_equal(line, sound[sample_at(start - began, 48_000) :])


def test_sound_that_ends_before_the_film_starts_is_nothing():
    track = AudioAligner(48_000, Fraction(10))
    assert list(track.process(piece(noise(4800)))) + list(track.flush()) == []


@pytest.mark.parametrize("gap", [Fraction(1, 10), Fraction(3)])
@pytest.mark.parametrize("rate", [22_050, 48_000])
def test_a_gap_is_left_open_and_later_sound_lands_at_its_time(gap, rate):
    before, after = noise(48_000)[0], noise(24_000)[0]
    after_at = 1 + gap
    line = laid(
        AudioAligner(rate, Fraction(0)), *chunks(before, 1000), *chunks(after, 1000, after_at)
    )
    begin = sample_at(after_at, rate)
    assert not np.isnan(line[:rate]).any()
    assert np.isnan(line[rate + 1 : begin]).all()
    assert not np.isnan(line[begin:]).any()
    # Resampling may round each piece's length by one.
    assert abs(len(line) - sample_at(after_at + Fraction(1, 2), rate)) <= 1


def test_time_stamps_that_jitter_move_nothing():
    sound, rng = noise(48_000)[0], np.random.default_rng(1)
    frames = list(chunks(sound, 960))
    for frame in frames[1:]:
        frame.pts += int(rng.integers(-960, 961))  # 20 ms
    np.testing.assert_array_equal(laid(AudioAligner(48_000, Fraction(0)), *frames), sound)


def test_millisecond_time_stamps_move_nothing():
    sound = noise(44_100)[0]
    frames = list(chunks(sound, 1024, rate=44_100))
    for frame in frames:
        frame.pts, frame.time_base = round(frame.pts / 44.1), Fraction(1, 1000)
    np.testing.assert_array_equal(laid(AudioAligner(44_100, Fraction(0)), *frames), sound)


def test_a_slip_is_honoured_once_it_exceeds_what_jitters():
    slip = DRIFT_TOLERANCE_SECONDS + Fraction(1, 1000)
    sound = noise(1000)[0]
    line = laid(
        AudioAligner(48_000, Fraction(0)), piece(sound), piece(sound, Fraction(1000, 48_000) + slip)
    )
    begin = 1000 + sample_at(slip, 48_000)
    np.testing.assert_array_equal(line[begin:], sound)
    assert np.isnan(line[1000:begin]).all()


def test_sound_that_goes_back_in_time_does_not_overlap():
    first, second = noise(48_000)[0], -noise(48_000)[0]
    line = laid(AudioAligner(48_000, Fraction(0)), piece(first), piece(second, Fraction(1, 2)))
    np.testing.assert_array_equal(line, np.concatenate([first, second[24_000:]]))


def test_sound_without_time_stamps_follows_on():
    sound = noise(3000)[0]
    frames = [piece(sound[i : i + 1000], None) for i in (0, 1000, 2000)]
    np.testing.assert_array_equal(laid(AudioAligner(48_000, Fraction(0)), *frames), sound)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("to_rate", [22_050, 48_000])
@pytest.mark.parametrize("size", [960, 1152, 100_000])
def test_resampling_loses_no_tail(rate, to_rate, size):
    seconds = Fraction(123, 100)
    sound = noise(sample_at(seconds, rate))[0]
    line = laid(AudioAligner(to_rate, Fraction(0)), *chunks(sound, size, rate=rate))
    # A sample of the coarser rate: the resampler pads to whole samples of what it was given.
    assert abs(len(line) - sample_at(seconds, to_rate)) <= max(1, -(-to_rate // rate))


@pytest.mark.parametrize("rate", RATES)
def test_resampling_keeps_a_tone(rate):
    def tone(rate):
        return 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)

    line = laid(AudioAligner(22_050, Fraction(0)), *chunks(tone(rate), 1024, rate=rate))
    inner = slice(100, 21_900)  # the ends ring: there is silence beyond them
    # No delay, no gain: a sample's delay alone would be an error of 0.06.
    assert np.abs(line[inner] - tone(22_050)[inner]).max() < 2e-3


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("late", [Fraction(0), Fraction(1, 2), Fraction(1001, 30000)])
def test_a_click_stays_within_a_sample_of_its_time(rate, late):
    sound = np.zeros(rate)
    places = [rate // 7, rate // 2, rate - rate // 9]
    sound[places] = 0.9
    line = np.nan_to_num(laid(AudioAligner(22_050, Fraction(0)), *chunks(sound, 1024, late, rate)))
    for place in places:
        at = sample_at(late + Fraction(place, rate), 22_050)
        near = np.abs(line[at - 200 : at + 200])
        assert abs(int(near.argmax()) - 200) <= 1


def test_a_sample_rate_may_change_on_the_way():
    frames = [*chunks(noise(48_000)[0], 1000), *chunks(noise(22_050)[0], 1000, Fraction(1), 22_050)]
    line = laid(AudioAligner(44_100, Fraction(0)), *frames)
    assert abs(len(line) - 88_200) <= 1
    assert np.isnan(line).sum() <= 1


@pytest.mark.parametrize(
    ("names", "weights"),
    [
        (["FL", "FR"], [0.5, 0.5]),
        (SURROUND, [0.5, 0.5, 2**-0.5, 0, 2**-1.5, 2**-1.5]),
        (["FL", "FR", "FC", "LFE", "SL", "SR"], [0.5, 0.5, 2**-0.5, 0, 2**-1.5, 2**-1.5]),
        (["FL", "FR", "FC", "BC"], [0.5, 0.5, 2**-0.5, 0.5]),
        (["AUX0", "AUX1", "AUX2"], [0.5, 0.5, 0.5]),
    ],
    ids=["stereo", "5.1", "5.1 side", "4.0", "unknown"],
)
def test_weights_of_the_fold_to_one(names, weights):
    planes = noise(100, len(names))
    np.testing.assert_allclose(downmix(planes, names, 1)[0], weights @ planes, atol=1e-6)


def test_weights_of_the_fold_to_two():
    front, side = 2**-0.5, 2**-0.5
    left = [1, 0, front, 0, side, 0]
    right = [0, 1, front, 0, 0, side]
    planes = noise(100, 6)
    np.testing.assert_allclose(downmix(planes, SURROUND, 2), [left, right] @ planes, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 2])
def test_mono_stays_as_loud(channels):
    planes = noise(100)
    np.testing.assert_array_equal(
        downmix(planes, ["FC"], channels), planes.repeat(channels, axis=0)
    )


@pytest.mark.parametrize("rate", [22_050, 48_000])
@pytest.mark.parametrize(("layout", "names"), [("stereo", ["FL", "FR"]), ("5.1", SURROUND)])
def test_two_channels_stay_two(layout, names, rate):
    planes = np.linspace(0.05, 0.3, len(names))[:, None].repeat(4800, axis=1)
    line = laid(AudioAligner(rate, Fraction(0), channels=2), piece(planes, layout=layout))
    assert line.shape == (rate // 10, 2)
    expected = downmix(planes.astype(np.float32), names, 2)[:, 0]
    np.testing.assert_allclose(line[200:-200], np.tile(expected, (len(line) - 400, 1)), atol=1e-3)


def test_a_layout_is_folded_on_the_way():
    planes = noise(4800, 6)
    line = laid(AudioAligner(48_000, Fraction(0)), piece(planes, layout="5.1"))
    np.testing.assert_allclose(line, downmix(planes, SURROUND, 1)[0], atol=1e-6)


@pytest.mark.parametrize(
    ("stored", "values", "full_scale"),
    [
        ("u8", np.array([[0, 64, 128, 192]], np.uint8), None),
        ("s16", np.array([[-32768, -1, 0, 16384]], np.int16), 2**15),
        ("s32", np.array([[-(2**31), 0, 2**20, 2**30]], np.int32), 2**31),
        ("fltp", np.array([[-1, 0, 0.25, 1]], np.float32), 1),
    ],
)
def test_whole_numbers_are_scaled_by_their_full_scale(stored, values, full_scale):
    frame = av.AudioFrame.from_ndarray(values, stored, "mono")
    frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
    expected = (values[0] - 128.0) / 128 if full_scale is None else values[0] / full_scale
    np.testing.assert_allclose(laid(AudioAligner(48_000, Fraction(0)), frame), expected, atol=1e-7)


@pytest.mark.parametrize("wild", [np.nan, np.inf, -np.inf, 1.01 * MAX_PEAK, -30_000])
def test_wild_samples_are_no_sound(wild):
    sound = noise(1000)[0]
    sound[500] = wild
    with pytest.raises(ValueError, match="far beyond full scale"):
        list(AudioAligner(48_000, Fraction(0)).process(piece(sound)))


def test_loud_sound_is_sound():
    loud = 3 * noise(1000)[0]
    np.testing.assert_array_equal(laid(AudioAligner(48_000, Fraction(0)), piece(loud)), loud)
