"""The gate between motion and network, the network's scores, and a head that learns from balls."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from frame2sound.brain.brain_file import load_brain
from frame2sound.brain.motion import FEATURE_COUNT
from frame2sound.brain.recipe import load_recipe, parse_recipe
from frame2sound.clock import frame_indices_at_ticks
from frame2sound.library.coupling import Coupling, HeldOutCurves
from frame2sound.library.film_motion import FilmMotion
from frame2sound.library.store import Library
from frame2sound.rendering.offline import render_frames
from frame2sound.rendering.style import Style
from frame2sound.sound.onset_detection import detect_onsets
from frame2sound.sound.onset_matching import count_matches
from frame2sound.training import motion_head
from frame2sound.training.example_cache import ExampleCache
from frame2sound.training.loop import train
from frame2sound.training.motion_head import NetworkScores, fit_motion_head, score_network
from frame2sound.training.training_data import TrainingData
from tests.drawn_balls import balls, grey_frames, sound_of

CPU = torch.device("cpu")
RATE, FPS = 16000, 30


# The gate.


@pytest.fixture(scope="module")
def motion():
    """Ten seconds of motion and sound without meaning, with levels of -60 to -10 dBFS."""
    random, count = np.random.default_rng(0), 300
    times = np.arange(count) / FPS
    onsets = np.arange(0.5, 10, 0.5)
    return FilmMotion(
        seconds=10.0,
        times=times,
        gaps=np.full(count, 1 / FPS),
        frames=np.arange(count),
        features=random.normal(size=(count, FEATURE_COUNT)),
        onsets=onsets,
        onset_db=np.full(len(onsets), -12.0),
        frame_db=np.linspace(-60, -10, count),
        short_db=np.full(1000, -30.0),
        fps=float(FPS),
    )


def decided(motion, network, *, f=0.6, chance=0.1, level=0.5, decide="held-out"):
    """Return the settings of a head for scores on held-out film."""
    curve = np.random.default_rng(1).random(len(motion.times))
    coupling = Coupling(f, chance, level, motion.seconds, len(motion.onsets))
    held_out = HeldOutCurves([curve], [curve], 0.5, 0, coupling)
    return fit_motion_head([motion], held_out, network, decide).settings


NETWORK = NetworkScores(onset_f=0.4, onset_count=20, level_correlation=0.4, spectrum_ratio=0.8)


@pytest.mark.parametrize(
    ("scores", "network", "events"),
    [
        ({}, {}, "motion"),
        ({}, {"onset_f": 0.59, "onset_count": 9999}, "motion"),
        ({}, {"onset_f": 0.7, "onset_count": 20}, "motion"),  # of few onsets, that may be luck
        ({}, {"onset_f": 0.7, "onset_count": 22}, "picture"),
        ({"f": 0.86}, {"onset_f": 0.72}, "picture"),  # motion must be better by .15
        ({"f": 0.88}, {"onset_f": 0.72}, "motion"),
        ({"f": 0.94}, {"onset_f": 0.8}, "picture"),
        ({"f": 0.96}, {"onset_f": 0.8}, "motion"),
        ({}, {"onset_f": 0.99, "onset_count": 7}, "motion"),  # too few to be trusted
        ({}, {"onset_f": 0.99, "onset_count": 8}, "picture"),
        ({"chance": 0.51}, {"onset_f": 0.0}, "picture"),  # hardly above chance
        ({"chance": 0.49}, {"onset_f": 0.0}, "motion"),
        ({"f": 0.99}, {"level_correlation": 0.91}, "picture"),  # it knows the sound
        ({"f": 0.99}, {"level_correlation": 0.89}, "motion"),
    ],
)
def test_events_are_given_to_who_predicts_them_better(motion, scores, network, events):
    assert decided(motion, replace(NETWORK, **network), **scores).events == events


@pytest.mark.parametrize(
    ("scores", "network", "level"),
    [
        ({}, {}, "motion"),
        ({}, {"level_correlation": 0.44}, "motion"),
        ({}, {"level_correlation": 0.46}, "picture"),  # motion must be better by .05
        ({"level": 0.21}, {"level_correlation": 0.0}, "motion"),
        ({"level": 0.19}, {"level_correlation": -0.5}, "picture"),
        ({"level": 0.9}, {"onset_f": 0.81}, "picture"),  # it knows when there is silence
        ({"level": 0.9}, {"onset_f": 0.79}, "motion"),
        ({"level": 0.9}, {"onset_f": 0.99, "onset_count": 7}, "motion"),
    ],
)
def test_the_level_is_given_to_who_predicts_it_better(motion, scores, network, level):
    assert decided(motion, replace(NETWORK, **network), **scores).level == level


@pytest.mark.parametrize(("ratio", "spectrum"), [(0.94, "picture"), (0.96, "mean"), (1, "mean")])
def test_the_network_s_spectra_are_used_if_they_are_better_than_their_mean(motion, ratio, spectrum):
    assert decided(motion, replace(NETWORK, spectrum_ratio=ratio)).spectrum == spectrum


@pytest.mark.parametrize(
    ("decide", "speaker", "f"), [("motion", "motion", 0.0), ("network", "picture", 1.0)]
)
def test_a_recipe_may_decide_against_the_scores(motion, decide, speaker, f):
    settings = decided(motion, NETWORK, f=f, level=f, decide=decide)
    assert (settings.events, settings.level) == (speaker, speaker)


def test_settings_tell_the_scores_and_the_films_loud_level(motion):
    settings = decided(motion, NETWORK)
    assert (settings.onset_f, settings.onset_chance, settings.level_correlation) == (0.6, 0.1, 0.5)
    assert (settings.network_onset_f, settings.network_level_correlation) == (0.4, 0.4)
    assert settings.loud_level_db == pytest.approx(-15)  # a tenth of -60 to -10 is above
    assert settings.threshold > 0


def test_levels_of_a_head_stay_within_those_of_its_films(motion):
    curve = np.zeros(len(motion.times))
    held_out = HeldOutCurves([curve], [curve], 0.5, 0, Coupling(0.6, 0.1, 0.5, 10.0, 19))
    head = fit_motion_head([motion], held_out, NETWORK)
    far = 100 * motion.features
    for regression in (head.level, head.bed):
        assert regression.predict_within(far).min() >= -60
        assert regression.predict_within(far).max() <= -10
    np.testing.assert_allclose(head.event_level.predict(far), -12)


# The network's scores.


BLINKS = {
    "name": "blinks",
    "clock": {"sample_rate": 8000},
    "network": {"kind": "mlp", "hidden": [16]},
    "target": {"kind": "log-mag", "window_length": 256},
    "training": {"held_out": 0.4, "block_seconds": 2, "guard_seconds": 0.2, "epochs": 25,
                 "batch": 16, "loss": "log-magnitude"},
}  # fmt: skip


@pytest.fixture(scope="module")
def blinking(tmp_path_factory, add_film):
    """A library whose picture is light while there is noise, as loud as it is light."""
    random = np.random.default_rng(0)
    loud = random.permutation(np.tile([120, 180, 240], 10))
    greys = np.repeat(np.stack([np.zeros(30), loud], axis=1).ravel(), 6)
    frames = np.broadcast_to(np.uint8(greys)[:, None, None], (360, 64, 64))
    light = greys[np.arange(12 * 8000) * FPS // 8000]
    sound = 0.3 * (light / 240) ** 2 * random.uniform(-1, 1, len(light))
    library = Library.create(tmp_path_factory.mktemp("blinks") / "library", 8000)
    add_film(library, "blinks", 12, frames=frames, sound=sound)
    return library


def prepared(library, **training):
    recipe = parse_recipe(BLINKS | {"training": BLINKS["training"] | training})
    data = TrainingData.from_library(library, recipe, 0)
    return recipe, data, data.make_untrained_brain(recipe, 0)


def caches(data, brain):
    return ExampleCache(data.training, brain, CPU), ExampleCache(data.held_out, brain, CPU)


def test_a_trained_network_has_better_scores_than_an_untrained_one(blinking, tmp_path):
    recipe, data, untrained = prepared(blinking)
    trained = train(blinking, recipe, tmp_path / "brain.safetensors", device="cpu")
    before, after = (score_network(brain, *caches(data, brain)) for brain in (untrained, trained))
    assert after.onset_count == before.onset_count >= 8
    assert after.onset_f > 0.7 > before.onset_f
    assert after.level_correlation > 0.8 > before.level_correlation


def predicting(monkeypatch, change):
    """Make each network predict what a function makes of the targets."""
    monkeypatch.setattr(
        motion_head,
        "predict_in_order",
        lambda network, held_out, batch: [
            (None, change(targets), targets)
            for targets in [held_out.load_targets(np.arange(len(held_out)))]
        ],
    )


def test_a_network_that_predicts_the_truth_has_the_best_scores(blinking, monkeypatch):
    _, data, brain = prepared(blinking)
    predicting(monkeypatch, lambda targets: targets)
    scores = score_network(brain, *caches(data, brain))
    assert scores.level_correlation == pytest.approx(1)
    assert scores.spectrum_ratio == 0
    assert scores.onset_f > 0.9


def test_a_network_that_predicts_silence_knows_nothing(blinking, monkeypatch):
    _, data, brain = prepared(blinking)
    predicting(monkeypatch, torch.zeros_like)
    scores = score_network(brain, *caches(data, brain))
    assert (scores.onset_f, scores.level_correlation) == (0, 0)
    assert scores.spectrum_ratio > 0.95


def test_the_onsets_of_quiet_films_count_as_those_of_loud_ones(
    blinking, monkeypatch, tmp_path, add_film
):
    (film,) = blinking.films()
    quiet = Library.create(tmp_path / "quiet", 8000)
    sound = np.array(film.sound) * np.float32(10 ** (-45 / 20))
    add_film(quiet, "blinks", 12, frames=np.array(film.frames), sound=sound)
    predicting(monkeypatch, lambda targets: targets)
    counts = []
    for library in (blinking, quiet):
        _, data, brain = prepared(library, loudness="equal")
        counts.append(score_network(brain, *caches(data, brain)).onset_count)
    assert counts[0] == counts[1] >= 8


def test_without_held_out_film_a_network_has_no_scores(blinking):
    _, data, brain = prepared(blinking, held_out=0)
    assert score_network(brain, *caches(data, brain)) == NetworkScores()


# A brain of balls.


@pytest.fixture(scope="module")
def of_balls(tmp_path_factory, add_film):
    """A brain that has learned twelve seconds of balls for two epochs."""
    folder, scene = tmp_path_factory.mktemp("balls"), balls(12)
    library = Library.create(folder / "library", RATE)
    add_film(library, "balls", 12, frames=grey_frames(scene), sound=sound_of(scene))
    changes = [f"clock.sample_rate={RATE}", "network.hidden=[16]", "training.epochs=2"]
    notes = []
    train(
        library,
        load_recipe("deep", changes),
        folder / "brain.safetensors",
        device="cpu",
        on_note=notes.append,
    )
    return load_brain(folder / "brain.safetensors"), notes


def onset_score(sound, onsets, window=0.05):
    found, true = detect_onsets(sound, RATE), np.asarray(onsets)
    return 2 * count_matches(found, true, window) / (len(found) + len(true))


def test_two_epochs_of_balls_teach_that_motion_tells_the_events(of_balls):
    brain, (note,) = of_balls
    settings = brain.motion_head.settings
    assert (settings.events, settings.level, settings.spectrum) == ("motion", "motion", "mean")
    assert settings.onset_f > 0.85 > settings.network_onset_f + 0.15
    assert note.startswith("sound follows the picture well (onsets ")


@pytest.mark.parametrize("mode", ["mosaic", "overlap-add"])
def test_other_balls_sound_at_their_contacts(of_balls, mode):
    brain, _ = of_balls
    scene = balls(12, seed=1)
    sound = render_frames(brain, Style(mode), grey_frames(scene), brain.corpus)
    # .97 in mosaic and .95 in overlap-add here.
    assert onset_score(sound, scene.onset_seconds) > 0.8
    assert -35 < 20 * np.log10(np.sqrt(np.mean(np.square(sound)))) < -15


def sound_at_rate(brain, times, pictures, seconds=12):
    shown = frame_indices_at_ticks(np.append(times, seconds), brain.clock)
    return render_frames(brain, Style("mosaic"), pictures[shown], brain.corpus)


@pytest.mark.parametrize("fps", [12, 25, 120])
def test_contacts_are_heard_at_any_frame_rate(of_balls, fps):
    scene = balls(12, seed=1, fps=fps)
    sound = sound_at_rate(of_balls[0], np.arange(12 * fps) / fps, grey_frames(scene))
    assert onset_score(sound, scene.onset_seconds, max(0.05, 1 / fps)) > 0.75


def test_contacts_are_heard_at_a_varying_frame_rate(of_balls):
    scene = balls(12, seed=1, fps=120)
    steps = np.random.default_rng(0).integers(1, 9, 12 * 120)  # 8 to 67 ms
    kept = np.cumsum(np.append(0, steps))
    kept = kept[kept < 12 * 120]
    sound = sound_at_rate(of_balls[0], kept / 120, grey_frames(scene)[kept])
    assert onset_score(sound, scene.onset_seconds, 0.067) > 0.75


def test_a_still_has_no_events(of_balls):
    brain, _ = of_balls
    still = np.repeat(grey_frames(balls(1, seed=1))[10:11], 4 * FPS, axis=0)
    sound = render_frames(brain, Style("mosaic"), still, brain.corpus)
    assert np.isfinite(sound).all()
    assert not (detect_onsets(sound, RATE) > 0.5).any()


def test_one_frame_is_rendered(of_balls):
    brain, _ = of_balls
    sound = render_frames(brain, Style("mosaic"), grey_frames(balls(1, seed=1))[:1], brain.corpus)
    assert len(sound) == round(RATE / Fraction(FPS))
    assert np.isfinite(sound).all()
