"""Read films: times, durations, audio in sync with the video, and constant memory."""

import itertools
import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from frame2sound.errors import DamagedFilmError, FilmError
from frame2sound.film.decoding.audio_chunks import AudioChunk
from frame2sound.film.decoding.options import DecodeOptions
from frame2sound.film.decoding.reader import FilmReader, Frame
from tests.media_files import (
    H264,
    H264_REORDERED,
    VP8,
    Audio,
    VideoEncoding,
    decode_audio,
    grey_pictures,
    make_film,
)

RATE = 22_050
NTSC = Fraction(30000, 1001)
FILM = Fraction(24000, 1001)


def tone(seconds, rate=48_000):
    return (0.4 * np.sin(2 * np.pi * 330 * np.arange(int(seconds * rate)) / rate)).astype(
        np.float32
    )


def read(path, **options):
    events = list(FilmReader(path, RATE, options=DecodeOptions(**options)))
    frames = [event for event in events if isinstance(event, Frame)]
    return frames, [event for event in events if isinstance(event, AudioChunk)]


@pytest.mark.parametrize(
    "fps", [Fraction(24), FILM, Fraction(25), NTSC, Fraction(30), Fraction(60)], ids=str
)
@pytest.mark.parametrize("ending", [".mkv", ".mp4", ".mov", ".avi"])
def test_times_are_exact_multiples_of_the_frame(tmp_path, fps, ending):
    path = make_film(tmp_path / f"film{ending}", grey_pictures([0, 255] * 50), fps=fps)
    frames = list(FilmReader(path).frames())
    assert [frame.start_seconds for frame in frames] == [i / fps for i in range(100)]
    assert [frame.end_seconds for frame in frames] == [(i + 1) / fps for i in range(100)]


@pytest.mark.parametrize("fps", [FILM, NTSC, Fraction(30)], ids=str)
@pytest.mark.parametrize("start", [Fraction(3, 1000), Fraction(1001, 1000), Fraction(2, 3)])
def test_milliseconds_are_snapped_from_any_start(tmp_path, fps, start):
    times = [start + i / fps for i in range(201)]
    path = make_film(
        tmp_path / "film.mkv",
        grey_pictures([9] * 200),
        fps=fps,
        times=times,
        time_base=Fraction(1, 90_000),
    )
    frames = list(FilmReader(path).frames())
    assert [frame.start_seconds for frame in frames] == [i / fps for i in range(200)]


def test_frames_end_when_the_next_begins(tmp_path):
    times = [Fraction(n, 30) for n in (0, 1, 2, 10, 11, 48, 49)]
    path = make_film(
        tmp_path / "holds.mp4",
        grey_pictures(range(0, 240, 40)),
        fps=Fraction(30),
        times=times,
        time_base=Fraction(1, 30),
    )
    frames = list(FilmReader(path).frames())
    assert [frame.start_seconds for frame in frames] == times[:-1]
    assert [frame.end_seconds for frame in frames] == times[1:]


@pytest.mark.parametrize("last", [Fraction(1, 24), Fraction(1, 2), Fraction(3)])
def test_the_last_frame_keeps_its_duration(tmp_path, last):
    times = [Fraction(0), Fraction(1, 24), Fraction(1, 12), Fraction(1, 12) + last]
    path = make_film(
        tmp_path / "last.mp4", grey_pictures([1, 2, 3]), times=times, time_base=Fraction(1, 24_000)
    )
    assert list(FilmReader(path).frames())[-1].end_seconds == times[-1]


def test_a_film_of_one_frame_is_read(tmp_path):
    path = make_film(tmp_path / "one.mp4", grey_pictures([255]), fps=Fraction(25))
    (frame,) = FilmReader(path).frames()
    assert (frame.start_seconds, frame.end_seconds) == (0, Fraction(1, 25))
    assert frame.picture.min() == 255


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_reordered_frames_are_yielded_in_display_order(tmp_path, ending):
    levels = list(range(16, 136))
    path = make_film(tmp_path / f"film{ending}", grey_pictures(levels), encoding=H264_REORDERED)
    frames = list(FilmReader(path).frames())
    assert [frame.start_seconds for frame in frames] == [Fraction(i, 24) for i in range(120)]
    means = np.array([frame.picture.mean() for frame in frames])
    assert np.abs(means - levels).max() < 4  # H.264 at its default quality


@pytest.mark.parametrize(
    ("ending", "encoding", "codec"),
    [
        (".mp4", H264, "flac"),
        (".mov", VideoEncoding(), "pcm_s16le"),
        (".mkv", H264, "flac"),
        (".avi", VideoEncoding(), "pcm_s16le"),
        (".mkv", VP8, "pcm_s16le"),
    ],
)
def test_audio_is_complete_and_in_place(tmp_path, ending, encoding, codec):
    audio = Audio(tone(2), codec=codec)
    path = make_film(
        tmp_path / f"film{ending}", grey_pictures([0, 50] * 24), encoding=encoding, audio=audio
    )
    frames, sounds = read(path)
    assert frames[-1].end_seconds == 2
    assert sounds[0].start_sample == 0
    assert all(
        a.start_sample + len(a.samples) == b.start_sample for a, b in itertools.pairwise(sounds)
    )
    sound = np.concatenate([s.samples for s in sounds])
    assert abs(len(sound) - 2 * RATE) <= 1
    inner = slice(100, 2 * RATE - 100)  # the ends ring
    assert np.abs(sound[inner] - tone(2, RATE)[inner]).max() < 3e-3


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".mov"])
@pytest.mark.parametrize(
    ("picture", "sound", "begins"),
    [(0, Fraction(1, 2), RATE // 2), (1, 0, 0), (1, Fraction(3, 2), RATE // 2)],
    ids=["late sound", "late picture", "both late"],
)
def test_time_zero_is_the_first_frame(tmp_path, ending, picture, sound, begins):
    times = [picture + Fraction(i, 25) for i in range(51)]
    codec = "pcm_s16le" if ending == ".mov" else "flac"
    audio = Audio(tone(2), codec=codec, start=Fraction(sound))
    path = make_film(
        tmp_path / f"film{ending}",
        grey_pictures([7] * 50),
        fps=Fraction(25),
        times=times,
        time_base=Fraction(1, 1000),
        audio=audio,
    )
    frames, sounds = read(path)
    assert (frames[0].start_seconds, frames[-1].end_seconds) == (0, 2)
    assert sounds[0].start_sample == begins
    assert (
        abs(sounds[-1].start_sample + len(sounds[-1].samples) - round((sound - picture + 2) * RATE))
        <= 1
    )


def test_frames_alone_and_audio_alone_equal_both_together(tmp_path):
    path = make_film(
        tmp_path / "film.mp4", grey_pictures(range(48)), audio=Audio(tone(2), codec="flac")
    )
    frames, sounds = read(path)
    alone = list(FilmReader(path).frames())
    assert [(f.start_seconds, f.end_seconds, f.picture.tobytes()) for f in frames] == [
        (f.start_seconds, f.end_seconds, f.picture.tobytes()) for f in alone
    ]
    only = np.concatenate([sound.samples for sound in FilmReader(path, RATE).audio_chunks()])
    np.testing.assert_array_equal(only, np.concatenate([sound.samples for sound in sounds]))


def test_without_a_sample_rate_only_frames_are_read(tmp_path):
    path = make_film(
        tmp_path / "film.mp4", grey_pictures([5] * 24), audio=Audio(tone(1), codec="flac")
    )
    assert [type(event) for event in FilmReader(path)] == [Frame] * 24


def test_a_reader_may_be_read_again(tmp_path):
    path = make_film(tmp_path / "film.mkv", grey_pictures([0, 255] * 10))
    reader = FilmReader(path)
    expected = [Fraction(n, 24) for n in range(20)]
    for _ in range(2):
        assert [frame.start_seconds for frame in reader.frames()] == expected


def test_two_channels_are_read(tmp_path):
    both = np.stack([tone(1), -0.5 * tone(1)])
    path = make_film(
        tmp_path / "film.mkv",
        grey_pictures([5] * 24),
        audio=Audio(both, codec="flac", layout="stereo"),
    )
    sounds = list(FilmReader(path, 48_000, channels=2).audio_chunks())
    sound = np.concatenate([s.samples for s in sounds])
    np.testing.assert_allclose(sound, both.T, atol=1e-4)  # 16 bits
    (plain, _, _) = decode_audio(path)
    np.testing.assert_array_equal(sound.T, plain)


def test_audio_of_a_silent_film_is_refused(tmp_path):
    path = make_film(tmp_path / "mute.mp4", grey_pictures([5] * 24))
    with pytest.raises(FilmError, match=r"mute\.mp4 has no audio stream"):
        FilmReader(path, RATE)


def cut(path: Path, share: float) -> Path:
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    return path


def test_a_truncated_film_is_refused_unless_allowed(tmp_path):
    pictures = [
        np.random.default_rng(i).integers(0, 255, (64, 64, 3), np.uint8) for i in range(120)
    ]
    path = cut(make_film(tmp_path / "cut.mkv", pictures), 0.5)
    with pytest.raises(
        DamagedFilmError, match=r"ends at 2\.\d+ s of the 5\.00 s .*`allow_damaged=True`"
    ):
        list(FilmReader(path))
    reader = FilmReader(path, options=DecodeOptions(allow_damaged=True))
    frames = list(reader.frames())
    assert len(frames) in range(55, 65)
    assert frames[-1].end_seconds == Fraction(len(frames), 24)
    assert any(note.startswith("damaged from 2.") for note in reader.notes)


def resident() -> int:
    """Memory held by this process, in bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_memory_does_not_grow_with_the_film(tmp_path):
    seconds = 240
    audio = Audio(np.zeros(48_000 * seconds, np.int16), codec="flac")
    path = make_film(tmp_path / "long.mkv", grey_pictures([0, 90] * 12 * seconds), audio=audio)
    del audio
    held = {}
    for event in FilmReader(path, RATE):
        if isinstance(event, Frame) and event.start_seconds in (100, 235):  # all that may wait does
            held[int(event.start_seconds)] = resident()
    # Frames and sound alone would be 25 MB; 2048 frames that wait, or their packets, 8 MB or less.
    assert held[235] - held[100] < 12_000_000
