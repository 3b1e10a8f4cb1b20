"""Which streams of a film are selected, and errors of files that are not films."""

from fractions import Fraction

import numpy as np
import pytest

from frame2sound.errors import FilmError
from frame2sound.film.decoding.ffmpeg_input import open_film
from frame2sound.film.decoding.options import DecodeOptions
from frame2sound.film.decoding.probe import Streams, probe_streams
from frame2sound.film.decoding.reader import FilmReader
from tests.media_files import H264, Audio, grey_pictures, make_film, merge_streams, write_rotation


@pytest.fixture(scope="module")
def doubled(tmp_path_factory):
    """A film with two pictures, dark and bright, and two sounds, quiet and loud."""
    folder = tmp_path_factory.mktemp("doubled")
    parts = []
    for name, grey, level, size, rate in (
        ("one", 20, 0.1, (64, 64), 22_050),
        ("two", 200, 0.5, (96, 80), 48_000),
    ):
        audio = Audio(np.full(rate, level, np.float32), rate, "flac")
        path = folder / f"{name}.mkv"
        parts.append(make_film(path, grey_pictures([grey] * 24, size), encoding=H264, audio=audio))
    return merge_streams(folder / "doubled.mkv", *parts)


@pytest.mark.parametrize(
    ("video", "audio", "grey", "level"),
    [
        (None, None, 20, 0.1),
        (0, 0, 20, 0.1),
        (1, 1, 200, 0.5),
        (0, 1, 20, 0.5),
        (1, 0, 200, 0.1),
        (1, None, 200, 0.1),
    ],
)
def test_streams_are_selected_by_number(doubled, video, audio, grey, level):
    reader = FilmReader(
        doubled, 22_050, options=DecodeOptions(video_stream=video, audio_stream=audio)
    )
    frames = list(reader.frames())
    sound = np.concatenate([sound.samples for sound in reader.audio_chunks()])
    assert len(frames) == 24
    assert frames[3].picture.mean() == pytest.approx(grey, abs=2)
    assert sound[5000:-5000].mean() == pytest.approx(level, abs=1e-3)
    assert reader.streams.audio_sample_rate == (48_000 if level == 0.5 else 22_050)
    assert (reader.streams.width, reader.streams.height) == ((64, 64) if grey == 20 else (96, 80))


def test_the_selected_streams_are_noted(doubled):
    assert probe_streams(doubled).notes == ("used video stream 0 of 2", "used audio stream 0 of 2")
    assert probe_streams(doubled, DecodeOptions(1, 1)).notes == (
        "used video stream 1 of 2",
        "used audio stream 1 of 2",
    )


@pytest.mark.parametrize("number", [-1, 2, 7])
@pytest.mark.parametrize("kind", ["video", "audio"])
def test_numbers_out_of_range_are_refused(doubled, kind, number):
    message = f"has 2 {kind} streams, got `{kind}_stream` {number}; expected 0 to 1"
    with pytest.raises(FilmError, match=message):
        probe_streams(doubled, DecodeOptions(**{f"{kind}_stream": number}))


@pytest.mark.parametrize("number", [0, 1])
def test_an_audio_stream_of_a_silent_film_is_refused(tmp_path, number):
    path = make_film(tmp_path / "mute.mp4", grey_pictures([5] * 3))
    with pytest.raises(
        FilmError, match=f"mute.mp4 has no audio stream, got `audio_stream` {number}"
    ):
        probe_streams(path, DecodeOptions(audio_stream=number))


def test_a_silent_film_can_be_probed(tmp_path):
    streams = probe_streams(
        make_film(tmp_path / "mute.mp4", grey_pictures([5] * 3), fps=Fraction(25))
    )
    assert (streams.audio_index, streams.audio_sample_rate, streams.audio_channels) == (None, 0, 0)
    assert (streams.fps, streams.start_seconds, streams.notes) == (25, 0, ())


def test_a_film_is_probed(tmp_path):
    ntsc = Fraction(30000, 1001)
    audio = Audio(np.zeros((2, 44_100), np.float32), 44_100, "flac", "stereo")
    path = make_film(
        tmp_path / "film.mkv",
        grey_pictures([5] * 30, (66, 50)),
        fps=ntsc,
        encoding=H264,
        audio=audio,
    )
    streams = probe_streams(path)
    assert streams.path == path
    assert (streams.width, streams.height, streams.video_codec) == (66, 50, "h264")
    assert (streams.audio_sample_rate, streams.audio_channels) == (44_100, 2)
    assert (streams.fps, streams.time_base, streams.quarter_turns) == (ntsc, Fraction(1, 1000), 0)


@pytest.mark.parametrize(("clockwise", "turns"), [(0, 0), (90, -1), (180, 2), (270, 1)])
def test_a_rotation_mark_is_read(tmp_path, clockwise, turns):
    path = make_film(tmp_path / "turned.mp4", grey_pictures([5] * 3), encoding=H264)
    assert (probe_streams(write_rotation(path, clockwise)).quarter_turns - turns) % 4 == 0


def test_the_film_starts_at_its_first_frame(tmp_path):
    times = [Fraction(10) + Fraction(i, 25) for i in range(6)]
    path = make_film(
        tmp_path / "late.mkv",
        grey_pictures([5] * 5),
        fps=Fraction(25),
        times=times,
        time_base=Fraction(1, 25),
    )
    assert probe_streams(path).start_seconds == 10


def streams_with(tick, fps, start=Fraction(0)):
    return Streams(
        path=None,
        video_index=0,
        audio_index=None,
        start_seconds=start,
        fps=fps,
        time_base=tick,
        width=1,
        height=1,
        quarter_turns=0,
        video_codec="",
        audio_sample_rate=0,
        audio_channels=0,
        notes=(),
    )


@pytest.mark.parametrize(
    "fps", [Fraction(24000, 1001), Fraction(30), Fraction(60), Fraction(120)], ids=str
)
@pytest.mark.parametrize("first", [0, 3, 417])
def test_milliseconds_are_snapped_to_the_frame_grid(fps, first):
    tick = Fraction(1, 1000)
    streams = streams_with(tick, fps, round(first / fps / tick) * tick)
    stamps = [round((first + i) / fps / tick) for i in range(3000)]
    assert [streams.to_seconds(stamp) for stamp in stamps] == [i / fps for i in range(3000)]


def test_times_off_the_frame_grid_are_kept():
    streams = streams_with(Fraction(1, 1000), Fraction(24))
    assert [streams.to_seconds(pts) for pts in (41, 42, 43, 60)] == [
        Fraction(1, 24),
        Fraction(1, 24),
        Fraction(43, 1000),
        Fraction(60, 1000),
    ]


def test_times_are_not_snapped_if_ticks_are_exact():
    streams = streams_with(Fraction(1, 1000), Fraction(25))
    assert [streams.to_seconds(pts) for pts in (40, 41)] == [Fraction(1, 25), Fraction(41, 1000)]


def test_times_in_coarse_ticks_are_not_snapped():
    streams = streams_with(Fraction(1, 100), Fraction(30))  # a GIF's hundredths
    assert [streams.to_seconds(pts) for pts in (3, 7, 10)] == [Fraction(n, 100) for n in (3, 7, 10)]


def folder(path):
    path.mkdir()


def empty(path):
    path.touch()


def text(path):
    path.write_text("This is no film.\n" * 50)


def zeros(path):
    path.write_bytes(bytes(5000))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, r"film\.mp4: no such file"),
        (folder, r"film\.mp4 is a folder; expected a film file"),
        (empty, r"film\.mp4 is empty \(0 bytes\); expected a film"),
        (text, r"film\.mp4 is not readable as a film \(invalid data"),
        (zeros, r"film\.mp4 is not readable as a film \(invalid data"),
    ],
    ids=["missing", "folder", "empty", "text", "zeros"],
)
@pytest.mark.parametrize("opening", [open_film, probe_streams, FilmReader])
def test_files_that_are_not_films_are_refused(tmp_path, make, message, opening):
    path = tmp_path / "film.mp4"
    make(path)
    with pytest.raises(FilmError, match=message) as caught:
        opening(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_film_cut_before_its_index_is_refused(tmp_path):
    path = make_film(tmp_path / "cut.mp4", grey_pictures([5] * 48))
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(FilmError, match="its index is missing because the copy broke off"):
        probe_streams(path)


def test_file_names_are_not_interpreted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("-dash.mp4", "concat:film.mp4", "wörter & 映画 %d.mp4"):
        made = make_film(tmp_path / "film.mp4", grey_pictures([5] * 3))
        made.rename(tmp_path / name)
        assert probe_streams(type(made)(name)).fps == 24


@pytest.fixture
def strange(tmp_path):
    """A film whose picture, or sound, says that it is of another kind."""

    def make(known, unknown):
        audio = Audio(np.zeros(6000, np.int16), codec="flac")
        path = make_film(tmp_path / "film.mkv", grey_pictures([5] * 3), encoding=H264, audio=audio)
        path.write_bytes(path.read_bytes().replace(known, unknown))
        return path

    return make


def test_video_of_an_unknown_codec_is_refused(strange):
    with pytest.raises(FilmError, match=r"film\.mkv: its video has an unknown codec"):
        probe_streams(strange(b"V_MPEG4/ISO/AVC", b"V_MPEG9/ISO/AVC"))


def test_audio_of_an_unknown_codec_is_left_out_unless_selected(strange):
    path = strange(b"A_FLAC", b"A_FLAX")
    streams = probe_streams(path)
    assert streams.audio_index is None
    assert streams.notes == ("its audio has an unknown codec; it was left out",)
    with pytest.raises(FilmError, match="its audio has an unknown codec"):
        probe_streams(path, DecodeOptions(audio_stream=0))
    with pytest.raises(FilmError, match="has no audio stream"):
        FilmReader(path, 22050)
