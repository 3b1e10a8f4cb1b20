"""Films of held-out film while a brain is trained: how they sound, and what they leave alone."""

from __future__ import annotations

import errno
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import frame2sound as f2s
from frame2sound.brain.corpus import Corpus
from frame2sound.brain.pieces import Piece
from frame2sound.clock import Clock
from frame2sound.errors import TrainingError
from frame2sound.film.decoding.audio_chunks import collect_samples
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.library.split import HeldOutRange
from frame2sound.library.store import PickledFilm
from frame2sound.rendering.offline import render_frames
from frame2sound.rendering.style import Style
from frame2sound.studio import checkpoint_films
from frame2sound.studio.held_out_stretch import HeldOutStretch
from frame2sound.training.film_names import find_films
from tests.commanding import run
from tests.training.interrupting import assert_same

FAST = {
    "training.epochs": 3,
    "training.rate": 5e-3,
    "training.block_seconds": 2.0,
    "training.patience": 0,
    "network.hidden": [64],
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> f2s.Library:
    """A library of eight seconds of film, of which two are held out."""
    folder = tmp_path_factory.mktemp("listening")
    f2s.draw_film("typing", folder / "film.mp4", seconds=8, size=(64, 64))
    library = f2s.Library.create(folder / "library")
    library.add_films([folder / "film.mp4"])
    return library


@pytest.fixture(scope="module")
def silent_training(library: f2s.Library, tmp_path_factory: pytest.TempPathFactory) -> f2s.Brain:
    """A brain that nobody has listened to."""
    return f2s.train(library, "waveform", FAST, tmp_path_factory.mktemp("brain") / "a.safetensors")


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    """The correlation of two sounds without their beginnings and ends."""
    return float(np.corrcoef(one[1000:-1000], other[1000:-1000])[0, 1])


def sound_of(film: Path) -> np.ndarray:
    reader = FilmReader(film, 22050)
    frames = sum(1 for _ in reader.frames())
    length = round(frames / reader.streams.fps * 22050)
    return collect_samples(FilmReader(film, 22050).audio_chunks(), length)[:length]


def test_every_best_epoch_is_heard_beside_the_films_own_sound(
    library: f2s.Library,
    silent_training: f2s.Brain,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checkpoint_films, "MAX_SHARE", 1e9)
    monkeypatch.setattr(checkpoint_films, "MAX_FILMS", 2)
    settings = [f"--set={name}={value}" for name, value in FAST.items()]
    words = ["--recipe=waveform", *settings, "--corpus=none", "--listen=heard"]
    made = run(tmp_path, "train", library.path, *words, "--out=a.safetensors")
    assert made.returncode == 0, made.stderr
    brain = f2s.load_brain(tmp_path / "a.safetensors")
    assert_same(brain, silent_training)
    films = find_films(tmp_path / "heard")
    curve = zip(brain.provenance["loss"], brain.provenance["held_out_loss"], strict=True)
    losses = [held_out if held_out < 0.98 else 1 + loss for loss, held_out in curve]
    best = [number + 1 for number, loss in enumerate(losses) if loss == min(losses[: number + 1])]
    assert [epoch for epoch, _ in films] == best[-2:]
    names = sorted(path.name for path in (tmp_path / "heard").iterdir())
    assert names == [*(path.name for _, path in films), "original.mp4"]

    own = sound_of(tmp_path / "heard" / "original.mp4")
    assert len(own) == 2 * 22050
    (film,) = [film for film in library if film.name.startswith("film")]
    gain = 10 ** (silent_training.provenance["films"][-1]["gain_db"] / 20)
    blocks = range(0, 6 * 22050 + 1, 2 * 22050)
    alike = [correlation(own, gain * film.sound[start : start + len(own)]) for start in blocks]
    held_out = int(np.argmax(alike))
    assert alike[held_out] > 0.95  # AAC, and one channel of two, change it
    frames = film.frames[60 * held_out : 60 * held_out + 60]
    last, before = (sound_of(path) for _, path in reversed(films))
    assert correlation(last, render_frames(brain, Style(), frames)) > 0.99
    assert correlation(before, last) < 0.99


def test_a_training_that_was_interrupted_goes_on_and_keeps_its_films(
    library: f2s.Library, silent_training: f2s.Brain, tmp_path: Path
) -> None:
    out, heard = tmp_path / "a.safetensors", tmp_path / "heard"

    def interrupt(task: str, done: float, total: float | None, note: str, /) -> None:
        if note.startswith("epoch 2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        f2s.train(library, "waveform", FAST, out, listen=heard, progress=interrupt)
    first = find_films(heard)
    assert len(first) == 1
    before = first[0][1].stat().st_mtime_ns
    brain = f2s.train(library, "waveform", FAST, out, listen=heard, resume=True)
    assert_same(brain, silent_training)
    assert first[0][1].stat().st_mtime_ns == before
    assert find_films(heard)[-1][0] == brain.provenance["best_epoch"]
    with pytest.raises(TrainingError, match="holds films of another training"):
        f2s.train(library, "waveform", FAST, tmp_path / "b.safetensors", listen=heard)
    short = {**FAST, "training.epochs": 1}
    f2s.train(library, "waveform", short, out, listen=heard, overwrite=True)
    assert [epoch for epoch, _ in find_films(heard)] == [1]


def test_what_cannot_be_heard_is_told_once_and_training_goes_on(
    library: f2s.Library,
    silent_training: f2s.Brain,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fill_the_disk(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint_films, "MAX_SHARE", 1e9)
    monkeypatch.setattr(checkpoint_films, "mux", fill_the_disk)
    notes: list[str] = []
    heard, out = tmp_path / "heard", tmp_path / "a.safetensors"
    brain = f2s.train(library, "waveform", FAST, out, listen=heard, on_note=notes.append)
    assert_same(brain, silent_training)
    assert len(notes) == 1
    assert notes[0].startswith("there is no film to listen to: the disk is full, ")
    assert list(heard.iterdir()) == []
    notes.clear()
    whole = {**FAST, "training.held_out": 0.0}
    f2s.train(library, "waveform", whole, out, listen=heard, on_note=notes.append, overwrite=True)
    assert len(notes) == 1
    assert "nothing is held out" in notes[0]


def test_a_grey_brain_is_heard_on_films_in_colour(tmp_path: Path) -> None:
    f2s.draw_film("typing", tmp_path / "film.mp4", seconds=8, size=(64, 64))
    library = f2s.Library.create(tmp_path / "library", colour=True)
    library.add_films([tmp_path / "film.mp4"])
    notes: list[str] = []
    heard, out = tmp_path / "heard", tmp_path / "a.safetensors"
    fast = {**FAST, "training.epochs": 1}
    f2s.train(library, "waveform", fast, out, listen=heard, on_note=notes.append)
    assert (heard / "epoch-00001.mp4").exists()
    assert not any("no film to listen to" in note for note in notes)


def test_a_mosaic_of_the_held_out_stretch_has_none_of_its_own_sound(add_film, tmp_path) -> None:
    library = f2s.Library.create(tmp_path / "library", sample_rate=8000)
    add_film(library, "film", seconds=4)
    film = PickledFilm(tmp_path / "library" / "film", library["film"].card)
    ramp = np.arange(4 * 16_000, dtype=np.float32)
    other = Piece("other", 0, ramp)
    corpus = Corpus(Clock(Fraction(30), 8000), (Piece("film", 0, ramp), other), {}, 16_000)
    stretch = HeldOutStretch((), (film,), (HeldOutRange(film, 8000, 16_000),))
    left, right, kept = stretch.without_held_out(corpus).pieces  # type: ignore[union-attr]
    np.testing.assert_array_equal(left.samples, ramp[:16_000])
    np.testing.assert_array_equal(right.samples, ramp[32_000:])
    assert (left.start_sample, right.start_sample) == (0, 32_000)
    assert kept is other
    everything = HeldOutStretch((), (film,), (HeldOutRange(film, 0, 32_000),))
    assert everything.without_held_out(Corpus(corpus.clock, (left, right), {}, 16_000)) is None
