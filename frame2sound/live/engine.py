"""The engine of live playing: frames as they arrive to blocks of sound, in constant memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.brain.predictor import Predictor
from frame2sound.film.small_frames import picture_shape
from frame2sound.live.causal_picker import CausalPicker
from frame2sound.live.controls import Controls
from frame2sound.live.frame_analysis import FrameAnalyser
from frame2sound.live.grain_bed import GrainBed
from frame2sound.live.live_corpus import LiveCorpus, transposed
from frame2sound.live.sound_ring import SoundRing
from frame2sound.rendering.events.event_list import MAX_LEVEL_DB, MIN_LEVEL_DB
from frame2sound.rendering.events.event_synthesis import unit_gain_db
from frame2sound.rendering.events.unit_choice import UnitQuery
from frame2sound.rendering.renderer import MONO_GAIN
from frame2sound.rendering.style import learns_equal_loudness
from frame2sound.sound.windows import hann_fade_in

Samples = NDArray[np.float32]
Frame = NDArray[np.uint8]

BLOCK_SAMPLES = 256
"""Samples that are played at once."""

SAMPLE_RATE = 48_000
"""Of the sound, in Hz."""

DELAY_SECONDS = 0.012
"""From the arrival of a frame to the sound of its event, before the sound card's own delay."""

RING_SECONDS = 4.0
"""No sound ends further ahead."""

FADE_SAMPLES = 2400
"""The fade-out of a sound that is cut."""


@dataclass(frozen=True)
class LiveEvent:
    """An event, as soon as it is known.

    Attributes
    ----------
    time_seconds : float
        When its frame arrived.
    level_db : float
        In dBFS.
    """

    time_seconds: float
    level_db: float


@dataclass(frozen=True)
class PlayedEvent:
    """An event with the sound that it got.

    Attributes
    ----------
    time_seconds, level_db : float
    film : str
    film_seconds : float
        The film whose sound it is, and where that begins in it.
    onset_sample : int
        Where its onset is in the sound that is played.
    late_samples : int
        By how much that is later than the delay that is stated.
    """

    time_seconds: float
    level_db: float
    film: str
    film_seconds: float
    onset_sample: int
    late_samples: int


class LiveEngine:
    """Turns frames into sound with a constant delay; only frames that have arrived count.

    One thread may `see` frames while another `read`s blocks. The same frames at the same times,
    with the same controls and seed, give the same sound to the bit.

    Parameters
    ----------
    brain : Predictor
    corpus : LiveCorpus
        At the engine's sample rate.
    fps : float
        The frames per second that arrive.
    sample_rate : int
    delay_seconds : float
        From the arrival of a frame to the onset of its event; at least one block.
    seed : int
    on_event : callable
        Is called with each `LiveEvent` before its sound is chosen.
    """

    def __init__(
        self,
        brain: Predictor,
        corpus: LiveCorpus,
        fps: float,
        *,
        sample_rate: int = SAMPLE_RATE,
        delay_seconds: float = DELAY_SECONDS,
        controls: Controls | None = None,
        seed: int = 0,
        on_event: Callable[[LiveEvent], object] | None = None,
    ) -> None:
        self.corpus = corpus
        self.sample_rate = sample_rate
        self.delay = max(round(delay_seconds * sample_rate), BLOCK_SAMPLES)
        self.controls = Controls() if controls is None else controls
        self.on_event = on_event
        self.clipped_blocks = 0
        self._chooser = corpus.start_choice()
        self._analyser = FrameAnalyser(brain, fps)
        self._picker = CausalPicker()
        self._ring = SoundRing(round(RING_SECONDS * sample_rate))
        self._frame_samples = round(sample_rate / fps)
        frame_length = round(sample_rate / float(brain.clock.fps))
        self._bed = GrainBed(corpus.frames, brain.target, sample_rate, frame_length, seed)
        quieter = learns_equal_loudness(brain) and corpus.channels == 2
        self._own_gain = float(MONO_GAIN) if quieter else 1.0
        self._gain = self._wanted_gain()
        self._appearance: NDArray[np.float32] | None = None
        self._prediction: NDArray[Any] | None = None
        self._lock = Lock()
        self._warm_up(brain)

    @property
    def position(self) -> int:
        """The next sample that is played."""
        return self._ring.position

    @property
    def pending(self) -> int:
        """How many samples of sound are left, if nothing more is seen."""
        return self._ring.pending

    def set_control(self, name: str, value: float) -> None:
        """Change a control; out of its range, the value is limited to it."""
        with self._lock:
            self.controls = self.controls.with_value(name, value)

    def see(self, picture: Frame, arrival_sample: int) -> PlayedEvent | None:
        """Take in a frame; return the event that it begins, if it does.

        Parameters
        ----------
        picture : uint8 array (64, 64), or (64, 64, 3) for a brain in colour
        arrival_sample : int
            The sample that was playing as the frame arrived.
        """
        with self._lock:
            seconds, controls = arrival_sample / self.sample_rate, self.controls
            analysis = self._analyser.process(picture, seconds)
            is_event = self._picker.is_event(
                analysis.strength, seconds, controls.sensitivity, controls.min_gap,
                is_new=analysis.is_new,
            )  # fmt: skip
            level_db = min(max(analysis.level_db, MIN_LEVEL_DB), MAX_LEVEL_DB)
            if is_event and self.on_event is not None:
                self.on_event(LiveEvent(seconds, level_db))
            self._appearance = analysis.appearance
            self._prediction = prediction = self._analyser.predict()
            played = self._play(level_db, arrival_sample) if is_event else None
            begin = arrival_sample + self.delay
            end = begin + self._frame_samples
            for sound, start in self._bed.grains(prediction, analysis.bed_db, begin, end, controls):
                self._ring.add(sound, start)
        return played

    def trigger(self, level_db: float, arrival_sample: int) -> PlayedEvent:
        """Play an event now, of a unit that fits the last frame; `on_event` is not called."""
        with self._lock:
            return self._play(level_db, arrival_sample)

    def read(self, count: int = BLOCK_SAMPLES) -> Samples:
        """Return the next block of sound, ``(count, 2)``, from -1 to 1."""
        before, self._gain = self._gain, self._wanted_gain()
        sound = self._ring.read(count)
        if before == self._gain:
            sound *= np.float32(before)
        else:
            sound *= np.linspace(before, self._gain, count, dtype=np.float32)[:, None]
        if np.abs(sound).max(initial=0) > 1:
            self.clipped_blocks += 1
            np.clip(sound, -1, 1, out=sound)
        return sound

    def _wanted_gain(self) -> float:
        controls = self.controls
        muted = controls.mute >= 0.5
        return 0.0 if muted else self._own_gain * float(10 ** (controls.gain / 20))

    def _warm_up(self, brain: Predictor) -> None:
        """Compute once what the first event would wait for."""
        black = np.zeros((1, *picture_shape(brain.colour)), np.uint8)
        prediction = brain.start_prediction().predict(black)[0]
        query = UnitQuery(0.0, -20.0, np.zeros(64, np.float32), prediction)
        self._chooser.choose(query, remember=False)

    def _play(self, level_db: float, arrival_sample: int) -> PlayedEvent:
        seconds, controls = arrival_sample / self.sample_rate, self.controls
        level_db = min(max(level_db, MIN_LEVEL_DB), MAX_LEVEL_DB)
        query = UnitQuery(seconds, level_db, self._appearance, self._prediction)
        number = self._chooser.choose(query)
        units, unit = self.corpus.played, self.corpus.unit(number)
        change_db = controls.follow_loudness * unit_gain_db(units, number, level_db)
        gain = np.float32(10 ** ((change_db + controls.event_gain) / 20))
        speed = 2 ** (controls.transpose / 12)
        sound = self._shortened(transposed(unit.sound, controls.transpose)) * gain
        lead = round(unit.lead / speed)
        onset = arrival_sample + self.delay
        late = self._ring.add(sound, onset - lead, lead)
        return PlayedEvent(
            seconds, level_db, units.film(number), units.film_seconds(number), onset + late, late
        )

    def _shortened(self, sound: Samples) -> Samples:
        """Return a sound that fits into the ring, with a fade-out if it is cut."""
        longest = round(RING_SECONDS * self.sample_rate) - 2 * self.delay - BLOCK_SAMPLES
        if len(sound) <= longest:
            return sound
        sound = sound[:longest].copy()
        sound[-FADE_SAMPLES:] *= hann_fade_in(FADE_SAMPLES)[::-1, None].astype(np.float32)
        return sound
