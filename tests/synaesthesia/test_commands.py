"""The commands of synaesthesia, and the same in Python, with a pair that has hardly learned."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile

import frame2sound as f2s
from frame2sound.errors import SynaesthesiaError
from frame2sound.synaesthesia.report_page import write_report
from frame2sound.synaesthesia.sound_windows import RATE
from frame2sound.synaesthesia.sounds import sounds_of_windows
from frame2sound.synaesthesia.svg_reader import read_svg
from tests.commanding import run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a pair, a sound of two seconds, and a drawing."""
    folder = tmp_path_factory.mktemp("synaesthesia")
    f2s.make_notes(folder / "notes", count=40)
    f2s.make_squiggles(folder / "squiggles", count=40)
    settings = ["training.steps=2", "training.batch=16", "clips=8"]
    f2s.train_pair(
        folder / "notes", folder / "squiggles", folder / "pair.safetensors", settings=settings
    )
    time = np.arange(2 * RATE) / RATE
    loud = np.where(time < 1.2, 0.01, 0.2)
    soundfile.write(folder / "sound.wav", loud * np.sin(2 * np.pi * 300 * time), RATE)
    return folder


def test_the_commands_make_sets_train_draw_and_sing(folder: Path, tmp_path: Path) -> None:
    said = run(tmp_path, "synaesthesia", "notes", "n", "--count", "33", "--seed", "3").stdout
    assert said == "n  33 notes\n"
    run(tmp_path, "synaesthesia", "squiggles", "s", "--count", "33")
    words = ["train", "n", "s", "-o", "p.safetensors", "--pairing", "loudness=-size"]
    said = run(tmp_path, "synaesthesia", *words, "--set", "training.steps=2").stdout
    assert re.fullmatch(r"p\.safetensors  learned 33 sounds and 33 drawings in \d+ s\n", said)
    assert f2s.load_pair(tmp_path / "p.safetensors").recipe.pairing == "loudness=-size"
    sound, pair = str(folder / "sound.wav"), ["--pair", "p.safetensors"]
    said = run(tmp_path, "synaesthesia", "draw", sound, *pair, "-o", "d.mp4", "--fps", "10").stdout
    assert said == "d.mp4  20 drawings of 1 stroke  2.000 s\n"
    said = run(tmp_path, "synaesthesia", "sing", "d.mp4", *pair, "-o", "d.wav").stdout
    assert said == "d.wav  2.000 s  22050 Hz  from 20 drawings\n"


def test_a_still_is_of_the_loudest_second_or_of_a_time(folder: Path, tmp_path: Path) -> None:
    pair = f2s.load_pair(folder / "pair.safetensors")
    drawn = f2s.draw_sound(folder / "sound.wav", tmp_path / "loud.svg", pair=pair)
    assert (drawn.frames, drawn.strokes) == (1, 1)
    at_end = tmp_path / "end.svg"
    f2s.draw_sound(folder / "sound.wav", at_end, pair=pair, at_seconds=1.55)
    assert at_end.read_text() == (tmp_path / "loud.svg").read_text()
    f2s.draw_sound(folder / "sound.wav", at_end, pair=pair, at_seconds=1.999, overwrite=True)
    f2s.draw_sound(folder / "sound.wav", at_end, pair=pair, at_seconds="0.5", overwrite=True)
    assert at_end.read_text() != (tmp_path / "loud.svg").read_text()
    with pytest.raises(
        SynaesthesiaError, match=r"got `at_seconds` 2 s, .* before the end, 2\.000 s"
    ):
        f2s.draw_sound(folder / "sound.wav", tmp_path / "x.svg", pair=pair, at_seconds=2)
    with pytest.raises(f2s.ParameterError, match="got `at_seconds` for x"):
        f2s.draw_sound(folder / "sound.wav", tmp_path / "x.mp4", pair=pair, at_seconds=1)


def test_what_is_read_is_not_replaced_and_what_exists_is_seen_first(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("frame2sound.api.sound_drawing.read_pair", None)
    for name in ("own.mp4", "own.svg"):
        (tmp_path / name).write_bytes(b"kept")
        own = tmp_path / name
        with pytest.raises(SynaesthesiaError, match="is read by this command"):
            f2s.draw_sound([folder / "sound.wav", own], own, pair="none", overwrite=True)
        with pytest.raises(SynaesthesiaError, match="exists already"):
            f2s.draw_sound(folder / "sound.wav", own, pair="none")
        assert own.read_bytes() == b"kept"
    with pytest.raises(f2s.ParameterError, match=r"ends with \.safetensors"):
        f2s.train_pair(folder / "notes", folder / "squiggles", tmp_path / "pair.wav")


def test_stems_are_laid_over_each_other(folder: Path, tmp_path: Path) -> None:
    pair = folder / "pair.safetensors"
    stems = [folder / "sound.wav", folder / "notes" / "0002-noise.wav"]
    drawn = f2s.draw_sound(stems, tmp_path / "stills", pair=pair, fps=4, voices=2)
    assert (drawn.frames, drawn.strokes, drawn.seconds) == (8, 4, 2.0)
    names = sorted(path.name for path in (tmp_path / "stills").iterdir())
    assert names == [f"{number:06d}.svg" for number in range(8)]
    outlines = read_svg(tmp_path / "stills" / "000000.svg")
    assert len(outlines) == 4
    assert len({tuple(outline.ink.round(2)) for outline in outlines}) == 4
    f2s.draw_sound(stems, tmp_path / "a.png", pair=pair, size=64)
    assert cv2.imread(str(tmp_path / "a.png")).shape == (64, 64, 3)


def test_drawings_sing_by_clips_or_phases(folder: Path, tmp_path: Path) -> None:
    pair = f2s.load_pair(folder / "pair.safetensors")
    drawing = folder / "squiggles" / "0000.svg"
    sung = f2s.sing_drawing(drawing, tmp_path / "a.wav", pair=pair)
    assert (sung.drawings, sung.seconds) == (1, 1.0)
    mosaic, rate = soundfile.read(tmp_path / "a.wav", dtype="float32")
    assert rate == RATE
    inside = slice(300, -300)
    match = max(np.corrcoef(mosaic[inside], clip[inside])[0, 1] for clip in pair.clips)
    assert match > 0.999
    for name, seed in (("b", 0), ("c", 0), ("d", 1)):
        f2s.sing_drawing(
            drawing, tmp_path / f"{name}.wav", pair=pair, by="phase", phase="random", seed=seed
        )
    first, again, other = (soundfile.read(tmp_path / f"{name}.wav")[0] for name in "bcd")
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_report_shows_sounds_strokes_and_measures(folder: Path, tmp_path: Path) -> None:
    made = f2s.report_pair(folder / "pair.safetensors", tmp_path / "pair.html")
    page = (tmp_path / "pair.html").read_text()
    assert page.count("<figure") == 24
    assert page.count("data:audio/wav") == 48
    assert not re.search(r'(src|href)="(?!data:)', page)
    measures = made.to_dict()["measures"]
    assert 0 <= measures["own sound found first through SVG"] <= 0.2  # it has hardly learned
    assert f"{measures['diversity of strokes']:.3f}" in page


def test_the_report_shows_the_quietest_sounds_and_the_loudest(folder: Path, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).uniform(-1, 1, 20 * RATE).reshape(20, RATE)
    for count in (20, 130):
        levels = 10 ** np.linspace(-3, 0, count)[:, None]
        windows = np.float32(levels * noise[np.arange(count) % 20])
        sounds = sounds_of_windows([f"sound-{number:03d}" for number in range(count)], windows)
        pair = f2s.load_pair(folder / "pair.safetensors")
        write_report(tmp_path / f"{count}.html", pair, sounds, [])
        names = re.findall(r"<figcaption>sound-(\d+)", (tmp_path / f"{count}.html").read_text())
        numbers = sorted(map(int, names))
        assert len(set(numbers)) == len(numbers) == min(count, 24)
        assert numbers[0] < 8 and numbers[-1] >= count - 8


def test_drawings_that_are_all_alike_measure_nothing(folder: Path, tmp_path: Path) -> None:
    text = (folder / "squiggles" / "0000.svg").read_text()
    for number in range(64):
        (tmp_path / f"{number}.svg").write_text(text)
    with pytest.raises(SynaesthesiaError, match="all alike, expected different ones"):
        f2s.report_pair(folder / "pair.safetensors", tmp_path / "a.html", drawings=tmp_path)


def test_silence_leaves_the_page_empty_and_says_so(folder: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silence.wav", np.zeros(RATE), RATE)
    drawn = f2s.draw_sound(
        tmp_path / "silence.wav", tmp_path / "a.png", pair=folder / "pair.safetensors", size=32
    )
    assert drawn.lines()[1] == "  note: the page is empty: no sound is louder than -66 dBFS"
    assert (cv2.imread(str(tmp_path / "a.png")) == 255).all()
    assert not f2s.draw_sound(
        folder / "sound.wav", tmp_path / "b.png", pair=folder / "pair.safetensors", size=32
    ).notes


def test_an_empty_page_is_silent(folder: Path, tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    cv2.imwrite(str(pages / "0.png"), np.full((64, 64), 255, np.uint8))
    (pages / "1.svg").write_bytes((folder / "squiggles" / "0001.svg").read_bytes())
    for by in ("mosaic", "phase"):
        out = tmp_path / f"{by}.wav"
        f2s.sing_drawing(pages, out, pair=folder / "pair.safetensors", by=by)
        sound, _ = soundfile.read(out)
        assert np.abs(sound[:RATE]).max() == 0
        assert np.abs(sound[RATE:]).max() > 1e-3


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("draw sound.wav --pair pair.safetensors -o a.svg --size 33", "an even number from 32"),
        ("draw sound.wav --pair sound.wav -o a.svg", "is not a pair"),
        ("draw sound.wav --pair pair.safetensors -o notes", "notes exists already; choose another"),
        ("draw none.wav --pair pair.safetensors -o a.svg", "none.wav"),
        ("sing sound.wav --pair pair.safetensors -o a.wav", "sound.wav"),
        ("sing squiggles --pair pair.safetensors -o a.mp3", "ends in .wav"),
        ("sing squiggles --pair pair.safetensors -o a.wav --phase pghi", "does nothing"),
        ("report --pair pair.safetensors -o a.txt", "ends in .html"),
        ("report --pair pair.safetensors --sounds notes", "got 40 seconds of sound in notes"),
        ("train notes squiggles --pairing loud=size -o b.safetensors", "got 'loud' in a pairing"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(folder: Path, words: str, told: str) -> None:
    said = run(folder, "synaesthesia", *words.split())
    assert said.returncode in (1, 2)
    assert told in said.stderr.splitlines()[-1]
    assert "Traceback" not in said.stderr
