"""Pictures and films on disk: writing, reading, metadata, and wrong input; and the commands."""

import json
import os
import resource
import shutil
import subprocess
import zlib

import av
import numpy as np
import pytest
import soundfile
from PIL import Image
from typer.testing import CliRunner

import frame2sound as f2s
from frame2sound.api.parameters import ParameterError
from frame2sound.carriers.layout import PageLayout
from frame2sound.carriers.parameters import CarrierParameters, Kind
from frame2sound.carriers.picture_files import from_json, read_pictures, sheet_path
from frame2sound.carriers.plan import PageChoice, plan_pages
from frame2sound.carriers.sound_input import open_sound
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
    made = f2s.to_picture(wav, tmp_path / "film.mkv", size=448, cell=4)
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
        sheet_path(path).read_text() + " " * (1 << 16),
        sheet_path(path).read_text().replace('"0"', '"1e99999999"'),
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
    ],
)
def test_outputs_that_cannot_be_are_refused(wav, tmp_path, out, options, says):
    with pytest.raises(CarrierError, match=says):
        f2s.to_picture(wav, tmp_path / out, **options)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"carrier": "nonsense"}, "expected one of"),
        ({"cell": 3}, "1, 2 or 4"),
        ({"crf": 52}, "51"),
        ({"size": 447}, "got `size=447`, expected 448 to 8192 pixels"),
        ({"size": 8193}, "got `size=8193`, expected 448 to 8192 pixels"),
    ],
)
def test_parameters_out_of_range_are_refused(wav, tmp_path, options, says):
    with pytest.raises(ParameterError, match=says):
        f2s.to_picture(wav, tmp_path / "a.mkv", **options)


@pytest.mark.parametrize(("carrier", "cell"), [("spectrum", 1), ("spectrum", 4), ("samples", 2)])
def test_pages_are_no_larger_than_was_asked_for(wav, carrier, cell):
    for size in (448, 512, 600, 608, 616, 1000, 8192):
        choice = PageChoice(Kind[carrier.upper()], cell, size)
        made = PageLayout.of(plan_pages(open_sound(wav), choice)).size
        assert max(made) <= size
        assert min(made) > size - 32


def test_what_lies_beside_is_not_replaced_unasked(wav, tmp_path):
    (tmp_path / "a.png.json").write_text("mine")
    with pytest.raises(CarrierError, match=r"a\.png\.json exists already; choose another name or"):
        f2s.to_picture(wav, tmp_path / "a.png")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png.json"]
    assert (tmp_path / "a.png.json").read_text() == "mine"
    f2s.to_picture(wav, tmp_path / "a.png", overwrite=True)
    assert from_json((tmp_path / "a.png.json").read_text()) is not None


def test_names_with_colons_and_without_a_meaning_in_utf_8(wav, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = os.fsdecode(b"bells\xff.wav")
    shutil.copy(wav, given)
    for name in ("x:y.mkv", os.fsdecode(b"x\xff.png")):
        f2s.to_picture(given, name)
        f2s.to_sound(name, f"{name}.wav")
        assert snr_db(read(wav), read(os.fsencode(f"{name}.wav"))) > 40


def test_a_full_disk_is_told(wav, tmp_path):
    f2s.to_picture(wav, tmp_path / "a.png")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(CarrierError, match=r"a\.wav cannot be written"):
            f2s.to_sound(tmp_path / "a.png", tmp_path / "a.wav")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "a.png.json"]


def test_what_carries_no_sound_is_refused(tmp_path, wav):
    (tmp_path / "text.png").write_text("no picture")
    Image.new("RGB", (200, 100), "red").save(tmp_path / "red.png")
    (tmp_path / "empty").mkdir()
    giant = Image.new("1", (20_000, 1))
    giant.save(tmp_path / "giant.png")
    claim = bytearray((tmp_path / "giant.png").read_bytes())
    claim[20:24] = claim[16:20]  # as high as wide
    claim[29:33] = zlib.crc32(claim[12:29]).to_bytes(4, "big")
    (tmp_path / "giant.png").write_bytes(claim)
    for name, says in (
        ("text.png", "not readable"),
        ("red.png", "no corner marks and no code that can be read; expected pictures that"),
        ("empty", "holds no pictures"),
        ("absent.png", "does not exist"),
        (wav, "has no pictures"),
        ("giant.png", "is damaged"),
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
