"""``frame2sound sort`` from films to a judge: figures, notes, answers, and what it refuses."""

from __future__ import annotations

import csv
import json
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from safetensors.numpy import load_file, save_file

import frame2sound as f2s
from frame2sound.clock import Clock
from frame2sound.comparison.records import measure_segment
from frame2sound.comparison.segment_judge import SegmentJudge
from frame2sound.comparison.segments import EvaluationFilm, split_into_segments
from frame2sound.errors import SortingError
from frame2sound.library.split import HeldOutRange
from frame2sound.library.store import Library
from frame2sound.sorting import network_classifier, random_labels, sorter
from frame2sound.sorting.judge_file import METADATA_KEY, save_judge
from tests.commanding import CommandResult, run

RATE = 4000
SECONDS = 5


def tones(seed: int) -> np.ndarray:
    """Notes of 0.2 s with three harmonics."""
    random = np.random.default_rng(seed)
    hz = np.repeat(random.uniform(200, 500, 5 * SECONDS), RATE // 5)
    phase = 2 * np.pi * np.cumsum(hz) / RATE
    decay = np.exp(-np.arange(len(hz)) % (RATE // 5) / RATE * 5)
    return 0.1 * decay * (np.sin(phase) + np.sin(2 * phase) / 2 + np.sin(3 * phase) / 3)


def noise(seed: int) -> np.ndarray:
    """Noise whose level changes every fifth of a second."""
    random = np.random.default_rng(seed)
    level = np.repeat(random.uniform(0.02, 0.2, 5 * SECONDS), RATE // 5)
    return level * random.normal(size=len(level))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, add_film) -> Path:
    """A library of tones and noises, and a judge of them that was trained in a hurry."""
    folder = tmp_path_factory.mktemp("sorting")
    library = Library.create(folder / "library", RATE)
    for number in range(3):
        add_film(library, f"tone{number}", SECONDS, fps=5, sound=tones(number))
        add_film(library, f"noise{number}", SECONDS, fps=5, sound=noise(10 + number))
    add_film(library, "again", SECONDS, fps=5, sound=0.5 * tones(0))
    add_film(library, "new", SECONDS, fps=5, sound=tones(20))
    add_film(library, "lonely", SECONDS, fps=5, sound=noise(30) * np.sin(np.arange(20000)))
    add_film(library, "silent", SECONDS, fps=5, sound=np.zeros(SECONDS * RATE))
    rows = [(f"{kind}{number}", kind) for kind in ("tone", "noise") for number in range(3)]
    rows += [("again.mkv", "tone"), ("lonely", "other"), ("silent", "tone"), ("lost", "tone")]
    with (folder / "labels.csv").open("w") as file:
        csv.writer(file).writerows([("film", "label"), *rows])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network_classifier, "MIN_STEPS", 15)
        patch.setattr(network_classifier, "MAX_STEPS", 15)
        patch.setattr(random_labels, "DRAWS", 1)
        made = sort(folder)
    assert made.returncode == 0, made.stderr
    (folder / "said.txt").write_text(made.stdout)
    (folder / "notes.txt").write_text(made.stderr)
    return folder


def sort(folder: Path, labels: str = "labels.csv", *more: str) -> CommandResult:
    words = ["--labels", labels, "-o", "judge.safetensors", *more]
    return run(folder, "sort", "library", *words)


def test_it_prints_all_classifiers_beside_guessing(folder: Path) -> None:
    said = (folder / "said.txt").read_text()
    lines = said.splitlines()
    assert lines[0].startswith("7 films, 2 labels, 35 s of sound")
    assert lines[1] == "copies, kept together: again, tone0"
    names = ["judge", "logistic regression", "nearest neighbours", "dense network"]
    names += ["convolutional network", "recurrent network", "always 'tone'", "chance"]
    assert [line[:21].strip() for line in lines[3:11]] == names
    assert lines[4].endswith("7 of 7")
    assert lines[9].split()[2:] == ["0.50", "4", "of", "7"]
    assert "films known again by their last third: " in said
    assert lines[-1].startswith("new  sounds like tone ")
    assert "the judge tells these labels apart better than guessing: right 1.00" in said


def test_it_says_what_it_leaves_out(folder: Path) -> None:
    notes = (folder / "notes.txt").read_text()
    assert "not in the library, so left out: lost\n" in notes
    assert "without a second of sound above -60 dBFS, so left out: silent\n" in notes
    assert "labels with one film, copies counted once, so left out: other\n" in notes


def test_the_judge_answers_for_sounds_at_any_rate_and_level(folder: Path) -> None:
    judge = f2s.load_judge(folder / "judge.safetensors")
    assert judge.labels == ("noise", "tone")
    at_8000 = np.repeat(tones(40), 2).astype(np.float32)
    answers = [judge.hear(gain * at_8000, 8000) for gain in (1.0, 0.1)]
    assert next(iter(answers[0].labels)) == "tone"
    assert answers[0].labels == pytest.approx(answers[1].labels, abs=0.01)
    assert judge.hear(noise(12).astype(np.float32), RATE).films == {"noise2": 1.0}
    with pytest.raises(SortingError, match=r"got 0\.50 s of sound, expected 1 s or more"):
        judge.hear(at_8000[:4000], 8000)
    with pytest.raises(SortingError, match="got silence"):
        judge.hear(0 * at_8000, 8000)


def test_a_soundtrack_of_a_film_is_judged_by_what_has_not_heard_it(folder: Path) -> None:
    judge = f2s.load_judge(folder / "judge.safetensors")
    film = judge.find_film("noise1-0")
    assert film is not None
    copies = [judge.find_film(f"{name}-0") for name in ("tone0", "again")]
    assert len({copy.fold for copy in copies if copy is not None}) == 1
    sound = np.concatenate([noise(50), tones(50), np.zeros(SECONDS * RATE)]).astype(np.float32)
    seconds, right = judge.label_probabilities(sound, RATE, film)
    np.testing.assert_allclose(np.diff(seconds), 0.5)
    assert seconds[0] == 0.5
    assert right[seconds < 4].min() > 0.6
    assert right[(seconds > 6) & (seconds < 9)].max() < 0.4
    assert (right[seconds > 11] == 0.5).all()


def test_the_same_seed_gives_the_same_judge_and_json_has_its_figures(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(random_labels, "DRAWS", 1)
    monkeypatch.setattr(network_classifier, "MIN_STEPS", 15)
    monkeypatch.setattr(network_classifier, "MAX_STEPS", 15)
    before = load_file(folder / "judge.safetensors")
    made = sort(folder, "labels.csv", "--overwrite", "--json")
    after = load_file(folder / "judge.safetensors")
    assert before.keys() == after.keys()
    for name, array in before.items():
        np.testing.assert_allclose(array, after[name], rtol=1e-5, atol=1e-6)
    values = json.loads(made.stdout)
    assert values["chance"] == 0.5
    assert values["majority_films"] == 4
    assert (values["films"], values["groups"]) == (7, 6)
    assert values["figures"][0]["name"] == "judge"
    assert values["copies"] == [["again", "tone0"]]


def test_what_exists_or_cannot_be_written_is_refused_before_it_learns(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sorter, "sort_films", lambda *films, **options: pytest.fail("it learned"))
    made = sort(folder)
    assert made.returncode == 1
    assert (
        "judge.safetensors exists already; choose another name or give --overwrite" in made.stderr
    )
    made = sort(folder, "labels.csv", "-o", "labels.csv/judge.safetensors")
    assert made.returncode == 1
    assert "labels.csv/judge.safetensors cannot be written (not a directory)" in made.stderr


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("tone0,a\ntone1,a\n", "got one label, 'a', expected two or more"),
        ("tone0,a\nnoise0,b\n", "labels with one film, copies counted once: a, b; expected two"),
        ("tone0,a\nagain,a\nnoise0,b\nnoise1,b\n", "labels with one film, copies counted once: a;"),
        (
            "tone0,a\nagain,b\nnoise0,b\nnoise1,b\ntone1,a\n",
            "got the label 'b' for again and 'a' for tone0, which is a copy of it or of a copy, "
            "expected the same; change a label",
        ),
        ("lost,a\ngone,b\n", "names no film of library: got lost, gone, expected names such as"),
        ("tone0,a\ntone0.mkv,b\n", "labels tone0 twice, in lines 2 and 3; keep one of them"),
        ("tone,a\nnoise0,b\n", "line 2: 'tone' may be tone0, tone1, tone2; give one of these"),
        ("silent,a\nsilent.mkv,a\n", "labels silent twice"),
    ],
)
def test_labels_that_cannot_be_learned_are_refused_in_a_line(
    folder: Path, rows: str, message: str
) -> None:
    (folder / "bad.csv").write_text("film,label\n" + rows)
    made = sort(folder, "bad.csv", "--overwrite")
    assert made.returncode == 1
    last = made.stderr.splitlines()[-1]
    assert message in last
    assert last.startswith("frame2sound: ")


def test_six_seconds_of_sound_and_silence_are_refused(tmp_path: Path, add_film) -> None:
    library = Library.create(tmp_path / "library", RATE)
    for number in range(4):
        add_film(library, f"short{number}", 1.5, fps=10, sound=noise(number)[: 3 * RATE // 2])
        add_film(library, f"silent{number}", 1.5, fps=10, sound=np.zeros(3 * RATE // 2))
    for name, message in (
        ("short", "the labelled films have 6.0 s of sound, expected 10 s or more"),
        ("silent", "all labelled films are silent or shorter than a second"),
    ):
        rows = "".join(f"{name}{number},{'ab'[number % 2]}\n" for number in range(4))
        (tmp_path / "labels.csv").write_text("film,label\n" + rows)
        made = sort(tmp_path)
        assert (made.returncode, list(tmp_path.glob("*.safetensors"))) == (1, [])
        assert message in made.stderr.splitlines()[-1]


class Writing:
    """Arrays and header of a judge, to be spoiled."""

    def __init__(self, judge: Path) -> None:
        from safetensors import safe_open

        self.arrays = load_file(judge)
        with safe_open(judge, "np") as file:
            self.header = json.loads(file.metadata()[METADATA_KEY])

    def write(self, path: Path) -> Path:
        save_file(self.arrays, path, {METADATA_KEY: json.dumps(self.header)})
        return path


def test_a_judge_survives_its_file(folder: Path, tmp_path: Path) -> None:
    judge = f2s.load_judge(folder / "judge.safetensors")
    save_judge(judge, tmp_path / "again.safetensors")
    again = f2s.load_judge(tmp_path / "again.safetensors")
    assert (again.films, again.labels, again.report) == (judge.films, judge.labels, judge.report)
    sound = tones(3).astype(np.float32)
    answers = again.hear(sound, RATE), judge.hear(sound, RATE)
    assert answers[0].labels == pytest.approx(answers[1].labels, rel=1e-5)
    assert answers[0].films == answers[1].films


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda w: w.header.update(version=2), "made by a newer version of the program"),
        (lambda w: w.header.update(kind="oracle"), "unknown classifier 'oracle'"),
        (lambda w: w.header.update(extra=1), "is not readable as a judge: .*extra"),
        (lambda w: w.header.update(labels=["a"]), "is not readable as a judge"),
        (lambda w: w.header.update(labels=["a", "a"]), "a label is there twice"),
        (lambda w: w.header["films"][0].update(label=9), "a label or a fold that is not there"),
        (lambda w: w.header.update(folds=4), "parts are missing or unknown"),
        (lambda w: w.arrays.pop("all.mean"), "missing or unknown arrays: mean"),
        (lambda w: w.arrays.update(more=np.ones(1, np.float32)), "parts are missing or unknown"),
        (lambda w: w.arrays["all.mean"].fill(np.nan), "all.mean is not finite"),
        (lambda w: w.arrays["all.deviation"].fill(0), "all.deviation is below 0.001"),
        (lambda w: w.arrays["all.mean"].fill(1e30), "all.mean is above 1e.06"),
        (lambda w: w.arrays["films.number"].fill(99), "a film that is not there"),
        (lambda w: w.arrays.update({"all.mean": np.ones(2, np.float32)}), "has shape"),
        (lambda w: w.arrays.update({"all.mean": np.ones(60)}), "is F64, expected F32"),
    ],
)
def test_a_spoiled_judge_is_refused(folder: Path, tmp_path: Path, spoil, message: str) -> None:
    writing = Writing(folder / "judge.safetensors")
    spoil(writing)
    with pytest.raises(SortingError, match=message) as refused:
        f2s.load_judge(writing.write(tmp_path / "spoiled.safetensors"))
    assert "\n" not in str(refused.value)


def test_other_files_are_no_judges(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    data = (folder / "judge.safetensors").read_bytes()
    save_file({"a": np.ones(1)}, path)
    cases = {"another kind": path.read_bytes(), "cut short or not a judge": data[:-100]}
    cases |= {"Python pickle": b"\x80\x04" + b"x" * 100, "looks like a film": b"RIFF" + data}
    for message, content in cases.items():
        path.write_bytes(content)
        with pytest.raises(SortingError, match=message):
            f2s.load_judge(path)
    with path.open("wb") as file:
        file.write(data)
        file.truncate(200 << 20)
    with pytest.raises(SortingError, match="expected at most 134217728"):
        f2s.load_judge(path)
    with pytest.raises(SortingError, match="cannot be read"):
        f2s.load_judge(tmp_path / "none.safetensors")


def test_interrupting_leaves_no_file(folder: Path) -> None:
    def interrupt(task: str, done: float, total: float | None, note: str) -> None:
        if task == "learning labels" and done >= 1:
            raise KeyboardInterrupt

    out = folder / "interrupted.safetensors"
    before = torch.get_num_threads()
    with pytest.raises(KeyboardInterrupt):
        f2s.sort(folder / "library", folder / "labels.csv", out, progress=interrupt)
    assert not list(folder.glob("*interrupted*"))
    assert torch.get_num_threads() == before


def test_hear_says_what_a_judge_says(folder: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "tone.wav", tones(60), RATE)
    soundfile.write(tmp_path / "click.wav", tones(60)[:2000], RATE)
    judge = folder / "judge.safetensors"
    said = run(tmp_path, "hear", "tone.wav", "--judge", judge).stdout
    assert re.search(r"^tone\.wav  sounds like tone \d\.\d\d, noise ", said, re.MULTILINE)
    values = json.loads(run(tmp_path, "hear", "tone.wav", "--judge", judge, "--json").stdout)
    assert next(iter(values["sounds"][0]["judge"]["labels"])) == "tone"
    short = run(tmp_path, "hear", "click.wav", "--judge", judge).stdout
    assert "note: click.wav: got 0.50 s of sound, expected 1 s or more" in short


def test_the_judge_is_a_measure_of_comparisons_by_blocks_beside_chance(folder: Path) -> None:
    judge = SegmentJudge.load(folder / "judge.safetensors")
    films = {film.name: film for film in Library.open(folder / "library").films()}
    records = {}
    for name in ("noise1", "new"):
        film = EvaluationFilm.from_held_out(HeldOutRange(films[name], 0, SECONDS * RATE))
        (segment,) = split_into_segments([film], Clock(Fraction(5), RATE))
        sounds = {"own": noise(11), "other": tones(3), "silence": np.zeros(SECONDS * RATE)}
        for system, sound in sounds.items():
            records[name, system] = measure_segment(sound.astype(np.float32), segment, judge)
    own, other, silence = (records["noise1", each] for each in ("own", "other", "silence"))
    assert own.block_sums["judge"].shape == (own_blocks := 2, 2)
    assert own.block_sums["judge"][:, 1].sum() == 9
    assert len(own.block_sums["spectral_distance_db"]) == own_blocks
    assert own.measures["judge"] > 0.6 > 0.4 > other.measures["judge"]
    assert silence.measures["judge"] == own.measures["judge_chance"] == 0.5
    assert own.measures["judge"] == pytest.approx(
        own.block_sums["judge"][:, 0].sum() / own.block_sums["judge"][:, 1].sum()
    )
    assert records["new", "own"].measures["judge"] is None
    assert "judge" not in records["new", "own"].block_sums
