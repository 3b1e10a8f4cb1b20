"""Soundtracks: as long as the animation to the sample, each frame heard as it is seen."""

from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from frame2sound.errors import FilmError
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.rendering.granular.granular_renderer import GranularRenderer
from frame2sound.rendering.renderer import PlainRenderer
from frame2sound.rendering.soundtrack import BATCH_FRAMES, Soundtrack
from frame2sound.sound.block_crossfader import BlockCrossfader
from tests.media_files import grey_pictures, make_film
from tests.rendering.simple_brains import BrightNoise, Clicks, SimpleBrain

FRAMES, RATE = 150, 22050
STEADY = [Fraction(f) for f in ("24", "24000/1001", "25", "30000/1001", "30")]
BRAINS = [Fraction(f) for f in ("24", "30", "25/2")]


@cache
def uneven_times(frames):
    """Times on a grid of 1/600 s that follow no rate; the last picture stays for half a second."""
    steps = np.random.default_rng(4).integers(6, 60, frames)
    steps[-1] = 300
    return tuple(Fraction(int(n), 600) for n in np.concatenate([[0], np.cumsum(steps)]))


def film(folder, fps, frames=FRAMES, levels=None):
    """A film whose frames have different greys; returns its path and when each frame begins."""
    levels = [level(i) for i in range(frames)] if levels is None else levels
    if fps == "uneven":
        times = uneven_times(frames)
        path = make_film(
            folder / "film.mov", grey_pictures(levels), times=times, time_base=Fraction(1, 600)
        )
        return path, times
    path = make_film(folder / "film.mov", grey_pictures(levels), fps=fps)
    return path, tuple(i / fps for i in range(frames + 1))


def level(frame):
    return 10 + 20 * (frame % 12)


def overlap_add(brain):
    return PlainRenderer(BlockCrossfader(brain.lead, brain.lead), RATE)


def hear(path, brain, renderer=overlap_add):
    soundtrack = Soundtrack(FilmReader(path), brain, renderer(brain))
    return np.concatenate(list(soundtrack)), soundtrack.seconds


@pytest.mark.parametrize("brain_fps", BRAINS, ids=str)
@pytest.mark.parametrize("fps", [*STEADY, "uneven"], ids=str)
def test_the_length_is_the_animations_to_the_sample(tmp_path, fps, brain_fps):
    path, times = film(tmp_path, fps)
    sound, seconds = hear(path, SimpleBrain(brain_fps))
    assert seconds == times[-1]
    assert len(sound) == round(times[-1] * 22050)
    assert sound.dtype == np.float32


class Eager:
    """A join that holds nothing back, not even what lies beyond the animation's end."""

    def process(self, predictions, bounds):
        return np.ones(bounds[-1] - bounds[0], np.float32)

    def flush(self):
        return np.empty(0, np.float32)


@pytest.mark.parametrize("frames", [1, 33, BATCH_FRAMES, BATCH_FRAMES + 1])
@pytest.mark.parametrize("brain_fps", [*BRAINS, Fraction(7)], ids=str)
def test_no_sound_is_given_beyond_the_end(tmp_path, frames, brain_fps):
    path, times = film(tmp_path, Fraction(25), frames)
    sound, _ = hear(path, SimpleBrain(brain_fps), lambda brain: PlainRenderer(Eager(), RATE))
    assert len(sound) == round(times[-1] * 22050)


@pytest.mark.parametrize("brain_fps", BRAINS, ids=str)
@pytest.mark.parametrize("fps", [*STEADY, "uneven"], ids=str)
def test_the_brain_sees_the_last_picture_shown_at_each_of_its_frames(tmp_path, fps, brain_fps):
    path, times = film(tmp_path, fps)
    brain = SimpleBrain(brain_fps)
    hear(path, brain)
    expected, k = [], 0
    while k / brain_fps < times[-1]:
        shown = max(i for i in range(FRAMES) if times[i] <= k / brain_fps)
        expected.append(level(shown))
        k += 1
    assert len(brain.seen) == len(expected)
    # Motion JPEG moves an even grey by a step or two; the greys are twenty apart.
    np.testing.assert_allclose(brain.seen, expected, atol=3)


@pytest.mark.parametrize("frames", [1, 2, BATCH_FRAMES, BATCH_FRAMES + 1, 2 * BATCH_FRAMES])
@pytest.mark.parametrize("brain_fps", [24, 30])
@pytest.mark.parametrize("granular", [False, True])
def test_any_number_of_frames_is_enough(tmp_path, frames, brain_fps, granular):
    path, times = film(tmp_path, Fraction(24), frames)

    def renderer(brain):
        plain = overlap_add(brain)
        return GranularRenderer(plain.synthesiser, brain.clock) if granular else plain

    sound, _ = hear(path, BrightNoise(brain_fps, lead=100), renderer)
    assert len(sound) == round(times[-1] * 22050)
    assert np.abs(sound[-50:]).max() > 0


@pytest.mark.parametrize("brain_fps", [24, 30])
@pytest.mark.parametrize("lead", [0, 200])
def test_a_flash_clicks_at_the_start_of_each_frame_that_sees_it(tmp_path, brain_fps, lead):
    flashes = (0, 45, 48, 120)
    levels = [255 * (i in flashes) for i in range(FRAMES)]
    path, _ = film(tmp_path, Fraction(24), levels=levels)
    brain = Clicks(brain_fps, lead=lead)
    sound, _ = hear(path, brain)
    clicks = np.flatnonzero(sound == 0.5)
    seeing = [k for k in range(len(brain.seen)) if int(24 * k / Fraction(brain_fps)) in flashes]
    np.testing.assert_array_equal(clicks, [round(Fraction(k * 22050, brain_fps)) for k in seeing])


def test_progress_is_told_in_seconds_of_the_animation(tmp_path):
    path, times = film(tmp_path, Fraction(24), 2 * BATCH_FRAMES)
    told, renderer = [], PlainRenderer(BlockCrossfader(0, 0), RATE)
    for _ in Soundtrack(FilmReader(path), SimpleBrain(), renderer, lambda *r: told.append(r)):
        pass
    tasks, seconds, totals, notes = zip(*told, strict=True)
    assert set(tasks) == {path.name}
    assert list(seconds) == sorted(seconds)
    assert seconds[-1] == float(times[-1])
    assert all(done <= total for done, total in zip(seconds, totals, strict=True))
    assert set(notes) == {""}


def test_an_animation_without_frames_is_refused(tmp_path, monkeypatch):
    path, _ = film(tmp_path, Fraction(24), 2)
    reader = FilmReader(path)
    monkeypatch.setattr(reader, "frames", lambda **_: iter(()))
    with pytest.raises(FilmError, match=r"film\.mov has no frames"):
        list(Soundtrack(reader, SimpleBrain(), PlainRenderer(BlockCrossfader(0, 0), RATE)))
