"""A film read in parts is the film read in one go, bit for bit, or is read in one go."""

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import av
import numpy as np
import pytest

from frame2sound.errors import DamagedFilmError
from frame2sound.film.decoding import audio_decoder as hearing
from frame2sound.film.decoding import parallel_decoder as segments
from frame2sound.film.decoding.audio_chunks import AudioChunk
from frame2sound.film.decoding.frame_resizer import FrameResizer
from frame2sound.film.decoding.options import DecodeOptions
from frame2sound.film.decoding.parallel_decoder import MIN_SEGMENT_PACKETS
from frame2sound.film.decoding.reader import DecodeStrategy, FilmReader, Frame
from tests.media_files import Audio, VideoEncoding, make_film

FRAMES = 420
LOOKS = {
    "h264": VideoEncoding("libx264", "yuv420p", {"preset": "ultrafast", "g": "50"}),
    "h264 reordered": VideoEncoding("libx264", "yuv420p", {"preset": "fast", "bf": "3", "g": "40"}),
    "h264 open": VideoEncoding(
        "libx264",
        "yuv420p",
        {"preset": "fast", "bf": "3", "g": "40", "x264-params": "open-gop=1:b-pyramid=normal"},
    ),
    "hevc open": VideoEncoding(
        "libx265",
        "yuv420p",
        {"preset": "ultrafast", "x265-params": "keyint=60:bframes=4:open-gop=1:log-level=none"},
    ),
    "mpeg2 open": VideoEncoding("mpeg2video", "yuv420p", {"bf": "2", "g": "12", "b": "2M"}),
    "vp8": VideoEncoding("libvpx", "yuv420p", {"deadline": "realtime", "cpu-used": "8", "g": "60"}),
    "vp9": VideoEncoding(
        "libvpx-vp9", "yuv420p", {"deadline": "realtime", "cpu-used": "8", "g": "60"}
    ),
    "mjpeg": VideoEncoding(),
    "ffv1": VideoEncoding("ffv1", "yuv420p"),
}


def drawing(frames=FRAMES):
    """A disc that moves over noise that drifts: what is not decoded right is not like it."""
    rng = np.random.default_rng(0)
    ground = rng.integers(0, 200, (80, 96 + frames), np.uint8)
    rows, columns = np.mgrid[:80, :96]
    for frame in range(frames):
        picture = ground[:, frame : frame + 96].copy()
        picture[np.hypot(rows - 40, columns - 48 - 30 * np.sin(frame / 9)) < 12] = 255
        yield np.repeat(picture[..., None], 3, axis=2)


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder, made = tmp_path_factory.mktemp("films"), {}

    def film(look):
        if look not in made:
            path = folder / f"{len(made)}.mkv"
            made[look] = make_film(path, drawing(), fps=Fraction(30), encoding=LOOKS[look])
        return made[look]

    return film


@pytest.fixture
def passes(monkeypatch):
    """What passes were made over films: `Segments` or `Straight`."""
    made = []
    for kind in ("Segments", "Straight"):
        monkeypatch.setattr(
            f"frame2sound.film.decoding.reader.{kind}",
            lambda *how, kind=kind: made.append(kind) or getattr(segments, kind)(*how),
        )
    return made


def plain(reader, colour=False):
    return [
        (f.start_seconds, f.end_seconds, f.picture.tobytes()) for f in reader.frames(colour=colour)
    ]


def straight(path, monkeypatch, **how):
    with monkeypatch.context() as patch:
        patch.setattr(
            FilmReader, "_look_ahead", lambda self, packets: ([], DecodeStrategy.SEQUENTIAL)
        )
        return plain(FilmReader(path), **how)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("look", LOOKS)
def test_in_parts_equals_in_one_go(films, passes, monkeypatch, look, threads):
    path = films(look)
    expected = straight(path, monkeypatch)
    passes.clear()
    assert plain(FilmReader(path, options=DecodeOptions(threads=threads))) == expected
    assert len(expected) == FRAMES
    assert passes == ["Segments"]


def test_so_it_is_in_colour(films, monkeypatch):
    path = films("h264 open")
    assert plain(FilmReader(path), colour=True) == straight(path, monkeypatch, colour=True)


def test_little_is_held_where_little_may_wait(films, monkeypatch):
    path = films("h264 reordered")
    expected = straight(path, monkeypatch)
    monkeypatch.setattr(segments, "MAX_QUEUED_BYTES", 1000)
    assert plain(FilmReader(path)) == expected
    monkeypatch.setattr(segments, "MAX_QUEUED", 3)
    assert plain(FilmReader(path)) == expected


def test_a_film_with_one_key_frame_is_read_in_one_go(tmp_path, passes):
    look = VideoEncoding(
        "libx264", "yuv420p", {"preset": "ultrafast", "g": "9999", "sc_threshold": "0"}
    )
    path = make_film(tmp_path / "film.mkv", drawing(200), encoding=look)
    assert len(plain(FilmReader(path))) == 200
    assert passes == ["Straight"]


def falsified(path, out, change):
    """Copy a film's packets, each as `change` makes it of its number and its bytes."""
    with av.open(str(path)) as source, av.open(str(out), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            if packet.size:
                copy = av.Packet(change(number, bytes(packet)))
                copy.pts, copy.dts, copy.time_base = packet.pts, packet.dts, packet.time_base
                copy.is_keyframe = packet.is_keyframe
                copy.stream = stream
                target.mux(copy)
    return out


def test_damage_in_a_later_part_is_what_it_is_in_one_go(films, tmp_path, passes, monkeypatch):
    def change(number, data):
        return data if number != 333 else data[:6] + bytes(len(data) - 6)

    path = falsified(films("h264"), tmp_path / "damaged.mkv", change)
    with monkeypatch.context() as patch:
        patch.setattr(
            FilmReader, "_look_ahead", lambda self, packets: ([], DecodeStrategy.SEQUENTIAL)
        )
        reader = FilmReader(path, options=DecodeOptions(allow_damaged=True))
        expected, notes = plain(reader), reader.notes
        with pytest.raises(DamagedFilmError) as error:
            plain(FilmReader(path))
    passes.clear()
    reader = FilmReader(path, options=DecodeOptions(allow_damaged=True))
    assert plain(reader) == expected
    assert reader.notes == notes
    assert passes == ["Segments", "Straight"]
    with pytest.raises(DamagedFilmError) as again:
        plain(FilmReader(path))
    assert str(again.value) == str(error.value)


def test_decoders_that_differ_at_a_seam_are_not_believed(films, passes, monkeypatch):
    """A key frame that is none: what follows needs what was before."""
    path = films("h264")
    expected = straight(path, monkeypatch)
    real, calls = segments._to_decoded_frame, []

    def off(frame, lens):
        shot = real(frame, lens)
        calls.append(shot.pts)
        twice = calls.count(shot.pts) > 1
        return shot._replace(picture=255 - shot.picture) if twice else shot

    monkeypatch.setattr(segments, "_to_decoded_frame", off)
    passes.clear()
    with pytest.raises(segments.NonDeterministicDecodeError):
        decoded_by_hand(path)
    calls.clear()
    monkeypatch.setattr(segments, "_to_decoded_frame", real)
    assert plain(FilmReader(path)) == expected


def decoder_of(path):
    return lambda: av.open(str(path)).streams.video[0].codec_context


def decoded_by_hand(path):
    with ThreadPoolExecutor(1) as threads:
        decoder = segments.ParallelDecoder(decoder_of(path), FrameResizer, threads, 1)
        try:
            with av.open(str(path)) as container:
                for packet in container.demux(video=0):
                    list(decoder.decode(packet))
                return list(decoder.flush())
        finally:
            decoder.close()


def test_packets_without_times_are_not_split(films):
    path = films("h264")
    decoder = segments.ParallelDecoder(decoder_of(path), FrameResizer, ThreadPoolExecutor(2), 2)
    with av.open(str(path)) as container:
        packet = next(container.demux(video=0))
        packet.pts = None
        with pytest.raises(segments.NonDeterministicDecodeError):
            list(decoder.decode(packet))
    decoder.close()


def test_reading_may_be_left_at_any_time(films):
    for taken in (0, 1, MIN_SEGMENT_PACKETS + 5):
        frames = FilmReader(films("h264")).frames()
        assert all(isinstance(next(frames), Frame) for _ in range(taken))
        frames.close()


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_sound_is_heard_beside_the_picture(tmp_path, monkeypatch, threads):
    """Many packets at a time; and no thread waits for another that waits for it."""
    monkeypatch.setattr(hearing, "BATCH_PACKETS", 20)
    tone = np.sin(np.arange(14 * 22_050) / 9).astype(np.float32)
    path = tmp_path / "film.mkv"
    audio = Audio(tone, 22_050, "flac")
    make_film(path, drawing(), fps=Fraction(30), encoding=LOOKS["h264"], audio=audio)
    together = list(FilmReader(path, 22_050, options=DecodeOptions(threads=threads)).events())
    alone = list(FilmReader(path, 22_050).audio_chunks())
    sounds = [event for event in together if isinstance(event, AudioChunk)]
    assert len(sounds) == len(alone)
    for one, other in zip(sounds, alone, strict=True):
        assert one.start_sample == other.start_sample
        np.testing.assert_array_equal(one.samples, other.samples)
    assert len(together) - len(sounds) == FRAMES
