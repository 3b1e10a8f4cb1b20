"""Parallel decoding gives the same frames as sequential decoding, or gives way to it."""

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import av
import numpy as np
import pytest

from frame2sound.errors import DamagedFilmError
from frame2sound.film.decoding import audio_decoder, parallel_decoder
from frame2sound.film.decoding.audio_chunks import AudioChunk
from frame2sound.film.decoding.frame_resizer import FrameResizer
from frame2sound.film.decoding.options import DecodeOptions
from frame2sound.film.decoding.parallel_decoder import MIN_SEGMENT_PACKETS
from frame2sound.film.decoding.reader import DecodeStrategy, FilmReader, Frame
from tests.media_files import VP8_OPTIONS, Audio, VideoEncoding, make_film

FRAMES = 420
ENCODINGS = {
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
    "vp8": VideoEncoding("libvpx", "yuv420p", VP8_OPTIONS | {"g": "60"}),
    "vp9": VideoEncoding(
        "libvpx-vp9", "yuv420p", {"deadline": "realtime", "cpu-used": "8", "g": "60"}
    ),
    "mjpeg": VideoEncoding(),
    "ffv1": VideoEncoding("ffv1", "yuv420p"),
}


def drawing(frames=FRAMES):
    """Yield a moving disc over drifting noise, so that every wrong frame differs."""
    rng = np.random.default_rng(0)
    background = rng.integers(0, 200, (80, 96 + frames), np.uint8)
    rows, columns = np.mgrid[:80, :96]
    for frame in range(frames):
        picture = background[:, frame : frame + 96].copy()
        picture[np.hypot(rows - 40, columns - 48 - 30 * np.sin(frame / 9)) < 12] = 255
        yield np.repeat(picture[..., None], 3, axis=2)


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder, paths = tmp_path_factory.mktemp("films"), {}

    def film(name):
        if name not in paths:
            path = folder / f"{len(paths)}.mkv"
            paths[name] = make_film(path, drawing(), fps=Fraction(30), encoding=ENCODINGS[name])
        return paths[name]

    return film


@pytest.fixture
def decoders(monkeypatch):
    """The names of the decoders that readers made, in order."""
    names = []
    for name in ("ParallelDecoder", "SequentialDecoder"):
        monkeypatch.setattr(
            f"frame2sound.film.decoding.reader.{name}",
            lambda *how, name=name: names.append(name) or getattr(parallel_decoder, name)(*how),
        )
    return names


def frames_of(reader, colour=False):
    return [
        (f.start_seconds, f.end_seconds, f.picture.tobytes()) for f in reader.frames(colour=colour)
    ]


def sequential_frames(path, monkeypatch, **how):
    with monkeypatch.context() as patch:
        patch.setattr(
            FilmReader, "_look_ahead", lambda self, packets: ([], DecodeStrategy.SEQUENTIAL)
        )
        return frames_of(FilmReader(path), **how)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("name", ENCODINGS)
def test_parallel_decoding_equals_sequential(films, decoders, monkeypatch, name, threads):
    path = films(name)
    expected = sequential_frames(path, monkeypatch)
    decoders.clear()
    assert frames_of(FilmReader(path, options=DecodeOptions(threads=threads))) == expected
    assert len(expected) == FRAMES
    assert decoders == ["ParallelDecoder"]


def test_parallel_decoding_equals_sequential_in_colour(films, monkeypatch):
    path = films("h264 open")
    assert frames_of(FilmReader(path), colour=True) == sequential_frames(
        path, monkeypatch, colour=True
    )


def test_small_queues_change_nothing(films, monkeypatch):
    path = films("h264 reordered")
    expected = sequential_frames(path, monkeypatch)
    monkeypatch.setattr(parallel_decoder, "MAX_QUEUED_BYTES", 1000)
    monkeypatch.setattr(parallel_decoder, "MAX_QUEUED", 3)
    monkeypatch.setattr(parallel_decoder, "POLL_SECONDS", 0.001)
    assert frames_of(FilmReader(path)) == expected


def test_a_film_with_one_key_frame_is_decoded_sequentially(tmp_path, decoders):
    encoding = VideoEncoding(
        "libx264", "yuv420p", {"preset": "ultrafast", "g": "9999", "sc_threshold": "0"}
    )
    path = make_film(tmp_path / "film.mkv", drawing(200), encoding=encoding)
    assert len(frames_of(FilmReader(path))) == 200
    assert decoders == ["SequentialDecoder"]


def change_packets(path, out, change):
    """Copy a film; ``change`` returns each packet's content, given its number and content."""
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


def test_damage_is_reported_as_by_sequential_decoding(films, tmp_path, decoders, monkeypatch):
    def change(number, data):
        return data if number != 333 else data[:6] + bytes(len(data) - 6)

    path = change_packets(films("h264"), tmp_path / "damaged.mkv", change)
    with monkeypatch.context() as patch:
        patch.setattr(
            FilmReader, "_look_ahead", lambda self, packets: ([], DecodeStrategy.SEQUENTIAL)
        )
        reader = FilmReader(path, options=DecodeOptions(allow_damaged=True))
        expected, notes = frames_of(reader), reader.notes
        with pytest.raises(DamagedFilmError) as error:
            frames_of(FilmReader(path))
    decoders.clear()
    reader = FilmReader(path, options=DecodeOptions(allow_damaged=True))
    assert frames_of(reader) == expected
    assert reader.notes == notes
    assert decoders == ["ParallelDecoder", "SequentialDecoder"]
    with pytest.raises(DamagedFilmError) as again:
        frames_of(FilmReader(path))
    assert str(again.value) == str(error.value)


def test_decoders_that_disagree_on_a_key_frame_raise(films, decoders, monkeypatch):
    path = films("h264")
    expected = sequential_frames(path, monkeypatch)
    real, calls = parallel_decoder._to_decoded_frame, []

    def inverted_second_time(frame, resizer):
        decoded = real(frame, resizer)
        calls.append(decoded.pts)
        twice = calls.count(decoded.pts) > 1
        return decoded._replace(picture=255 - decoded.picture) if twice else decoded

    monkeypatch.setattr(parallel_decoder, "_to_decoded_frame", inverted_second_time)
    decoders.clear()
    with pytest.raises(parallel_decoder.NonDeterministicDecodeError):
        decode_parallel(path)
    calls.clear()
    monkeypatch.setattr(parallel_decoder, "_to_decoded_frame", real)
    assert frames_of(FilmReader(path)) == expected


def decoder_of(path):
    return lambda: av.open(str(path)).streams.video[0].codec_context


def decode_parallel(path):
    with ThreadPoolExecutor(1) as threads:
        decoder = parallel_decoder.ParallelDecoder(decoder_of(path), FrameResizer, threads, 1)
        try:
            with av.open(str(path)) as container:
                for packet in container.demux(video=0):
                    list(decoder.decode(packet))
                return list(decoder.flush())
        finally:
            decoder.close()


def test_packets_without_times_raise(films):
    path = films("h264")
    decoder = parallel_decoder.ParallelDecoder(
        decoder_of(path), FrameResizer, ThreadPoolExecutor(2), 2
    )
    with av.open(str(path)) as container:
        packet = next(container.demux(video=0))
        packet.pts = None
        with pytest.raises(parallel_decoder.NonDeterministicDecodeError):
            list(decoder.decode(packet))
    decoder.close()


def test_reading_may_be_stopped_at_any_time(films):
    for taken in (0, 1, MIN_SEGMENT_PACKETS + 5):
        frames = FilmReader(films("h264")).frames()
        assert all(isinstance(next(frames), Frame) for _ in range(taken))
        frames.close()


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_audio_beside_video_equals_audio_alone(tmp_path, monkeypatch, threads):
    """Batches of packets keep their order, and no two threads wait for each other."""
    monkeypatch.setattr(audio_decoder, "BATCH_PACKETS", 20)
    tone = np.sin(np.arange(14 * 22_050) / 9).astype(np.float32)
    path = tmp_path / "film.mkv"
    audio = Audio(tone, 22_050, "flac")
    make_film(path, drawing(), fps=Fraction(30), encoding=ENCODINGS["h264"], audio=audio)
    events = list(FilmReader(path, 22_050, options=DecodeOptions(threads=threads)).events())
    alone = list(FilmReader(path, 22_050).audio_chunks())
    chunks = [event for event in events if isinstance(event, AudioChunk)]
    assert len(chunks) == len(alone)
    for one, other in zip(chunks, alone, strict=True):
        assert one.start_sample == other.start_sample
        np.testing.assert_array_equal(one.samples, other.samples)
    assert len(events) - len(chunks) == FRAMES
