"""The render command: every way of playing, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from safetensors import safe_open
from safetensors.numpy import save_file

from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene
from frame2sound.rendering.events.event_list import read_bed, read_events
from tests.commanding import run

FAST = ["--recipe", "armstrong-basic", "--set", "training.epochs=2", "--set", "network.hidden=[16]"]


SPECTRAL = ["--set", 'target={kind="stft-mag",window_length=512}']


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a film, a library of it, two brains and a silent animation."""
    folder = tmp_path_factory.mktemp("studio")
    for name, seed, sounding in (("film.mp4", 0, True), ("animation.mp4", 1, False)):
        scene = load_scene("typing", seconds=6, seed=seed, size=(64, 64))
        write_scene(scene, folder / name, with_audio=sounding)
    assert run(folder, "pickle", "film.mp4", "--library", "library").returncode == 0
    for name, settings in {"brain": [], "spectral": SPECTRAL}.items():
        words = ["train", "library", *FAST, *settings, "--out", f"{name}.safetensors"]
        made = run(folder, *words)
        assert made.returncode == 0, made.stderr
    return folder


def test_a_corpus_is_carried_pointed_to_or_given(studio: Path, tmp_path: Path) -> None:
    words = ["train", studio / "library", *FAST, "--out"]
    for how, told in {"point": "mosaics take the sound of 1 film", "none": "no sound"}.items():
        said = run(tmp_path, *words, f"{how}.safetensors", "--corpus", how)
        assert said.returncode == 0, said.stderr
        assert told in said.stdout
    mosaic = ["render", studio / "animation.mp4", "--mode", "mosaic", "--brain"]
    for extra in (["point.safetensors"], ["none.safetensors", "--corpus", studio / "library"]):
        said = run(tmp_path, *mosaic, *extra, "--wav", "--overwrite")
        assert said.returncode == 0, said.stderr
        assert "a mosaic of 6.0 s of the film film-" in said.stdout
    said = run(tmp_path, *mosaic, "none.safetensors")
    assert said.returncode == 1
    assert "give a library as --corpus, or train it with --corpus carry" in said.stderr


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_brain_whose_weights_are_not_finite_ends_in_a_line(
    studio: Path, tmp_path: Path, value: float
) -> None:
    with safe_open(studio / "brain.safetensors", "numpy") as file:
        weights = {name: file.get_tensor(name).copy() for name in file.keys()}  # noqa: SIM118
        description = file.metadata()
    weights["head.bias"][0] = value
    save_file(weights, tmp_path / "spoilt.safetensors", description)
    for mode in ("overlap-add", "granular", "mosaic"):
        words = ["--brain", "spoilt.safetensors", "--mode", mode, "-o", "out.mp4"]
        said = run(tmp_path, "render", studio / "animation.mp4", *words)
        assert said.returncode == 1
        assert "not finite" in said.stderr
        assert "train it again" in said.stderr
        assert len(said.stderr.strip().splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["spoilt.safetensors"]


@pytest.mark.parametrize(
    ("scale", "words"),
    [
        ("D minr", "did you mean 'D minor'"),
        ("minor", "write it as 'D minor'"),
        ("19", "expected a note and a scale as 'D minor'"),
    ],
)
def test_a_scale_that_is_none_is_refused_with_what_is_near(
    studio: Path, scale: str, words: str
) -> None:
    said = run(studio, "render", "animation.mp4", "--scale", scale)
    assert said.returncode == 2
    assert words in " ".join(said.stderr.split())


PLAYED = {
    "mosaic": ["--mode", "mosaic", "--mosaic", "literal=0.5", "--mosaic", "variety=0.2"],
    "cloud": ["--mode", "granular", "--cloud", "density=100..300@motion", "--cloud", "pitch=-12"],
    "tuned": ["--mode", "overlap-add", "--phase", "pghi", "--scale", "Bb minor A4=442"],
    "stolen": ["--mode", "granular", "--phase-from", "film.mp4"],
}


@pytest.mark.parametrize("name", PLAYED)
def test_every_way_of_playing(studio: Path, tmp_path: Path, name: str) -> None:
    words = ["render", "animation.mp4", "--brain", "spectral.safetensors", *PLAYED[name]]
    words += ["-o", str(tmp_path / "o.wav")]
    finish = ["--loudness", "-30", "--fade-in", "0.5", "--fade-out", "1", "--stereo"]
    said = run(studio, *words, *finish, "--effects", "reverb wet=0.2, low-pass hz=5000", "--json")
    assert said.returncode == 0, said.stderr
    (row,) = json.loads(said.stdout)["soundtracks"]
    assert row["channels"] == 2
    sound, rate = soundfile.read(tmp_path / "o.wav")
    expected = 48000 if name == "mosaic" else 22050  # a mosaic is as full as its films
    assert (sound.shape, rate) == ((6 * expected, 2), expected)


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["--cloud", "pitch=3"], "--cloud does nothing in mode overlap-add"),
        (["--mode", "mosaic", "--phase", "zero"], "--phase does nothing in mode mosaic"),
        (["--mode", "granular", "--only", "x"], "--mosaic or --only does nothing in mode granular"),
        (["--mode", "granular", "--corpus", "library"], "--corpus does nothing in mode granular"),
        (["--mode", "granular", "--cloud", "pitch=99"], "pitch=99, expected -48 to 48 semitones"),
        (["--mode", "mosaic", "--mosaic", "literal=7"], "got literal 7.0, expected 0 to 1"),
        (
            ["--mode", "mosaic", "--only", "opera"],
            "got 'opera', expected a film of the brain's corpus",
        ),
        (["--mode", "mosaic", "--corpus", "nowhere"], "nowhere is no library"),
        (["--phase", "sideways"], "expected one of phase-vocoder, random"),
        (["--effects", "gargle"], "no effect 'gargle'; expected one of reverse"),
        (["--effects-file", "none.toml"], "none.toml is not readable as a chain"),
        (["--effects", "gain db=1", "--effects-file", "a.toml"], "expected one of them"),
        (["--sample-rate", "999"], "got --sample-rate 999, expected 8000 to 192000 Hz"),
        (["--fade-in", "-2"], "got --fade-in -2, expected 0 to 60 s"),
    ],
)
def test_what_does_nothing_or_is_out_of_range_is_refused_in_one_line(
    studio: Path, tmp_path: Path, words: list[str], match: str
) -> None:
    render = ["render", "animation.mp4", "--brain", "brain.safetensors"]
    render += ["-o", str(tmp_path / "o.wav")]
    if "--mode" not in words:
        render += ["--mode", "overlap-add"]
    said = run(studio, *render, *words)
    assert said.returncode == 1
    assert match in said.stderr
    assert len(said.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


EVENTS = {"version": 1, "events": [{"time_seconds": 1.0, "level_db": -20.0}, {"time_seconds": 3}]}


@pytest.mark.parametrize("brain", ["brain", "spectral"])
@pytest.mark.parametrize("mode", ["mosaic", "overlap-add"])
def test_events_are_given_and_written(studio: Path, tmp_path: Path, brain: str, mode: str) -> None:
    (tmp_path / "events.json").write_text(json.dumps(EVENTS))
    words = [
        "render",
        str(studio / "animation.mp4"),
        "--brain",
        str(studio / brain) + ".safetensors",
    ]
    words += ["--mode", mode, "--events"]
    said = run(tmp_path, *words, "events.json", "--events-out", "all.json", "-o", "a.wav")
    assert said.returncode == 0, said.stderr
    assert "2 events, as given" in said.stdout
    (first, second) = json.loads((tmp_path / "all.json").read_text())["events"]
    assert (first["time_seconds"], second["time_seconds"], second["level_db"]) == (1.0, 3.0, -20.0)
    assert first["film"].startswith("film")
    again = run(tmp_path, *words, "all.json", "-o", "b.wav")
    assert again.returncode == 0, again.stderr
    (sound, rate), (repeated, _) = (soundfile.read(tmp_path / f"{name}.wav") for name in "ab")
    np.testing.assert_array_equal(repeated, sound)
    assert np.abs(sound[rate : rate + rate // 25]).max() > 0.05


def test_a_brain_without_events_lists_none_and_the_films_of_its_bed(
    studio: Path, tmp_path: Path
) -> None:
    brain = ["--brain", str(studio / "spectral.safetensors"), "--mode", "mosaic"]
    words = ["render", str(studio / "animation.mp4"), *brain, "--from=1", "--to=2"]
    said = run(tmp_path, *words, "--wav", "--out=o.wav", "--events-out=new.json")
    assert "there are no events, so new.json lists none" in said.stdout
    assert read_events(tmp_path / "new.json") == ()
    bed = read_bed(tmp_path / "new.json")
    assert {span.film.rpartition("-")[0] for span in bed} == {"film"}
    sound, rate = soundfile.read(tmp_path / "o.wav")
    for span in bed:
        assert 1 <= span.time_seconds < span.end_seconds <= 2
        first, end = round((span.time_seconds - 1) * rate), round((span.end_seconds - 1) * rate)
        assert np.abs(sound[first:end]).max() > 1e-3
        sound[first:end] = 0
    assert np.abs(sound).max(initial=0) < 1e-3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--sensitivity", "0.7"], "--sensitivity does nothing: "),
        (["--markers", "new.csv"], "--markers does nothing: "),
        (["--sensitivity", "2"], "got --sensitivity 2, expected 0 to 1"),
        (["--sensitivity", "0.7", "--events", "events.json"], "does nothing with --events"),
        (["--events", "none.json"], "none.json cannot be read"),
        (["--events", "events.json", "--events-out", "events.json", "--overwrite"], "is read by"),
        (["--events", "events.json", "--events-out", "o.wav"], "expected two names"),
        (["--events", "opera.json"], "sound of 'opera', expected a film"),
    ],
)
def test_options_of_events_are_refused(
    studio: Path, tmp_path: Path, words: list[str], told: str
) -> None:
    opera = {"version": 1, "events": [{"time_seconds": 1, "film": "opera", "film_seconds": 2}]}
    (tmp_path / "events.json").write_text(json.dumps(EVENTS))
    (tmp_path / "opera.json").write_text(json.dumps(opera))
    brain = ["--brain", str(studio / "spectral.safetensors"), "--mode", "mosaic", "-o", "o.wav"]
    said = run(tmp_path, "render", str(studio / "animation.mp4"), *brain, *words)
    assert said.returncode in (1, 2)
    assert told in " ".join(said.stderr.split())
    assert not (tmp_path / "o.wav").exists()


def test_one_list_of_events_is_for_one_animation(studio: Path, tmp_path: Path) -> None:
    (tmp_path / "events.json").write_text(json.dumps(EVENTS))
    films = [str(studio / "animation.mp4"), str(studio / "film.mp4")]
    brain = ["--brain", str(studio / "spectral.safetensors")]
    said = run(tmp_path, "render", *films, *brain, "--events", "events.json")
    assert said.returncode == 1
    assert "for 2 animations, expected one animation" in " ".join(said.stderr.split())
