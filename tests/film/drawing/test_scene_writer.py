"""Demo scenes are written as films with their truth."""

from fractions import Fraction

import av
import numpy as np
import pytest

from frame2sound.errors import SoundtrackError
from frame2sound.film.decoding.probe import probe_streams
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.film.drawing.demo_films import demo_film_names, load_scene
from frame2sound.film.drawing.scene import SceneTruth
from frame2sound.film.drawing.scene_writer import truth_path, write_scene
from tests.media_files import decode_audio


def scene(**settings):
    return load_scene("bounce", **({"seconds": 2, "size": (96, 72), "seed": 1} | settings))


def grey_means(scene):
    return [
        av.VideoFrame.from_ndarray(scene.draw(i), "rgb24").to_ndarray(format="gray").mean()
        for i in range(scene.frame_count)
    ]


@pytest.mark.parametrize("fps", [Fraction(24), Fraction(30000, 1001)], ids=str)
@pytest.mark.parametrize(("ending", "slack"), [(".mkv", 1e-4), (".mov", 1e-4), (".mp4", 0.1)])
def test_a_scene_is_written_with_its_truth(tmp_path, fps, ending, slack):
    drawn, path = scene(fps=fps), tmp_path / f"bounce{ending}"
    write_scene(drawn, path)
    frames = list(FilmReader(path).frames())
    assert [frame.end_seconds for frame in frames] == [
        (i + 1) / fps for i in range(drawn.frame_count)
    ]
    # H.264 at crf 14, and the rounding of two conversions.
    assert np.abs([f.picture.mean() for f in frames] - np.array(grey_means(drawn))).max() < 2
    played, rate, begin = decode_audio(path)
    assert rate == drawn.clock.sample_rate == 48_000
    sound = drawn.synthesise_stereo(0, drawn.sample_count)
    played = played[:, -round(begin * rate) :][:, : len(sound)].T
    assert np.abs(played - sound).max() < slack  # 16 bits, or AAC
    assert SceneTruth.from_json(truth_path(path).read_text()) == drawn.truth
    assert truth_path(path) == tmp_path / "bounce.json"


@pytest.mark.parametrize("name", demo_film_names())
def test_every_demo_film_can_be_written(tmp_path, name):
    write_scene(load_scene(name, seconds=0.5, size=(64, 64)), tmp_path / "film.mp4")
    streams = probe_streams(tmp_path / "film.mp4")
    assert streams.audio_sample_rate == 48_000
    assert streams.audio_channels == (1 if name in ("theremin", "breeze") else 2)
    assert list(FilmReader(tmp_path / "film.mp4").frames())[-1].end_seconds == Fraction(1, 2)


def test_a_silent_film_has_no_audio_but_a_truth(tmp_path):
    drawn = scene()
    write_scene(drawn, tmp_path / "silent.mp4", with_audio=False)
    assert probe_streams(tmp_path / "silent.mp4").audio_index is None
    assert SceneTruth.from_json((tmp_path / "silent.json").read_text()) == drawn.truth


@pytest.mark.parametrize("size", [(65, 49), (64, 49), (101, 64)])
def test_odd_sizes_are_written(tmp_path, size):
    write_scene(scene(size=size, seconds=0.5), tmp_path / "odd.mp4")
    streams = probe_streams(tmp_path / "odd.mp4")
    assert (streams.width, streams.height) == size


def test_progress_counts_frames(tmp_path):
    reports = []
    write_scene(
        scene(seconds=0.5),
        tmp_path / "film.mp4",
        on_progress=lambda *report: reports.append(report),
    )
    total = scene(seconds=0.5).frame_count
    assert reports == [("film.mp4", done, total, "") for done in range(1, total + 1)]


@pytest.mark.parametrize("standing", ["film.mp4", "film.json"])
def test_existing_files_are_kept_unless_overwritten(tmp_path, standing):
    (tmp_path / standing).write_text("mine")
    drawn = scene(seconds=0.2)
    with pytest.raises(SoundtrackError, match=f"{standing} exists already"):
        write_scene(drawn, tmp_path / "film.mp4")
    assert [path.name for path in tmp_path.iterdir()] == [standing]
    assert (tmp_path / standing).read_text() == "mine"
    write_scene(drawn, tmp_path / "film.mp4", overwrite=True)
    assert SceneTruth.from_json((tmp_path / "film.json").read_text()) == drawn.truth


@pytest.mark.parametrize(
    ("name", "rate", "message"),
    [
        ("film.gif", 48_000, "film.gif: .gif cannot hold a picture with a soundtrack"),
        ("film", 48_000, "a name without an ending cannot hold .* expected one of .*mkv, .avi$"),
        ("film.webm", 44_100, "film.webm: its sound can be 48000 Hz, got 44100"),
        ("film.webm", 48_000, "film.webm: .webm cannot hold an H.264 picture"),
        ("film.mp4", 20_000, "film.mp4: its sound can be 22050 Hz, got 20000"),
    ],
)
def test_unsupported_containers_and_rates_are_named(tmp_path, name, rate, message):
    with pytest.raises(SoundtrackError, match=message):
        write_scene(scene(seconds=0.2, sample_rate=rate), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_an_error_while_drawing_leaves_no_file(tmp_path):
    def stop(*report):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_scene(scene(), tmp_path / "film.mp4", on_progress=stop)
    assert list(tmp_path.iterdir()) == []
