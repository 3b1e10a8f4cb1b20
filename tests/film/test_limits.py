"""Limits on films: what is said of a film beyond one."""

from __future__ import annotations

import doctest
from fractions import Fraction
from pathlib import Path

import pytest

from frame2sound.errors import FilmError, SonificationError
from frame2sound.film import limits
from frame2sound.film.decoding.options import DecodeOptions
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.film.limits import DEFAULT_LIMITS, Limits
from frame2sound.sonification import pictures
from tests.media_files import grey_pictures, make_film


def test_only_commands_that_have_a_larger_limit_are_named() -> None:
    assert doctest.testmod(limits).failed == 0
    with pytest.raises(FilmError) as error:
        DEFAULT_LIMITS.check_duration("a.mp4", 25 * 3600)
    expected = "24 hours at most; if you trust this file, pickle and render read it with a larger "
    assert str(error.value).endswith(f"{expected}`max_hours`")


def test_a_picture_that_is_too_large_to_sonify_can_be_made_smaller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.png"
    path.touch()

    def refuse(*_: object) -> None:
        DEFAULT_LIMITS.check_picture_size(path, 10_000, 10_000)

    monkeypatch.setattr(pictures, "decode_grey", refuse)
    with pytest.raises(
        SonificationError, match=r"expected 70 megapixels at most; make it smaller$"
    ):
        next(pictures._read(path, 64))


def test_the_last_picture_may_not_last_longer_than_a_film(tmp_path: Path) -> None:
    times = [Fraction(0), Fraction(1), Fraction(3601)]
    film = make_film(tmp_path / "film.mkv", grey_pictures([0, 255]), times=times)
    assert len(list(FilmReader(film).frames())) == 2
    options = DecodeOptions(limits=Limits(max_hours=1))
    with pytest.raises(FilmError, match=r"goes on after 1\.0 hours and 2 frames, expected 1 h"):
        list(FilmReader(film, options=options).frames())
