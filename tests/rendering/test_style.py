"""Styles: each mode plays each target, in any batches; what does nothing is refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from frame2sound.brain.corpus import CorpusPointer
from frame2sound.errors import BrainError, SoundtrackError
from frame2sound.rendering.granular.cloud import Cloud, Modulation
from frame2sound.rendering.granular.grain_schedule import HindleSchedule, OnTimeSchedule
from frame2sound.rendering.granular.granular_renderer import GranularRenderer
from frame2sound.rendering.mosaic.mosaic_settings import MosaicSettings, parse_mosaic
from frame2sound.rendering.prepared_frames import prepare_frames
from frame2sound.rendering.renderer import PlainRenderer, StereoRenderer
from frame2sound.rendering.soundtrack import render_batches
from frame2sound.rendering.style import MIRRORED_OVERLAP, Style
from frame2sound.sound.named_scales import parse_scale
from frame2sound.sound.phase import (
    FROM_AUDIO_NAMES,
    PHASE_ALIASES,
    PHASE_NAMES,
    create_reconstructor,
)
from frame2sound.sound.phase.from_audio import PhaseFromAudio
from frame2sound.sound.phase.phase_vocoder import PhaseVocoder
from frame2sound.sound.stft import Stft
from tests.media_files import Audio, grey_pictures, make_film
from tests.rendering.foretelling import KINDS, RATE, Foreteller, known_sound
from tests.rendering.simple_brains import SimpleBrain

FRAMES = 75
SPECTRAL = ("stft-mag", "log-mag", "mel")
STYLES = {
    "overlap-add": Style("overlap-add"),
    "granular": Style("granular"),
    "wandering": Style("granular", cloud=Cloud(jitter=0.01, pitch=-5, spread=1)),
    "hindle": Style("granular", grains="hindle"),
    "mosaic": Style("mosaic"),
}


def pictures(frames=FRAMES, black=False):
    """A bright spot that moves from left to right, and goes out for the last third."""
    seen = np.zeros((frames, 64, 64), np.uint8)
    if not black:
        for i in range(2 * frames // 3):
            seen[i, 20:50, 60 * i // frames : 60 * i // frames + 20] = 250
    return seen


def play(style, brain, seen=None, batch=FRAMES):
    """Feed frames in batches; all that comes out."""
    seen = pictures() if seen is None else seen
    renderer = style.build_renderer(brain, brain.corpus)
    batches = (seen[first : first + batch] for first in range(0, len(seen), batch))
    chunks = render_batches(brain.clock, renderer, prepare_frames(brain, brain.predict, batches))
    return np.concatenate([*chunks, renderer.flush()])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("stereo", ["no", "place"])
def test_every_mode_plays_every_target_in_any_batches(style, kind, stereo):
    style = replace(STYLES[style], stereo=stereo)
    whole = play(style, Foreteller(kind))
    own = 2 if style.cloud.channels == 2 or stereo == "place" else 1
    shape = (FRAMES * RATE // 30,) + (2,) * (own == 2)
    assert whole.shape == shape
    assert whole.dtype == np.float32
    assert np.abs(whole).max() > 0.01
    # The network's own sums may round differently in batches of another size.
    np.testing.assert_allclose(play(style, Foreteller(kind), batch=7), whole, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("style", STYLES)
def test_black_is_silent(style, kind):
    sound = play(STYLES[style], Foreteller(kind), pictures(black=True))
    # Magnitudes that are brought to other hops are what is left of a sum and a difference.
    assert np.abs(sound).max() < (1e-10 if kind in SPECTRAL else 1e-30)


@pytest.mark.parametrize("kind", SPECTRAL)
@pytest.mark.parametrize("phase", PHASE_NAMES)
def test_every_phase_sounds_and_repeats(kind, phase, tmp_path):
    soundfile.write(tmp_path / "phase.wav", known_sound(seed=5), RATE)
    stolen = tmp_path / "phase.wav" if phase in FROM_AUDIO_NAMES else None
    style = Style("overlap-add", phase=phase, phase_sound=stolen, seed=2)
    first, again = (play(style, Foreteller(kind), batch=batch) for batch in (FRAMES, 16))
    assert first.std() > 0.001
    np.testing.assert_allclose(again, first, atol=1e-5)


def spectrum(sound):
    return np.abs(np.fft.rfft(sound * np.hanning(len(sound))))


@pytest.mark.parametrize("mode", ["overlap-add", "granular"])
def test_a_scale_moves_a_tone_to_its_own(mode):
    time = np.arange(3 * RATE) / RATE
    brain = Foreteller("stft-mag", sound=np.float32(0.3 * np.sin(2 * np.pi * 1000 * time)))
    seen = np.full((60, 64, 64), 255, np.uint8)
    style = Style(mode, scale=parse_scale("hz 1200 2400"), cloud=Style().cloud)
    sound = play(style, brain, seen)[RATE // 2 : RATE // 2 + RATE]
    heard = int(spectrum(sound)[100:].argmax()) + 100
    assert abs(1200 * np.log2(heard / 1200)) < 10  # cents: grains widen the line


def test_light_is_heard_where_it_is():
    for style in (Style("overlap-add"), Style("granular"), Style("mosaic")):
        sound = play(replace(style, stereo="place"), Foreteller("pcm-lead"))
        lit = len(sound) * 2 // 3
        left, right = (np.square(sound[:lit], dtype=float)[part] for part in
                       (slice(0, lit // 4), slice(3 * lit // 4, lit)))  # fmt: skip
        assert left[:, 0].sum() > 2 * left[:, 1].sum()
        assert right[:, 1].sum() > 2 * right[:, 0].sum()


def test_placing_changes_no_power():
    mono = play(Style("overlap-add"), Foreteller("pcm-lead"))
    placed = play(Style("overlap-add", stereo="place"), Foreteller("pcm-lead"))
    # cos**2 + sin**2 is one; each channel rounds once.
    np.testing.assert_allclose(np.square(placed).sum(1), np.square(mono), atol=1e-7)


@pytest.mark.parametrize(
    ("style", "lead", "overlap"),
    [
        (Style(), 100, 100),
        (Style(), 0, int(MIRRORED_OVERLAP * 919)),
        (Style(window="none"), 100, 0),
        (Style(overlap_seconds=0.02), 100, 441),
        (Style(overlap_seconds=0.0), 100, 0),
    ],
)
def test_how_blocks_join(style, lead, overlap):
    plain = style.build_renderer(SimpleBrain(lead=lead)).plain
    assert isinstance(plain, PlainRenderer)
    assert (plain.synthesiser.lead, plain.synthesiser.overlap) == (lead, overlap)


@pytest.mark.parametrize(
    ("kind", "law"), [("pcm-lead", "amplitude"), ("pcm", "power"), ("stft-real", "power")]
)
def test_windows_add_up_as_the_target_joins(kind, law):
    assert Style().build_renderer(Foreteller(kind)).plain.synthesiser.law == law


@pytest.mark.parametrize(
    ("grains", "kind"), [("on-time", OnTimeSchedule), ("hindle", HindleSchedule)]
)
def test_which_grains_are_laid(grains, kind):
    granular = Style("granular", grains=grains, seed=3).build_renderer(SimpleBrain(lead=100)).plain
    assert isinstance(granular, GranularRenderer)
    assert isinstance(granular.schedule, kind)
    assert granular.seed == 3
    assert granular.synthesiser.overlap == 100


def test_grains_that_are_placed_already_stay_there():
    cloud = Cloud(pan=-1)
    granular = Style("granular", cloud=cloud, stereo="place").build_renderer(SimpleBrain()).plain
    assert granular.schedule.cloud is cloud
    spread = Style("granular", cloud=Cloud(spread=0.3), stereo="place")
    placed = spread.build_renderer(SimpleBrain()).plain.schedule.cloud
    assert (placed.spread, placed.pan) == (0.3, Modulation(-1, 1, "place"))
    hindle = Style("granular", grains="hindle", stereo="place").build_renderer(SimpleBrain())
    assert isinstance(hindle, StereoRenderer)
    assert "grains" in hindle.summary


def test_a_mosaic_says_of_what_it_is_made():
    brain = Foreteller()
    assert Style("mosaic").build_renderer(brain, brain.corpus).summary == (
        "a mosaic of 3.0 s of the film known"
    )


REFUSED = {
    "`window` does nothing in mode mosaic": {"mode": "mosaic", "window": "none"},
    "`overlap` does nothing in mode mosaic": {"mode": "mosaic", "overlap_seconds": 0.01},
    "`phase` does nothing in mode mosaic": {"mode": "mosaic", "phase": "zero"},
    "`scale` quantises spectra": {"mode": "mosaic", "scale": parse_scale("12-tet")},
    "`grains` does nothing in mode overlap-add": {"mode": "overlap-add", "grains": "hindle"},
    "`cloud` does nothing in mode overlap-add": {"mode": "overlap-add", "cloud": Cloud(pitch=1)},
    "`cloud` does nothing with `grains` hindle": {
        "mode": "granular", "grains": "hindle", "cloud": Cloud(pitch=1)},
    "`mosaic` or `only` does nothing in mode granular; leave it out or use `mode` mosaic": {
        "mode": "granular", "mosaic": MosaicSettings(0.1)},
    "`overlap` does nothing with `window` none": {"window": "none", "overlap_seconds": 0.01},
    "got `phase` backwards, expected one of phase-vocoder, random": {"phase": "backwards"},
    "got `phase` from-audio without a file": {"phase": "stolen"},
    "got `phase` hindle-12 without a file": {"phase": "hindle-12"},
    "got `phase` random with a file": {"phase": "random", "phase_sound": Path("a.wav")},
}  # fmt: skip


@pytest.mark.parametrize("words", REFUSED)
def test_settings_that_do_nothing_are_refused(words):
    with pytest.raises(SoundtrackError, match=words):
        Style(**{"mode": "overlap-add", **REFUSED[words]})


@pytest.mark.parametrize("kind", ["pcm", "stft-real", "stft-both"])
@pytest.mark.parametrize("setting", [{"phase": "zero"}, {"scale": parse_scale("19-tet")}])
def test_phases_and_tuning_need_magnitudes(kind, setting):
    with pytest.raises(SoundtrackError, match=r"`(phase|scale)` is for brains that predict spec"):
        Style("overlap-add", **setting).build_renderer(Foreteller(kind))


@pytest.mark.parametrize("kind", [*SPECTRAL, "stft-both"])
@pytest.mark.parametrize("setting", [{"window": "none"}, {"overlap_seconds": 0.01}])
def test_windows_are_for_waveforms(kind, setting):
    with pytest.raises(SoundtrackError, match="for brains that predict waveforms"):
        Style("overlap-add", **setting).build_renderer(Foreteller(kind))


def test_a_mosaic_without_a_corpus_names_the_remedy():
    with pytest.raises(
        SoundtrackError, match=r"give a library as `corpus`, or train it with `corpus` carry"
    ):
        Style("mosaic").build_renderer(SimpleBrain())
    with pytest.raises(BrainError, match="library gone, does not exist"):
        Style("mosaic").build_renderer(SimpleBrain(), CorpusPointer("gone", {}))
    with pytest.raises(SoundtrackError, match="got 'opera' to choose of a brain that has no films"):
        Style("mosaic", mosaic=MosaicSettings(films=("opera",))).build_renderer(SimpleBrain())
    brain = Foreteller()
    with pytest.raises(
        BrainError,
        match="got 'opera', expected a film of the brain's corpus; the nearest are: known",
    ):
        Style("mosaic", mosaic=MosaicSettings(films=("opera",))).build_renderer(brain, brain.corpus)


def phase_from(path):
    return Style("overlap-add", phase="from-audio", phase_sound=path).build_renderer(Foreteller())


def test_phases_are_taken_from_sound_files_and_films(tmp_path):
    sound = known_sound(1.0)
    soundfile.write(tmp_path / "a.wav", np.stack([sound, sound], 1), RATE, "FLOAT")
    audio = Audio(sound, RATE, "pcm_f32le")
    film = make_film(tmp_path / "a.mkv", grey_pictures([0] * 24), audio=audio)
    reconstructors = [
        phase_from(path).plain.synthesiser.phase for path in (tmp_path / "a.wav", film)
    ]
    magnitude = np.ones((40, 257), np.float32)
    worn = [phase.reconstruct(magnitude, np.zeros(40, bool)) for phase in reconstructors]
    expected = PhaseFromAudio(Stft(512, 128), sound, RATE, RATE).reconstruct(
        magnitude, np.zeros(40, bool)
    )
    np.testing.assert_allclose(worn[0], expected, atol=1e-4)
    # The reader's sound is that of the file, but for its float32 conversions.
    np.testing.assert_allclose(worn[1], expected, atol=1e-2)


def test_sounds_without_usable_phases_are_refused(tmp_path):
    bad = {
        "short.wav": (known_sound(0.02), RATE, "0.020 s, expected at least one window, 0.023 s"),
        "empty.wav": (np.zeros(0), RATE, "0.000 s, expected at least one window"),
        "nan.wav": (np.full(9000, np.nan), RATE, "not finite"),
    }
    for name, (sound, rate, words) in bad.items():
        soundfile.write(tmp_path / name, sound, rate, "FLOAT")
        with pytest.raises(SoundtrackError, match=words):
            phase_from(tmp_path / name)
    (tmp_path / "text.wav").write_text("no sound")
    silent = make_film(tmp_path / "silent.mp4", grey_pictures([0] * 24))
    for path, words in {
        tmp_path / "none.wav": "no such file",
        tmp_path / "text.wav": "not readable as a film",
        silent: "has no sound",
    }.items():
        with pytest.raises(SoundtrackError, match=words):
            phase_from(path)


def test_unknown_phases_list_those_that_are_known():
    with pytest.raises(
        ValueError, match="got the phase 'x', expected one of phase-vocoder, random"
    ):
        create_reconstructor("x", Stft(512, 128))
    with pytest.raises(ValueError, match="got the phase from-audio without a sound"):
        create_reconstructor("stolen", Stft(512, 128))


@pytest.mark.parametrize(("old", "new"), PHASE_ALIASES.items())
def test_old_names_of_phases_are_accepted(old, new, tmp_path):
    path = tmp_path / "a.wav" if new in FROM_AUDIO_NAMES else None
    assert Style(phase=old, phase_sound=path) == Style(phase=new, phase_sound=path)
    assert Style(phase=old, phase_sound=path).phase == new
    if path is None:
        assert isinstance(create_reconstructor(old, Stft(512, 128)), PhaseVocoder)


def test_mosaic_settings_are_read():
    read = parse_mosaic(["literal=0.4", "no-repeat = 2", "follow-loudness=0"], ["rain", "sea"])
    assert read == MosaicSettings(0.4, 0.0, 2.0, ("rain", "sea"), 0.0)
    assert parse_mosaic([]) == MosaicSettings()


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        (["size=3"], "got the mosaic's 'size=3', expected NAME=VALUE of literal, variety, no-rep"),
        (["literal"], "got the mosaic's 'literal', expected NAME=VALUE"),
        (["literal=big"], "got the mosaic's literal=big, expected a number"),
        (["literal=2"], "got literal 2.0, expected 0 to 1"),
        (["literal=nan"], "got literal nan, expected 0 to 1"),
        (["variety=1", "variety=0"], "got the mosaic's variety twice"),
    ],
)
def test_bad_mosaic_settings_are_refused(setting, words):
    with pytest.raises(SoundtrackError, match=words):
        parse_mosaic(setting)
