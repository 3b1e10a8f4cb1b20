"""``frame2sound measure``: table, JSON, plot, and errors."""

import json
import re
from fractions import Fraction

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from frame2sound.cli import app
from frame2sound.evaluation.media_loader import MediaLoader, without_padding
from frame2sound.film.decoding.probe import probe_streams
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene
from tests.media_files import Audio, VideoEncoding, make_film

RATE = 48000
BLACK = np.zeros((64, 64), np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("measured")
    for name, film, with_audio in (("film", "bounce", True), ("mute", "typing", False)):
        scene = load_scene(film, seconds=5, seed=2, size=(64, 64))
        write_scene(scene, folder / f"{name}.mp4", with_audio=with_audio)
    return folder


def run_measure(*words):
    return CliRunner().invoke(app, ["measure", *map(str, words)])


def measure(*words):
    result = run_measure(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def black_film(path, samples, layout="mono", codec="pcm_f32le", seconds=5):
    audio = Audio(np.asarray(samples, np.float32), RATE, codec, layout)
    return make_film(path, [BLACK] * (24 * seconds), fps=Fraction(24), audio=audio)


def test_a_film_against_its_truth_and_itself(folder):
    film = folder / "film.mp4"
    result = run_measure(film, "--reference", film, "--truth", film.with_suffix(".json"))
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["good", "silence", "shuffled"]
    assert max(map(len, lines)) <= 100
    starts = [line.split("  ")[0] for line in lines]
    for name in ("length", "onset F", "pitch", "line comb", "loudness", "true peak"):
        assert name in starts
    assert next(line for line in lines if line.startswith("length")).split()[1] == "+0"


def test_json_has_nulls_with_reasons(folder):
    page = measure(folder / "film.mp4")
    assert page["length_samples"] == 0  # the codec's padding is not played
    assert page["onset_f"] is None
    assert page["why"]["onset_f"] == "needs a reference or the truth"
    assert page["baselines"] == {}
    page = measure(folder / "film.mp4", "--truth", folder / "film.json")
    assert page["onset_f"] > 0.9
    assert page["baselines"]["silence"]["onset_f"] == 0


def test_without_reference_the_table_says_what_is_missing(folder):
    text = run_measure(folder / "film.mp4").stdout
    assert "not measured: pitch, level error (needs the truth)" in text
    assert "\nonset F" not in text


def good_values(*words):
    """Good values by label: the fourth column of the table."""
    lines = run_measure(*words).stdout.splitlines()
    place = lines[0].index("good")
    end = lines[0].find("silence") if "silence" in lines[0] else None
    good = {}
    for line in lines[1:]:
        if not line.startswith("not measured"):
            name = re.split(r"  +[-+.\d]|  +silent", line)[0]
            good[name] = line[place:end].strip()
    return good


def film_with_tremolo(path):
    """Black film with noise that swells with each frame, a second longer than the picture."""
    time = np.arange(6 * RATE) / RATE
    noise = np.random.default_rng(0).standard_normal(len(time))
    return black_film(path, 0.05 * noise * (1 + np.cos(2 * np.pi * 24 * time)))


def test_hum_and_level_in_black_are_rated_only_with_a_reference(tmp_path):
    film = film_with_tremolo(tmp_path / "film.mkv")
    page = measure(film)
    assert page["tremolo_comb_db"] > 10
    assert page["black_db"] > -40
    assert page["length_samples"] == RATE
    assert {name for name, good in good_values(film).items() if good} == {
        "loudness",
        "true peak",
        "clipped",
    }
    page = measure(film, "--reference", film)
    for name in ("tremolo_comb_above_db", "black_above_db"):
        assert page[name] == pytest.approx(0, abs=0.1)
    good = good_values(film, "--reference", film)
    assert good["tremolo comb"] == good["line comb"] == good["black"] == ""
    assert good["  above the reference's"] == "at most 3"
    assert good["length"] == "0"
    assert good["onset F"] == "above 0.95"


def test_with_the_truth_onset_f_has_no_fixed_limit(folder):
    known = good_values(folder / "film.mp4", "--truth", folder / "film.json")
    assert known["onset F"] == "high"
    assert "in sync" not in known  # it takes the film's own sound
    assert known["pitch"] == "above 0.9"
    assert known["tremolo comb"] == ""


def test_levels_are_of_all_channels_and_black_of_their_mean(tmp_path):
    left = 0.5 * np.sin(2 * np.pi * 997 * np.arange(5 * RATE) / RATE)
    page = measure(black_film(tmp_path / "a.mkv", [left, 0 * left], "stereo"))
    assert page["true_peak_dbtp"] == pytest.approx(-6.02, abs=0.1)
    assert page["loudness_lufs"] == pytest.approx(-9.03, abs=0.1)  # BS.1770-4
    assert page["black_db"] == pytest.approx(-15.05, abs=0.1)  # of the mean of both


def test_the_length_differs_by_the_samples_that_are_missing_or_too_many(tmp_path):
    for extra in (-3000, 7000):
        sound = np.full(5 * RATE + extra, 0.01)
        page = measure(black_film(tmp_path / f"{extra}.mkv", sound))
        assert page["length_samples"] == extra


def test_silence_has_levels_but_no_hum(tmp_path):
    page = measure(black_film(tmp_path / "silent.mkv", np.zeros(5 * RATE)))
    assert page["black_db"] == page["loudness_lufs"] == -200
    assert page["line_comb_db"] is None
    assert "silent" in run_measure(tmp_path / "silent.mkv").stdout


@pytest.mark.parametrize(
    ("frames", "rate", "level"),
    [
        (1, 2000, 0.0),
        (24, 2000, 0.1),
        (1, 8000, 0.1),
        (24, 8000, 0.0),
        (1, 192_000, 0.1),
        (24, 192_000, 0.0),
    ],
)
def test_short_films_extreme_rates_and_silence_are_measured_and_plotted(
    tmp_path, frames, rate, level
):
    sound = level * np.sin(2 * np.pi * 440 * np.arange(round(frames * rate / 24)) / rate)
    audio = Audio(sound.astype(np.float32), rate, "pcm_f32le", "mono")
    film = make_film(tmp_path / "film.mkv", [BLACK] * frames, fps=Fraction(24), audio=audio)
    picture = tmp_path / "picture.png"
    page = measure(film, "--reference", film, "--picture", picture)
    # Sound below 8000 Hz is resampled, which can change its length by a sample.
    assert abs(page["length_samples"]) <= (rate < 4000)
    assert page["spectral_distance_db"] == (0 if level else None)
    assert page["clipped"] == 0
    # A sine's peak, and where it is cut off up to 9 % more between samples (Gibbs).
    assert page["true_peak_dbtp"] == pytest.approx(-20 if level else -200, abs=1.5)
    assert page["line_comb_db"] is None
    assert picture.exists()


def test_a_plot_is_written_and_not_overwritten(folder, tmp_path):
    path = tmp_path / "new" / "picture.png"
    words = folder / "film.mp4", "--truth", folder / "film.json", "--picture", path
    assert run_measure(*words).exit_code == 0
    assert path.read_bytes().startswith(b"\x89PNG")
    again = run_measure(*words)
    assert again.exit_code == 1
    assert "exists already" in again.output
    assert run_measure(*words, "--overwrite").exit_code == 0


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["mute.mp4"], "mute.mp4 has no sound to measure; give a film with sound"),
        (["none.mp4"], "no such file"),
        (
            ["film.mp4", "--reference", "mute.mp4"],
            "mute.mp4 has no sound, so it cannot be a reference",
        ),
        (["film.mp4", "--truth", "film.mp4"], "film.mp4 is not the truth of a demo film"),
        (["film.mp4", "--truth", "none.json"], "none.json cannot be read"),
    ],
)
def test_what_cannot_be_measured_is_refused(folder, monkeypatch, words, match):
    monkeypatch.chdir(folder)
    result = run_measure(*words)
    assert result.exit_code == 1
    assert match in " ".join(result.output.split())


def test_the_picture_is_a_png(folder):
    film = folder / "film.mp4"
    result = run_measure(film, "--picture", film, "--overwrite")
    assert result.exit_code == 2
    assert "film.mp4, expected a name that ends with .png" in " ".join(result.output.split())
    assert film.stat().st_size > 0


@pytest.mark.parametrize("option", [None, "--reference", "--truth"])
def test_the_picture_is_no_file_that_is_read(folder, tmp_path, option):
    read, link = tmp_path / "read.png", tmp_path / "link.png"
    read.write_bytes(b"read")
    link.symlink_to(read)
    words = [read] if option is None else [folder / "film.mp4", option, read]
    result = run_measure(*words, "--picture", link, "--overwrite")
    assert result.exit_code == 1
    assert "link.png is read by this command; choose another name" in result.output
    assert read.read_bytes() == b"read"


FRAME = {"pitch_hz": None, "loudness_db": -20.0}
PAGE = {"film": "a", "seed": 0, "fps": "30", "sample_rate": 48000, "onsets": [], "frames": [FRAME]}
BAD_TRUTHS = [
    [],
    "x",
    {"film": 1},
    PAGE | {"fps": "1/0"},
    PAGE | {"fps": "0"},
    PAGE | {"onsets": "soon"},
    PAGE | {"frames": [FRAME | {"pitch_hz": "A4"}]},
    PAGE | {"frames": [FRAME | {"loudness_db": [1, 2]}]},
]


@pytest.mark.parametrize("page", BAD_TRUTHS)
def test_json_of_another_kind_is_refused_as_truth(folder, tmp_path, page):
    (tmp_path / "t.json").write_text(json.dumps(page))
    result = run_measure(folder / "film.mp4", "--truth", tmp_path / "t.json")
    assert result.exit_code == 1
    assert "not the truth of a demo film" in result.output


def test_sound_that_is_not_finite_is_damaged(tmp_path):
    sound = np.zeros(5 * RATE)
    sound[RATE : RATE + 10] = np.nan
    film = black_film(tmp_path / "nan.mkv", sound)
    result = run_measure(film)
    assert result.exit_code == 1
    assert "is damaged" in result.output
    assert measure(film, "--allow-damaged")["notes"]


def test_a_film_is_loaded_with_frames_and_sound(folder):
    with MediaLoader() as loader:
        film = loader.load_film(folder / "film.mp4", keep_frames=True)
        sound = loader.load_audio(folder / "film.mp4", RATE)
        assert film.frames.shape == (150, 64, 64)
        assert film.black_frames.is_black.shape == (150,)
        assert film.black_frames.frame_times[-1] == film.picture_seconds == 5
        assert len(film.samples) == 5 * RATE
        assert np.array_equal(film.samples, sound.samples)  # without padding of the codec
        with av.open(str(folder / "film.mp4")) as source:
            assert film.sample_rate == source.streams.audio[0].sample_rate


def test_padding_of_the_codec_is_not_sound():
    assert without_padding(48_500, 48_000, Fraction(1)) == 48_000
    assert without_padding(60_000, 48_000, Fraction(1)) == 60_000
    assert without_padding(47_000, 48_000, Fraction(1)) == 47_000
    assert without_padding(47_000, 48_000, None) == 47_000


def test_channels_that_cancel_are_heard_and_noted_on_both_sides(tmp_path):
    noise = 0.1 * np.random.default_rng(0).standard_normal(2 * RATE)
    noise[RATE // 2 : RATE] = noise[3 * RATE // 2 :] = 0
    film = black_film(tmp_path / "inverted.mkv", [noise, -noise], "stereo", seconds=2)
    with MediaLoader() as loader:
        assert np.array_equal(loader.load_film(film).samples, noise.astype(np.float32))
        assert np.array_equal(loader.load_audio(film, RATE).samples, noise.astype(np.float32))
    page = measure(film, "--reference", film)
    assert page["envelope_correlation"] == pytest.approx(1)
    of_film, of_reference = page["notes"]
    assert of_film.startswith("its channels cancel each other in 2.00 s of its sound")
    assert of_reference == f"the reference {film}: {of_film}"


def test_sound_beyond_an_estimated_end_is_kept(tmp_path):
    """MPEG declares no duration, and FFmpeg's estimate may miss the last frames."""
    video, tone = VideoEncoding("mpeg2video", "yuv420p"), np.full(2 * RATE, 0.1, np.float32)
    ends = {}
    for name, codec in (("film.ts", "mp2"), ("film.mp4", "aac")):
        audio = Audio(tone, RATE, codec)
        film = make_film(tmp_path / name, [BLACK] * 48, encoding=video, audio=audio)
        ends[name] = probe_streams(film).declared_audio_end_seconds
    assert ends == {"film.ts": None, "film.mp4": 2}
