"""Soundtracks muxed with a film: the video unchanged, the audio of exact duration."""

from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest

from frame2sound.clock import sample_at
from frame2sound.errors import SoundtrackError
from frame2sound.film.decoding.options import DecodeOptions
from frame2sound.film.decoding.probe import probe_streams
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.film.encoding.containers import AUDIO_CODECS, CONTAINERS, audio_codec_for
from frame2sound.film.encoding.soundtrack_writer import write_soundtrack
from tests.media_files import (
    H264,
    H264_REORDERED,
    VP8,
    VideoEncoding,
    decode_audio,
    grey_pictures,
    make_film,
    video_packets,
    write_rotation,
)

FPS = [Fraction(24), Fraction(24000, 1001), Fraction(25), Fraction(30000, 1001), Fraction(30)]
VARYING = [Fraction(n, 600) for n in np.cumsum([0, 20, 25, 50, 20, 171, 20, 33, 60, 41])]
ENCODINGS = {".webm": VP8, ".avi": VideoEncoding()}  # AVI has no time stamps to reorder by
EVERY = [(ending, name) for ending, names in CONTAINERS.items() for name in names]


def tone(samples, rate, channels=1):
    """Return a quiet tone, float32 of shape (n,) or (n, 2), the second channel inverted."""
    mono = (0.3 * np.sin(2 * np.pi * 440 * np.arange(samples) / rate)).astype(np.float32)
    return mono if channels == 1 else np.stack([mono, -mono], axis=1)


def chunks(sound, size=5000):
    return (sound[begin : begin + size] for begin in range(0, len(sound), size))


def rate_of(codec):
    return AUDIO_CODECS[codec].supported_sample_rate(22_050)


def sounded(source, out, seconds, codec, channels=1):
    """Write a tone of a duration to a film; return the tone."""
    rate = rate_of(codec)
    sound = tone(sample_at(seconds, rate), rate, channels)
    write_soundtrack(probe_streams(source), chunks(sound), rate, channels, AUDIO_CODECS[codec], out)
    return sound


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Returns a film of 50 frames for a container, drawn once."""
    folder, made = tmp_path_factory.mktemp("sources"), {}

    def film(ending, fps=Fraction(25)):
        if (ending, fps) not in made:
            path = folder / f"{len(made)}{ending}"
            encoding = ENCODINGS.get(ending, H264_REORDERED)
            make_film(path, grey_pictures(range(20, 120, 2)), encoding=encoding, fps=fps)
            made[ending, fps] = path
        return made[ending, fps]

    return film


@pytest.mark.parametrize(("ending", "codec"), EVERY)
def test_the_video_is_copied_bit_for_bit(source, tmp_path, ending, codec):
    film, out = source(ending), tmp_path / f"out{ending}"
    sounded(film, out, Fraction(2), codec)
    before, after = video_packets(film), video_packets(out)
    assert [data for _, data in before] == [data for _, data in after]
    first = min(pts for pts, _ in before)
    assert [pts - first for pts, _ in before] == [pts for pts, _ in after]


@pytest.mark.parametrize(("ending", "codec"), EVERY)
def test_the_audio_starts_at_zero_with_the_given_samples(source, tmp_path, ending, codec):
    out = tmp_path / f"out{ending}"
    sound = sounded(source(ending), out, Fraction(2), codec)
    (played,), rate, begin = decode_audio(out)
    assert rate == rate_of(codec)
    assert begin <= 0  # lossy coders may hand out their lead-in before it
    played = played[-round(begin * rate) :][: len(sound)]
    inner = slice(rate // 10, -rate // 10)
    # 16 bits; or what 128 kbit/s leave of a tone.
    slack = 1e-4 if AUDIO_CODECS[codec].lossless else 0.02
    assert np.abs(played[inner] - sound[inner]).max() < slack


@pytest.mark.parametrize(
    ("ending", "codec"), [pair for pair in EVERY if AUDIO_CODECS[pair[1]].lossless]
)
@pytest.mark.parametrize("fps", FPS, ids=str)
def test_lossless_audio_has_the_exact_duration_of_the_video(source, tmp_path, ending, codec, fps):
    out, seconds = tmp_path / f"out{ending}", 50 / fps
    sound = sounded(source(ending, fps), out, seconds, codec)
    (played,), rate, begin = decode_audio(out)
    assert (begin, len(played)) == (0, sample_at(seconds, rate))
    assert np.abs(played - sound).max() < 1e-4


def declared(path):
    """Return how many samples of audio an MP4 declares."""
    with av.open(str(path)) as film:
        audio = film.streams.audio[0]
        return Fraction(audio.duration) * audio.time_base * audio.sample_rate


@pytest.mark.parametrize("codec", ["aac", "opus", "alac", "flac"])
@pytest.mark.parametrize("fps", FPS, ids=str)
def test_an_mp4_declares_the_exact_length(source, tmp_path, codec, fps):
    out, seconds = tmp_path / "out.mp4", 50 / fps
    sounded(source(".mp4", fps), out, seconds, codec)
    assert declared(out) == sample_at(seconds, rate_of(codec))


@pytest.mark.parametrize("ending", [".webm", ".mkv"])
@pytest.mark.parametrize("fps", FPS, ids=str)
def test_opus_is_trimmed_to_the_exact_sample(source, tmp_path, ending, fps):
    out, seconds = tmp_path / f"out{ending}", 50 / fps
    sounded(source(ending, fps), out, seconds, "opus")
    (played,), rate, begin = decode_audio(out)
    ends = len(played) + round(begin * rate)
    # Matroska keeps the time of the first packet in milliseconds.
    assert abs(ends - sample_at(seconds, rate)) <= rate // 2000


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv"])
def test_a_variable_frame_rate_keeps_its_times(tmp_path, ending):
    film = make_film(
        tmp_path / f"varying{ending}",
        grey_pictures(range(0, 180, 20)),
        times=VARYING,
        time_base=Fraction(1, 600),
        encoding=H264,
    )
    out = tmp_path / f"out{ending}"
    codec = "pcm" if ending == ".mov" else "flac"
    sounded(film, out, VARYING[-1], codec)
    assert [p[0] for p in video_packets(out)] == [p[0] for p in video_packets(film)]
    assert [f.end_seconds for f in FilmReader(out).frames()] == [
        f.end_seconds for f in FilmReader(film).frames()
    ]
    assert decode_audio(out)[0].shape == (1, sample_at(VARYING[-1], 22_050))


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
@pytest.mark.parametrize("encoding", [H264, H264_REORDERED], ids=["in order", "reordered"])
def test_a_film_that_starts_at_ten_seconds_starts_at_zero(tmp_path, ending, encoding):
    times = [10 + Fraction(i, 25) for i in range(51)]
    film = make_film(
        tmp_path / "late.mkv",
        grey_pictures(range(20, 120, 2)),
        times=times,
        fps=Fraction(25),
        encoding=encoding,
    )
    out = tmp_path / f"out{ending}"
    sounded(film, out, Fraction(2), "flac")
    assert min(pts for pts, _ in video_packets(out)) == 0
    assert decode_audio(out)[2] == 0
    with av.open(str(out)) as written:
        assert written.duration == pytest.approx(2 * av.time_base, abs=1000)


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_a_transport_stream_that_starts_late_starts_at_zero(real_films, tmp_path, ending):
    film, out = real_films / "awkward" / "starts-at-ten-seconds.ts", tmp_path / f"out{ending}"
    sounded(film, out, Fraction(6), "flac")
    frames, before = list(FilmReader(out).frames()), list(FilmReader(film).frames())
    assert (
        [f.start_seconds for f in frames]
        == [f.start_seconds for f in before]
        == [Fraction(i, 24) for i in range(144)]
    )
    assert all((a.picture == b.picture).all() for a, b in zip(frames, before, strict=True))
    assert min(pts for pts, _ in video_packets(out)) == 0
    assert decode_audio(out)[2] == 0


@pytest.mark.parametrize("clockwise", [90, 180, 270])
@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv"])
def test_the_rotation_mark_survives(tmp_path, ending, clockwise):
    film = make_film(tmp_path / "turned.mp4", grey_pictures([40] * 25, (96, 64)), encoding=H264)
    write_rotation(film, clockwise)
    out = tmp_path / f"out{ending}"
    sounded(film, out, Fraction(25, 24), "aac")
    assert probe_streams(out).quarter_turns == probe_streams(film).quarter_turns != 0


@pytest.mark.parametrize("size", [(33, 17), (1, 1), (65, 48)])
def test_odd_sizes_are_kept(tmp_path, size):
    encoding = VideoEncoding("libx264", "yuv444p", {"preset": "ultrafast"})
    film = make_film(tmp_path / "odd.mp4", grey_pictures([40] * 10, size), encoding=encoding)
    out = tmp_path / "out.mp4"
    sounded(film, out, Fraction(10, 24), "aac")
    streams = probe_streams(out)
    assert (streams.width, streams.height) == size


@pytest.mark.parametrize(("ending", "codec"), EVERY)
def test_two_channels_are_kept(source, tmp_path, ending, codec):
    out = tmp_path / f"out{ending}"
    sound = sounded(source(ending), out, Fraction(2), codec, channels=2)
    played, rate, _ = decode_audio(out)
    assert played.shape[0] == 2
    inner = slice(rate // 2, rate)
    assert np.corrcoef(played[0, inner], played[1, inner])[0, 1] < -0.999
    assert np.abs(played[0, inner]).max() == pytest.approx(np.abs(sound).max(), abs=0.01)


@pytest.mark.parametrize("codec", ["flac", "aac", "opus"])
def test_the_peak_is_measured_on_decoded_audio(source, tmp_path, codec):
    rate, out = rate_of(codec), tmp_path / "out.mkv"
    sound = tone(rate * 2, rate) * 2
    peak_db = write_soundtrack(
        probe_streams(source(".mkv")), chunks(sound), rate, 1, AUDIO_CODECS[codec], out
    ).true_peak_db
    played = np.abs(decode_audio(out)[0]).max()
    # Between the samples it may be higher; a lossy coder overshoots where the tone begins.
    assert played - 1e-3 <= 10 ** (peak_db / 20) <= 1.05 * played


def test_audio_may_be_written_in_chunks_of_any_size(source, tmp_path):
    sound = tone(2 * 22_050, 22_050)
    cuts = [0, 0, 1, 2, 20_000, 20_000, 44_099, 44_100]
    for name, pieces in (("one", [sound]), ("many", [sound[a:b] for a, b in pairwise(cuts)])):
        out = tmp_path / f"{name}.mkv"
        write_soundtrack(
            probe_streams(source(".mkv")), pieces, 22_050, 1, AUDIO_CODECS["flac"], out
        )
    np.testing.assert_array_equal(
        decode_audio(tmp_path / "one.mkv")[0], decode_audio(tmp_path / "many.mkv")[0]
    )


def test_video_and_audio_are_interleaved(tmp_path):
    film = make_film(tmp_path / "film.mkv", grey_pictures([5, 90] * 150), fps=Fraction(30))
    out = tmp_path / "out.mkv"
    sounded(film, out, Fraction(10), "flac")
    with av.open(str(out)) as written:
        reached = {"video": Fraction(0), "audio": Fraction(0)}
        for packet in written.demux():
            if packet.size:
                reached[packet.stream.type] = packet.pts * packet.time_base
                assert abs(reached["video"] - reached["audio"]) < 2  # CHUNK is 0.74 s
    assert reached["video"] == pytest.approx(Fraction(299, 30), abs=1e-3)
    assert 9.7 < reached["audio"] < 10


@pytest.mark.parametrize(
    ("encoding", "name", "ending", "codec", "note"),
    [
        (H264, "film.mp4", ".webm", "opus", "(h264) as it is (.mov can); encoded as VP9"),
        (
            VideoEncoding("ffv1", "gray"),
            "film.mkv",
            ".webm",
            "opus",
            "(ffv1) as it is (.mkv can); encoded as VP9",
        ),
        (VP8, "film.webm", ".mov", "pcm", "(vp8) as it is (.mkv can)"),
        (
            VideoEncoding("wmv2", "yuv420p"),
            "film.wmv",
            ".mkv",
            "flac",
            "(wmv2) as it is (.avi can); encoded as H.264",
        ),
        (
            VideoEncoding("msmpeg4", "yuv420p"),
            "film.avi",
            ".mp4",
            "aac",
            "(.mov can); encoded as H.264",
        ),
        (
            VideoEncoding("flv", "yuv420p"),
            "film.flv",
            ".mkv",
            "flac",
            "(flv1) as it is (.avi can); encoded",
        ),
        (VideoEncoding("flashsv", "bgr24"), "film.flv", ".mp4", "aac", "(flashsv) as it is"),
        (VideoEncoding("qtrle", "rgb24"), "film.mov", ".mkv", "flac", "(qtrle) as it is"),
    ],
)
def test_video_that_a_container_cannot_hold_is_encoded_and_noted(
    tmp_path, encoding, name, ending, codec, note
):
    film = make_film(
        tmp_path / name, grey_pictures(range(20, 220, 20)), encoding=encoding, fps=Fraction(25)
    )
    out, rate = tmp_path / f"out{ending}", rate_of(codec)
    sound = chunks(tone(sample_at(Fraction(10, 25), rate), rate))
    written = write_soundtrack(probe_streams(film), sound, rate, 1, AUDIO_CODECS[codec], out)
    assert len(written.notes) == 1
    assert note in written.notes[0]
    same_pictures(film, out)


def same_pictures(film, out, slack=3):
    """Return whether two films have the same frames at the same times, to 3 levels for crf 12."""
    before, after = list(FilmReader(film).frames()), list(FilmReader(out).frames())
    assert [f.start_seconds for f in after] == [f.start_seconds for f in before]
    for a, b in zip(after, before, strict=True):
        assert np.abs(a.picture.astype(int) - b.picture).max() <= slack


@pytest.mark.parametrize("ending", [".mkv", ".mp4", ".avi"])
def test_frames_without_times_are_encoded_at_their_rate(tmp_path, ending):
    film = make_film(
        tmp_path / "film.h264", grey_pictures(range(20, 220, 20)), encoding=H264, fps=Fraction(25)
    )
    codec = CONTAINERS[ending][0]
    sounded(film, tmp_path / f"out{ending}", Fraction(10, 25), codec)
    same_pictures(film, tmp_path / f"out{ending}")
    assert len(video_packets(tmp_path / f"out{ending}")) == 10


@pytest.mark.parametrize("name", ["film.gif", "film.wav", "film", "film.txt"])
def test_a_container_without_audio_is_refused(tmp_path, name):
    with pytest.raises(
        SoundtrackError, match=f"{name}: .* cannot hold a picture with a soundtrack"
    ):
        audio_codec_for(tmp_path / name)


@pytest.mark.parametrize(
    ("ending", "codec"),
    [(e, c) for e, held in CONTAINERS.items() for c in AUDIO_CODECS if c not in held],
)
def test_an_audio_codec_that_a_container_lacks_is_refused(tmp_path, ending, codec):
    message = (
        rf"film\{ending}: \{ending} cannot hold {codec} sound; expected {CONTAINERS[ending][0]}"
    )
    with pytest.raises(SoundtrackError, match=message):
        audio_codec_for(tmp_path / f"film{ending}", codec)


@pytest.mark.parametrize("ending", CONTAINERS)
def test_the_first_codec_is_the_default_and_suffixes_ignore_case(tmp_path, ending):
    codec = AUDIO_CODECS[CONTAINERS[ending][0]]
    assert audio_codec_for(tmp_path / f"film{ending}") == codec
    assert audio_codec_for(tmp_path / f"FILM{ending.upper()}") == codec


@pytest.mark.parametrize(
    ("codec", "requested", "stored"),
    [
        ("aac", 22_050, 22_050),
        ("aac", 22_000, 22_050),
        ("aac", 23_000, 24_000),
        ("aac", 192_000, 96_000),
        ("opus", 22_050, 48_000),
        ("opus", 96_000, 48_000),
        ("pcm", 22_051, 22_051),
        ("flac", 22_050, 22_050),
    ],
)
def test_the_sample_rate_is_the_next_that_the_codec_supports(codec, requested, stored):
    assert AUDIO_CODECS[codec].supported_sample_rate(requested) == stored


def gif(path, hundredths, size):
    """Write a GIF with delays in hundredths of a second."""
    times = [Fraction(int(n), 100) for n in np.cumsum([0, *hundredths])]
    pictures = [
        picture[..., 0] for picture in grey_pictures(range(10, 10 + 20 * len(hundredths), 20), size)
    ]
    return make_film(
        path,
        pictures,
        times=times,
        time_base=Fraction(1, 100),
        fps=Fraction(100),
        encoding=VideoEncoding("gif", "gray"),
    )


@pytest.mark.parametrize("size", [(64, 48), (33, 17)])
@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
def test_a_gif_is_encoded_with_its_own_times(tmp_path, size, ending):
    durations = [10, 4, 25, 3, 50, 8]
    film = gif(tmp_path / "film.gif", durations, size)
    out = tmp_path / f"out{ending}"
    sounded(film, out, Fraction(1), "aac")
    before, after = list(FilmReader(film).frames()), list(FilmReader(out).frames())
    assert [f.end_seconds for f in before] == [Fraction(int(n), 100) for n in np.cumsum(durations)]
    assert [f.start_seconds for f in after] == [f.start_seconds for f in before]
    assert after[-1].end_seconds == pytest.approx(1, abs=1e-3)
    streams = probe_streams(out)
    assert (streams.width, streams.height) == tuple(side + side % 2 for side in size)
    for a, b in zip(after, before, strict=True):
        assert np.abs(a.picture.astype(int) - b.picture).max() <= 4  # encoded anew


def test_a_real_gif_keeps_its_duration(real_films, tmp_path):
    film, out = real_films / "awkward" / "newtons-cradle.gif", tmp_path / "out.mp4"
    sounded(film, out, Fraction(82, 100), "aac")
    frames = list(FilmReader(out).frames())
    assert (len(frames), frames[-1].end_seconds) == (36, Fraction(82, 100))
    assert declared(out) == sample_at(Fraction(82, 100), 22_050)


def test_alpha_of_uncompressed_avi_is_ignored_when_encoding(tmp_path):
    film, out = tmp_path / "film.avi", tmp_path / "out.mp4"
    with av.open(str(film), "w") as target:
        stream = target.add_stream("rawvideo", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "bgra"
        for number in range(5):
            picture = np.full((48, 64, 4), (123, 123, 123, 0), np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, "bgra")
            frame.pts = number
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    sound = chunks(tone(4410, 22_050))
    written = write_soundtrack(probe_streams(film), sound, 22_050, 1, AUDIO_CODECS["aac"], out)
    assert "encoded as H.264" in written.notes[0]
    after = [frame.picture for frame in FilmReader(out).frames()]
    assert len(after) == 5
    assert np.abs(after[0].astype(int) - 123).max() <= 3


@pytest.mark.parametrize("background", [0, 255])
def test_encoded_frames_are_upright_and_over_the_background(tmp_path, background):
    """The film is mirrored and rotated, and its right half is transparent."""
    picture = np.full((48, 64, 4), 255, np.uint8)
    picture[:, :32] = (0, 0, 0, 255)
    picture[:12, :32] = (128, 128, 128, 255)
    picture[:, 32:, 3] = 0
    film = tmp_path / "film.mov"
    with av.open(str(film), "w") as target:
        stream = target.add_stream("qtrle", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "argb"
        for number in range(5):
            frame = av.VideoFrame.from_ndarray(picture, "rgba")
            frame.pts = number
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    write_rotation(film, 90)
    out, sound = tmp_path / "out.mp4", chunks(tone(4410, 22_050))
    write_soundtrack(
        probe_streams(film), sound, 22_050, 1, AUDIO_CODECS["aac"], out, background=background
    )
    before = [
        frame.picture
        for frame in FilmReader(film, options=DecodeOptions(background=background)).frames()
    ]
    after = [frame.picture for frame in FilmReader(out).frames()]
    assert probe_streams(out).quarter_turns == 0
    assert len(after) == len(before) == 5
    # The edges of its blocks are blurred by the codec's halved colours.
    assert np.median(np.abs(after[0].astype(int) - before[0])) <= 2
    assert np.abs(after[0][::63, ::63].astype(int) - before[0][::63, ::63]).max() <= 3
    assert int(before[0].max()) == (255 if background else 128)
