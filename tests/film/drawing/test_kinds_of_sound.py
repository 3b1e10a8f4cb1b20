"""The machine, the breeze and the steps: their sound is that of what moves."""

import numpy as np
import pytest

from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene import SILENCE_DB


def film(name, seed=0, **settings):
    return load_scene(name, **({"seconds": 20, "seed": seed, "size": (96, 72)} | settings))


def whole(scene):
    return scene.synthesise(0, scene.sample_count).astype(np.float64)


def movement(scene):
    """Mean change of each frame to the next; 0 for the last."""
    pictures = np.stack([scene.draw(n) for n in range(scene.frame_count)]).astype(int)
    return np.append(np.abs(np.diff(pictures, axis=0)).mean(axis=(1, 2, 3)), 0)


def test_the_hum_of_the_machine_has_its_true_pitch():
    scene = film("machine")
    sound, bounds = whole(scene), scene.clock.sample_bounds(scene.frame_count)
    errors = []
    for frame in range(0, scene.frame_count - 4, 3):
        hertz = scene.truth.pitch_hz[frame + 2]
        near = np.abs(np.array(scene.onsets) - frame - 2).min() < 5
        if hertz and not near and scene.truth.loudness_db[frame + 2] > -35:
            piece = sound[bounds[frame] : bounds[frame + 5]]
            magnitude = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), 1 << 17))
            low, high = (int(edge * hertz * (1 << 17) / 48000) for edge in (0.7, 1.4))
            errors.append((low + magnitude[low:high].argmax()) * 48000 / (1 << 17) / hertz - 1)
    assert len(errors) > 20
    assert np.percentile(np.abs(errors), 90) < 0.03


def test_the_machine_is_louder_when_it_is_faster_and_silent_when_it_stands():
    scene = film("machine", seconds=10)
    moving, loudness = movement(scene), np.array(scene.truth.loudness_db)
    pitch = np.array([hertz or 0 for hertz in scene.truth.pitch_hz])
    standing = (moving == 0) & (np.roll(moving, 20) == 0)  # the clanks have decayed
    assert 0.02 < standing.mean() < 0.5
    assert loudness[standing].max() < -60
    assert np.corrcoef(pitch[pitch > 0], loudness[pitch > 0])[0, 1] > 0.6


def test_the_machine_clanks_at_every_half_turn():
    scene = film("machine", seed=1)
    sound = whole(scene)
    low = np.convolve(sound, np.ones(24) / 24, "same")  # the hum, nearly without the clank
    energy = (sound - low) ** 2
    rises = []
    for time in scene.truth.onsets:
        at = round(time * 48000)
        rises.append(energy[at : at + 240].mean() / energy[at - 480 : at - 48].mean())
    assert np.median(rises) > 3
    assert np.mean(np.array(rises) > 1.2) > 0.9


def test_the_breeze_is_as_loud_as_the_grass_is_moved():
    scene = film("breeze", seconds=10)
    moving = np.convolve(movement(scene), np.ones(15) / 15, "same")
    loudness = np.array(scene.truth.loudness_db)
    sounding = loudness > -70
    assert sounding.mean() > 0.7
    assert np.corrcoef(moving[sounding], loudness[sounding])[0, 1] > 0.6
    assert moving[loudness == SILENCE_DB].max() < np.percentile(moving[sounding], 20)


def test_a_stronger_breeze_is_brighter():
    scene = film("breeze", seconds=20)
    centres, loudness = [], []
    for piece, level in zip(scene.slices(), scene.truth.loudness_db, strict=True):
        if level > -60:
            power = np.abs(np.fft.rfft(piece)) ** 2
            centres.append(power @ np.fft.rfftfreq(len(piece), 1 / 48000) / power.sum())
            loudness.append(level)
    assert np.corrcoef(centres, loudness)[0, 1] > 0.6


@pytest.mark.parametrize("seed", [0, 1])
def test_every_sound_on_the_steps_begins_at_its_time(seed):
    scene = film("steps", seed)
    sound = whole(scene)
    for time in scene.truth.onsets:
        at = round(time * 48000)
        after = np.abs(sound[at : at + 480]).max()
        assert after > 0.01
        assert after > 1.5 * np.abs(sound[at - 240 : at]).max()


def test_nothing_sounds_on_the_steps_while_all_stands():
    scene = film("steps", seconds=20)
    moving, loudness = movement(scene), np.array(scene.truth.loudness_db)
    standing = np.convolve(moving, np.ones(30), "full")[: len(moving)] == 0
    assert standing.sum() > 10
    assert loudness[standing].max() < -60
    landed = scene.onsets[0]
    assert moving[:landed].max() > 0.5  # the first thing falls, in silence
    assert loudness[:landed].max() == SILENCE_DB


def test_the_steps_have_impacts_and_scrapes_of_every_material():
    scene = load_scene("steps", seconds=60, seed=2, size=(64, 64))
    centres = []
    for time in scene.truth.onsets:
        at = round((time + 0.01) * 48000)
        power = np.abs(np.fft.rfft(scene.synthesise(at, at + 2048))) ** 2
        centres.append(power @ np.fft.rfftfreq(2048, 1 / 48000) / power.sum())
    assert np.percentile(centres, 10) < 400
    assert np.percentile(centres, 90) > 2000
