"""Limits on films: what is said of a film beyond one."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest

from frame2sound.errors import FilmError, SonificationError
from frame2sound.film import limits
from frame2sound.film.limits import DEFAULT_LIMITS
from frame2sound.sonification import pictures


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
