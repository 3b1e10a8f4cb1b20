"""Delays of animated images that are too short become those of browsers."""

from fractions import Fraction

import av
import numpy as np
import pytest

from frame2sound.film.decoding.reader import FilmReader
from frame2sound.film.encoding.containers import audio_codec_for
from frame2sound.film.encoding.soundtrack_writer import write_soundtrack
from tests.media_files import VideoEncoding, grey_pictures, make_film

CENTI = Fraction(1, 100)


def gif(path, delays):
    """A GIF whose pictures are to be shown for so many hundredths of a second."""
    make_film(path, grey_pictures([0, 255] * (len(delays) // 2)), fps=Fraction(10), time_base=CENTI,
              encoding=VideoEncoding("gif", "rgb8"))  # fmt: skip
    data, at = bytearray(path.read_bytes()), 0
    for delay in delays:
        at = data.index(b"\x21\xf9\x04", at) + 4
        data[at : at + 2] = delay.to_bytes(2, "little")
    path.write_bytes(data)
    return path


def shown(path):
    return [
        (frame.end_seconds - frame.start_seconds) / CENTI for frame in FilmReader(path).frames()
    ]


@pytest.mark.parametrize(
    ("delays", "expected"),
    [
        ([1] * 10, [10] * 10),
        ([0] * 10, [10] * 10),
        ([2] * 10, [2] * 10),
        ([5, 0, 1, 2, 3, 1], [5, 10, 10, 2, 3, 10]),
        ([1, 100], [10, 100]),
    ],
)
def test_delays_up_to_10_ms_become_100_ms(tmp_path, delays, expected):
    assert shown(gif(tmp_path / "film.gif", delays)) == expected


def test_apng_delays_are_corrected_like_gif(tmp_path):
    times = [Fraction(0), CENTI, 3 * CENTI, Fraction(35, 1000), Fraction(85, 1000)]
    path = make_film(
        tmp_path / "film.apng",
        grey_pictures([0, 255, 0, 255]),
        times=times,
        time_base=Fraction(1, 1000),
        encoding=VideoEncoding("apng", "rgb24"),
    )
    assert shown(path)[:-1] == [10, 2, 10]  # FFmpeg writes no delay of the last picture


def test_delays_of_other_formats_are_kept(tmp_path):
    path = make_film(tmp_path / "film.mkv", grey_pictures([0, 255] * 10), fps=Fraction(100))
    assert set(shown(path)) == {1}


def test_a_rendered_gif_keeps_its_corrected_duration(tmp_path):
    path, out = gif(tmp_path / "film.gif", [1, 1, 5, 0]), tmp_path / "out.mp4"
    streams = FilmReader(path).streams
    silence = [np.zeros(16_800, np.float32)]
    write_soundtrack(streams, silence, 48_000, 1, audio_codec_for(out), out)
    assert shown(out) == shown(path) == [10, 10, 5, 10]
    with av.open(str(out)) as film:
        assert film.streams.audio[0].codec_context.name == "aac"
