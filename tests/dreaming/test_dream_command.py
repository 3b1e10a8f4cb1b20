"""The command ``dream``, from a folder of sounds to its files, and what it refuses."""

from __future__ import annotations

import csv
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

import frame2sound as f2s
from frame2sound.api.parameters import ParameterError
from frame2sound.dreaming.dream import DreamChoice, Dreamer
from frame2sound.dreaming.model_file import load_dream_model
from frame2sound.dreaming.sources import load_sources, read_seed
from frame2sound.dreaming.tokens import HOP
from frame2sound.errors import DreamError
from tests.commanding import run

RATE = 22_050


def beeps(seconds: float, low: float, seed: int) -> NDArray[np.float64]:
    """Tones that fade, one after another, of irregular pitches and lengths."""
    rng, parts, length = np.random.default_rng(seed), [], 0
    while length < seconds * RATE:
        time = np.arange(int(RATE * rng.choice([0.12, 0.2, 0.31]))) / RATE
        hz = low * rng.choice([1, 1.25, 1.5, 2])
        parts.append(0.3 * np.sin(2 * np.pi * hz * time) * np.exp(-time * 12))
        length += len(time)
    return np.concatenate(parts)[: int(seconds * RATE)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sounds, and a dream of them with what was learned."""
    folder = tmp_path_factory.mktemp("dreams")
    (folder / "sounds").mkdir()
    soundfile.write(folder / "sounds" / "high.wav", beeps(9, 1500, 0), RATE)
    soundfile.write(folder / "sounds" / "low.wav", beeps(9, 200, 1), RATE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("frame2sound.dreaming.model.MAX_STEPS", 20)
        words = ["--seconds", "4", "--save-model", "learned.safetensors", "--most-copied", "0.5"]
        made = run(folder, "dream", "sounds", "-o", "dream.wav", *words, "--json")
    assert made.returncode == 0, made.stderr
    (folder / "dream.json").write_text(made.stdout)
    return folder


def dreamt(folder: Path, *words: object) -> list[dict[str, str]]:
    """Dream with what was learned; return the rows of the table."""
    made = run(folder, "dream", "sounds", "-o", "again.wav", "--overwrite", "--seconds", "4",
               "--model", "learned.safetensors", *map(str, words))  # fmt: skip
    assert made.returncode == 0, made.stderr
    with (folder / "again-sources.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_dream_has_its_length_and_says_where_every_second_came_from(folder: Path) -> None:
    sound, rate = soundfile.read(folder / "dream.wav")
    assert (len(sound), rate) == (4 * RATE, RATE)
    assert np.abs(sound).max() < 1
    with (folder / "dream-sources.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0]["start_seconds"]) == 0
    for one, other in pairwise(rows):
        assert one["end_seconds"] == other["start_seconds"]
    lengths = [float(row["end_seconds"]) - float(row["start_seconds"]) for row in rows]
    assert max(lengths) <= 0.5
    assert sum(lengths) == pytest.approx(4, abs=0.03)
    result = json.loads((folder / "dream.json").read_text())
    assert result["copied_share"] == 0
    assert sum(result["films"].values()) == pytest.approx(1)
    assert {"network", "trigram"} <= set(result["bits"])


def test_the_table_is_true(folder: Path) -> None:
    """Inside a stretch, the dream is the film's own sound."""
    rows = dreamt(folder, "--seed", 2)
    sound, _ = soundfile.read(folder / "again.wav")
    row = max(rows, key=lambda row: float(row["end_seconds"]) - float(row["start_seconds"]))
    film, _ = soundfile.read(folder / "sounds" / row["film"])
    begin, at = (round(float(row[k]) * RATE) for k in ("start_seconds", "film_start_seconds"))
    part = sound[begin + 600 : begin + 2000]
    best = max(
        np.corrcoef(part, film[at + 600 + s : at + 2000 + s])[0, 1] for s in range(-115, 116)
    )
    assert best > 0.99


def test_a_style_of_one_film_plays_it_alone(folder: Path) -> None:
    assert {row["film"] for row in dreamt(folder, "--style", "low=1")} == {"low.wav"}
    both = {row["film"] for row in dreamt(folder, "--style", "low.wav=2", "--style", "high.wav=2")}
    assert both == {"low.wav", "high.wav"}


def test_more_stages_than_there_are_is_said_and_all_play(folder: Path, tmp_path: Path) -> None:
    model = folder / "learned.safetensors"
    there = len(Dreamer(load_dream_model(model), load_sources(folder / "sounds"))._predictors(
        DreamChoice(stages=8)
    ))  # fmt: skip
    assert there < 8
    made = f2s.dream(folder / "sounds", tmp_path / "a.wav", seconds=4, stages=8, model=model)
    assert made.notes[-1] == f"{there} stages play, as there are no more"
    with (tmp_path / "a-sources.csv").open(newline="") as file:
        stages = [int(row["stage"]) for row in csv.DictReader(file)]
    assert sorted(set(stages)) == list(range(1, there + 1))
    exactly = f2s.dream(folder / "sounds", tmp_path / "b.wav", seconds=4, stages=there, model=model)
    assert len(exactly.notes) == 1


@pytest.mark.parametrize("style", [["tiny=1"], None])
def test_films_too_short_to_play_are_refused_before_the_learning(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, style: list[str] | None
) -> None:
    soundfile.write(tmp_path / "tiny.wav", beeps(0.05, 300, 3), RATE)
    if style:
        soundfile.write(tmp_path / "long.wav", beeps(3, 300, 3), RATE)
    monkeypatch.setattr("frame2sound.dreaming.model.learn", None)
    with pytest.raises(DreamError, match=r"shorter than a tenth of a second, as tiny\.wav; give"):
        f2s.dream(tmp_path, tmp_path / "out.wav", style=style)


def test_a_seed_is_the_end_of_a_sound_in_whole_tokens(tmp_path: Path) -> None:
    sound = beeps(11.3, 500, 4).astype(np.float32)
    soundfile.write(tmp_path / "a.wav", sound, RATE, "FLOAT")
    end = read_seed(tmp_path / "a.wav")
    assert 6 * RATE <= len(end) < 6 * RATE + HOP
    assert (len(sound) - len(end)) % HOP == 0
    assert np.array_equal(end, sound[-len(end) :])
    soundfile.write(tmp_path / "a.wav", sound[: 2 * RATE], RATE, "FLOAT")
    assert np.array_equal(read_seed(tmp_path / "a.wav"), sound[: 2 * RATE])


def test_of_more_than_an_hour_the_beginning_of_each_film_is_used(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.wav", "b.wav"):
        soundfile.write(tmp_path / name, beeps(4, 300, 3), RATE)
    monkeypatch.setattr("frame2sound.dreaming.sources.MAX_SECONDS", 4)
    made = f2s.dream(tmp_path, tmp_path / "made" / "out.wav", seconds=1)
    assert made.notes[-1] == "of 0.0 hours one is used, the beginning of each film"


def test_stages_and_phases_and_a_seed_to_go_on_from(folder: Path) -> None:
    rows = dreamt(folder, "--stages", 2, "--sound", "phases", "--from", "sounds/low.wav")
    assert [row["stage"] for row in rows if float(row["start_seconds"]) < 1.9][-1] == "1"
    assert rows[-1]["stage"] == "2"
    assert soundfile.info(folder / "again.wav").frames == 4 * RATE


def test_a_sound_is_written_before_it_is_searched_for_copies(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> float:
        raise KeyboardInterrupt

    monkeypatch.setattr("frame2sound.dreaming.dream.copied_share", interrupt)
    with pytest.raises(KeyboardInterrupt):
        f2s.dream(
            folder / "sounds", tmp_path / "a.wav", seconds=1, model=folder / "learned.safetensors"
        )
    assert soundfile.info(tmp_path / "a.wav").frames == RATE
    assert (tmp_path / "a-sources.csv").exists()


def test_the_same_seed_gives_the_same_dream(folder: Path) -> None:
    assert dreamt(folder, "--seed", 5) == dreamt(folder, "--seed", 5)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--style", "fog=1"), "expected a film among those to dream of"),
        (("--style", "low"), "expected FILM=WEIGHT"),
        (("--style", "low=-1"), "expected 0 or more in --style"),
        (("--temperature", "0"), "got --temperature 0, expected 0.05 "),
        (("--seconds", "0"), "got --seconds 0, expected 1 "),
        (("--stages", "0"), "got --stages 0, expected 1 "),
        (("--most-copied", "0"), "got --most-copied 0, expected 0.1 "),
        (("--from", "nothing.wav"), "nothing.wav"),
        (("--model", "sounds/low.wav"), "looks like a film or a sound"),
        (("--save-model", "never.wav"), "got --save-model never.wav, expected a name that ends"),
        (("--save-model", "sounds/low.wav", "--overwrite"), "ends with .safetensors"),
        (("--model", "a.safetensors", "--save-model", "b.safetensors"), "expected one of them"),
    ],
)
def test_wrong_words_are_one_line(folder: Path, words: tuple[str, ...], message: str) -> None:
    made = run(folder, "dream", "sounds", "-o", "never.wav", *words)
    assert made.returncode in (1, 2)
    assert message in made.stderr
    assert not (folder / "never.wav").exists()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("seconds", 0.9, "expected 1 to 3600"),
        ("temperature", 5.1, "expected 0.05 to 5"),
        ("most_copied", 0.09, "expected 0.1 s or more"),
        ("stages", 0, "expected 1 to 8"),
    ],
)
def test_python_refuses_what_the_command_refuses(name: str, value: float, expected: str) -> None:
    wrong: dict[str, Any] = {name: value}
    with pytest.raises(ParameterError, match=expected):
        f2s.dream("sounds", "never.wav", **wrong)


@pytest.mark.parametrize("words", [("a.wav",), ("sounds", "--from", "a.wav"), (".",)])
def test_a_sound_that_is_read_is_not_overwritten(tmp_path: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "sounds").mkdir()
    (tmp_path / "a.wav").write_bytes(b"kept")
    made = run(tmp_path, "dream", *words, "-o", "a.wav", "--overwrite")
    assert "a.wav is read by this command; choose another name" in made.stderr
    assert (tmp_path / "a.wav").read_bytes() == b"kept"


def test_an_output_that_exists_is_kept(folder: Path) -> None:
    made = run(folder, "dream", "sounds", "-o", "dream.wav")
    assert made.returncode == 1
    assert "exists already" in made.stderr


@pytest.mark.parametrize(
    ("name", "seconds", "message"),
    [("speech", 6, "expected 15 s or more"), ("short", 2, "a bigram plays")],
)
def test_too_little_sound_is_said_and_counts_play(
    tmp_path: Path, name: str, seconds: float, message: str
) -> None:
    soundfile.write(tmp_path / f"{name}.wav", beeps(seconds, 300, 3), RATE)
    made = run(tmp_path, "dream", f"{name}.wav", "-o", "out.wav", "--seconds", "2")
    assert made.returncode == 0, made.stderr
    assert message in made.stdout


def test_silence_and_a_constant_tone(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(4 * RATE), RATE)
    made = run(tmp_path, "dream", "silence.wav", "-o", "out.wav")
    assert made.returncode == 1
    assert "the sound is silent" in made.stderr
    tone = 0.2 * np.sin(2 * np.pi * 43.06640625 * 10 * np.arange(5 * RATE) / RATE)
    soundfile.write(tmp_path / "tone.wav", tone, RATE)
    assert run(tmp_path, "dream", "tone.wav", "-o", "out.wav", "--seconds", "2").returncode == 0


def test_a_damaged_or_other_model_is_refused(folder: Path, tmp_path: Path) -> None:
    data = (folder / "learned.safetensors").read_bytes()
    for change, match in ((data[:-50], "cut short"), (b"\x80\x04" + data, "pickle")):
        (tmp_path / "bad.safetensors").write_bytes(change)
        with pytest.raises(DreamError, match=match):
            load_dream_model(tmp_path / "bad.safetensors")
    soundfile.write(tmp_path / "other.wav", beeps(5, 500, 9), RATE)
    made = run(tmp_path, "dream", "other.wav", "-o", "out.wav",
               "--model", folder / "learned.safetensors")  # fmt: skip
    assert made.returncode == 1
    assert "has not learned other.wav" in made.stderr
