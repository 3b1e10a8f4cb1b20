"""Whatever the metadata of a film says, it is read in order or refused in one line."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from frame2sound.errors import FilmError
from frame2sound.film.decoding.options import DecodeOptions
from frame2sound.film.decoding.reader import FilmReader, Frame
from frame2sound.film.limits import Limits
from tests.media_files import H264, Audio, grey_pictures, make_film

FRAMES = 12
HEADERS = {"mkv": 700, "mp4": 2600, "avi": 1200}
"""How many bytes from the file's beginning, or of an MP4's end, tell of the film."""

fuzzed = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    audio = Audio(np.zeros(24_000, np.int16))
    return {
        ending: make_film(
            folder / f"film.{ending}",
            grey_pictures(range(0, 20 * FRAMES, 20)),
            encoding=H264,
            audio=None if ending == "mp4" else audio,
        ).read_bytes()
        for ending in HEADERS
    }


def in_order(path):
    """Read a film, damaged or not; return the mean grey of each of its frames."""
    until, greys = Fraction(0), []
    limits = Limits(max_megapixels=1, max_hours=0.1)
    for event in FilmReader(
        path, options=DecodeOptions(allow_damaged=True, limits=limits)
    ).frames():
        assert isinstance(event, Frame)
        assert until <= event.start_seconds < event.end_seconds
        until = event.end_seconds
        greys.append(float(event.picture.mean()))
    return greys


@fuzzed
@given(
    ending=st.sampled_from(sorted(HEADERS)),
    changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=6),
)
def test_a_corrupted_header_is_read_or_refused(tmp_path, films, ending, changes):
    original = films[ending]
    data, reach = bytearray(original), min(HEADERS[ending], len(original))
    begin = len(data) - reach if ending == "mp4" else 0
    for place, value in changes:
        data[begin + int(place * reach)] = value
    path = tmp_path / f"film.{ending}"
    path.write_bytes(data)
    try:
        greys = in_order(path)
    except FilmError as error:
        assert "\n" not in str(error)
        assert str(path) in str(error)
    else:
        assert len(greys) in range(1, FRAMES + 1)
        if data == original:
            np.testing.assert_allclose(greys, range(0, 20 * FRAMES, 20), atol=2)


def test_an_intact_header_is_read(tmp_path, films):
    for ending, data in films.items():
        path = tmp_path / f"film.{ending}"
        path.write_bytes(data)
        np.testing.assert_allclose(in_order(path), range(0, 20 * FRAMES, 20), atol=2)


@fuzzed
@given(
    steps=st.lists(st.integers(1, 5000), min_size=FRAMES, max_size=FRAMES),
    late=st.integers(0, 10**6),
    ticks=st.sampled_from([24, 600, 1000, 15_360, 90_000]),
    ending=st.sampled_from(["mkv", "mp4"]),
)
def test_frames_have_the_times_of_the_film(tmp_path, steps, late, ticks, ending):
    stored = 1000 if ending == "mkv" else ticks  # Matroska counts milliseconds
    times = [Fraction(late, ticks)]
    for step in steps:
        times.append(times[-1] + max(Fraction(step, ticks), Fraction(1, stored)))
    path = make_film(
        tmp_path / f"film.{ending}",
        grey_pictures(range(FRAMES)),
        times=times,
        time_base=Fraction(1, ticks),
    )
    frames = list(FilmReader(path).frames())
    assert len(frames) == FRAMES
    for frame, time in zip(frames, times[:-1], strict=True):
        # Each of two times is off by half a tick of the file at most, or snapped to its rate.
        assert abs(frame.start_seconds - (time - times[0])) <= 2 * Fraction(1, stored)
