"""Films with edit lists get a soundtrack for what is displayed."""

import struct
from fractions import Fraction

import numpy as np
import pytest

from frame2sound.film.decoding.probe import probe_streams
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.film.encoding.containers import AUDIO_CODECS, CONTAINERS
from frame2sound.film.encoding.soundtrack_writer import write_soundtrack
from tests.media_files import VideoEncoding, make_film, video_packets

FPS = Fraction(25)
KEYED = VideoEncoding("libx264", "yuv420p", {"preset": "ultrafast", "g": "50", "crf": "10"})
REORDERED = VideoEncoding(
    "libx264", "yuv420p", {"preset": "veryfast", "bf": "3", "g": "50", "crf": "10"}
)


def box(kind, content):
    return struct.pack(">I4s", 8 + len(content), kind) + content


def find(data, kind, begin, end):
    """Return where a box lies among those from ``begin`` to ``end``: its first byte, its last."""
    while begin < end:
        length, name = struct.unpack_from(">I4s", data, begin)
        if name == kind:
            return begin, begin + length
        begin += length
    return None


def set_edits(path, edits):
    """Write an edit list (ISO 14496-12, 8.6.6) of durations and media times, in seconds."""
    data = path.read_bytes()
    movie, stop = find(data, b"moov", 0, len(data))
    assert stop == len(data), "nothing that follows may move"
    header, _ = find(data, b"mvhd", movie + 8, stop)
    (movie_scale,) = struct.unpack_from(">I", data, header + 20)
    track, end = find(data, b"trak", movie + 8, stop)
    media, _ = find(data, b"mdia", track + 8, end)
    at, _ = find(data, b"mdhd", media + 8, end)
    (scale,) = struct.unpack_from(">I", data, at + 20)
    old = find(data, b"edts", track + 8, end)
    (first,) = struct.unpack_from(">i", data, old[0] + 28)  # where reordered pictures begin
    entries = b"".join(
        struct.pack(">IiHH", round(duration * movie_scale), first + round(time * scale), 1, 0)
        for duration, time in edits
    )
    edited = box(b"edts", box(b"elst", struct.pack(">II", 0, len(edits)) + entries))
    inner = data[track + 8 : old[0]] + edited + data[old[1] : end]
    rest = data[movie + 8 : track] + box(b"trak", inner) + data[end:stop]
    path.write_bytes(data[:movie] + box(b"moov", rest))
    return path


def counting(path, encoding, frames=100):
    """A film that shows the number of each frame, in upright stripes of a bit each."""
    bits = (np.arange(frames)[:, None] >> np.arange(8) & 1).astype(np.uint8) * 255
    stripes = bits.repeat(8, axis=1)[:, None, :, None]
    pictures = (np.broadcast_to(row, (64, 64, 3)).copy() for row in stripes)
    return make_film(path, pictures, fps=FPS, encoding=encoding)


def numbers(path):
    frames = list(FilmReader(path).frames())
    assert [frame.start_seconds for frame in frames] == [n / FPS for n in range(len(frames))]
    stripes = [frame.picture.reshape(64, 8, 8).mean(axis=(0, 2)) > 128 for frame in frames]
    return [int((stripe << np.arange(8)).sum()) for stripe in stripes]


def sounded(film, out):
    codec = AUDIO_CODECS[CONTAINERS[out.suffix][0]]
    rate = codec.supported_sample_rate(22_050)
    seconds = list(FilmReader(film).frames())[-1].end_seconds
    sound = [np.zeros(round(rate * seconds), np.float32)]
    return write_soundtrack(probe_streams(film), sound, rate, 1, codec, out)


@pytest.mark.parametrize("encoding", [KEYED, REORDERED], ids=["in order", "reordered"])
@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv", ".webm", ".avi"])
def test_frames_cut_by_an_edit_list_stay_cut(tmp_path, encoding, ending):
    film = set_edits(counting(tmp_path / "film.mp4", encoding), [(2, Fraction(33, 25))])
    assert numbers(film) == list(range(33, 83))
    written = sounded(film, tmp_path / f"out{ending}")
    assert numbers(tmp_path / f"out{ending}") == list(range(33, 83))
    if ending in (".mp4", ".mov") and encoding is KEYED:
        assert not written.notes
        assert video_packets(tmp_path / f"out{ending}")[0][1] == video_packets(film)[0][1]
    else:  # what is reordered across the end of the cut would be shown
        assert "an edit list cuts the picture between key frames" in written.notes[0]


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv"])
def test_two_edits_are_displayed_in_order(tmp_path, ending):
    edits = [(1, Fraction(0)), (1, Fraction(60, 25))]
    film = set_edits(counting(tmp_path / "film.mov", KEYED), edits)
    expected = [*range(25), *range(60, 85)]
    assert numbers(film) == expected
    written = sounded(film, tmp_path / f"out{ending}")
    assert numbers(tmp_path / f"out{ending}") == expected
    assert "encoded as H.264" in written.notes[0]


def test_an_edit_that_cuts_nothing_is_copied(tmp_path):
    film = set_edits(counting(tmp_path / "film.mp4", KEYED), [(4, Fraction(0))])
    written = sounded(film, tmp_path / "out.mkv")
    assert not written.notes
    assert [p[1] for p in video_packets(tmp_path / "out.mkv")] == [
        p[1] for p in video_packets(film)
    ]
