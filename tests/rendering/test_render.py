"""Rendering: an animation in, the same animation sounding out, whole or not at all."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile

from frame2sound.errors import BrainError, SoundtrackError
from frame2sound.evaluation.levels import true_peak_db
from frame2sound.film.decoding.options import DecodeOptions
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.rendering.effects import parse_chain
from frame2sound.rendering.render import Delivery, Style, default_output_path, render
from frame2sound.sound.limiter import CEILING_DB, HEADROOM_DB
from tests.media_files import (
    H264,
    VP8,
    Audio,
    decode_audio,
    grey_pictures,
    make_film,
    video_packets,
)
from tests.rendering.foretelling import KINDS, Foreteller
from tests.rendering.simple_brains import (
    BrightNoise,
    Clicks,
    Diverged,
    Failing,
    Quiet,
    SimpleBrain,
)

FPS = Fraction(24000, 1001)
FRAMES = 48
SECONDS = FRAMES / FPS
RATE = 22050
MODES = ("overlap-add", "granular", "mosaic")
SPECTRAL = ("stft-real", "stft-both", "log-mag")
HALF_STEP = 2.0**-16
"""Rounding to 16 bits."""


def animation(folder, name="film.mp4", levels=(255,) * FRAMES, audio=None):
    look = VP8 if name.endswith(".webm") else H264
    return make_film(folder / name, grey_pictures(levels), fps=FPS, encoding=look, audio=audio)


def own_sound(channels=1, rate=48_000, start=Fraction(0), seconds=SECONDS, codec="pcm_s16le"):
    shape = (channels, round(seconds * rate))
    samples = np.random.default_rng(9).uniform(-0.4, 0.4, shape).astype(np.float32)
    layout = {1: "mono", 2: "stereo"}[channels]
    return Audio(samples, rate, codec, layout, start)


def give(film, brain, out, style=None, corpus=None, **delivery):
    style = Style() if style is None else style
    return render(FilmReader(film), brain, out, style, Delivery(**delivery), corpus=corpus)


def decoded(path):
    """Samples ``(n,)`` or ``(n, channels)``, and their rate."""
    if path.suffix == ".wav":
        return soundfile.read(path, dtype="float32")
    planes, rate, _ = decode_audio(path)
    return planes.T.squeeze(), rate


OUTPUTS = [
    ("film.mp4", "out.mp4", None, "aac"),
    ("film.mp4", "out.mp4", "alac", "alac"),
    ("film.mp4", "out.mov", None, "pcm_s16le"),
    ("film.mp4", "out.mkv", None, "flac"),
    ("film.mp4", "out.mkv", "opus", "opus"),
    ("film.webm", "out.webm", None, "opus"),
]


@pytest.mark.parametrize(("name", "out", "codec", "stored"), OUTPUTS)
@pytest.mark.parametrize("mode", ["overlap-add", "granular"])
def test_the_picture_is_copied_and_the_sound_is_as_long(tmp_path, name, out, codec, stored, mode):
    film, out = animation(tmp_path, name), tmp_path / out
    rendered = give(film, Quiet(lead=100), out, Style(mode), codec=codec)
    with av.open(str(out)) as target:
        assert [s.codec.canonical_name for s in target.streams.audio] == [stored]
        rate = target.streams.audio[0].sample_rate
    assert (rendered.path, rendered.sample_rate, rendered.seconds) == (out, rate, float(SECONDS))
    assert [p[-1] for p in video_packets(out)] == [p[-1] for p in video_packets(film)]
    sound, _ = decoded(out)
    lossless = stored in ("alac", "flac", "pcm_s16le")
    assert len(sound) == round(SECONDS * rate) if lossless else len(sound) >= int(SECONDS * rate)


@pytest.mark.parametrize("granular", [False, True])
def test_sound_alone_in_24_bits(tmp_path, granular):
    out = tmp_path / "out.wav"
    rendered = give(
        animation(tmp_path), Quiet(lead=100), out, Style("granular" if granular else "overlap-add")
    )
    info = soundfile.info(out)
    assert (info.subtype, info.channels, info.samplerate) == ("PCM_24", 1, RATE)
    assert info.frames == round(SECONDS * RATE)
    assert rendered.sample_rate == RATE


def test_a_flash_clicks_on_its_sample(tmp_path):
    levels = [255 * (i in (10, 30)) for i in range(FRAMES)]
    brain = Clicks(FPS)
    give(animation(tmp_path, levels=levels), brain, tmp_path / "out.wav")
    sound, _ = decoded(tmp_path / "out.wav")
    # The high pass takes a part in 1400 off a click, and leaves that much after it.
    clicks = np.flatnonzero(sound > 0.4)
    np.testing.assert_array_equal(
        clicks, [brain.clock.start_sample(10), brain.clock.start_sample(30)]
    )


@pytest.mark.parametrize("out", ["out.wav", "out.mov", "out.mkv"])
@pytest.mark.parametrize("style", [Style(), Style("granular")])
def test_black_is_digital_silence(tmp_path, out, style):
    film = animation(tmp_path, levels=[0] * FRAMES)
    give(film, BrightNoise(lead=100), tmp_path / out, style)
    assert not decoded(tmp_path / out)[0].any()


@pytest.mark.parametrize(("name", "out", "codec", "stored"), OUTPUTS)
@pytest.mark.parametrize("rate", [RATE, 48_000])
def test_no_decoded_true_peak_is_above_the_ceiling(tmp_path, name, out, codec, stored, rate):
    out = tmp_path / out
    rendered = give(animation(tmp_path, name), BrightNoise(sample_rate=rate), out, codec=codec)
    sound, _ = decoded(out)
    assert rendered.true_peak_db <= CEILING_DB
    assert true_peak_db(sound) <= CEILING_DB
    # Two interpolating filters, and what another decoder rounds.
    assert rendered.true_peak_db == pytest.approx(true_peak_db(sound), abs=0.15)


class LoudTone(SimpleBrain):
    """A tone of 100 Hz, three times beyond full scale."""

    def sound(self, index, frame):
        start = self.clock.start_sample(index) - self.lead
        return 3 * np.sin(2 * np.pi * 100 * np.arange(start, start + self.length) / RATE)


@pytest.mark.parametrize("out", ["out.wav", "out.mov", "out.mkv"])
def test_lossless_sound_is_no_quieter_than_the_limiter_makes_it(tmp_path, out):
    give(animation(tmp_path), LoudTone(), tmp_path / out)
    # The limiter keeps its headroom; 16 bits round by far less than the tolerance.
    wanted = pytest.approx(CEILING_DB - HEADROOM_DB, abs=0.02)
    assert true_peak_db(decoded(tmp_path / out)[0]) == wanted


def test_the_gain_is_applied(tmp_path):
    film = animation(tmp_path)
    give(film, Quiet(), tmp_path / "plain.wav")
    give(film, Quiet(), tmp_path / "loud.wav", gain_db=6)
    plain, loud = (decoded(tmp_path / name)[0] for name in ("plain.wav", "loud.wav"))
    # 24 bits round by 6e-8, and so does the plain one, doubled.
    np.testing.assert_allclose(loud, plain * 10 ** (6 / 20), atol=3e-7)


@pytest.mark.parametrize("wav", [False, True])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [44_100, 48_000])
@pytest.mark.parametrize("kept_db", [0.0, -12.0])
def test_the_films_own_sound_stays_at_its_level(tmp_path, wav, channels, rate, kept_db):
    own = own_sound(channels, rate)
    film, out = animation(tmp_path, "film.mov", audio=own), tmp_path / ("o.wav" if wav else "o.mov")
    rendered = give(film, SimpleBrain(), out, keep_original_db=kept_db)
    sound, heard_rate = decoded(out)
    assert heard_rate == rendered.sample_rate == rate
    expected = own.samples.T.squeeze() * 10 ** (kept_db / 20)
    assert sound.shape == expected.shape
    # Both the film's sound and the output are rounded to 16 bits.
    np.testing.assert_allclose(sound, expected, atol=3 * HALF_STEP)
    assert f"its own sound was kept at {kept_db:g} dB" in rendered.notes


@pytest.mark.parametrize(
    ("start", "seconds"), [(Fraction(1, 2), Fraction(1)), (Fraction(0), Fraction(1, 2))]
)
def test_own_sound_that_is_late_or_short_keeps_its_time(tmp_path, start, seconds):
    own = own_sound(start=start, seconds=seconds)
    give(
        animation(tmp_path, "film.mkv", audio=own),
        SimpleBrain(),
        tmp_path / "out.mov",
        keep_original_db=0,
    )
    expected = np.zeros(round(SECONDS * 48_000))
    begin = round(start * 48_000)
    expected[begin : begin + own.samples.shape[1]] = own.samples[0]
    np.testing.assert_allclose(decoded(tmp_path / "out.mov")[0], expected, atol=3 * HALF_STEP)


def test_own_sound_stays_with_the_picture_that_was_chosen(tmp_path):
    early, late = (tmp_path / f"{name}.mkv" for name in ("early", "late"))
    make_film(early, grey_pictures([0] * FRAMES), fps=FPS, encoding=H264, audio=own_sound())
    make_film(late, grey_pictures([255] * FRAMES), fps=FPS, encoding=H264)
    both = tmp_path / "both.mkv"
    with av.open(str(early)) as first, av.open(str(late)) as second, av.open(str(both), "w") as out:
        picture, sound = (out.add_stream_from_template(each) for each in first.streams)
        delayed = out.add_stream_from_template(second.streams.video[0])
        for source, targets, shift in ((first, (picture, sound), 0), (second, (delayed,), 0.5)):
            for packet in source.demux():
                if packet.dts is None:
                    continue
                ticks = round(shift / packet.time_base)
                packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
                packet.stream = targets[packet.stream_index]
                out.mux(packet)
    film = FilmReader(both, options=DecodeOptions(video_stream=1))
    delivery = Delivery(keep_original_db=0)
    render(film, SimpleBrain(), tmp_path / "out.wav", Style(), delivery)
    sound, rate = decoded(tmp_path / "out.wav")
    expected = own_sound().samples[0][round(0.5 * rate) :]
    length = min(len(sound), len(expected)) - 1
    assert length > rate
    np.testing.assert_allclose(sound[:length], expected[:length], atol=3 * HALF_STEP)


def test_own_sound_and_soundtrack_add_up(tmp_path):
    film = animation(tmp_path, "film.mov", audio=own_sound(rate=RATE))
    kept = {"kept.wav": -6.0, "replaced.wav": None}
    for name, level in kept.items():
        give(film, Quiet(), tmp_path / name, keep_original_db=level)
    both, alone = (decoded(tmp_path / name)[0] for name in kept)
    expected = alone + own_sound(rate=RATE).samples[0] * 10 ** (-6 / 20)
    np.testing.assert_allclose(both, expected, atol=2 * HALF_STEP)


def test_what_became_of_the_own_sound_is_told(tmp_path):
    silent = animation(tmp_path)
    sounding = animation(tmp_path, "sounding.mov", audio=own_sound())
    brain = SimpleBrain()
    (note,) = give(silent, brain, tmp_path / "1.mkv").notes
    assert note.startswith("the soundtrack is silent: the picture stands still there; if it should")
    wanted = give(silent, brain, tmp_path / "2.mkv", keep_original_db=0)
    assert "no sound of its own" in wanted.notes[0]
    assert "was replaced" in give(sounding, brain, tmp_path / "3.mkv").notes[0]


def test_a_moving_picture_without_sound_is_told_of(tmp_path):
    film = animation(tmp_path, levels=[20 + 10 * (i % 20) for i in range(FRAMES)])
    (note,) = give(film, SimpleBrain(), tmp_path / "1.mkv").notes
    assert note.startswith("the soundtrack is silent: the brain predicts no sound for this picture")
    assert not give(film, Quiet(), tmp_path / "2.mkv").notes
    (note,) = give(film, Quiet(), tmp_path / "3.mkv", gain_db=-60).notes
    assert note == "most of what is rendered is silent, because of its gain of -60 dB"
    own = animation(tmp_path, "own.mov", [20 + 10 * (i % 20) for i in range(FRAMES)], own_sound())
    notes = give(own, SimpleBrain(), tmp_path / "4.mkv", keep_original_db=0).notes
    assert notes[1].startswith("the brain's sound is silent: the brain predicts no sound")


@pytest.mark.parametrize("out", ["out.mp4", "out.wav"])
def test_an_existing_output_is_refused_and_untouched(tmp_path, out):
    film, out = animation(tmp_path), tmp_path / out
    out.write_bytes(b"precious")
    brain = SimpleBrain()
    with pytest.raises(SoundtrackError, match="exists already"):
        give(film, brain, out)
    assert out.read_bytes() == b"precious"
    assert not brain.seen
    give(film, brain, out, overwrite=True)
    assert out.stat().st_size > 1000


BROKEN = {
    "breaks down": (Failing, RuntimeError, "the brain broke down"),
    "nan": (lambda: Diverged(np.nan), BrainError, "not finite"),
    "inf": (lambda: Diverged(-np.inf), BrainError, "not finite"),
}


@pytest.mark.parametrize("kind", ["pcm", *SPECTRAL])
@pytest.mark.parametrize("mode", MODES)
def test_spectra_and_corpora_sound_and_repeat(tmp_path, kind, mode):
    film, brain = animation(tmp_path), Foreteller(kind, fps=24)
    for name in ("a.wav", "b.wav"):
        rendered = give(film, Foreteller(kind, fps=24), tmp_path / name, Style(mode), brain.corpus)
    sound, _ = decoded(tmp_path / "a.wav")
    assert len(sound) == round(SECONDS * RATE)
    assert np.abs(sound).max() > 0.01
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    said = {"overlap-add": (), "granular": ("grains",), "mosaic": ("a mosaic of 3.0 s",)}[mode]
    assert [note[: len(words)] for note, words in zip(rendered.notes, said, strict=True)] == [*said]


@pytest.mark.parametrize("kind", ["pcm", *SPECTRAL])
@pytest.mark.parametrize("mode", MODES)
def test_all_black_is_digital_silence_in_every_mode(tmp_path, kind, mode):
    film, brain = animation(tmp_path, levels=[0] * FRAMES), Foreteller(kind, fps=24)
    settings = {"loudness_lufs": -23, "fade_out_seconds": 0.5, "gain_db": 40}
    out = tmp_path / "out.wav"
    rendered = give(film, brain, out, Style(mode, stereo="place"), brain.corpus, **settings)
    sound, _ = decoded(out)
    assert sound.shape == (round(SECONDS * RATE), 2)
    assert not sound.any()
    assert rendered.loudness_lufs == -np.inf
    assert any("silent, below -70 LUFS" in note for note in rendered.notes)


class Spoilt(Foreteller):
    """Predictions that turn into numbers that are not finite."""

    def predict(self, frames):
        predictions = super().predict(frames)
        predictions[30:] = np.nan
        return predictions


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", MODES)
def test_predictions_that_are_not_finite_leave_nothing_behind(tmp_path, kind, mode):
    film, brain = animation(tmp_path), Spoilt(kind, fps=24)
    with pytest.raises(BrainError, match="not finite; train it again"):
        give(film, brain, tmp_path / "out.mkv", Style(mode), brain.corpus, loudness_lufs=-20)
    assert list(tmp_path.iterdir()) == [film]


@pytest.mark.parametrize("mode", MODES)
def test_the_whole_chain_repeats_to_the_byte(tmp_path, mode):
    film = animation(tmp_path, levels=[255, 0, 130] * 20)
    chain = parse_chain("reverb wet=0.4, chorus, time-stretch ratio=1.1")
    settings = {"effects": chain, "loudness_lufs": -20, "fade_in_seconds": 0.1}
    style = Style(mode, stereo="place", seed=4)
    for name in ("a.wav", "b.wav"):
        brain = Foreteller("log-mag", fps=24)
        give(film, brain, tmp_path / name, style, brain.corpus, **settings)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    sound, _ = decoded(tmp_path / "a.wav")
    assert len(sound) == round(60 / FPS * RATE)
    assert true_peak_db(sound) <= CEILING_DB
    assert {path.name for path in tmp_path.iterdir()} == {"film.mp4", "a.wav", "b.wav"}


@pytest.mark.parametrize("out", ["out.mp4", "out.mkv", "out.wav"])
@pytest.mark.parametrize("mode", ["overlap-add", "granular"])
@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_brain_leaves_nothing_behind(tmp_path, out, mode, fault):
    brain, error, words = BROKEN[fault]
    film = animation(tmp_path, levels=[255] * 150)
    with pytest.raises(error, match=words):
        give(film, brain(), tmp_path / out, Style(mode))
    assert list(tmp_path.iterdir()) == [film]
    (tmp_path / out).write_bytes(b"precious")
    with pytest.raises(error, match=words):
        give(film, brain(), tmp_path / out, Style(mode), overwrite=True)
    assert (tmp_path / out).read_bytes() == b"precious"
    assert sorted(tmp_path.iterdir()) == sorted([film, tmp_path / out])


@pytest.mark.parametrize(
    ("out", "codec", "words"),
    [
        ("out.txt", None, r"\.txt cannot hold a picture with a soundtrack"),
        ("out.webm", "aac", r"\.webm cannot hold aac sound; expected opus"),
        ("out.wav", "flac", "`codec` flac does nothing for sound alone, which is PCM"),
    ],
)
def test_what_a_container_cannot_hold_is_said(tmp_path, out, codec, words):
    film = animation(tmp_path)
    with pytest.raises(SoundtrackError, match=words):
        give(film, SimpleBrain(), tmp_path / out, codec=codec)
    assert list(tmp_path.iterdir()) == [film]


@pytest.mark.parametrize("seconds", [-0.001, 1 / 24, 1.0])
def test_an_overlap_out_of_range_is_refused(tmp_path, seconds):
    film = animation(tmp_path)
    with pytest.raises(SoundtrackError, match=r"got `overlap` .* less than a frame \(0\.0417 s\)"):
        give(film, SimpleBrain(24), tmp_path / "out.wav", Style(overlap_seconds=seconds))
    assert list(tmp_path.iterdir()) == [film]


def test_the_same_seed_gives_the_same_file(tmp_path):
    film = animation(tmp_path)
    for name, seed in {"a": 1, "b": 1, "c": 2}.items():
        give(film, Quiet(), tmp_path / f"{name}.wav", Style("granular", seed=seed))
    a, b, c = ((tmp_path / f"{name}.wav").read_bytes() for name in "abc")
    assert a == b
    assert a != c


@pytest.mark.parametrize(
    ("animation", "wav", "name"),
    [
        ("a.mp4", False, "a-sounding.mp4"),
        ("a.MOV", False, "a-sounding.mov"),
        ("a.webm", False, "a-sounding.webm"),
        ("a.gif", False, "a-sounding.mp4"),
        ("a.ogv", False, "a-sounding.mkv"),
        ("a", False, "a-sounding.mkv"),
        ("a.b.mp4", False, "a.b-sounding.mp4"),
        ("a.mp4", True, "a-sounding.wav"),
    ],
)
def test_default_names(animation, wav, name):
    assert default_output_path(Path("films") / animation, Path("out"), wav) == Path("out") / name
