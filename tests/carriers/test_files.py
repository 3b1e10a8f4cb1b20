"""Pictures and films on disk: writing, reading, metadata, and wrong input; and the commands."""

import json
import shutil
import subprocess

import av
import numpy as np
import pytest
import soundfile
from PIL import Image
from typer.testing import CliRunner

import frame2sound as f2s
from frame2sound.api.parameters import ParameterError
from frame2sound.carriers.parameters import CarrierParameters
from frame2sound.carriers.picture_files import from_json, read_pictures, sheet_path
from frame2sound.cli import app
from frame2sound.errors import CarrierError
from tests.carriers.sounds import RATE, bells, snr_db


@pytest.fixture(scope="module")
def wav(tmp_path_factory):
    path = tmp_path_factory.mktemp("sound") / "bells.wav"
    soundfile.write(path, bells(1, channels=2), RATE, "PCM_16")
    return path


def read(path):
    return soundfile.read(path, dtype="float32", always_2d=True)[0]


@pytest.mark.parametrize("name", ["page.png", "film.mkv", "pages"])
def test_samples_are_exact_in_files(wav, tmp_path, name):
    made = f2s.to_picture(wav, tmp_path / name, carrier="samples", size=512)
    found = f2s.to_sound(tmp_path / name, tmp_path / "again.wav")
    np.testing.assert_array_equal(read(tmp_path / "again.wav"), read(wav))
    assert soundfile.info(tmp_path / "again.wav").subtype == "PCM_16"
    assert (made.carrier, found.carrier, found.missing) == ("samples", "samples", 0)
    assert (found.sample_rate, found.channels, found.seconds) == (RATE, 2, 1.0)


@pytest.mark.parametrize(
    ("name", "options", "least_db"),
    [
        ("page.png", {}, 40),
        ("film.mkv", {"size": 512}, 40),
        ("film.mp4", {"crf": 18, "cell": 2}, 25),
        ("scroll.mp4", {"carrier": "scroll", "crf": 18}, 26),
    ],
)
def test_spectra_come_back_from_files(wav, tmp_path, name, options, least_db):
    f2s.to_picture(wav, tmp_path / name, **options)
    found = f2s.to_sound(tmp_path / name, tmp_path / "again.wav")
    assert snr_db(read(wav), read(tmp_path / "again.wav")) > least_db
    assert not found.notes


def test_ffmpeg_reads_the_samples(wav, tmp_path):
    if shutil.which("ffmpeg") is None:
        pytest.skip("FFmpeg's command line is not installed")
    f2s.to_picture(wav, tmp_path / "film.mkv", carrier="samples")
    words = ["ffmpeg", "-v", "error", "-i", tmp_path / "film.mkv", "-pix_fmt", "gray16le"]
    raw = subprocess.run([*words, "-f", "rawvideo", "-"], capture_output=True, check=True).stdout
    (ours,) = [picture.rgb[..., 0] for picture in read_pictures(tmp_path / "film.mkv")]
    theirs = np.frombuffer(raw, "<u2").reshape(ours.shape)
    np.testing.assert_array_equal(np.rint(ours * 257), theirs)


def test_a_film_of_pages_lasts_as_long_as_the_sound(wav, tmp_path):
    made = f2s.to_picture(wav, tmp_path / "film.mkv", size=256)
    with av.open(str(tmp_path / "film.mkv")) as film:
        seconds = made.pictures / film.streams.video[0].average_rate
    assert made.pictures > 1
    page, window = seconds / made.pictures, 0.02
    assert 1 <= seconds < 1 + window + page  # the last page is filled up


@pytest.mark.parametrize("name", ["page.png", "film.mkv", "pages"])
def test_the_parameters_stand_in_the_file_and_beside_it(wav, tmp_path, name):
    path = tmp_path / name
    f2s.to_picture(wav, path)
    beside = from_json(sheet_path(path).read_text())
    assert isinstance(beside, CarrierParameters)
    if name == "page.png":
        assert from_json(Image.open(path).info["frame2sound"]) == beside
    if name == "film.mkv":
        with av.open(str(path)) as film:
            assert from_json(film.metadata["COMMENT"]) == beside


def test_a_json_beside_with_nonsense_is_passed_over(wav, tmp_path):
    path = tmp_path / "page.png"
    f2s.to_picture(wav, path)
    for text in (
        "{",
        "[]",
        '{"frame2sound": 3}',
        '{"frame2sound": {"kind": "samples"}}',
        "9" * 5000,
    ):
        sheet_path(path).write_text(text)
        f2s.to_sound(path, tmp_path / "again.wav", overwrite=True)
    assert snr_db(read(wav), read(tmp_path / "again.wav")) > 40


def test_a_truth_beside_a_film_is_not_overwritten(tmp_path, wav):
    (tmp_path / "film.json").write_text("the truth of film.mp4")
    f2s.to_picture(wav, tmp_path / "film.png")
    assert (tmp_path / "film.json").read_text() == "the truth of film.mp4"


@pytest.mark.parametrize("mode", ["RGBA", "L", "P"])
def test_pictures_of_other_kinds_are_read(wav, tmp_path, mode):
    f2s.to_picture(wav, tmp_path / "page.png", carrier="magnitude")
    Image.open(tmp_path / "page.png").convert(mode).save(tmp_path / "other.png")
    found = f2s.to_sound(tmp_path / "other.png", tmp_path / "again.wav")
    assert found.carrier == "magnitude"
    assert len(read(tmp_path / "again.wav")) == RATE


@pytest.mark.parametrize(
    ("out", "options", "says"),
    [
        ("a.jpg", {}, "expected .png, .mkv, .mp4, .mov, or the name of a folder"),
        ("a.mp4", {}, "cannot hold FFV1"),
        ("a.png", {"crf": 20}, "is for films"),
        ("a.mp4", {"crf": 20, "carrier": "samples"}, "H.264 rounds samples"),
        ("a.png", {"carrier": "scroll"}, "a scrolling carrier is a film"),
        ("a.mkv", {"size": 256, "cell": 4}, "expected at least 2048"),
    ],
)
def test_outputs_that_cannot_be_are_refused(wav, tmp_path, out, options, says):
    with pytest.raises(CarrierError, match=says):
        f2s.to_picture(wav, tmp_path / out, **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "says"),
    [({"carrier": "nonsense"}, "expected one of"), ({"cell": 3}, "1, 2 or 4"), ({"crf": 52}, "51")],
)
def test_parameters_out_of_range_are_refused(wav, tmp_path, options, says):
    with pytest.raises(ParameterError, match=says):
        f2s.to_picture(wav, tmp_path / "a.mkv", **options)


def test_what_carries_no_sound_is_refused(tmp_path, wav):
    (tmp_path / "text.png").write_text("no picture")
    Image.new("RGB", (200, 100), "red").save(tmp_path / "red.png")
    (tmp_path / "empty").mkdir()
    for name, says in (
        ("text.png", "not readable"),
        ("red.png", "no corner marks and no code that can be read; expected pictures that"),
        ("empty", "holds no pictures"),
        ("absent.png", "does not exist"),
        (wav, "has no pictures"),
    ):
        with pytest.raises(CarrierError, match=says):
            f2s.to_sound(tmp_path / name, tmp_path / "again.wav")
    assert not (tmp_path / "again.wav").exists()


def test_a_sound_that_is_none_is_refused(tmp_path):
    (tmp_path / "a.wav").write_text("no sound")
    with pytest.raises(CarrierError, match=r"a\.wav"):
        f2s.to_picture(tmp_path / "a.wav", tmp_path / "a.png")


def test_the_commands_say_what_was_made(wav, tmp_path):
    page, again = tmp_path / "page.png", tmp_path / "again.wav"
    made = CliRunner().invoke(app, ["to-picture", str(wav), "-o", str(page)])
    assert made.exit_code == 0
    assert f"{page}  1 picture of " in made.stdout
    read_back = CliRunner().invoke(app, ["to-sound", str(page), "-o", str(again)])
    assert read_back.exit_code == 0
    assert f"{again}  1.000 s  8000 Hz  from 1 picture  spectrum" in read_back.stdout
    refused = CliRunner().invoke(app, ["to-sound", str(page), "-o", str(again)])
    assert refused.exit_code == 1
    assert "exists already; choose another name or give --overwrite" in refused.output


def test_the_results_are_plain_values(wav, tmp_path):
    made = f2s.to_picture(wav, tmp_path / "page.png")
    found = f2s.to_sound(tmp_path / "page.png", tmp_path / "again.wav")
    assert json.loads(json.dumps(made.to_dict()))["pictures"] == 1
    assert json.loads(json.dumps(found.to_dict()))["seconds"] == 1.0
