"""Downmixing: its weights, and what it does where channels cancel."""

from fractions import Fraction
from itertools import cycle

import numpy as np
import pytest

from frame2sound.film.decoding.downmix import Downmixer, downmix
from frame2sound.film.decoding.options import DecodeOptions
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader
from tests.media_files import H264, Audio, grey_pictures, make_film

RATE = 8000
STEREO = ["FL", "FR"]
SURROUND = ["FL", "FR", "FC", "LFE", "BL", "BR"]


def noise(seconds, channels=1, seed=7):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.1, (channels, round(seconds * RATE))).astype(np.float32)


def mixed(planes, names=STEREO, channels=1, piece=1000):
    """A mix of planes that come in pieces, and the seconds from and to which they cancelled.

    Pieces have one length, or lengths that recur.
    """
    mixer, lengths, pieces, begin = (
        Downmixer(names, channels, RATE),
        cycle(np.atleast_1d(piece)),
        [],
        0,
    )
    while begin < planes.shape[1]:
        end = begin + next(lengths)
        pieces.append(mixer.process(planes[:, begin:end]))
        begin = end
    mix = np.concatenate([*pieces, mixer.flush()], axis=1)
    assert mix.shape == (channels, planes.shape[1])
    return mix, (mixer.cancelled_start / RATE, mixer.cancelled_end / RATE)


def stereo(ratio, sound):
    return np.concatenate([sound, ratio * sound]).astype(np.float32)


@pytest.mark.parametrize("ratio", [-1, -0.8, -0.6])
def test_an_inverted_channel_is_replaced_by_the_louder_one(ratio):
    sound = noise(5)
    mix, when = mixed(stereo(ratio, sound))
    np.testing.assert_array_equal(mix, sound)
    assert when == (0, 5)


def test_the_louder_channel_may_be_the_second():
    sound = noise(3)
    np.testing.assert_array_equal(mixed(stereo(-2, sound))[0], -2 * sound)


@pytest.mark.parametrize(
    "planes",
    [
        noise(5, 2),
        stereo(1, noise(5)),
        stereo(0, noise(5)),
        stereo(0.3, noise(5)),
        stereo(-0.3, noise(5)),
        noise(5, 2) + stereo(-1, 0.7 * noise(5, seed=8)),
        np.zeros((2, 5 * RATE), np.float32),
    ],
    ids=["wide", "equal", "one side", "leaning", "a little turned", "wider", "silent"],
)
def test_channels_that_do_not_cancel_are_averaged(planes):
    mix, when = mixed(planes)
    np.testing.assert_array_equal(mix[0], np.float32(0.5) * planes[0] + np.float32(0.5) * planes[1])
    assert when == (0, 0)


def test_cancellation_is_handled_from_where_it_begins():
    sound = noise(8)
    planes = stereo(1, sound)
    planes[1, 4 * RATE :] *= -1
    mix, when = mixed(planes)
    assert when == (pytest.approx(4, abs=0.21), 8)
    # Equal channels have the first one as their mean, so the crossfade changes nothing.
    np.testing.assert_allclose(mix, sound, atol=1e-7)


def test_channels_that_no_longer_cancel_are_mixed_again():
    planes, cancelling = noise(9, 2), noise(9)
    planes[:, 3 * RATE : 6 * RATE] = stereo(-1, cancelling)[:, 3 * RATE : 6 * RATE]
    mix, (first, last) = mixed(planes)
    assert (first, last) == (pytest.approx(3, abs=0.41), pytest.approx(6.5, abs=0.61))
    inside = slice(round(first * RATE) + 200, 6 * RATE)
    np.testing.assert_array_equal(mix[0, inside], planes[0, inside])
    outside = [slice(0, round(first * RATE)), slice(round(last * RATE) + 200, None)]
    for part in outside:
        np.testing.assert_array_equal(mix[:, part], downmix(planes, STEREO, 1)[:, part])


def test_faint_noise_between_inverted_clicks_changes_nothing():
    planes = 1e-4 * noise(12, 2)
    for second in (3, 6, 9):
        planes[:, second * RATE : second * RATE + 80] += stereo(-1, noise(0.01))
    mix, when = mixed(planes)
    np.testing.assert_array_equal(mix[0, round(2.3 * RATE) :], planes[0, round(2.3 * RATE) :])
    assert when[1] == 12


def test_the_switch_is_a_crossfade():
    angle = 2 * np.pi * 100 * np.arange(8 * RATE) / RATE + 1  # so that no block begins at 0
    tone = np.sin(angle)
    second = np.where(angle < 2 * np.pi * 400, 0.2 * np.cos(angle), -tone)
    mix = mixed(np.stack([tone, second]).astype(np.float32))[0][0]
    steepest = 2 * np.pi * 100 / RATE * 1.05  # of the tone itself
    assert np.abs(np.diff(mix)).max() < steepest


@pytest.mark.parametrize("names", [STEREO, SURROUND], ids=["stereo", "5.1"])
def test_the_mix_does_not_depend_on_block_boundaries(names):
    planes = noise(7, len(names))
    planes[1, 2 * RATE : 4 * RATE] = -planes[0, 2 * RATE : 4 * RATE]
    whole, when = mixed(planes, names, piece=planes.shape[1])
    for piece in ((1, 1, 1, 2, 97), 333, 5001) if names is STEREO else (333,):
        mix, also = mixed(planes, names, piece=piece)
        np.testing.assert_array_equal(mix, whole)
        assert also == when


def test_the_delay_is_one_second():
    mixer = Downmixer(STEREO, 1, RATE)
    given = 0
    for taken in range(100, 10 * RATE, 100):
        given += mixer.process(np.zeros((2, 100), np.float32)).shape[1]
        assert given >= taken - RATE - 2 * RATE // 5


def test_inverted_front_channels_of_surround_leave_the_centre():
    planes = noise(4, 6)
    planes[1] = -planes[0]
    planes[2:] *= 0.01
    mix, when = mixed(planes, SURROUND)
    np.testing.assert_allclose(mix[0], downmix(planes, SURROUND, 2)[0], atol=1e-7)
    assert when == (0, 4)


def test_one_side_of_stereo_may_cancel_alone():
    planes = noise(4, 6)
    planes[4] = -(2**0.5) * planes[0]
    planes[2] = 0
    mix, when = mixed(planes, SURROUND, channels=2)
    np.testing.assert_array_equal(mix[0], planes[4])
    np.testing.assert_array_equal(mix[1], downmix(planes, SURROUND, 2)[1])
    assert when == (0, 4)


def test_ambisonics_are_downmixed_to_the_omnidirectional_channel():
    planes = noise(1, 4)
    names = [f"AMBI{number}" for number in range(4)]
    np.testing.assert_array_equal(downmix(planes, names, 1)[0], planes[0])
    left, right = downmix(planes, names, 2)
    np.testing.assert_allclose(left - right, planes[1], atol=1e-7)


@pytest.mark.parametrize("kind", [FilmReader, SubprocessFilmReader])
def test_a_film_says_that_its_channels_cancel(tmp_path, kind):
    sound = np.zeros(48_000 * 3, np.float32)
    for time in (0.48, 1.0, 2.0):
        sound[round(time * 48_000) :][:480] = 0.8
    audio = Audio(np.stack([sound, -0.8 * sound]), layout="stereo")
    path = make_film(tmp_path / "film.mkv", grey_pictures([0] * 75), fps=Fraction(25), audio=audio)
    reader = kind(path, 48_000)
    decoded = np.concatenate([event.samples for event in reader.audio_chunks()])
    np.testing.assert_allclose(decoded, sound, atol=1e-4)
    assert reader.notes == [
        "its channels cancel each other in 3.00 s of its sound, from 0.00 s to 3.00 s; "
        "used the loudest channel there"
    ]
    assert not list(kind(path, 48_000).notes)


def test_cancellation_is_noted_once_with_several_threads(tmp_path):
    sound = noise(8)[0].repeat(6)[: 48_000 * 8]
    audio = Audio(np.stack([sound, -sound]), layout="stereo")
    path = make_film(tmp_path / "film.mkv", grey_pictures([0, 255] * 200), fps=Fraction(50),
                     encoding=H264, audio=audio)  # fmt: skip
    together = FilmReader(path, 48_000, options=DecodeOptions(threads=3))
    decoded = [event.samples for event in together if hasattr(event, "samples")]
    np.testing.assert_allclose(np.concatenate(decoded), sound, atol=1e-4)
    assert len(together.notes) == 1
    two = FilmReader(path, 48_000, channels=2)
    assert np.abs(np.concatenate([s.samples for s in two.audio_chunks()]).sum(axis=1)).max() < 1e-4
    assert two.notes == []
