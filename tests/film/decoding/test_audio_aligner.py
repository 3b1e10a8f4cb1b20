"""Audio on the film's timeline: places, gaps, downmixing, and resampling without loss."""

from fractions import Fraction

import av
import numpy as np
import pytest

from frame2sound.clock import sample_at
from frame2sound.film.decoding.audio_aligner import (
    DRIFT_TOLERANCE_SECONDS,
    MAX_PEAK,
    AudioAligner,
)
from frame2sound.film.decoding.downmix import downmix

RATES = [8000, 22050, 32000, 44100, 48000, 96000]
SURROUND = ["FL", "FR", "FC", "LFE", "BL", "BR"]


def audio_frame(samples, at=Fraction(0), rate=48_000, layout="mono", tick=None):
    """Return a frame of float audio, ``(channels, n)``, that begins at a time in seconds."""
    planes = np.atleast_2d(np.asarray(samples, np.float32))
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(planes), "fltp", layout)
    frame.sample_rate = rate
    frame.time_base = tick or Fraction(1, rate)
    frame.pts = None if at is None else round(at / frame.time_base)
    return frame


def aligned(aligner, *frames):
    """Return the samples of all chunks at their places, NaN in the gaps."""
    chunks = [chunk for frame in frames for chunk in aligner.process(frame)]
    chunks += aligner.flush()
    end = max((chunk.start_sample + len(chunk.samples) for chunk in chunks), default=0)
    line = np.full((end, *chunks[0].samples.shape[1:]), np.nan, np.float32)
    end = 0
    for chunk in chunks:
        assert chunk.start_sample >= end  # in order, without overlap
        end = chunk.start_sample + len(chunk.samples)
        line[chunk.start_sample : end] = chunk.samples
    return line


def noise(n, channels=1):
    return np.random.default_rng(7).uniform(-0.5, 0.5, (channels, n)).astype(np.float32)


def audio_frames(samples, size, at=Fraction(0), rate=48_000, layout="mono"):
    """Yield consecutive frames of audio."""
    planes = np.atleast_2d(samples)
    for begin in range(0, planes.shape[1], size):
        yield audio_frame(planes[:, begin : begin + size], at + Fraction(begin, rate), rate, layout)


def test_audio_at_the_same_rate_is_unchanged():
    sound = noise(10_000)[0]
    line = aligned(AudioAligner(48_000, Fraction(0)), *audio_frames(sound, 1024))
    np.testing.assert_array_equal(line, sound)


@pytest.mark.parametrize("late", [Fraction(1, 2), Fraction(1), Fraction(1001, 30000)])
def test_late_audio_starts_at_the_exact_sample(late):
    sound = noise(5000)[0]
    line = aligned(AudioAligner(48_000, Fraction(0)), *audio_frames(sound, 1024, late))
    begin = sample_at(late, 48_000)
    assert np.isnan(line[:begin]).all()
    np.testing.assert_array_equal(line[begin:], sound)


@pytest.mark.parametrize("start", [Fraction(1, 100), Fraction(1, 30), Fraction(10)])
def test_audio_before_the_film_is_cut(start):
    sound = noise(48_000)[0]
    began = max(Fraction(0), start - Fraction(1, 20))
    line = aligned(AudioAligner(48_000, start), *audio_frames(sound, 1024, began))
    np.testing.assert_array_equal(line, sound[sample_at(start - began, 48_000) :])


def test_audio_that_ends_before_the_film_is_dropped():
    aligner = AudioAligner(48_000, Fraction(10))
    assert list(aligner.process(audio_frame(noise(4800)))) + list(aligner.flush()) == []


@pytest.mark.parametrize("gap", [Fraction(1, 10), Fraction(3)])
@pytest.mark.parametrize("rate", [22_050, 48_000])
def test_gaps_remain_and_later_audio_is_at_its_time(gap, rate):
    before, after = noise(48_000)[0], noise(24_000)[0]
    after_at = 1 + gap
    line = aligned(
        AudioAligner(rate, Fraction(0)),
        *audio_frames(before, 1000),
        *audio_frames(after, 1000, after_at),
    )
    begin = sample_at(after_at, rate)
    assert not np.isnan(line[:rate]).any()
    assert np.isnan(line[rate + 1 : begin]).all()
    assert not np.isnan(line[begin:]).any()
    # Resampling may round each piece's length by one.
    assert abs(len(line) - sample_at(after_at + Fraction(1, 2), rate)) <= 1


def test_jitter_of_timestamps_is_ignored():
    sound, rng = noise(48_000)[0], np.random.default_rng(1)
    frames = list(audio_frames(sound, 960))
    for frame in frames[1:]:
        frame.pts += int(rng.integers(-960, 961))  # 20 ms
    np.testing.assert_array_equal(aligned(AudioAligner(48_000, Fraction(0)), *frames), sound)


def test_rounding_of_timestamps_is_ignored():
    sound = noise(44_100)[0]
    frames = list(audio_frames(sound, 1024, rate=44_100))
    for frame in frames:
        frame.pts, frame.time_base = round(frame.pts / 44.1), Fraction(1, 1000)
    np.testing.assert_array_equal(aligned(AudioAligner(44_100, Fraction(0)), *frames), sound)


def test_drift_beyond_the_tolerance_moves_the_audio():
    slip = DRIFT_TOLERANCE_SECONDS + Fraction(1, 1000)
    sound = noise(1000)[0]
    line = aligned(
        AudioAligner(48_000, Fraction(0)),
        audio_frame(sound),
        audio_frame(sound, Fraction(1000, 48_000) + slip),
    )
    begin = 1000 + sample_at(slip, 48_000)
    np.testing.assert_array_equal(line[begin:], sound)
    assert np.isnan(line[1000:begin]).all()


def test_audio_that_goes_back_in_time_does_not_overlap():
    first, second = noise(48_000)[0], -noise(48_000)[0]
    line = aligned(
        AudioAligner(48_000, Fraction(0)), audio_frame(first), audio_frame(second, Fraction(1, 2))
    )
    np.testing.assert_array_equal(line, np.concatenate([first, second[24_000:]]))


def test_audio_without_timestamps_is_consecutive():
    sound = noise(3000)[0]
    frames = [audio_frame(sound[i : i + 1000], None) for i in (0, 1000, 2000)]
    np.testing.assert_array_equal(aligned(AudioAligner(48_000, Fraction(0)), *frames), sound)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("to_rate", [22_050, 48_000])
@pytest.mark.parametrize("size", [960, 1152, 100_000])
def test_resampling_keeps_the_end(rate, to_rate, size):
    seconds = Fraction(123, 100)
    sound = noise(sample_at(seconds, rate))[0]
    line = aligned(AudioAligner(to_rate, Fraction(0)), *audio_frames(sound, size, rate=rate))
    # A sample of the coarser rate: the resampler pads to whole samples of what it was given.
    assert abs(len(line) - sample_at(seconds, to_rate)) <= max(1, -(-to_rate // rate))


@pytest.mark.parametrize("rate", RATES)
def test_resampling_keeps_a_tone(rate):
    def tone(rate):
        return 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)

    line = aligned(AudioAligner(22_050, Fraction(0)), *audio_frames(tone(rate), 1024, rate=rate))
    inner = slice(100, 21_900)  # the ends ring: there is silence beyond them
    # No delay, no gain: a sample's delay alone would be an error of 0.06.
    assert np.abs(line[inner] - tone(22_050)[inner]).max() < 2e-3


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("late", [Fraction(0), Fraction(1, 2), Fraction(1001, 30000)])
def test_a_click_stays_within_a_sample_of_its_time(rate, late):
    sound = np.zeros(rate)
    places = [rate // 7, rate // 2, rate - rate // 9]
    sound[places] = 0.9
    line = np.nan_to_num(
        aligned(AudioAligner(22_050, Fraction(0)), *audio_frames(sound, 1024, late, rate))
    )
    for place in places:
        at = sample_at(late + Fraction(place, rate), 22_050)
        near = np.abs(line[at - 200 : at + 200])
        assert abs(int(near.argmax()) - 200) <= 1


def test_the_sample_rate_may_change_within_a_film():
    frames = [
        *audio_frames(noise(48_000)[0], 1000),
        *audio_frames(noise(22_050)[0], 1000, Fraction(1), 22_050),
    ]
    line = aligned(AudioAligner(44_100, Fraction(0)), *frames)
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
def test_downmix_weights_to_mono(names, weights):
    planes = noise(100, len(names))
    np.testing.assert_allclose(downmix(planes, names, 1)[0], weights @ planes, atol=1e-6)


def test_downmix_weights_to_stereo():
    front, side = 2**-0.5, 2**-0.5
    left = [1, 0, front, 0, side, 0]
    right = [0, 1, front, 0, 0, side]
    planes = noise(100, 6)
    np.testing.assert_allclose(downmix(planes, SURROUND, 2), [left, right] @ planes, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 2])
def test_mono_keeps_its_level(channels):
    planes = noise(100)
    np.testing.assert_array_equal(
        downmix(planes, ["FC"], channels), planes.repeat(channels, axis=0)
    )


@pytest.mark.parametrize("rate", [22_050, 48_000])
@pytest.mark.parametrize(("layout", "names"), [("stereo", ["FL", "FR"]), ("5.1", SURROUND)])
def test_stereo_is_aligned_as_stereo(layout, names, rate):
    planes = np.linspace(0.05, 0.3, len(names))[:, None].repeat(4800, axis=1)
    line = aligned(AudioAligner(rate, Fraction(0), channels=2), audio_frame(planes, layout=layout))
    assert line.shape == (rate // 10, 2)
    expected = downmix(planes.astype(np.float32), names, 2)[:, 0]
    np.testing.assert_allclose(line[200:-200], np.tile(expected, (len(line) - 400, 1)), atol=1e-3)


def test_surround_is_downmixed():
    planes = noise(4800, 6)
    line = aligned(AudioAligner(48_000, Fraction(0)), audio_frame(planes, layout="5.1"))
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
def test_integer_samples_are_scaled_by_their_full_scale(stored, values, full_scale):
    frame = av.AudioFrame.from_ndarray(values, stored, "mono")
    frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, Fraction(1, 48_000)
    expected = (values[0] - 128.0) / 128 if full_scale is None else values[0] / full_scale
    np.testing.assert_allclose(
        aligned(AudioAligner(48_000, Fraction(0)), frame), expected, atol=1e-7
    )


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, 1.01 * MAX_PEAK, -30_000])
def test_samples_beyond_the_highest_peak_raise(wrong):
    sound = noise(1000)[0]
    sound[500] = wrong
    with pytest.raises(ValueError, match="far beyond full scale"):
        list(AudioAligner(48_000, Fraction(0)).process(audio_frame(sound)))


def test_samples_over_full_scale_are_kept():
    loud = 3 * noise(1000)[0]
    np.testing.assert_array_equal(
        aligned(AudioAligner(48_000, Fraction(0)), audio_frame(loud)), loud
    )
