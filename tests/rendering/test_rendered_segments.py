"""Segments: the same seconds of the same sound and picture, and nothing else."""

from fractions import Fraction
from functools import partial

import numpy as np
import pytest
import soundfile

from frame2sound.api.rendering import RenderJob, RenderOptions
from frame2sound.cli.messages import with_options
from frame2sound.errors import Frame2SoundError, SoundtrackError
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.rendering.effects import parse_chain
from frame2sound.rendering.events.event_list import Event, read_events
from frame2sound.rendering.render import Delivery, Style, render
from frame2sound.rendering.segment import Segment
from tests.media_files import (
    H264_REORDERED,
    Audio,
    VideoEncoding,
    decode_audio,
    grey_pictures,
    make_film,
)
from tests.rendering.foretelling import Foreteller
from tests.rendering.simple_brains import SimpleBrain

FPS = Fraction(24000, 1001)
FRAMES = 560
SECONDS = FRAMES / FPS
SPANS = [("0", "1.5"), ("14.7", "17.35"), ("20", None), ("9.01", "9.03")]
OPEN_GOP = VideoEncoding(
    "libx264", "yuv420p", {"preset": "veryfast", "g": "30", "x264-params": "open-gop=1"}
)
MPEG4 = VideoEncoding("mpeg4", "yuv420p", {"g": "12"})


class Repeatable(SimpleBrain):
    """Noise that depends on the frame's brightness alone."""

    def sound(self, index, frame):
        seed = int(np.round(frame.mean()))
        return 0.1 + np.random.default_rng(seed).uniform(-0.3, 0.3, self.length)


class Counting(Repeatable):
    """Clicks whose height is the number of frames seen so far: all of them must be predicted."""

    motion_head = None
    maps_ground = True

    def sound(self, index, frame):
        return np.full(self.length, 0.5 * (-1) ** index * index / FRAMES)


def levels(frames=FRAMES):
    return (20 + 200 * np.random.default_rng(0).random(frames)).astype(int)


@pytest.fixture(scope="module")
def animation(tmp_path_factory):
    folder = tmp_path_factory.mktemp("segments")
    sound = np.random.default_rng(1).uniform(-0.3, 0.3, round(SECONDS * 48_000)).astype(np.float32)
    pictures = grey_pictures(levels())
    audio = Audio(sound, 48_000, "pcm_s16le")
    return make_film(folder / "film.mov", pictures, fps=FPS, encoding=H264_REORDERED, audio=audio)


def segment(start="0", stop=None):
    return Segment(Fraction(start), None if stop is None else Fraction(stop))


def sounding(film, brain, out, *, part=None, style=None, corpus=None, events_out=None, **delivery):
    """Render in a segment, and return the sound as it was written, and the result."""
    result = render(
        FilmReader(film),
        brain,
        out,
        style or Style(),
        Delivery(overwrite=True, **delivery),
        corpus=corpus,
        events_out=events_out,
        segment=part or Segment(),
    )
    if out.suffix != ".wav":
        return None, result
    return soundfile.read(out, dtype="int32")[0], result


def excerpt(whole, rate, start, stop):
    stop = Fraction(stop) if stop else SECONDS
    return whole[round(Fraction(start) * rate) : round(stop * rate)]


@pytest.mark.parametrize(
    ("name", "encoding", "fps"),
    [
        ("film.mp4", H264_REORDERED, FPS),
        ("film.mkv", OPEN_GOP, Fraction(30)),
        ("film.mkv", H264_REORDERED, Fraction(30000, 1001)),
        ("film.avi", MPEG4, Fraction(25)),
        ("film.mov", None, FPS),
    ],
)
@pytest.mark.parametrize("share", [Fraction(1, 100), Fraction(7, 13), Fraction(99, 100)])
def test_frames_from_a_time_on_are_those_of_the_whole(tmp_path, name, encoding, fps, share):
    look = {} if encoding is None else {"encoding": encoding}
    film = make_film(tmp_path / name, grey_pictures(levels(250)), fps=fps, **look)
    whole = list(FilmReader(film).frames())
    begin = share * whole[-1].end_seconds
    got = list(FilmReader(film).frames(from_seconds=begin))
    expected = [frame for frame in whole if frame.end_seconds > begin]
    assert [(f.start_seconds, f.end_seconds) for f in got] == [
        (f.start_seconds, f.end_seconds) for f in expected
    ]
    for frame, other in zip(got, expected, strict=True):
        np.testing.assert_array_equal(frame.picture, other.picture)


def test_what_lies_before_the_warm_up_is_not_predicted(animation, tmp_path):
    brain = Repeatable(24)
    sounding(animation, brain, tmp_path / "o.wav", part=segment("19", "20"))
    # The warm-up begins at 16 s, and its batch with frame 384.
    np.testing.assert_allclose(brain.seen[0], levels()[int(16 * FPS)], atol=4)
    assert len(brain.seen) <= FRAMES - 383


@pytest.mark.parametrize("rate", [None, 48_000])
@pytest.mark.parametrize("lead", [0, 176])
def test_a_segment_is_the_whole_to_the_bit_where_nothing_remembers(animation, tmp_path, rate, lead):
    make = partial(Repeatable, Fraction(30), lead=lead)
    whole, result = sounding(animation, make(), tmp_path / "whole.wav", sample_rate=rate)
    for start, stop in SPANS:
        part = segment(start, stop)
        got, told = sounding(animation, make(), tmp_path / "o.wav", part=part, sample_rate=rate)
        expected = excerpt(whole, result.sample_rate, start, stop)
        assert np.abs(expected).max() > 2**24
        np.testing.assert_array_equal(got, expected)
        assert told.seconds == pytest.approx(len(got) / result.sample_rate, abs=1e-4)


@pytest.mark.parametrize(
    ("effects", "kind"),
    [
        ("reverse seconds=0.5", "reverse"),
        ("time-stretch ratio=2", "time-stretch"),
        ("layer of=reverse", "layer"),
        ("reverb, layer of=original", None),
    ],
)
def test_a_part_tells_of_effects_that_move_sound_in_time(animation, tmp_path, effects, kind):
    chain = parse_chain(effects)
    part = segment("14", "15")
    _, told = sounding(animation, Repeatable(24), tmp_path / "o.wav", part=part, effects=chain)
    found = [note for note in told.notes if "moves sound in time" in note]
    assert len(found) == (kind is not None)
    assert all(note.startswith(f"{kind} moves") for note in found)
    _, told = sounding(animation, Repeatable(24), tmp_path / "all.wav", effects=chain)
    assert not any("moves sound" in note for note in told.notes)


def test_predictions_that_remember_are_made_from_the_start(animation, tmp_path):
    whole, _ = sounding(animation, Counting(24), tmp_path / "whole.wav")
    got, _ = sounding(animation, Counting(24), tmp_path / "o.wav", part=segment("22", "23"))
    np.testing.assert_array_equal(got, excerpt(whole, 22050, "22", "23"))


@pytest.mark.parametrize("mode", ["overlap-add", "granular", "mosaic"])
@pytest.mark.parametrize("kind", ["log-mag", "stft-both"])
def test_every_mode_has_the_length_and_the_level_of_the_whole(animation, tmp_path, kind, mode):
    options = {"style": Style(mode), "corpus": Foreteller(kind).corpus}
    whole, result = sounding(animation, Foreteller(kind), tmp_path / "whole.wav", **options)
    part = segment("21", "23")
    got, _ = sounding(animation, Foreteller(kind), tmp_path / "o.wav", part=part, **options)
    expected = excerpt(whole, result.sample_rate, "21", "23")
    assert got.shape == expected.shape
    rms = [np.sqrt(np.mean(np.square(each / 2.0**31))) for each in (got, expected)]
    assert rms[0] == pytest.approx(rms[1], rel=0.2, abs=1e-4)


def test_the_films_own_sound_is_kept_in_its_place(animation, tmp_path):
    whole, _ = sounding(animation, SimpleBrain(), tmp_path / "whole.wav", keep_original_db=0.0)
    got, result = sounding(
        animation,
        SimpleBrain(),
        tmp_path / "o.wav",
        part=segment("14.7", "17.35"),
        keep_original_db=0.0,
    )
    np.testing.assert_array_equal(got, excerpt(whole, result.sample_rate, "14.7", "17.35"))
    assert np.abs(got).max() > 2**28


def test_the_loudness_and_the_fades_are_those_of_the_segment(animation, tmp_path):
    got, result = sounding(
        animation,
        Repeatable(),
        tmp_path / "o.wav",
        part=segment("14", "17"),
        loudness_lufs=-30.0,
        fade_in_seconds=0.5,
        sample_rate=48_000,
    )
    assert result.loudness_lufs == pytest.approx(-30, abs=0.3)
    assert got[0] == 0
    assert len(got) == 3 * 48_000


@pytest.mark.parametrize("name", ["o.mp4", "o.mkv", "o.mov"])
@pytest.mark.parametrize(("start", "stop"), [("14.7", "17.35"), ("0", "1.5"), ("20", None)])
def test_the_picture_is_cut_exactly(animation, tmp_path, name, start, stop):
    _, result = sounding(animation, Repeatable(), tmp_path / name, part=segment(start, stop))
    begin, end = Fraction(start), Fraction(stop) if stop else SECONDS
    first, last = int(begin * FPS), int(end * FPS)
    shown = list(FilmReader(tmp_path / name).frames())
    starts = [max(i / FPS - begin, 0) for i in range(first, last + (last / FPS < end))]
    assert [float(f.start_seconds) for f in shown] == pytest.approx(
        [float(each) for each in starts], abs=1e-3
    )
    assert float(shown[-1].end_seconds) == pytest.approx(float(end - begin), abs=1e-3)
    greys = [frame.picture.mean() for frame in shown]
    np.testing.assert_allclose(greys, levels()[first : first + len(shown)], atol=5)
    planes, rate, _ = decode_audio(tmp_path / name)
    surplus = planes.shape[-1] - (round(end * rate) - round(begin * rate))
    assert 0 <= surplus < (1024 if name == "o.mp4" else 1)  # AAC has whole frames
    assert "the picture was cut from" in " ".join(result.notes)


def test_pictures_that_stay_are_cut_where_they_stay(tmp_path):
    times = tuple(map(Fraction, (0, 2, 5, 9)))
    film = make_film(
        tmp_path / "f.mov", grey_pictures((40, 120, 200)), times=times, time_base=Fraction(1, 600)
    )
    sounding(film, Repeatable(), tmp_path / "o.mp4", part=segment("3", "6"))
    shown = list(FilmReader(tmp_path / "o.mp4").frames())
    assert [(f.start_seconds, f.end_seconds) for f in shown] == [(0, 2), (2, 3)]
    np.testing.assert_allclose([f.picture.mean() for f in shown], [120, 200], atol=3)
    sounding(film, Repeatable(), tmp_path / "p.mp4", part=segment("6", "8"))
    (only,) = FilmReader(tmp_path / "p.mp4").frames()
    assert (only.start_seconds, only.end_seconds) == (0, 2)


def test_events_have_the_times_of_the_animation(animation, tmp_path):
    given = tuple(Event(time, -20.0) for time in (2.0, 14.5, 15.25, 16.5, 21.0))
    options = {"style": Style("mosaic", events=given), "corpus": Foreteller("pcm").corpus}
    whole, _ = sounding(animation, Foreteller("pcm"), tmp_path / "whole.wav", **options)
    got, result = sounding(
        animation,
        Foreteller("pcm"),
        tmp_path / "o.wav",
        part=segment("15", "16.5"),
        events_out=tmp_path / "e.json",
        **options,
    )
    (played,) = read_events(tmp_path / "e.json")
    assert played.time_seconds == 15.25
    assert "1 event, as given" in " ".join(result.notes)
    expected = excerpt(whole, result.sample_rate, "15", "16.5")
    assert np.abs(expected).max() > 2**24
    np.testing.assert_array_equal(got, expected)  # the warm-up begins with the animation


def test_events_before_the_warm_up_are_left_out(tmp_path):
    film = make_film(tmp_path / "slow.mov", grey_pictures(levels(60)), fps=Fraction(1))
    events = tuple(Event(time, -20.0, "known", 0.5) for time in (2.0, 50.5))
    heard = []
    for part in (segment(), segment("50", "52")):
        sounds = []
        for given in (events, events[:1]):
            style = Style("mosaic", events=given)
            brain = Foreteller("pcm")
            options = {"part": part, "style": style, "corpus": brain.corpus}
            sound, result = sounding(film, brain, tmp_path / "o.wav", **options)
            sounds.append(sound[50 * result.sample_rate :] if part.is_whole else sound)
            count = len(given) if part.is_whole else len(given) - 1
            assert f"{count} event{'' if count == 1 else 's'}, as given" in " ".join(result.notes)
        # The bed may be of other units; the event, which is what the second lacks, is the same.
        heard.append((sounds[0].astype(np.int64) - sounds[1])[: 2 * result.sample_rate])
    onset = round(0.5 * result.sample_rate)
    assert not heard[1][: onset - 400].any()
    assert np.abs(heard[1][onset : onset + 200]).max() > 2**24
    np.testing.assert_allclose(heard[1], heard[0], atol=2**10)


@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [
        ("2", "2", "got --from 2 and --to 2, expected a stop at least 0.01 s after the start"),
        ("3", "2", "got --from 3 and --to 2, expected a stop at least 0.01 s after the start"),
        ("-1", None, "got --from -1, expected seconds, 0 or more, as 12.5"),
        ("1e999999999", None, "got --from 1e999999999, expected seconds, 0 or more, as 12.5"),
        ("soon", None, "got --from soon, expected seconds, 0 or more, as 12.5"),
        ("0", "nan", "got --to nan, expected seconds, 0 or more, as 12.5"),
        ("0", float("inf"), "got --to inf, expected seconds, 0 or more, as 12.5"),
    ],
)
def test_times_that_are_none_end_in_one_line(start, stop, expected):
    options = RenderOptions(start_seconds=start, stop_seconds=stop)
    with pytest.raises(Frame2SoundError) as caught:
        RenderJob("no-brain-is-loaded-yet", options)
    assert with_options(str(caught.value), ["--from", "--to"]) == expected


@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [
        ("99", None, r"got `start_seconds=99`, expected less than 23\.3567 s, the length"),
        ("23.4", None, r"got `start_seconds=23\.4`, expected less than 23\.3567 s"),
        ("5", "99", r"got `stop_seconds=99`, expected at most 23\.3567 s, the length"),
        ("5", "23.5", r"got `stop_seconds=23\.5`, expected at most 23\.3567 s"),
    ],
)
def test_times_beyond_the_end_name_the_length(animation, tmp_path, start, stop, expected):
    with pytest.raises(SoundtrackError, match=expected):
        sounding(animation, SimpleBrain(), tmp_path / "o.wav", part=segment(start, stop))
    assert list(tmp_path.iterdir()) == []
