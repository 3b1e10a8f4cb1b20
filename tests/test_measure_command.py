"""``frame2sound measure``: its table, its JSON, its picture, and what it refuses."""

import json
import re
from fractions import Fraction

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from frame2sound.cli import app
from frame2sound.evaluation.media_loader import MediaLoader
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene
from tests.media_files import Audio, make_film

RATE = 48000
BLACK = np.zeros((64, 64), np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("measured")
    for name, film, sounding in (("film", "bounce", True), ("mute", "typing", False)):
        scene = load_scene(film, seconds=5, seed=2, size=(64, 64))
        write_scene(scene, made / f"{name}.mp4", with_audio=sounding)
    return made


def measured(*words):
    return CliRunner().invoke(app, ["measure", *map(str, words)])


def figures(*words):
    said = measured(*words, "--json")
    assert said.exit_code == 0, said.output
    return json.loads(said.stdout)


def black_film(path, samples, layout="mono", codec="pcm_f32le", seconds=5):
    audio = Audio(np.asarray(samples, np.float32), RATE, codec, layout)
    return make_film(path, [BLACK] * (24 * seconds), fps=Fraction(24), audio=audio)


def test_a_film_against_its_truth_and_itself(folder):
    film = folder / "film.mp4"
    said = measured(film, "--reference", film, "--truth", film.with_suffix(".json"))
    assert said.exit_code == 0, said.output
    lines = said.stdout.splitlines()
    assert lines[0].split() == ["good", "silence", "shuffled"]
    assert max(map(len, lines)) <= 100
    starts = [line.split("  ")[0] for line in lines]
    for name in ("length", "onset F", "pitch", "line comb", "loudness", "true peak"):
        assert name in starts
    assert next(line for line in lines if line.startswith("length")).split()[1] == "+0"


def test_as_json_with_nulls_and_reasons(folder):
    page = figures(folder / "film.mp4")
    assert page["length_samples"] == 0  # the codec's padding is not played
    assert page["onset_f"] is None
    assert page["why"]["onset_f"] == "needs a reference or the truth"
    assert page["baselines"] == {}
    page = figures(folder / "film.mp4", "--truth", folder / "film.json")
    assert page["onset_f"] > 0.9
    assert page["baselines"]["silence"]["onset_f"] == 0


def test_without_reference_the_table_says_what_is_missing(folder):
    said = measured(folder / "film.mp4").stdout
    assert "not measured: pitch, level error (needs the truth)" in said
    assert "\nonset F" not in said


def limits(*words):
    """What is good, by the name of the figure: the table's fourth column."""
    lines = measured(*words).stdout.splitlines()
    place = lines[0].index("good")
    end = lines[0].find("silence") if "silence" in lines[0] else None
    found = {}
    for line in lines[1:]:
        if not line.startswith("not measured"):
            name = re.split(r"  +[-+.\d]|  +silent", line)[0]
            found[name] = line[place:end].strip()
    return found


def throbbing(path):
    """Noise that swells with each frame, in the dark, a second longer than the picture."""
    time = np.arange(6 * RATE) / RATE
    noise = np.random.default_rng(0).standard_normal(len(time))
    return black_film(path, 0.05 * noise * (1 + np.cos(2 * np.pi * 24 * time)))


def test_a_films_own_throbbing_humming_and_dark_are_judged_beside_a_reference_alone(tmp_path):
    film = throbbing(tmp_path / "film.mkv")
    page = figures(film)
    assert page["tremolo_comb_db"] > 10
    assert page["black_db"] > -40
    assert page["length_samples"] == RATE
    assert {name for name, good in limits(film).items() if good} == {
        "loudness",
        "true peak",
        "clipped",
    }
    page = figures(film, "--reference", film)
    for name in ("tremolo_comb_above_db", "black_above_db"):
        assert page[name] == pytest.approx(0, abs=0.1)
    beside = limits(film, "--reference", film)
    assert beside["tremolo comb"] == beside["line comb"] == beside["black"] == ""
    assert beside["  above the reference's"] == "at most 3"
    assert beside["length"] == "0"
    assert beside["onset F"] == "above 0.95"


def test_beside_the_truth_onsets_that_swell_are_no_fault(folder):
    known = limits(folder / "film.mp4", "--truth", folder / "film.json")
    assert known["onset F"] == known["in sync"] == "high"
    assert known["pitch"] == "above 0.9"
    assert known["tremolo comb"] == ""


def test_levels_are_those_of_all_channels_and_black_is_heard(tmp_path):
    left = 0.5 * np.sin(2 * np.pi * 997 * np.arange(5 * RATE) / RATE)
    page = figures(black_film(tmp_path / "a.mkv", [left, 0 * left], "stereo"))
    assert page["true_peak_dbtp"] == pytest.approx(-6.02, abs=0.1)
    assert page["loudness_lufs"] == pytest.approx(-9.03, abs=0.1)  # BS.1770-4
    assert page["black_db"] == pytest.approx(-15.05, abs=0.1)  # of the mean of both


def test_a_soundtrack_that_ends_early_or_late_is_found_out(tmp_path):
    for extra in (-3000, 7000):
        sound = np.full(5 * RATE + extra, 0.01)
        page = figures(black_film(tmp_path / f"{extra}.mkv", sound))
        assert page["length_samples"] == extra


def test_silence_is_measured(tmp_path):
    page = figures(black_film(tmp_path / "silent.mkv", np.zeros(5 * RATE)))
    assert page["black_db"] == page["loudness_lufs"] == -200
    assert page["line_comb_db"] is None
    assert "silent" in measured(tmp_path / "silent.mkv").stdout


@pytest.mark.parametrize("frames", [1, 24])
@pytest.mark.parametrize("rate", [2000, 8000, 192_000])
@pytest.mark.parametrize("level", [0.0, 0.1])
def test_short_films_low_and_high_rates_and_silence_are_measured_and_drawn(
    tmp_path, frames, rate, level
):
    sound = level * np.sin(2 * np.pi * 440 * np.arange(round(frames * rate / 24)) / rate)
    audio = Audio(sound.astype(np.float32), rate, "pcm_f32le", "mono")
    film = make_film(tmp_path / "film.mkv", [BLACK] * frames, fps=Fraction(24), audio=audio)
    picture = tmp_path / "picture.png"
    page = figures(film, "--reference", film, "--picture", picture)
    # Sound below 4000 Hz is measured at 4000, and a sample there is half a one here.
    assert abs(page["length_samples"]) <= (rate < 4000)
    assert page["spectral_distance_db"] == 0
    assert page["clipped"] == 0
    # A sine's peak, and where it is cut off up to 9 % more between samples (Gibbs).
    assert page["true_peak_dbtp"] == pytest.approx(-20 if level else -200, abs=1.5)
    assert page["line_comb_db"] is None
    assert picture.exists()


def test_a_picture_is_drawn_and_not_drawn_over(folder, tmp_path):
    path = tmp_path / "new" / "picture.png"
    words = folder / "film.mp4", "--truth", folder / "film.json", "--picture", path
    assert measured(*words).exit_code == 0
    assert path.read_bytes().startswith(b"\x89PNG")
    again = measured(*words)
    assert again.exit_code == 1
    assert "exists already" in again.output
    assert measured(*words, "--overwrite").exit_code == 0


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["mute.mp4"], "mute.mp4 has no sound to measure; give it some"),
        (["none.mp4"], "no such file"),
        (["film.mp4", "--reference", "mute.mp4"], "mute.mp4 has no sound, so it is no reference"),
        (["film.mp4", "--truth", "film.mp4"], "film.mp4 is not the truth of a demo film"),
        (["film.mp4", "--truth", "none.json"], "none.json cannot be read"),
    ],
)
def test_what_cannot_be_measured_is_refused(folder, monkeypatch, words, match):
    monkeypatch.chdir(folder)
    said = measured(*words)
    assert said.exit_code == 1
    assert match in " ".join(said.output.split())


FRAME = {"pitch_hz": None, "loudness_db": -20.0}
PAGE = {"film": "a", "seed": 0, "fps": "30", "sample_rate": 48000, "onsets": [], "frames": [FRAME]}
NO_TRUTHS = [
    [],
    "x",
    {"film": 1},
    PAGE | {"fps": "1/0"},
    PAGE | {"fps": "0"},
    PAGE | {"onsets": "soon"},
    PAGE | {"frames": [FRAME | {"pitch_hz": "A4"}]},
    PAGE | {"frames": [FRAME | {"loudness_db": [1, 2]}]},
]


@pytest.mark.parametrize("page", NO_TRUTHS)
def test_json_that_is_no_truth_is_refused(folder, tmp_path, page):
    (tmp_path / "t.json").write_text(json.dumps(page))
    said = measured(folder / "film.mp4", "--truth", tmp_path / "t.json")
    assert said.exit_code == 1
    assert "not the truth of a demo film" in said.output


def test_sound_that_is_not_a_number_is_damage(tmp_path):
    sound = np.zeros(5 * RATE)
    sound[RATE : RATE + 10] = np.nan
    film = black_film(tmp_path / "nan.mkv", sound)
    said = measured(film)
    assert said.exit_code == 1
    assert "is damaged" in said.output
    assert figures(film, "--allow-damaged")["notes"]


def test_a_film_is_read_as_it_is(folder):
    with MediaLoader() as auditorium:
        film = auditorium.load_film(folder / "film.mp4", keep_frames=True)
        heard = auditorium.load_audio(folder / "film.mp4", RATE)
        assert film.frames.shape == (150, 64, 64)
        assert film.black_frames.is_black.shape == (150,)
        assert film.black_frames.frame_times[-1] == film.picture_seconds == 5
        assert len(film.samples) == 5 * RATE
        assert np.array_equal(film.samples, heard[: 5 * RATE])
        with av.open(str(folder / "film.mp4")) as source:
            assert film.sample_rate == source.streams.audio[0].sample_rate
