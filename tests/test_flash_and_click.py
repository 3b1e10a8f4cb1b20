"""Minutes of black, with a flash now and then and a click on it: they stay together.

A click is one sample. Resampled, it becomes a sinc around its place, so a click is found where
the sound is highest in its neighbourhood; between two samples that is either of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from frame2sound.brain.config import Pcm
from frame2sound.brain.predictor import StatelessPredictor
from frame2sound.brain.targets import PcmBlocks
from frame2sound.clock import Clock, frame_indices_at_ticks, sample_at
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.library.pickler import pickle_film
from frame2sound.library.store import Library, PickledFilm
from frame2sound.rendering.render import Delivery, render
from tests.media_files import Audio, decode_audio, grey_pictures, make_film

SECONDS = 300
"""Of a film whose times are rounded: long enough for a drift to show."""

EXACT_SECONDS = 200
"""Of a film with a whole number of frames in a second."""

RATE = 22050
"""The library's, the brains' and the soundtracks' sample rate."""


@dataclass(frozen=True)
class Kind:
    """A film to draw, and the frame rate of the brain that sounds it; None for the film's own.

    ``fps`` of None is a varying rate.
    """

    fps: Fraction | None
    ending: str
    codec: str = "flac"
    sample_rate: int = 48_000
    sound_starts: Fraction = Fraction(0)
    picture_starts: Fraction = Fraction(0)
    brain_fps: Fraction | None = None

    @property
    def seconds(self) -> int:
        """How long the film lasts."""
        return SECONDS if self.fps is None or self.fps.denominator > 1 else EXACT_SECONDS

    @property
    def times(self) -> list[Fraction]:
        """When each picture is shown, from the first on, and when the last one ends."""
        if self.fps is not None:
            return [i / self.fps for i in range(int(self.seconds * self.fps) + 1)]
        ticks = np.random.default_rng(5).integers(1500, 9000, 60 * self.seconds)  # 17 to 100 ms
        ends = np.concatenate([[0], np.cumsum(ticks)])
        return [Fraction(int(end), 90_000) for end in ends if end <= self.seconds * 90_000]

    @property
    def tick(self) -> Fraction:
        """The picture's time base."""
        return Fraction(1, 90_000) if self.fps is None else 1 / self.fps


KINDS = {
    "24": Kind(Fraction(24), ".mp4", brain_fps=Fraction(30)),
    "24000/1001, picture starts late": Kind(
        Fraction(24000, 1001), ".mkv", picture_starts=Fraction(1001, 1000)
    ),
    "25, sound starts late": Kind(
        Fraction(25), ".mp4", sample_rate=44_100, sound_starts=Fraction(1, 2)
    ),
    "30000/1001": Kind(Fraction(30000, 1001), ".mov", "pcm_s16le", sample_rate=44_100),
    "30, sound starts late": Kind(
        Fraction(30), ".mkv", sound_starts=Fraction(1, 2), brain_fps=Fraction(24)
    ),
    "varying": Kind(None, ".mp4", brain_fps=Fraction(30)),
}


@dataclass(frozen=True)
class Drawn:
    """A film that was drawn, what is in it, and what it became in the library."""

    kind: Kind
    path: Path
    times: list[Fraction]
    flashes: list[int]
    pickled: PickledFilm


def flashes_of(frames: int) -> list[int]:
    """Frames that flash: near the start, here and there, in the middle, the last but one."""
    return [40, 41 * frames // 400, frames // 4 + 1, frames // 2, 3 * frames // 4, frames - 2]


def clicks_of(times: list[Fraction], flashes: list[int], kind: Kind) -> Audio:
    """Sound that is silent but for one sample at the start of each flash."""
    begin, end, *places = (
        sample_at(time, kind.sample_rate)
        for time in (
            kind.sound_starts,
            kind.picture_starts + times[-1],
            *(kind.picture_starts + times[frame] for frame in flashes),
        )
    )
    sound = np.zeros(end - begin, np.int16)
    sound[np.array(places) - begin] = 20_000
    return Audio(sound, kind.sample_rate, kind.codec, start=kind.sound_starts)


@pytest.fixture(scope="module", params=KINDS.values(), ids=KINDS)
def drawn(request, tmp_path_factory):
    kind: Kind = request.param
    folder = tmp_path_factory.mktemp("flash")
    times = kind.times
    flashes = flashes_of(len(times) - 1)
    path = make_film(
        folder / f"flash{kind.ending}",
        grey_pictures(255 if frame in flashes else 0 for frame in range(len(times) - 1)),
        fps=kind.fps or Fraction(25),
        times=[kind.picture_starts + time for time in times],
        time_base=kind.tick,
        audio=clicks_of(times, flashes, kind),
    )
    pickled, _ = pickle_film(path, Library.create(folder / "library", RATE))
    return Drawn(kind, path, times, flashes, pickled)


def found(sound: np.ndarray) -> np.ndarray:
    """Where the clicks are: the highest of each cluster of samples above a third of the peak."""
    loud = np.flatnonzero(sound > sound.max() / 3)
    clusters = np.split(loud, np.flatnonzero(np.diff(loud) > RATE // 100) + 1)
    return np.array([cluster[sound[cluster].argmax()] for cluster in clusters])


def assert_within_a_sample(clicks: np.ndarray, times: list[float]) -> None:
    assert len(clicks) == len(times)
    assert np.abs(clicks - [round(time * RATE) for time in times]).max() <= 1


def test_flash_meets_click_in_the_library(drawn):
    film = drawn.pickled
    flashes = np.flatnonzero(film.frames[:, 0, 0] > 128)
    assert flashes.tolist() == drawn.flashes
    # A varying rate's times may be taken for those of its mean rate, a tick away.
    slack = 0 if drawn.kind.fps else float(drawn.kind.tick)
    assert np.abs(film.times - [float(time) for time in drawn.times]).max() <= slack
    assert len(film.sound) == sample_at(drawn.times[-1], RATE)
    assert_within_a_sample(found(film.sound), film.times[flashes].tolist())


class RemembersAndSees(StatelessPredictor):
    """An identity brain that also marks what it sees.

    Its blocks are cut from a film's own sound, in order; in the middle of every frame that is
    bright there is a click downwards besides.
    """

    def __init__(self, sound: np.ndarray, fps: Fraction) -> None:
        self.clock = Clock(fps, RATE)
        self.target = PcmBlocks.from_config(Pcm(lead_seconds=0.005), self.clock)
        self.lead = self.target.lead
        self.sound = np.pad(sound, (self.lead, self.target.length))
        self.middle = self.clock.max_samples_per_frame // 2
        self.frames = 0

    def predict(self, frames):
        starts = self.clock.sample_bounds(len(frames), self.frames)[:-1]
        self.frames += len(frames)
        blocks = self.sound[starts[:, None] + np.arange(self.target.length)]
        blocks[frames[:, 0, 0] > 128, self.lead + self.middle] = -0.4
        return blocks


def flash_times(path: Path) -> tuple[list[Fraction], Fraction]:
    """When a film flashes, by its container's own time stamps, and the container's tick."""
    with av.open(str(path)) as source:
        video = source.streams.video[0]
        tick = Fraction(video.time_base)
        flashes = [
            frame.pts * tick
            for frame in source.decode(video)
            if np.frombuffer(frame.planes[0], np.uint8, 1)[0] > 128
        ]
    return flashes, tick


def test_flash_meets_click_in_the_soundtrack(drawn, tmp_path):
    film, out = drawn.pickled, tmp_path / f"out{drawn.kind.ending}"
    brain = RemembersAndSees(film.sound, drawn.kind.brain_fps or film.card.fps)
    codec = "flac" if drawn.kind.codec == "flac" else "pcm"
    lossless = Delivery(codec=codec, sample_rate=RATE)
    render(FilmReader(drawn.path), brain, out, delivery=lossless)

    flashes, tick = flash_times(out)
    meant = [drawn.times[frame] for frame in drawn.flashes]
    # Matroska rounds to milliseconds; the program takes its times back to the frame grid.
    assert all(abs(a - b) <= tick / 2 for a, b in zip(flashes, meant, strict=True))

    (sound,), rate, begin = decode_audio(out)
    assert (rate, begin, len(sound)) == (RATE, 0, sample_at(drawn.times[-1], RATE))
    assert_within_a_sample(found(sound), [float(time) for time in meant])

    seen = np.flatnonzero(np.isin(frame_indices_at_ticks(film.times, brain.clock), drawn.flashes))
    marks = brain.clock.sample_bounds(len(brain.sound) // brain.middle)[seen] + brain.middle
    assert found(-sound).tolist() == marks.tolist()
