"""The full sound: the right sample in the right channel at the film's rate, in bounded bytes."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from frame2sound.clock import sample_at
from frame2sound.errors import LibraryError
from frame2sound.film.decoding.downmix import HALF_POWER
from frame2sound.library.calibration import add_calibration_film
from frame2sound.library.card import Card, FullSoundFormat
from frame2sound.library.pickler import PickleOptions, pickle_film
from frame2sound.library.store import Library
from frame2sound.library.verification import verify
from tests.media_files import Audio, grey_pictures, make_film

STEP = 2.0**-18
"""A step of the stored samples; half of it is the largest error of rounding."""

LEFT_AT, RIGHT_AT = Fraction(1, 4), Fraction(5, 8)
"""When the clicks sound, in seconds; at all rates below these are whole samples."""


def film_with(path: Path, samples, rate=48_000, layout="stereo", seconds=1, **audio) -> Path:
    """Write a film with a grey picture and a sound, ``(channels, n)``."""
    encoded = Audio(np.asarray(samples, np.float32), rate, "pcm_f32le", layout, **audio)
    pictures = grey_pictures([90] * (24 * seconds))
    return make_film(path, pictures, audio=encoded)


def clicks(rate, channels, seconds=1):
    """Return a click of one sample in the first channel, and a later one in the second."""
    sound = np.zeros((channels, seconds * rate), np.float32)
    sound[0, int(LEFT_AT * rate)] = 0.5
    if channels > 1:
        sound[1, int(RIGHT_AT * rate)] = -0.25
    return sound


@pytest.mark.parametrize("rate", [8000, 32_000, 44_100, 48_000])
@pytest.mark.parametrize(("layout", "channels"), [("mono", 1), ("stereo", 2)])
def test_at_the_films_own_rate_every_sample_is_kept(tmp_path, library, rate, layout, channels):
    sound = np.random.default_rng(rate).uniform(-1, 1, (channels, rate)).astype(np.float32)
    film, _ = pickle_film(film_with(tmp_path / "film.mov", sound, rate, layout), library)
    full = film.full_sound
    assert (full.sample_rate, full.channels, full.samples) == (rate, channels, rate)
    np.testing.assert_allclose(full.read(0, rate), sound.T, atol=STEP / 2, rtol=0)


def test_16_bits_are_kept_exactly(tmp_path, library):
    sound = np.random.default_rng(1).integers(-(2**15), 2**15, (2, 48_000)).astype(np.int16)
    audio = Audio(sound, layout="stereo")
    path = make_film(tmp_path / "film.mov", grey_pictures([90] * 24), audio=audio)
    full = pickle_film(path, library)[0].full_sound
    np.testing.assert_array_equal(full.read(0, 48_000), sound.T / 32768)


@pytest.mark.parametrize("rate", [96_000, 192_000])
def test_higher_rates_become_48_khz_with_clicks_at_their_places(tmp_path, library, rate):
    film, _ = pickle_film(film_with(tmp_path / "film.mov", clicks(rate, 2), rate), library)
    full = film.full_sound
    assert (full.sample_rate, full.channels, full.samples) == (48_000, 2, 48_000)
    left, right = full.read(0, 48_000).T
    assert np.abs(left).argmax() == LEFT_AT * 48_000
    assert np.abs(right).argmax() == RIGHT_AT * 48_000
    assert right.min() < -np.abs(right).max() + STEP
    # In its own channel alone: a click at left is not heard at right.
    assert abs(right[int(LEFT_AT * 48_000)]) < STEP
    assert abs(left[int(RIGHT_AT * 48_000)]) < STEP


def test_a_lower_rate_can_be_asked_for(tmp_path, library):
    path = film_with(tmp_path / "film.mov", clicks(48_000, 2))
    full = pickle_film(path, library, PickleOptions(full_rate=32_000))[0].full_sound
    assert (full.sample_rate, full.samples) == (32_000, 32_000)
    assert np.abs(full.read(0, 32_000)).argmax(axis=0).tolist() == [8000, 20_000]


def test_a_rate_that_flac_cannot_hold_is_lowered(tmp_path, library):
    sound = np.zeros((1, 65_537))
    path = film_with(tmp_path / "film.mov", sound, 65_537, "mono")
    full = pickle_film(path, library, PickleOptions(full_rate=192_000))[0].full_sound
    assert (full.sample_rate, full.samples) == (65_530, 65_530)
    assert not full.read(0, full.samples).any()


@pytest.mark.parametrize(
    ("layout", "gains"),
    [
        # FL, FR, FC, LFE, and the surrounds: ITU-R BS.775-3, table 2.
        ("5.1", [(1, 0), (0, 1), (HALF_POWER,) * 2, (0, 0), (HALF_POWER, 0), (0, HALF_POWER)]),
        (
            "7.1",
            [(1, 0), (0, 1), (HALF_POWER,) * 2, (0, 0), *[(HALF_POWER, 0), (0, HALF_POWER)] * 2],
        ),
        ("quad", [(1, 0), (0, 1), (HALF_POWER, 0), (0, HALF_POWER)]),
    ],
)
def test_more_channels_are_folded_by_the_standard_matrix(tmp_path, library, layout, gains):
    rng = np.random.default_rng(3)
    sound = rng.uniform(-0.2, 0.2, (len(gains), 48_000)).astype(np.float32)
    film, _ = pickle_film(film_with(tmp_path / "film.mov", sound, layout=layout), library)
    assert film.full_sound.channels == 2
    expected = sound.T @ np.array(gains, np.float32)
    np.testing.assert_allclose(film.full_sound.read(0, 48_000), expected, atol=STEP, rtol=0)


@pytest.mark.parametrize("late", [Fraction(0), Fraction(1, 10), Fraction(333, 1000)])
def test_late_sound_is_at_its_sample(tmp_path, library, late):
    sound = clicks(48_000, 2)[:, : 48_000 - int(late * 48_000)]
    path = film_with(tmp_path / "film.mov", sound, start=late)
    film, _ = pickle_film(path, library)
    got = film.full_sound.read(0, 48_000)
    expected = np.zeros((48_000, 2), np.float32)
    expected[sample_at(late, 48_000) :] = sound.T
    np.testing.assert_array_equal(got, expected)
    assert got[int((late + LEFT_AT) * 48_000), 0] == 0.5
    assert got[int((late + RIGHT_AT) * 48_000), 1] == -0.25


def test_a_gap_stays_silent_and_what_follows_is_at_its_sample(tmp_path, library):
    path = tmp_path / "film.mkv"
    parts = {0: 0.5, 24_000: 0.25, 96_000: -0.125}  # first sample of each part, and its click
    with av.open(str(path), "w") as film:
        picture = film.add_stream("ffv1", rate=24, width=64, height=64, pix_fmt="gray")
        voice = film.add_stream("pcm_s16le", rate=48_000, layout="stereo")
        for number in range(72):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64), number, np.uint8), "gray")
            frame.pts, frame.time_base = number, Fraction(1, 24)
            film.mux(picture.encode(frame))
        film.mux(picture.encode(None))
        for first, height in parts.items():
            planes = np.zeros((1, 2 * 4800), np.int16)
            planes[0, 1] = round(height * 32768)  # the first sample at right
            frame = av.AudioFrame.from_ndarray(planes, "s16", "stereo")
            frame.sample_rate, frame.time_base, frame.pts = 48_000, Fraction(1, 48_000), first
            film.mux(voice.encode(frame))
        film.mux(voice.encode(None))
    full = pickle_film(path, library)[0].full_sound
    assert (full.channels, full.samples) == (2, 144_000)
    left, right = full.read(0, 144_000).T
    assert not left.any()
    assert {int(at): float(right[at]) for at in np.flatnonzero(right)} == parts


@pytest.mark.parametrize("seconds_of_sound", [0.5, 1, 1.5, 70])
def test_it_is_as_long_as_the_picture(tmp_path, library, seconds_of_sound):
    rng = np.random.default_rng(5)
    sound = rng.uniform(-1, 1, (1, round(8000 * seconds_of_sound))).astype(np.float32)
    film, _ = pickle_film(film_with(tmp_path / "film.mov", sound, 8000, "mono"), library)
    full = film.full_sound
    assert full.samples == 8000
    expected = np.zeros(8000, np.float32)
    expected[: sound.shape[1]] = sound[0, :8000]
    np.testing.assert_allclose(full.read(0, 8000)[:, 0], expected, atol=STEP / 2, rtol=0)
    assert verify(library, film.path) == []
    assert sorted(path.name for path in film.path.iterdir()) == [
        "film.json", "frames.npy", "full_sound.flac", "sound.npy", "times.npy",
    ]  # fmt: skip


@pytest.mark.parametrize("in_subprocess", [False, True])
@pytest.mark.parametrize("layout", ["stereo", "5.1"])
def test_what_is_learned_is_the_same_with_and_without(tmp_path, layout, in_subprocess):
    channels = 2 if layout == "stereo" else 6
    sound = np.random.default_rng(4).uniform(-0.2, 0.2, (channels, 96_000)).astype(np.float32)
    path = film_with(tmp_path / "film.mov", sound, layout=layout, seconds=2)
    kept, bare = (
        pickle_film(
            path,
            Library.create(tmp_path / f"library-{rate}", 22_050),
            PickleOptions(full_rate=rate, in_subprocess=in_subprocess),
        )[0]
        for rate in (48_000, 0)
    )
    for name in ("frames.npy", "times.npy", "sound.npy"):
        assert (kept.path / name).read_bytes() == (bare.path / name).read_bytes()
    assert bare.full_sound is bare.card.full_sound is None
    assert not (bare.path / "full_sound.flac").exists()
    assert replace(kept.card, full_sound=None, checksums=None) == replace(bare.card, checksums=None)
    assert kept.full_sound.samples == 96_000


def test_the_subprocess_gives_the_same_bytes(tmp_path):
    path = film_with(tmp_path / "film.mov", clicks(192_000, 2), 192_000)
    first, second = (
        pickle_film(path, Library.create(tmp_path / f"{flag}"), PickleOptions(in_subprocess=flag))
        for flag in (False, True)
    )
    assert first[0].card.checksums == second[0].card.checksums
    assert first[0].card.checksums.full_sound is not None


def test_a_library_may_mix_rates_and_channels(tmp_path):
    library = Library.create(tmp_path / "library")
    formats = [(8000, "mono", 1), (48_000, "5.1", 6), (192_000, "stereo", 2), (44_100, "7.1", 8)]
    for number, (rate, layout, channels) in enumerate(formats):
        path = film_with(tmp_path / f"{number}.mov", clicks(rate, channels), rate, layout)
        pickle_film(path, library, PickleOptions(in_subprocess=True))
    got = [film.card.full_sound for film in Library.open(library.path).films()]
    assert got == [
        FullSoundFormat(8000, 1, 8000),
        FullSoundFormat(48_000, 2, 48_000),
        FullSoundFormat(48_000, 2, 48_000),
        FullSoundFormat(44_100, 2, 44_100),
    ]


@pytest.mark.parametrize("peak", [1.9, 3.0])
def test_sound_over_full_scale_has_headroom_and_is_then_clipped(tmp_path, library, peak):
    sound = clicks(48_000, 2)
    sound[1, 30_000] = -peak
    film, _ = pickle_film(film_with(tmp_path / "film.mov", sound), library)
    (got,) = film.full_sound.read(30_000, 30_001)
    np.testing.assert_allclose(got, [0, -min(peak, 2.0)], atol=STEP / 2, rtol=0)
    note = (
        "its sound is up to 9.5 dB over full scale; full_sound.flac is clipped at 6 dB, what is "
        "learned is not"
    )
    assert film.card.notes == ((note,) if peak > 2 else ())


def test_white_noise_at_full_scale_costs_less_than_250_kb_a_second(tmp_path, library):
    sound = np.random.default_rng(6).uniform(-1, 1, (2, 96_000))
    film, _ = pickle_film(film_with(tmp_path / "film.mov", sound, seconds=2), library)
    path = film.path / "full_sound.flac"
    assert path.stat().st_size / 2 < 250_000
    stored = soundfile.read(path, dtype="int32")[0]
    assert not (stored & 0xFFF).any()  # 8 bits that FLAC has not, and 4 that are left out


def test_parts_are_read_as_the_whole_and_are_silent_outside(tmp_path, library):
    sound = np.random.default_rng(8).uniform(-1, 1, (2, 48_000))
    full = pickle_film(film_with(tmp_path / "film.mov", sound), library)[0].full_sound
    whole = full.read(0, 48_000)
    for begin, end in ((0, 1), (47_999, 48_000), (4095, 4097), (20_000, 31_234), (7, 7)):
        np.testing.assert_array_equal(full.read(begin, end), whole[begin:end])
    padded = full.read(-3, 48_002)
    np.testing.assert_array_equal(padded, np.pad(whole, ((3, 2), (0, 0))))
    np.testing.assert_array_equal(full.read(50_000, 50_004), np.zeros((4, 2)))
    assert whole.dtype == padded.dtype == np.float32


@pytest.fixture
def film(tmp_path, library):
    sound = np.random.default_rng(9).uniform(-1, 1, (2, 48_000))
    return pickle_film(film_with(tmp_path / "film.mov", sound), library)[0]


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda path: path.unlink(), "no such file"),
        (lambda path: path.write_bytes(b"no sound"), r"it is no \.flac file"),
        (
            lambda path: soundfile.write(path, np.zeros(5), 8000, format="FLAC"),
            "its rate, channels and samples are 8000, 1 and 5, expected 48000, 2 and 48000",
        ),
        (
            lambda path: soundfile.write(path, np.zeros(5), 8000, format="WAV"),
            r"it is no \.flac file",
        ),
        (lambda path: (path.unlink(), path.symlink_to("/dev/null")), ".*a link"),
    ],
)
def test_a_damaged_file_is_an_error(library, film, damage, why):
    damage(film.path / "full_sound.flac")
    with pytest.raises(LibraryError, match=rf"full_sound\.flac is missing or damaged \({why}"):
        film.full_sound.read(0, 10)
    (fault,) = verify(library, film.path)
    assert "full_sound.flac is missing or damaged" in fault


def test_a_file_that_ends_early_is_an_error(film):
    path = film.path / "full_sound.flac"
    path.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(LibraryError, match=r"full_sound\.flac is missing or damaged"):
        film.full_sound.read(40_000, 48_000)


def test_films_of_older_libraries_have_none(library, film):
    path = film.path / "film.json"
    table = json.loads(path.read_text())
    assert table["version"] == 4
    assert table["full_sound"] == {"sample_rate": 48_000, "channels": 2, "samples": 48_000}
    del table["full_sound"], table["checksums"]["full_sound"]
    path.write_text(json.dumps(table | {"version": 3}))
    (old,) = library.films()
    assert old.full_sound is None
    assert verify(library, film.path) == []
    assert add_calibration_film(library).full_sound is None


@pytest.mark.parametrize(
    "values",
    [{"channels": 3}, {"channels": 0}, {"samples": 0}, {"sample_rate": 10}, {"samples": "1"}],
    ids=str,
)
def test_an_impossible_format_is_not_a_card(film, values):
    table = json.loads(film.card.to_json())
    table["full_sound"] |= values
    with pytest.raises(ValueError, match="the text is not a card"):
        Card.from_json(json.dumps(table))
