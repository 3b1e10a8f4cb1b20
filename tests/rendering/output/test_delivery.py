"""Delivery: channels, loudness, fades and effects of what is written."""

import numpy as np
import pyloudnorm
import pytest

from frame2sound.errors import SoundtrackError
from frame2sound.evaluation.levels import true_peak_db
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.rendering.effects import parse_chain
from frame2sound.rendering.output.delivery import OutputWriter
from frame2sound.rendering.render import Delivery, Style, render
from frame2sound.rendering.soundtrack import Soundtrack
from frame2sound.sound.limiter import CEILING_DB
from tests.rendering.simple_brains import BrightNoise, Quiet, SimpleBrain
from tests.rendering.test_render import (
    HALF_STEP,
    RATE,
    SECONDS,
    LoudTone,
    animation,
    decoded,
    give,
    own_sound,
)


@pytest.mark.parametrize("out", ["out.wav", "out.mov", "out.mp4", "out.mkv"])
@pytest.mark.parametrize("own", [None, 1, 2])
def test_stereo_is_as_long_and_has_two_channels(tmp_path, out, own):
    audio = None if own is None else own_sound(own)
    film, out = animation(tmp_path, "film.mov", audio=audio), tmp_path / out
    kept = None if own is None else -6.0
    rendered = give(film, Quiet(lead=100), out, Style(stereo="place"), keep_original_db=kept)
    sound, rate = decoded(out)
    assert rendered.channels == 2
    assert sound.shape[1] == 2
    lossy = out.suffix == ".mp4"
    assert len(sound) >= round(SECONDS * rate) if lossy else len(sound) == round(SECONDS * rate)


LOUDNESS_TOLERANCE = 0.15
"""LUFS: a tenth is the renderer's, the rest is rounding and the codec."""


@pytest.mark.parametrize(("out", "codec"), [("o.wav", None), ("o.mov", None), ("o.mkv", "opus")])
@pytest.mark.parametrize("wanted", [-30.0, -23.0])
def test_the_loudness_that_was_asked_for_is_reached(tmp_path, out, codec, wanted):
    film = animation(tmp_path, levels=[255] * 72)
    rendered = give(film, Quiet(), tmp_path / out, codec=codec, loudness_lufs=wanted)
    sound, rate = decoded(tmp_path / out)
    reached = pyloudnorm.Meter(rate).integrated_loudness(sound)
    assert reached == pytest.approx(wanted, abs=LOUDNESS_TOLERANCE)
    assert rendered.loudness_lufs == pytest.approx(reached, abs=LOUDNESS_TOLERANCE)
    assert f"loudness {rendered.loudness_lufs:.1f} LUFS" in rendered.notes


def test_room_for_a_codec_is_made_up_for(tmp_path):
    film, brain = FilmReader(animation(tmp_path, levels=[255] * 72)), Quiet()
    asked = Delivery(loudness_lufs=-23)
    finish = OutputWriter(RATE, None, asked, None, codec_gain_db=-3.0)
    finish.write(
        Soundtrack(film, brain, Style("overlap-add").build_renderer(brain)), tmp_path / "o.wav"
    )
    assert finish.loudness_lufs == pytest.approx(-23, abs=LOUDNESS_TOLERANCE)
    reached = pyloudnorm.Meter(RATE).integrated_loudness(decoded(tmp_path / "o.wav")[0])
    assert reached == pytest.approx(-23, abs=LOUDNESS_TOLERANCE)


def test_the_loudness_that_is_told_is_that_of_the_file_after_room_was_made(tmp_path):
    film, out = animation(tmp_path, levels=[255] * 72), tmp_path / "out.mp4"
    rendered = give(film, BrightNoise(), out, loudness_lufs=-6)
    sound, rate = decoded(out)
    assert rendered.true_peak_db <= CEILING_DB
    assert rendered.loudness_lufs < -6.5  # with room for the codec, the peaks allow no more
    reached = pyloudnorm.Meter(rate).integrated_loudness(sound)
    # The coder takes a quarter of a decibel from white noise.
    assert rendered.loudness_lufs == pytest.approx(reached, abs=0.4)
    assert "its peaks do not allow more" in rendered.notes[0]


def test_a_loudness_out_of_reach_is_told(tmp_path):
    film = animation(tmp_path, levels=[255] * 72)
    rendered = give(film, LoudTone(), tmp_path / "o.wav", loudness_lufs=-1)
    assert rendered.loudness_lufs < -3
    assert "its peaks do not allow more" in rendered.notes[0]
    faint = give(film, Faint(), tmp_path / "p.wav", loudness_lufs=-14)
    assert "more would raise noise" in faint.notes[0]


class Faint(BrightNoise):
    loudest = 2e-3


def test_fades_begin_and_end_in_silence(tmp_path):
    film = animation(tmp_path)
    give(film, Quiet(), tmp_path / "plain.wav")
    give(film, Quiet(), tmp_path / "f.wav", fade_in_seconds=0.5, fade_out_seconds=0.25)
    plain, faded = (decoded(tmp_path / name)[0] for name in ("plain.wav", "f.wav"))
    assert len(faded) == len(plain)
    rise, fall = (np.sin(np.pi * (np.arange(n) + 0.5) / (2 * n)) ** 2 for n in (11025, 5512))
    window = np.concatenate([rise, np.ones(len(plain) - 16537), fall[::-1]])
    np.testing.assert_allclose(faded, plain * window, atol=3e-7)


def test_effects_are_played_before_the_level_and_not_on_the_films_own_sound(tmp_path):
    film = animation(tmp_path, "film.mov", audio=own_sound(rate=RATE))
    chain = parse_chain("reverse, gain db=-6")
    give(film, Quiet(), tmp_path / "plain.wav")
    give(film, Quiet(), tmp_path / "back.wav", effects=chain)
    give(film, Quiet(), tmp_path / "both.wav", effects=chain, keep_original_db=0)
    plain, back, both = (decoded(tmp_path / f"{name}.wav")[0] for name in ("plain", "back", "both"))
    np.testing.assert_allclose(back, plain[::-1] * 10 ** (-6 / 20), atol=3e-7)
    np.testing.assert_allclose(both, back + own_sound(rate=RATE).samples[0], atol=2 * HALF_STEP)


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"loudness_lufs": -90}, "got `loudness` -90, expected -70 to 0 LUFS"),
        ({"loudness_lufs": np.nan}, "got `loudness` nan, expected -70 to 0 LUFS"),
        ({"sample_rate": 7_999}, "got `sample_rate` 7999, expected 8000 to 192000 Hz"),
        ({"sample_rate": 192_001}, "got `sample_rate` 192001, expected 8000 to 192000 Hz"),
        ({"fade_in_seconds": -1}, "got `fade_in` -1, expected 0 to 60 s"),
        ({"fade_out_seconds": 1000}, "got `fade_out` 1000, expected 0 to 60 s"),
    ],
)
def test_deliveries_out_of_range_are_refused(setting, words):
    with pytest.raises(SoundtrackError, match=words):
        Delivery(**setting)


def test_loudness_needs_a_sample_rate_at_which_it_is_defined(tmp_path):
    film = animation(tmp_path)
    with pytest.raises(SoundtrackError, match="sound at 2000 Hz, expected at least 4000 Hz"):
        give(film, SimpleBrain(sample_rate=2000), tmp_path / "o.wav", loudness_lufs=-23)
    assert list(tmp_path.iterdir()) == [film]


class Tone(LoudTone):
    """A tone of 100 Hz with an amplitude of 0.3."""

    def sound(self, index, frame):
        return super().sound(index, frame) / 10


@pytest.mark.parametrize(
    ("out", "codec", "asked", "delivered"),
    [
        ("o.wav", None, None, RATE),
        ("o.wav", None, 96_000, 96_000),
        ("o.wav", None, 8_000, 8_000),
        ("o.mov", None, None, 48_000),
        ("o.mov", None, 44_100, 44_100),
        ("o.mp4", "alac", None, 48_000),
        ("o.mkv", None, 192_000, 192_000),
    ],
)
def test_the_tone_is_the_same_at_every_sample_rate(tmp_path, out, codec, asked, delivered):
    rendered = give(
        animation(tmp_path), Tone(lead=100), tmp_path / out, codec=codec, sample_rate=asked
    )
    sound, rate = decoded(tmp_path / out)
    assert rate == rendered.sample_rate == delivered
    assert len(sound) == round(SECONDS * delivered)
    middle = np.arange(rate // 2, len(sound) - rate // 2)
    # The high-pass at 5 Hz leads by 2.9 degrees at 100 Hz.
    expected = 0.3 * np.sin(2 * np.pi * 100 * middle / rate + np.arctan(5 / 100))
    np.testing.assert_allclose(sound[middle], expected, atol=2e-3)


@pytest.mark.parametrize(
    ("out", "codec", "delivered"), [("o.mp4", None, 48_000), ("o.mkv", "opus", 48_000)]
)
def test_lossy_films_are_delivered_at_48_khz(tmp_path, out, codec, delivered):
    rendered = give(animation(tmp_path), Tone(), tmp_path / out, codec=codec)
    assert decoded(tmp_path / out)[1] == rendered.sample_rate == delivered


@pytest.mark.parametrize(("asked", "delivered"), [(None, 32_000), (48_000, 48_000)])
def test_the_films_own_sound_sets_the_rate_unless_another_is_asked_for(tmp_path, asked, delivered):
    film = animation(tmp_path, "film.mov", audio=own_sound(rate=32_000))
    out = tmp_path / "o.mov"
    rendered = give(film, Tone(), out, keep_original_db=0, sample_rate=asked)
    assert decoded(out)[1] == rendered.sample_rate == delivered


@pytest.mark.parametrize(
    ("out", "codec", "asked", "words"),
    [
        ("o.mkv", "opus", 44_100, "44100, which opus sound cannot have; expected 48000 Hz, or ano"),
        (
            "o.mp4",
            None,
            48_001,
            "48001, which aac sound cannot have; expected .*48000, .* or 96000",
        ),
    ],
)
def test_a_rate_that_a_codec_cannot_hold_is_refused(tmp_path, out, codec, asked, words):
    film = animation(tmp_path)
    with pytest.raises(SoundtrackError, match=words):
        give(film, Tone(), tmp_path / out, codec=codec, sample_rate=asked)
    assert list(tmp_path.iterdir()) == [film]


FRAMES_SEEN = 73
"""The brain's frames at 24 a second in 72 frames at 24000/1001."""


class OneClick(Quiet):
    """Steady noise, and one sample 20 dB over it."""

    def __init__(self, **settings):
        super().__init__(**settings)
        self.predicted = 0

    def sound(self, index, frame):
        self.predicted += 1
        noise = super().sound(index, frame)
        if index == 30:
            noise[200] = 10 * np.sqrt(np.mean(noise**2))
        return noise


@pytest.mark.parametrize(
    ("out", "codec"), [("o.wav", None), ("o.mov", None), ("o.mp4", "aac"), ("o.mkv", "opus")]
)
def test_one_click_does_not_keep_a_film_from_its_loudness(tmp_path, out, codec):
    film, out, brain = animation(tmp_path, levels=[255] * 72), tmp_path / out, OneClick()
    rendered = give(film, brain, out, codec=codec, loudness_lufs=-16)
    sound, rate = decoded(out)
    assert pyloudnorm.Meter(rate).integrated_loudness(sound) == pytest.approx(-16, abs=0.5)
    assert rendered.loudness_lufs == pytest.approx(-16, abs=0.15)
    assert rendered.true_peak_db <= CEILING_DB
    assert true_peak_db(sound) <= CEILING_DB
    assert brain.predicted == FRAMES_SEEN
    [said] = [note for note in rendered.notes if "the limiter takes up to" in note]
    # -18 dBFS of noise, a click 20 dB over it, and a limiter that stops at -1.35 dBTP.
    assert float(said.split()[5]) == pytest.approx(3.4, abs=1.5)


def test_peaks_that_a_codec_adds_cost_no_second_look_at_the_film(tmp_path):
    class Counted(BrightNoise):
        predicted = 0

        def sound(self, index, frame):
            Counted.predicted += 1
            return super().sound(index, frame)

    film, looks = animation(tmp_path, levels=[255] * 72), []
    rendered = render(
        FilmReader(film),
        Counted(),
        tmp_path / "out.mp4",
        Style(),
        Delivery(),
        lambda *report: looks.append(report[1]),
    )
    sound, _ = decoded(tmp_path / "out.mp4")
    assert rendered.true_peak_db <= CEILING_DB
    # Of a lossless file the peak is where the limiter leaves it: room was made for the codec.
    assert np.sqrt(np.mean(sound**2)) < np.sqrt(np.mean(lossless(film, tmp_path) ** 2))
    assert Counted.predicted == FRAMES_SEEN
    assert looks == sorted(looks)


def lossless(film, folder):
    give(film, BrightNoise(), folder / "lossless.wav")
    return decoded(folder / "lossless.wav")[0]
