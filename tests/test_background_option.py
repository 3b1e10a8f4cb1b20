"""The option ``--background``: the grey behind transparent pictures."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest

from frame2sound.brain import brain_file
from frame2sound.errors import FilmError
from frame2sound.film.decoding import subprocess_reader
from frame2sound.film.decoding.options import DecodeOptions
from frame2sound.library.store import Card, Library
from tests.commanding import run


def transparent(path: Path) -> Path:
    """A film of eight frames, white and wholly transparent, with a tone."""
    with av.open(str(path), "w") as film:
        picture = film.add_stream("qtrle", rate=8)
        picture.width = picture.height = 64
        picture.pix_fmt = "argb"
        voice = film.add_stream("pcm_s16le", rate=8000, layout="mono")
        for number in range(8):
            pixels = np.full((64, 64, 4), [255, 255, 255, 0], np.uint8)
            frame = av.VideoFrame.from_ndarray(pixels, "rgba").reformat(format="argb")
            frame.pts, frame.time_base = number, Fraction(1, 8)
            film.mux(picture.encode(frame))
        film.mux(picture.encode(None))
        tone = (9999 * np.sin(np.arange(8000) / 3)).astype(np.int16)[None]
        sound = av.AudioFrame.from_ndarray(tone, "s16", "mono")
        sound.sample_rate, sound.time_base, sound.pts = 8000, Fraction(1, 8000), 0
        film.mux([*voice.encode(sound), *voice.encode(None)])
    return path


def pickled(folder: Path, *words: str) -> tuple[str, list[tuple[float, int]]]:
    """What pickling says, and the level and the card's background of each film there."""
    said = run(folder, "pickle", "film.mov", "--library", "library", "--no-calibration", *words)
    assert said.returncode == 0, said.stderr
    films = Library.open(folder / "library").films()
    return said.stdout, [(film.frames.mean(), film.card.background) for film in films]


def test_films_are_pickled_on_the_chosen_background(tmp_path: Path) -> None:
    transparent(tmp_path / "film.mov")
    assert pickled(tmp_path)[1] == [(0, 0)]
    said, films = pickled(tmp_path, "--background", "white")
    assert films == [(255, 255)]
    assert "film.mov  pickled" in said
    said, films = pickled(tmp_path, "--background", "255")
    assert "already there" in said
    said, films = pickled(tmp_path, "--background", "grey")
    assert films == [(128, 128)]
    assert "already there" in pickled(tmp_path, "--background", "128")[0]
    assert pickled(tmp_path)[1] == [(0, 0)]


def test_a_black_background_is_not_in_the_card_which_older_versions_read() -> None:
    card = Card("a", "b", Fraction(24), 1, 1, 8000, (0, 1))
    assert '"ground"' not in card.to_json()
    assert Card.from_json(card.to_json()) == card
    white = Card("a", "b", Fraction(24), 1, 1, 8000, (0, 1), background=255)
    assert Card.from_json(white.to_json()) == white


@pytest.mark.parametrize(("words", "level"), [((), 0), (("--background", "White"), 255)])
def test_a_brain_is_given_films_on_the_chosen_background(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], level: int
) -> None:
    def opened(path: Path, options: DecodeOptions, **_: object) -> None:
        raise FilmError(f"background {options.background}")

    monkeypatch.setattr(subprocess_reader, "SubprocessFilmReader", opened)
    monkeypatch.setattr(
        brain_file, "load_brain", lambda *_: SimpleNamespace(corpus=None, parameter_count=0)
    )
    said = run(tmp_path, "render", transparent(tmp_path / "film.mov"), *words)
    assert (said.returncode, said.stderr.strip()) == (1, f"frame2sound: background {level}")


@pytest.mark.parametrize("level", ["256", "-1", "pink", "1.5", ""])
def test_other_backgrounds_are_refused(tmp_path: Path, level: str) -> None:
    said = run(tmp_path, "pickle", "film.mov", "--library", "library", "--background", level)
    assert said.returncode == 2
    assert said.stderr == (
        f"frame2sound: got --background {level}, expected black, grey, white or 0 to 255\n"
    )


def test_the_option_of_version_0_1_is_accepted_but_not_shown(tmp_path: Path) -> None:
    transparent(tmp_path / "film.mov")
    assert pickled(tmp_path, "--ground", "white")[1] == [(255, 255)]
    assert "--ground" not in run(tmp_path, "pickle", "--help").stdout
