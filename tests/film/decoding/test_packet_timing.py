"""Joined films follow each other, and jumps of time are closed; both are noted."""

from fractions import Fraction

import av
import numpy as np
import pytest

from frame2sound.errors import DamagedFilmError
from frame2sound.film.decoding.options import DecodeOptions
from frame2sound.film.decoding.probe import probe_streams
from frame2sound.film.decoding.reader import FilmReader, Frame
from frame2sound.film.encoding.containers import AUDIO_CODECS
from frame2sound.film.encoding.soundtrack_writer import write_soundtrack
from tests.media_files import H264, VP8, Audio, VideoEncoding, make_film

RATE = 48_000
FPS = Fraction(25)
KINDS = {
    ".ts": (VideoEncoding("libx264", "yuv420p", {"preset": "ultrafast", "g": "12"}), "mp2"),
    ".vob": (VideoEncoding("mpeg2video", "yuv420p", {"b": "2M", "bf": "2"}), "mp2"),
    ".mpg": (VideoEncoding("mpeg1video", "yuv420p", {"b": "2M"}), "mp2"),
    ".avi": (VideoEncoding("mjpeg", "yuvj420p"), "pcm_s16le"),
    ".flv": (VideoEncoding("flv", "yuv420p"), "adpcm_swf"),
    ".mp4": (H264, "aac"),
    ".mov": (H264, "pcm_s16le"),
    ".mkv": (H264, "pcm_s16le"),
    ".webm": (VP8, "libopus"),
}
READ_ON = [".ts", ".vob", ".mpg", ".avi"]
READ_ONCE = [".flv", ".mp4", ".mov", ".mkv", ".webm"]


def flashing(path, flashes, frames, start=Fraction(0)):
    """A film with white flashes, and a tone burst of a frame's length with each."""
    encoding, codec = KINDS[path.suffix]
    rate = 44_100 if codec == "adpcm_swf" else RATE
    sound = np.zeros(int(frames * rate / FPS), np.int16)
    for flash in flashes:
        begin = int(flash * rate / FPS)
        burst = np.sin(np.arange(rate // 50) * 2 * np.pi * 1000 / rate)
        sound[begin : begin + len(burst)] = 20_000 * burst
    pictures = (np.full((64, 64, 3), 255 if n in flashes else 0, np.uint8) for n in range(frames))
    times = [start + n / FPS for n in range(frames + 1)]
    audio = Audio(sound, rate, codec, start=start)
    return make_film(path, pictures, fps=FPS, times=times, encoding=encoding, audio=audio)


def seen_and_heard(path, **how):
    """When a film flashes and when it sounds, in seconds; its length, and notes."""
    reader = FilmReader(path, RATE, options=DecodeOptions(**how))
    sound, flashes, until = np.zeros(RATE * 30, np.float32), [], 0.0
    for event in reader:
        if isinstance(event, Frame):
            until = float(event.end_seconds)
            if event.picture.mean() > 128:
                flashes.append(float(event.start_seconds))
        else:
            sound[event.start_sample : event.start_sample + len(event.samples)] = event.samples
    loud = np.flatnonzero(np.abs(sound) > 0.25)
    begun = loud[np.diff(loud, prepend=-RATE) > RATE // 10] / RATE
    return flashes, begun, until, reader.notes


@pytest.mark.parametrize("ending", READ_ON)
def test_joined_films_follow_each_other(tmp_path, ending):
    one = flashing(tmp_path / f"one{ending}", {12, 25}, 50)
    two = flashing(tmp_path / f"two{ending}", {5, 35}, 50)
    joined = tmp_path / f"joined{ending}"
    joined.write_bytes(one.read_bytes() + two.read_bytes())
    first, _, seconds, notes = seen_and_heard(one)
    assert not notes
    flashes, begun, until, notes = seen_and_heard(joined)
    offset = seconds
    assert flashes == pytest.approx([*first, offset + 0.2, offset + 1.4], abs=0.041)
    assert until == pytest.approx(2 * seconds, abs=0.041)
    assert begun == pytest.approx(flashes, abs=0.004)  # a frame of MP2 is 24 ms
    if ending != ".avi":  # it counts frames, and has no times that could start again
        (note,) = notes
        assert "start again at" in note


@pytest.mark.parametrize("ending", READ_ONCE)
def test_a_second_film_that_is_not_decoded_is_reported(tmp_path, ending):
    one = flashing(tmp_path / f"one{ending}", {12}, 50)
    joined = tmp_path / f"joined{ending}"
    seen_and_heard(one)
    joined.write_bytes(one.read_bytes() * 2)
    where = f"second film from byte {one.stat().st_size} on"
    with pytest.raises(DamagedFilmError, match=where):
        seen_and_heard(joined)
    flashes, _, _, notes = seen_and_heard(joined, allow_damaged=True)
    assert flashes == [0.48]
    assert any(where in note for note in notes)


@pytest.mark.parametrize("ending", [".ts", ".vob"])
def test_three_joined_films_are_all_decoded(tmp_path, ending):
    parts = [flashing(tmp_path / f"{n}{ending}", {10 + n}, 30) for n in range(3)]
    joined = tmp_path / f"joined{ending}"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    flashes, begun, until, notes = seen_and_heard(joined)
    assert len(flashes) == 3
    assert until == pytest.approx(3.6, abs=0.1)
    assert begun == pytest.approx(flashes, abs=0.004)
    assert len(notes) == 2


def test_a_soundtrack_covers_all_joined_films(tmp_path):
    one = flashing(tmp_path / "one.ts", {12}, 50)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(one.read_bytes() * 2)
    out = tmp_path / "out.mkv"
    before = list(FilmReader(joined).frames())
    sound = [np.zeros(round(22_050 * before[-1].end_seconds), np.float32)]
    write_soundtrack(probe_streams(joined), sound, 22_050, 1, AUDIO_CODECS["flac"], out)
    after = list(FilmReader(out).frames())
    assert [frame.start_seconds for frame in after] == [frame.start_seconds for frame in before]
    assert len(after) == 100


def test_a_jump_of_95_seconds_is_closed_and_noted(tmp_path):
    one = flashing(tmp_path / "one.ts", {12}, 50)
    two = flashing(tmp_path / "two.ts", {10}, 50, start=Fraction(97))
    joined = tmp_path / "jump.ts"
    joined.write_bytes(one.read_bytes() + two.read_bytes())
    flashes, begun, until, notes = seen_and_heard(joined)
    assert flashes == pytest.approx([0.48, 2.4], abs=0.041)
    assert until == pytest.approx(4.0, abs=0.041)
    assert begun == pytest.approx(flashes, abs=0.03)
    (note,) = notes
    assert "jump ahead by 94.99 s at 2.00 s" in note  # 97 s less 2, less a tick of its clock


def test_a_gap_in_the_audio_alone_is_kept(tmp_path):
    """The picture goes on for 14 s; its sound is missing from second 1 to 12."""
    whole = flashing(tmp_path / "whole.ts", {10, 310}, 350)
    holed, start = tmp_path / "holed.ts", probe_streams(whole).start_seconds
    with av.open(str(whole)) as source, av.open(str(holed), "w", format="mpegts") as target:
        copies = {s.index: target.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            time = (packet.pts or 0) * packet.time_base - start
            if not packet.size or (packet.stream.type == "audio" and 1 < time < 12):
                continue
            packet.stream = copies[packet.stream.index]
            target.mux(packet)
    flashes, begun, until, _ = seen_and_heard(holed)
    assert until == pytest.approx(14, abs=0.1)
    assert begun == pytest.approx(flashes, abs=0.03)


def test_damage_far_from_a_join_is_reported(tmp_path):
    film = flashing(tmp_path / "film.ts", {10, 60}, 100)
    data = film.read_bytes()
    middle = len(data) // 376 * 188
    film.write_bytes(data[:middle] + data[middle + 188 * 9 :])
    with pytest.raises(DamagedFilmError, match="cannot be decoded at"):
        seen_and_heard(film)
    assert "damaged from" in seen_and_heard(film, allow_damaged=True)[3][-1]
