"""Events in films of any frame rate are on time to a frame, whatever the clock of the brain."""

from fractions import Fraction

import numpy as np
import pytest

from frame2sound.film.decoding.reader import FilmReader
from frame2sound.rendering.events.event_list import read_events
from frame2sound.rendering.output.delivery import Delivery
from frame2sound.rendering.render import render
from frame2sound.rendering.style import Style
from tests.brain.motion_heads import known_head, linear
from tests.media_files import VideoEncoding, make_film
from tests.rendering.foretelling import Foreteller

SECONDS = 12
LOSSLESS = VideoEncoding("ffv1", "yuv420p")
SWITCHES = np.arange(1.0, SECONDS, 1.0) + np.random.default_rng(0).uniform(0, 0.5, SECONDS - 1)
"""Times at which the square changes its brightness."""


class Watching(Foreteller):
    """A brain whose events are the pictures that change most."""

    def __init__(self, fps):
        super().__init__(fps=fps)
        self.head = known_head(onset=linear(0.3, 0.0), threshold=0.6, event_scale=1.0)

    @property
    def motion_head(self):
        return self.head


def picture_at(seconds):
    """Return a square that moves by four pixels a second and is dark or light in turn."""
    place = 4 + 4 * float(seconds)
    columns = np.arange(64)
    cover = np.clip(place + 16 - columns, 0, 1) * np.clip(columns + 1 - place, 0, 1)
    light = 200 if np.searchsorted(SWITCHES, float(seconds), side="right") % 2 else 96
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[24:40] = np.round(light * cover)[None, :, None]
    return picture


def events_at(folder, times, fps, *, brain_fps=30):
    """Return the times of the events of a film whose pictures appear at some times."""
    pictures = map(picture_at, times[:-1])
    options = {"fps": fps} if fps else {"times": times, "time_base": Fraction(1, 1000)}
    film = make_film(folder / "film.mkv", pictures, encoding=LOSSLESS, **options)
    brain = Watching(brain_fps)
    render(
        FilmReader(film),
        brain,
        folder / "sound.wav",
        Style("mosaic"),
        Delivery(),
        corpus=brain.corpus,
        events_out=folder / "events.json",
    )
    return np.array([event.time_seconds for event in read_events(folder / "events.json")])


def assert_on_time(events, frame_seconds):
    assert len(events) == len(SWITCHES)
    # The parabola through a peak and its neighbours moves it by some hundredths of a frame.
    assert np.abs(events - SWITCHES).max() <= 1.05 * frame_seconds


@pytest.mark.parametrize("fps", [5, 12, 24, Fraction(30000, 1001), 30, 120])
def test_events_are_on_time_to_a_frame(tmp_path, fps):
    times = [Fraction(number) / fps for number in range(int(SECONDS * fps) + 1)]
    assert_on_time(events_at(tmp_path, times, Fraction(fps)), 1 / min(float(fps), 30))


@pytest.mark.parametrize("brain_fps", [12, 24, 60])
def test_events_are_on_time_at_other_clocks(tmp_path, brain_fps):
    times = [Fraction(number, 30) for number in range(30 * SECONDS + 1)]
    events = events_at(tmp_path, times, Fraction(30), brain_fps=brain_fps)
    assert_on_time(events, 1 / min(30, brain_fps))


def test_events_are_on_time_at_a_varying_rate(tmp_path):
    steps = np.random.default_rng(1).integers(10, 180, 400)  # milliseconds
    ends = np.cumsum(np.append(0, steps))
    times = [Fraction(int(end), 1000) for end in ends if end <= SECONDS * 1000]
    assert_on_time(events_at(tmp_path, times, None), 0.18)
