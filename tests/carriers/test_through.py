"""Sounds go through tools for pictures, and what survives is said."""

import json
import sys

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

import frame2sound as f2s
from frame2sound.carriers import conversion
from frame2sound.carriers.picture_files import from_json
from frame2sound.carriers.sound_input import open_sound
from frame2sound.carriers.survival import measure_survival
from frame2sound.cli import app
from frame2sound.errors import CarrierError
from tests.carriers.sounds import RATE, bells, snr_db

COPY = "import shutil, sys; shutil.copy(*sys.argv[1:])"
GAMMA = (
    "import cv2, sys; i = cv2.imread(sys.argv[1]) / 255; "
    "cv2.imwrite(sys.argv[2], (255 * i**1.2).round())"
)
FOLDER = (
    "import sys, shutil, pathlib as p; "
    "[shutil.copy(f, sys.argv[2]) for f in p.Path(sys.argv[1]).glob('*.png')]"
)


def tool(script):
    return f'{sys.executable} -c "{script}" {{in}} {{out}}'


@pytest.fixture
def wav(tmp_path):
    path = tmp_path / "bells.wav"
    soundfile.write(path, bells(2), RATE, "PCM_16")
    return path


def test_a_tool_that_copies_leaves_samples_as_they_were(wav, tmp_path):
    out = tmp_path / "copied.png"
    made = f2s.send_through(wav, out, tool(COPY), carrier="samples")
    assert made.snr_db == float("inf")
    assert made.distance_db == 0
    assert made.lines()[1] == "  sound over its difference: the same to the bit"
    assert json.loads(json.dumps(made.to_dict()))["snr_db"] is None
    assert made.sound == tmp_path / "copied.png.wav"
    names = ["bells.wav", "copied.png", "copied.png.json", "copied.png.wav"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert from_json((tmp_path / "copied.png.json").read_text()).samples == 2 * RATE
    np.testing.assert_array_equal(soundfile.read(made.sound)[0], soundfile.read(wav)[0])
    assert not list(tmp_path.glob(".through-*"))


def test_what_is_read_is_not_replaced(wav, tmp_path):
    again = wav.rename(tmp_path / "a.png.wav")
    heard = again.read_bytes()
    with pytest.raises(CarrierError, match=r"a\.png\.wav is read by this command"):
        f2s.send_through(again, tmp_path / "a.png", tool(COPY), overwrite=True)
    assert again.read_bytes() == heard
    f2s.to_picture(again, tmp_path / "a.mkv")
    f2s.to_picture(again, tmp_path / "a.png")
    for name in ("a.mkv", "a.png"):
        path = tmp_path / name
        seen = path.read_bytes()
        with pytest.raises(CarrierError, match=rf"{name} is read by this command"):
            f2s.filter_picture(path, path, mirror=True, overwrite=True)
        with pytest.raises(CarrierError, match=rf"{name} is read by this command|no audio"):
            f2s.to_picture(path, path, overwrite=True)
        assert path.read_bytes() == seen


def test_what_a_tool_changed_is_measured_and_told(wav, tmp_path):
    made = f2s.send_through(wav, tmp_path / "dark.png", tool(GAMMA))
    sound, again = (
        soundfile.read(path, dtype="float32", always_2d=True)[0] for path in (wav, made.sound)
    )
    assert made.snr_db == pytest.approx(snr_db(sound, again), abs=0.1)
    assert made.snr_db > 30
    assert any("levels or hues had changed" in note for note in made.notes)


def test_folders_go_through_a_tool(wav, tmp_path):
    shown = []
    made = f2s.send_through(
        wav, tmp_path / "pages", tool(FOLDER), size=448, cell=4,
        progress=lambda task, *_: shown.append(task),
    )  # fmt: skip
    assert set(shown) == {"bells.wav", "pages"}
    assert made.snr_db > 40
    assert len(list((tmp_path / "pages").glob("*.png"))) > 1


def test_half_the_energy_lost_is_three_decibels(wav, tmp_path):
    other = tmp_path / "other.wav"
    sound = soundfile.read(wav)[0]
    soundfile.write(other, sound * (1 - np.sqrt(0.5)), RATE, "FLOAT")
    left = measure_survival(open_sound(wav), open_sound(other), -10)
    assert left.snr_db == pytest.approx(3.01, abs=0.01)
    assert left.convergence_db == pytest.approx(-3.01, abs=0.01)
    assert left.distance_db == pytest.approx(-20 * np.log10(1 - np.sqrt(0.5)), abs=0.01)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("convert", "without {in}"),
        ("convert {in}", "without {out}"),
        ('convert "{in} {out}', "close the quotation"),
        ("no-such-tool-at-all {in} {out}", "cannot be started"),
        (tool("raise SystemExit('no memory')"), "failed: no memory"),
        (tool("pass"), "wrote nothing"),
        (tool("import sys; open(sys.argv[2], 'w').write('x')"), "not readable"),
    ],
)
def test_a_tool_that_fails_is_told_in_a_line_and_leaves_nothing(wav, tmp_path, command, says):
    with pytest.raises(CarrierError) as failure:
        f2s.send_through(wav, tmp_path / "out.png", command)
    assert says in str(failure.value)
    assert "made" not in str(failure.value)
    assert "\n" not in str(failure.value)
    assert [path.name for path in tmp_path.iterdir()] == ["bells.wav"]


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("out.jpg", {}, r"got .*out\.jpg, expected .png"),
        ("out.mp4", {}, "cannot hold FFV1"),
        ("out.png", {"carrier": "scroll"}, r"got .*out\.png, expected \.mkv or a folder"),
        ("there.png", {}, r"there\.png\.json exists already; choose another name or give"),
        ("sung.png", {}, r"sung\.png\.wav exists already; choose another name or give"),
    ],
)
def test_an_output_that_cannot_be_is_told_before_anything_is_drawn(
    wav, tmp_path, name, options, says, monkeypatch
):
    (tmp_path / "there.png.json").touch()
    (tmp_path / "sung.png.wav").touch()
    monkeypatch.setattr(conversion, "open_sound", None)
    with pytest.raises(CarrierError, match=says):
        f2s.send_through(wav, tmp_path / name, tool(COPY), **options)
    assert len(list(tmp_path.iterdir())) == 3


def test_the_command_prints_what_survives(wav, tmp_path):
    words = ["to-picture", str(wav), "-o", str(tmp_path / "out.png"), "--through", tool(COPY)]
    made = CliRunner().invoke(app, words)
    assert made.exit_code == 0
    assert "  spectral convergence: -4" in made.stdout
    again = CliRunner().invoke(app, words)
    assert again.exit_code == 1
    assert "exists already" in again.output
