"""The command hear: of sounds, films and libraries, and of what cannot be heard."""

from __future__ import annotations

import csv
import json
import os
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import soundfile

import frame2sound as f2s
from frame2sound.listening.frame_table import COLUMNS
from frame2sound.listening.listener import SCALARS, Listener
from tests.commanding import run
from tests.listening.signals import in_key
from tests.media_files import Audio, make_film

RATE = 16_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sounds of several kinds."""
    folder = tmp_path_factory.mktemp("hear")
    chords = in_key(9, "minor", "scale", RATE, 0.25)
    soundfile.write(folder / "scale.wav", chords, RATE)
    sides = np.stack([chords[:RATE], -chords[:RATE]], axis=1)
    soundfile.write(folder / "cancels.wav", sides, RATE)
    soundfile.write(folder / "silence.wav", np.zeros(RATE), RATE)
    soundfile.write(folder / "few.wav", np.full(5, 0.1), RATE)
    soundfile.write(folder / "none.wav", np.zeros(0), RATE)
    soundfile.write(folder / "hot.wav", np.array([0.0, np.nan]), RATE, subtype="FLOAT")
    (folder / "text.wav").write_text("no sound")
    (folder / "text.raw").write_text("no sound")
    return folder


def test_the_table_has_a_row_for_each_feature(folder: Path) -> None:
    made = run(folder, "hear", "scale.wav")
    assert made.returncode == 0, made.stderr
    head, title, *rows = made.stdout.splitlines()
    assert head == "scale.wav  4.000 s  16000 Hz  mono"
    assert title.split() == ["feature", "median", "spread", "unit"]
    names = [row.partition("  ")[0] for row in rows]
    assert names[:3] == ["level", "centroid", "bandwidth"]
    assert names[-5:] == ["onsets", "tempo", "key", "loudness", "notes"]
    assert rows[-3].split()[1:3] == ["A", "minor"]
    assert rows[-1].split()[1] == "15"  # the upper tonic is held


def test_json_has_units_definitions_and_all_values(folder: Path) -> None:
    made = run(folder, "hear", "scale.wav", "--json")
    page = json.loads(made.stdout)
    (sound,) = page["sounds"]
    assert sound["key"]["name"] == "A minor" and len(sound["mfcc"]) == 20
    assert sound["features"]["pitch_hz"]["median"] == pytest.approx(330, rel=0.3)
    assert len(sound["notes"]) == 15 and sound["notes"][0]["hz"] == pytest.approx(220, rel=1e-3)
    definitions = page["definitions"]
    assert set(definitions) >= {*SCALARS, "mfcc", "chroma", "tempo", "key", "loudness", "onsets"}
    assert definitions["centroid_hz"]["unit"] == "Hz"
    assert all(each["definition"].endswith(".") for each in definitions.values())


def test_csv_picture_and_midi_are_written_once(folder: Path, tmp_path: Path) -> None:
    pytest.importorskip("mido")
    suffixes = {"csv": "csv", "picture": "png", "midi": "midi"}
    names = {kind: tmp_path / f"out.{suffix}" for kind, suffix in suffixes.items()}
    options = [word for kind, path in names.items() for word in (f"--{kind}", str(path))]
    assert run(folder, "hear", "scale.wav", *options, "--scale", "19-tet").returncode == 0
    with names["csv"].open(newline="") as file:
        head, *rows = csv.reader(file)
    assert tuple(head) == COLUMNS
    assert len(rows) == 1 + 4 * RATE // 512
    assert float(rows[-1][head.index("seconds")]) == pytest.approx(4)
    assert float(rows[3][head.index("pitch_hz")]) == pytest.approx(220, rel=1e-3)
    assert rows[-1][head.index("chroma_C#")] != ""
    picture = cv2.imread(str(names["picture"]))
    assert picture.shape == (900, 1400, 3) and picture.std() > 20
    again = run(folder, "hear", "scale.wav", *options)
    assert again.returncode == 1 and "exists already" in again.stderr


@pytest.mark.parametrize(
    ("name", "dashes", "reasons"),
    [
        ("silence.wav", 10, {"pitch": "silence", "tempo": "silence", "key": "silence"}),
        ("few.wav", 3, {"loudness": "shorter than 0.4 s", "tempo": "0 onsets, expected 6"}),
        ("cancels.wav", 10, {"pitch": "silence in mono: the channels cancel out"}),
    ],
)
def test_what_is_not_there_is_a_dash_and_why(
    folder: Path, name: str, dashes: int, reasons: dict[str, str]
) -> None:
    printed = run(folder, "hear", name).stdout
    assert sum(" -" in line for line in printed.splitlines()) >= dashes
    (sound,) = f2s.hear(folder / name).to_dict()["sounds"]
    assert reasons.items() <= sound["why"].items()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none.wav", "no samples"),
        ("hot.wav", "not finite"),
        ("text.wav", "not readable as a film"),
        ("text.raw", "not readable as a film"),
        ("missing.wav", "no such file"),
        ("slow.wav", "got 100 samples a second, expected 1000 to 1000000"),
        ("pipe.wav", "no regular file"),
    ],
)
def test_what_cannot_be_heard_is_said_in_one_line(
    folder: Path, tmp_path: Path, name: str, message: str
) -> None:
    if name == "slow.wav":
        soundfile.write(tmp_path / name, np.full(500, 0.1), 100)
    if name == "pipe.wav":
        os.mkfifo(tmp_path / name)
    where = tmp_path if (tmp_path / name).exists() else folder
    made = run(where, "hear", name)
    assert made.returncode == 1 and message in made.stderr
    assert len(made.stderr.splitlines()) == 1 and not made.stdout


def test_sound_of_a_kind_that_films_have_is_heard(tmp_path: Path) -> None:
    path, rate = tmp_path / "tone.m4a", 44_100
    tone = 0.5 * np.sin(2 * np.pi * 330 * np.arange(2 * rate) / rate)
    with av.open(path, "w") as container:
        stream = container.add_stream("aac", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone[None].astype(np.float32), "fltp", "mono")
        frame.sample_rate, frame.pts = rate, 0
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    heard = f2s.hear(path).sounds[0].heard
    assert heard.spreads["pitch_hz"].median == pytest.approx(330, rel=1e-3)
    assert heard.seconds == pytest.approx(2, abs=0.15)  # of a codec's own frames


def test_an_input_is_not_overwritten_by_a_table(folder: Path, tmp_path: Path) -> None:
    sound = tmp_path / "a.wav"
    sound.write_bytes((folder / "scale.wav").read_bytes())
    for option, suffix in (("--csv", ".csv"), ("--picture", ".png"), ("--midi", ".mid or .midi")):
        made = run(tmp_path, "hear", "a.wav", option, "a.wav", "--overwrite")
        assert f"got {option} a.wav, expected a name that ends with {suffix}\n" in made.stderr
    assert sound.read_bytes() == (folder / "scale.wav").read_bytes()


def test_no_spreadsheet_takes_a_name_for_a_formula(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "=1+1\n.wav", np.zeros(RATE // 4), RATE)
    made = run(tmp_path, "hear", ".", "--csv", "a.csv")
    assert made.returncode == 0, made.stderr
    with (tmp_path / "a.csv").open(newline="") as file:
        assert {row["sound"] for row in csv.DictReader(file)} == {"'=1+1\\n.wav"}


def test_a_picture_of_silence_is_dark(folder: Path, tmp_path: Path) -> None:
    f2s.hear(folder / "silence.wav", picture=tmp_path / "a.png")
    assert np.median(cv2.imread(str(tmp_path / "a.png"))) < 40


def test_a_folder_has_a_row_for_each_sound_and_a_note_for_each_file_that_is_none(
    folder: Path,
) -> None:
    made = run(folder.parent, "hear", folder.name, "--json")
    assert made.returncode == 0, made.stderr
    page = json.loads(made.stdout)
    assert [sound["sound"] for sound in page["sounds"]] == [
        "cancels.wav",
        "few.wav",
        "scale.wav",
        "silence.wav",
    ]
    assert len(page["notes"]) == 4 and all(note.startswith("left out: ") for note in page["notes"])
    alone = json.loads(run(folder, "hear", "scale.wav", "--json").stdout)
    assert page["sounds"][2] == alone["sounds"][0]
    several = run(folder, "hear", "scale.wav", "few.wav", "--midi", "a.mid")
    assert several.returncode == 2 and "made of one sound, got several" in several.stderr


def test_a_library_has_a_row_for_each_film_and_neither_picture_nor_midi(
    make_film_library: Path,
) -> None:
    made = run(make_film_library.parent, "hear", make_film_library.name)
    assert made.returncode == 0, made.stderr
    head, *rows, count = made.stdout.splitlines()
    assert head.split()[:3] == ["sound", "seconds", "centroid"]
    assert len(rows) == 1 and rows[0].startswith("typing-")
    assert count.startswith("1 sound;")
    refused = run(make_film_library.parent, "hear", make_film_library.name, "--picture", "a.png")
    assert refused.returncode == 2 and "--picture is made of one sound" in refused.stderr
    unknown = run(make_film_library.parent, "hear", "typing.mp4", "--scale", "D mynor")
    assert unknown.returncode == 2 and "--scale" in unknown.stderr


@pytest.fixture(scope="module")
def make_film_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of one drawn film, beside the film."""
    from frame2sound.film.drawing.demo_films import load_scene
    from frame2sound.film.drawing.scene_writer import write_scene

    folder = tmp_path_factory.mktemp("heard-library")
    write_scene(load_scene("typing", seconds=2, seed=0, size=(64, 64)), folder / "typing.mp4")
    f2s.Library.create(folder / "library").add_films([folder / "typing.mp4"])
    return folder / "library"


def test_memory_does_not_grow_with_the_sound() -> None:
    listener = Listener(8000)
    noise = 0.1 * np.random.default_rng(0).standard_normal((8000 * 2, 1)).astype(np.float32)
    sizes = []
    for _ in range(6):
        list(listener.process(noise))
        kept = [*vars(listener._extractor).values(), *vars(listener._pitches).values()]
        kept += [*vars(listener._onset_tracker).values(), *vars(listener._tempo).values()]
        sizes.append(sum(each.nbytes for each in kept if isinstance(each, np.ndarray)))
    assert max(sizes[1:]) < 1.2 * min(sizes[1:])


def test_the_table_has_no_rows_of_a_sound_that_is_left_out(tmp_path: Path) -> None:
    spoiled = 0.1 * np.sin(np.arange(8 * RATE))
    soundfile.write(tmp_path / "a.wav", spoiled[:RATE], RATE)
    soundfile.write(tmp_path / "c.wav", spoiled[RATE : 2 * RATE], RATE)
    spoiled[-1] = np.nan
    soundfile.write(tmp_path / "b.wav", spoiled, RATE, subtype="FLOAT")
    result = f2s.hear([tmp_path / f"{name}.wav" for name in "abc"], csv=tmp_path / "all.csv")
    assert [sound.name for sound in result.sounds] == ["a.wav", "c.wav"]
    (note,) = result.notes
    assert note.startswith("left out: ")
    with (tmp_path / "all.csv").open(newline="") as file:
        rows = [row["sound"] for row in csv.DictReader(file)]
    f2s.hear(tmp_path / "a.wav", csv=tmp_path / "one.csv")
    one = len((tmp_path / "one.csv").read_text().splitlines()) - 1
    assert rows == ["a.wav"] * one + ["c.wav"] * one


def test_damage_of_a_film_is_said(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (50, 64, 64), np.uint8)
    tone = 0.1 * np.sin(np.arange(2 * RATE))
    film = make_film(tmp_path / "a.mkv", noise, fps=Fraction(25), audio=Audio(tone, RATE))
    content = film.read_bytes()
    film.write_bytes(content[: len(content) // 4])
    assert run(tmp_path, "hear", "a.mkv").returncode == 1
    made = run(tmp_path, "hear", "a.mkv", "--allow-damaged")
    assert made.returncode == 0, made.stderr
    assert "note: a.mkv: damaged from " in made.stdout


def test_a_scale_without_notes_is_refused(folder: Path) -> None:
    made = run(folder, "hear", "scale.wav", "--scale", "19-tet")
    assert made.returncode == 2
    assert "--scale does nothing without --midi; give --midi or leave it out" in made.stderr
