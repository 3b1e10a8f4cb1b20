"""The command line: what it prints, how it ends, what it leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import av
import pytest
import soundfile
from safetensors.torch import load_file

from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene
from frame2sound.training.checkpoint import lock_output
from frame2sound.training.distributed import SINGLE_PROCESS
from tests.commanding import run

FAST = ["--set", "training.epochs=2", "--set", "network.hidden=[16]", "--set", "input.count=24"]


def apart(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, as a user does."""
    command = [sys.executable, "-m", "frame2sound", *map(str, words)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a film, a library of it, a brain and a silent animation."""
    folder = tmp_path_factory.mktemp("studio")
    for name, seed, sounding in (("film.mp4", 0, True), ("animation.mp4", 1, False)):
        scene = load_scene("typing", seconds=6, seed=seed, size=(64, 64))
        write_scene(scene, folder / name, with_audio=sounding)
    assert run(folder, "pickle", "film.mp4", "--library", "library").returncode == 0
    made = run(folder, "train", "library", *FAST, "--out", "brain.safetensors")
    assert made.returncode == 0, made.stderr
    return folder


def test_without_words_it_says_how_to_use_it(tmp_path: Path) -> None:
    said = apart(tmp_path)
    assert said.returncode == 2
    assert all(name in said.stdout + said.stderr for name in ("pickle", "train", "render", "demo"))


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["rendr"], "got rendr, expected a command; did you mean render?"),
        (["render", "--brain", "b"], "got no FILM, expected one"),
        (
            ["render", "x.mp4", "--brain", "b", "--mode", "loud"],
            "got --mode loud, expected overlap-add",
        ),
        (["render", "x.mp4", "--brain", "b", "--gain", "loud"], "-200dB to 60dB"),
        (["render", "x.mp4", "--brain", "b", "--loudness", "5"], "expected -70 to 0 LUFS"),
        (["render", "x.mp4", "--brain", "b", "--scale", "blue"], "got scale 'blue'"),
        (["train", "l", "--corpus", "all"], "carry"),
        (["train", "l", "--memory", "2"], "expected a size, as 500MB, 2GB or 1.5GiB"),
        (["films", "bounce", "--fps", "0"], "expected 0.01 to 1000"),
        (["films", "bounce", "--size", "big"], "WIDTHxHEIGHT"),
        (["pickle", "x.mp4", "--library", "l", "--jobs", "0"], "got --jobs 0, expected 1 or more"),
        (["pickle", "x.mp4"], "got no --library"),
        (["films", "typing", "--seconds", "90000"], "got --seconds 90000, expected 86400 or less"),
        (["films", "typing", "--seed", "x"], "got --seed x, expected a whole number"),
        (["films", "a", "b"], "got b, expected no further arguments"),
        (["films", "--out"], "got --out without a value, expected one"),
        (["demo", "--sed", "1"], "got --sed, expected an option of"),
        (["demo", "--sed", "1"], "did you mean --seed?"),
        (["pickle", "--no-calibratio"], "or --no-calibration?"),
        (
            ["pickle", "--out", "x"],
            " pickle; see: ",
        ),
    ],
)
def test_wrong_usage_ends_with_2(tmp_path: Path, words: list[str], match: str) -> None:
    said = run(tmp_path, *words)
    assert said.returncode == 2
    assert match in said.stderr
    assert said.stderr.startswith("frame2sound: ")
    assert said.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["pickle", "none.mp4", "--library", "new"], "none.mp4 cannot be read"),
        (["pickle", ".", "--library", "new"], "holds no pictures; expected a film"),
        (["train", "nowhere"], "nowhere is no library"),
        (["train", "library", "--recipe", "huge"], "no recipe 'huge'"),
        (["train", "library", "--set", "training.speed=9"], "speed"),
        (["train", "library", "--out", "brain.safetensors"], "exists already"),
        (["train", "library", "--out", "new.safetensors", "--resume"], "nothing to resume"),
        (["train", "library", "--out", "brain.pkl"], ".safetensors"),
        (["train", "library", "--out", "new.safetensors", "--memory", "0.5MB"], "got 0.00 GB of m"),
        (["train", "library", "-o", "x.safetensors", "--device", "abacus"], "abacus"),
        (["render", "animation.mp4", "--brain", "film.mp4"], "not a brain"),
        (["render", "none.mp4", "--brain", "brain.safetensors"], "no such file"),
        (["render", "animation.mp4", "--brain", "brain.safetensors", "-o", "x.gif"], "cannot hold"),
        (["films", "opera"], "typing"),
        (["brains", "film.json"], "film.json"),
    ],
)
def test_failure_ends_with_1_in_one_line_and_leaves_nothing(
    studio: Path, words: list[str], match: str
) -> None:
    before = sorted(studio.rglob("*"))
    said = run(studio, *words)
    assert said.returncode == 1
    assert match in said.stderr
    assert "Traceback" not in said.stderr
    new = {path.name for path in studio.rglob("*")} - {path.name for path in before}
    arrays = {"frames.npy", "sound.npy", "times.npy"}
    assert new <= {"new", "library.json", ".lock", "calibration", *arrays}


def test_verbose_shows_the_traceback(studio: Path) -> None:
    for words in (["-v", "train", "nowhere"], ["train", "nowhere", "-v"]):
        said = run(studio, *words)
        assert said.returncode == 1
        assert "Traceback" in said.stderr


def test_a_bad_film_stops_no_other(studio: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_text("no film")
    said = run(tmp_path, "pickle", studio / "film.mp4", "bad.mp4", "--library", "l", "--json")
    assert said.returncode == 1
    assert "1 of 2 films not pickled, the others are kept:" in said.stderr
    films = json.loads(said.stdout)["films"]
    assert {row["film"]: "error" in row for row in films} == {
        str(studio / "film.mp4"): False,
        "bad.mp4": True,
    }
    assert len(list((tmp_path / "l").glob("film-*/film.json"))) == 1


def test_plain_arrays_are_exported(studio: Path, tmp_path: Path) -> None:
    import numpy as np

    words = ["pickle", studio / "film.mp4", "--library", tmp_path / "l", "--no-calibration"]
    said = run(tmp_path, *words, "--export-npz", "arrays")
    assert said.returncode == 0, said.stderr
    (path,) = (tmp_path / "arrays").glob("*.npz")
    with np.load(path, allow_pickle=False) as arrays:
        assert arrays["frames"].shape == (180, 4096)
        assert arrays["sound"].shape == (180, 735)
        assert 0.5 < arrays["frames"].max() <= 1
    assert [p.name for p in (tmp_path / "l").iterdir() if p.is_dir()] == [path.stem]


def test_a_library_is_in_colour_where_asked_for(studio: Path, tmp_path: Path) -> None:
    import numpy as np

    words = ["pickle", studio / "film.mp4", "--library", tmp_path / "l"]
    said = run(tmp_path, *words, "--colour")
    assert said.returncode == 0, said.stderr
    shapes = [np.load(path, mmap_mode="r").shape for path in (tmp_path / "l").glob("*/frames.npy")]
    assert sorted(shapes) == [(180, 64, 64, 3), (1800, 64, 64, 3)]
    assert "already there" in run(tmp_path, *words).stdout
    said = run(tmp_path, "pickle", "film.mp4", "--library", studio / "library", "--colour")
    assert said.returncode == 1
    assert "is a library in grey, got films to pickle in colour; use another" in said.stderr
    assert said.stderr.count("\n") == 1


def test_render_writes_films_and_wavs(studio: Path, tmp_path: Path) -> None:
    words = ["render", studio / "animation.mp4", "--brain", studio / "brain.safetensors"]
    said = run(tmp_path, *words, "--json")
    assert said.returncode == 0, said.stderr
    (row,) = json.loads(said.stdout)["soundtracks"]
    with av.open(str(tmp_path / row["soundtrack"])) as film:
        assert [stream.type for stream in film.streams] == ["video", "audio"]
    again = run(tmp_path, *words)
    assert again.returncode == 1
    assert "--overwrite" in again.stderr
    assert run(tmp_path, *words, "--wav", "--mode", "granular").returncode == 0
    sound, rate = soundfile.read(tmp_path / "animation-sounding.wav")
    assert (len(sound), rate) == (6 * 22050, 22050)


@pytest.mark.parametrize("out", ["animation.mp4", "linked.mp4", "brain.safetensors"])
def test_render_never_writes_onto_what_it_reads(studio: Path, tmp_path: Path, out: str) -> None:
    for name in ("animation.mp4", "brain.safetensors"):
        (tmp_path / name).write_bytes((studio / name).read_bytes())
    (tmp_path / "linked.mp4").hardlink_to(tmp_path / "animation.mp4")
    before = (tmp_path / out).read_bytes()
    words = ["render", "animation.mp4", "--brain", "brain.safetensors", "--out", out]
    said = run(tmp_path, *words, "--overwrite")
    assert said.returncode == 1
    assert "choose another name" in said.stderr
    assert (tmp_path / out).read_bytes() == before


def test_render_several_goes_on_after_a_bad_one(studio: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_text("no film")
    words = ["render", "bad.mp4", studio / "animation.mp4", "--brain", studio / "brain.safetensors"]
    said = run(tmp_path, *words, "--out", "sounding")
    assert said.returncode == 1
    assert "1 of 2 animations not rendered, the others are done:" in said.stderr
    assert [p.name for p in (tmp_path / "sounding").iterdir()] == ["animation-sounding.mp4"]


def test_awkward_names_work(studio: Path, tmp_path: Path) -> None:
    for name in ("-leading-dash.mp4", "name with spaces, ümlaut & 映画.mp4"):
        (tmp_path / name).write_bytes((studio / "film.mp4").read_bytes())
        said = run(tmp_path, "pickle", "--library", "l", "--", name)
        assert said.returncode == 0, said.stderr
        said = apart(tmp_path, "render", "--brain", studio / "brain.safetensors", "--", name)
        assert said.returncode == 0, said.stderr
        assert (tmp_path / f"{Path(name).stem}-sounding.mp4").exists()


INTERRUPTED = """
import os, signal
import frame2sound.training.loop as loop
train_step = loop.Trainer.train_step
def interrupt(self, step):
    train_step(self, step)
    if (self.state.epoch, self.state.batch) == (1, 3):
        os.kill(os.getpid(), signal.SIGINT)
loop.Trainer.train_step = interrupt
from frame2sound.cli import main
main()
"""


def test_interrupted_training_keeps_the_best_and_resumes(studio: Path, tmp_path: Path) -> None:
    words = ["train", str(studio / "library"), "--set", "training.epochs=3"]
    words += ["--set", "network.hidden=[16]", "--set", "input.count=24", "--out"]
    command = [sys.executable, "-c", INTERRUPTED, *words, "a.safetensors"]
    first = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert first.returncode == 130, first.stderr
    assert "interrupted; what was done is kept" in first.stderr
    assert "Traceback" not in first.stderr
    kept = {"a.safetensors", "a.checkpoint.safetensors"}
    assert {path.name for path in tmp_path.iterdir()} == kept
    again = run(tmp_path, *words, "a.safetensors")
    assert again.returncode == 1
    assert "--resume" in again.stderr
    assert run(tmp_path, *words, "a.safetensors", "--resume").returncode == 0
    assert run(tmp_path, *words, "b.safetensors").returncode == 0
    resumed, whole = (load_file(tmp_path / f"{name}.safetensors") for name in "ab")
    assert all((resumed[name] == whole[name]).all() for name in whole)
    assert {path.name for path in tmp_path.iterdir()} == {"a.safetensors", "b.safetensors"}


FAILS_THEN_TRAINS = """
import sys
from frame2sound.cli import main
words = ["frame2sound", *sys.argv[1:]]
sys.argv = [*words, "--recipe", "huge"]
try:
    main()
except SystemExit as ended:
    assert ended.code == 1
else:
    raise AssertionError
sys.argv = words
main()
"""


def test_several_processes_say_once_what_is_wrong_and_train_one_brain(
    studio: Path, tmp_path: Path
) -> None:
    script, out = tmp_path / "fails_then_trains.py", tmp_path / "brains" / "brain.safetensors"
    script.write_text(FAILS_THEN_TRAINS)
    out.parent.mkdir()
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [*torchrun, str(script), "train", str(studio / "library"), *FAST]
    command += ["--set", "training.batch=9", "--memory", "1.5GiB", "--out", str(out)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert said.returncode == 0, said.stderr
    assert said.stderr.count("no recipe 'huge'") == 1
    assert said.stdout.count("parameters") == 1
    assert said.stderr.count("training deep  100 %") == 1
    assert list(out.parent.iterdir()) == [out]


def test_a_brain_that_is_being_trained_is_not_trained_by_another(
    studio: Path, tmp_path: Path
) -> None:
    out = tmp_path / "brain.safetensors"
    words = ["train", str(studio / "library"), *FAST, "--overwrite", "--out", str(out)]
    with lock_output(out, SINGLE_PROCESS):
        said = run(tmp_path, *words)
    assert said.returncode == 1
    assert f"brain.safetensors is being trained by process {os.getpid()} on" in said.stderr
    assert list(tmp_path.iterdir()) == []


def test_brains_lists_recipes_and_cards(studio: Path) -> None:
    said = run(studio, "brains").stdout
    assert "osborne-combined-big" in said
    assert "eigenframes 4096 - 2000 - 1500 - 1000 - pcm 735\n" in said
    card = json.loads(run(studio, "brains", "brain.safetensors", "--json").stdout)[0]
    assert card["provenance"]["films"][0]["name"] == "calibration"
    assert card["corpus"]["kind"] == "carried"
    assert len(card["corpus"]["films"]) == 1
    shown = run(studio, "brains", "brain.safetensors").stdout
    assert "silence 1.000" in shown
    assert "pairs of 1 film and of black and white screens in" in shown
    assert "carries 6.0 s of 1 film for mosaics, 48000 Hz stereo" in shown
    assert "predicts frequencies up to 11025 Hz" in shown


def test_piped_progress_is_plain_lines(studio: Path, tmp_path: Path) -> None:
    said = apart(tmp_path, "pickle", studio / "film.mp4", "--library", "l")
    assert "film.mp4  100 %" in said.stderr
    assert "\x1b" not in said.stderr + said.stdout


def test_help_needs_no_torch() -> None:
    code = "import sys; import frame2sound.cli; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=dict(os.environ)).returncode == 0
