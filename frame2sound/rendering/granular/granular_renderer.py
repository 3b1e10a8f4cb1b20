"""Granular rendering: replay each frame's sound as a cloud of grains."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.clock import Clock
from frame2sound.errors import SoundtrackError
from frame2sound.rendering.frame_curves import FrameCurves
from frame2sound.rendering.granular.bypass import EMPTY, Crossover, Samples, TransientDetector
from frame2sound.rendering.granular.cloud import ModulationSources
from frame2sound.rendering.granular.grain_layer import FilmsInGrains, GrainLayer
from frame2sound.rendering.granular.grain_schedule import GrainSchedule, OnTimeSchedule
from frame2sound.rendering.renderer import Synthesiser
from frame2sound.sound.grains import Grains
from frame2sound.sound.windows import ENVELOPE_PEAKS


class GranularRenderer:
    """Replays synthesised sound as grains; the size of batches makes no difference.

    Each frame's grains have their own random generator, seeded by the seed and the frame's number,
    so that a soundtrack can be reproduced exactly.

    With an `OnTimeSchedule`, transients at frame starts bypass granulation, so that they stay
    sharp, and so does bass for which the jitter is too short, so that it keeps its level. Grains
    are normalised so that envelopes add to one: in amplitude when all grains read in place and are
    coherent, in power when their read positions vary. Where they add to less than one, in a sparse
    cloud, each grain keeps its own envelope.

    ``films`` tells what is heard of each film: the gate, the grains and their sum are found of the
    whole, and all that follows is linear.

    Attributes
    ----------
    sample_rate : int
        The clock's.
    channels : int
        1, or 2 if the cloud's grains are panned.
    max_peak_delay_seconds : float
        The largest delay of an envelope's peak after its frame's start so far.
    grain_count : int
        The number of grains so far.
    on_grains : callable
        Is called with the grains of each frame, for another engine to play.
    """

    def __init__(
        self,
        synthesiser: Synthesiser,
        clock: Clock,
        schedule: GrainSchedule | None = None,
        seed: int = 0,
        films: FilmsInGrains | None = None,
    ) -> None:
        self.synthesiser = synthesiser
        self.clock = clock
        self.sample_rate = clock.sample_rate
        self.schedule = OnTimeSchedule() if schedule is None else schedule
        self.seed = seed
        self.max_peak_delay_seconds = 0.0
        self.grain_count = 0
        self.on_grains: Callable[[Grains], None] = lambda grains: None
        on_time = self.schedule if isinstance(self.schedule, OnTimeSchedule) else None
        self._on_time_schedule = on_time
        self.channels = on_time.cloud.channels if on_time else 1
        self._envelope_power = on_time.envelope_power if on_time else 0
        self._transient_detector = TransientDetector(clock.sample_rate, enabled=on_time is not None)
        crossover = Crossover(clock.sample_rate, on_time.crossover_hz if on_time else 0.0)
        self._mix = GrainLayer(self.channels, crossover)
        self._films = films or FilmsInGrains()
        self._film_layers: dict[str, GrainLayer] = {}
        self._reach = self.schedule.reach(clock.max_samples_per_frame, clock.sample_rate)
        # Grains of the frames before the first and after the last reach into the sound.
        self._edge_frames = -(-self._reach[0] // clock.max_samples_per_frame) if on_time else 0
        self._weight = EMPTY
        self._origin = 0
        self._bounds = [0]
        self._placed_frames = self._emitted = 0
        self._has_begun = False
        self._due = 0.0
        self._curves: deque[list[float]] = deque()
        self._sources = ModulationSources()
        self._places: deque[float] = deque()

    @property
    def summary(self) -> str:
        """The largest delay and the number of grains, in a line."""
        delay, count = 1e3 * self.max_peak_delay_seconds, f"{self.grain_count:,}".replace(",", " ")
        return f"grains at most {delay:.1f} ms from their frame, {count} grains"

    def process(
        self, predictions: NDArray[Any], bounds: NDArray[np.int64], frame_curves: FrameCurves
    ) -> NDArray[np.float32]:
        """Take predictions and bounds as a synthesiser does; return the sound that is complete.

        Raises
        ------
        SoundtrackError
            A grain is later than its schedule allows, which is a defect of the schedule.
        """
        if not self._has_begun:
            self._start_at(int(bounds[0]))
        self._bounds += bounds[1:].tolist()
        curves = np.stack(
            [frame_curves.brightness, frame_curves.motion, frame_curves.place], axis=1
        )
        self._curves.extend(curves.tolist())
        synthesised = self.synthesiser.process(predictions, bounds)
        self._store(synthesised, bounds[1:])
        source_end = self._origin + len(self._mix.source)
        ends = self._bounds[self._placed_frames - self._emitted + 1 :]
        self._place_grains(sum(end + self._reach[1] <= source_end for end in ends))
        complete_end = self._bounds[self._placed_frames - self._emitted] - self._reach[0]
        return self._emit(sum(end <= complete_end for end in self._bounds[1:]))

    def flush(self) -> NDArray[np.float32]:
        """Return the rest of the sound."""
        self._store(self.synthesiser.flush(), self._bounds[:0], last=True)
        frames = len(self._bounds) - 1
        self._place_grains(frames - (self._placed_frames - self._emitted))
        self._place_edge_grains(self._bounds[-1], range(self._edge_frames))
        return self._emit(frames)

    def _start_at(self, sample: int) -> None:
        """Begin with the frame that starts at a sample."""
        self._has_begun = True
        self._bounds, self._origin = [sample], sample
        self._placed_frames = self._emitted = self.clock.frame_at(sample)
        self._transient_detector.start_at(sample)

    def _store(
        self, sound: Samples, ends: NDArray[np.int64] | list[int], *, last: bool = False
    ) -> None:
        """Split off transients of all sound, and of each film's part of it by the same gate."""
        detector = self._transient_detector
        parts = dict(self._films.read(detector.end, len(sound)))
        for film in parts.keys() - self._film_layers.keys():
            self._film_layers[film] = self._mix.silent_copy(detector.waiting)
        self._mix.store(*detector.process(sound, ends, last), last=last)
        for film, part in parts.items():
            self._film_layers[film].store_gated(part, detector.gate, last=last)

    def _place_grains(self, frames: int) -> None:
        clouds = []
        for _ in range(frames):
            first = self._placed_frames - self._emitted
            start, end = self._bounds[first : first + 2]
            brightness, motion, place = self._curves.popleft()
            self._sources = ModulationSources.from_frame(
                brightness, motion, place, self._transient_detector.frame_rms.popleft()
            )
            if not self._placed_frames:
                self._place_edge_grains(0, range(-self._edge_frames, 0))
            clouds.append(self._checked(self._cloud(self._placed_frames, start, end), start))
            self._places.append(
                self._on_time_schedule.cloud.control_values(self._sources)["pan"]
                if self._on_time_schedule
                else 0
            )
            self._placed_frames += 1
        self._overlap_add(clouds)

    def _place_edge_grains(self, start: int, frames: range) -> None:
        """Add the grains of virtual frames before the first or after the last."""
        length = self.clock.max_samples_per_frame
        edge_frames = [(self._placed_frames + i, start + i * length) for i in frames]
        self._overlap_add([self._cloud(frame, at, at + length) for frame, at in edge_frames])

    def _cloud(self, frame: int, start: int, end: int) -> Grains:
        random = np.random.default_rng([self.seed, frame % 2**32])
        grains, self._due = self.schedule.grains(
            start, end, self.clock.sample_rate, random, self._sources, self._due
        )
        return grains

    def _checked(self, grains: Grains, start: int) -> Grains:
        """Check the delay of grains, and update the statistics."""
        delay = grains.peak_positions(ENVELOPE_PEAKS[self.schedule.envelope]) - start
        bound = self.schedule.max_peak_delay(
            self.clock.max_samples_per_frame, self.clock.sample_rate
        )
        bound += 1  # grains begin at whole samples
        max_delay = float(np.abs(delay).max(initial=0))
        if max_delay > bound or (np.isfinite(bound) and delay.min(initial=0) < 0):
            raise SoundtrackError(
                f"got a grain {max_delay / self.clock.sample_rate:.4f} s from its frame, expected "
                f"at most {bound / self.clock.sample_rate:.4f} s after it; report this"
            )
        self.max_peak_delay_seconds = max(
            self.max_peak_delay_seconds, max_delay / self.clock.sample_rate
        )
        self.grain_count += len(grains)
        self.on_grains(grains)
        return grains

    def _overlap_add(self, clouds: list[Grains]) -> None:
        if not clouds:
            return
        grains = Grains.concatenate(clouds).shift_earlier(self._origin)
        self._grow(int((grains.onset + grains.length).max(initial=0)))
        weight = self._weight if self._envelope_power else None
        self._mix.add(grains, self.schedule.envelope, weight, self._envelope_power)
        for layer in self._film_layers.values():
            if layer.source.any():
                layer.add(grains, self.schedule.envelope)

    def _grow(self, length: int) -> None:
        missing = max(length - len(self._weight), 0)
        self._weight = np.pad(self._weight, (0, missing))
        for layer in (self._mix, *self._film_layers.values()):
            layer.grow(missing)

    def _emit(self, frames: int) -> NDArray[np.float32]:
        """Return frames that are complete, and drop samples that no later grain can read."""
        bounds = np.array(self._bounds[: frames + 1])
        finished = slice(bounds[0] - self._origin, bounds[-1] - self._origin)
        self._grow(finished.stop)
        divisor = None
        if self._envelope_power:
            divisor = np.maximum(self._weight[finished] ** (1 / self._envelope_power), 1)
        positions = np.array([self._places.popleft() for _ in range(frames)])
        sound = self._mix.finished(finished, divisor, positions, bounds)
        for film, layer in self._film_layers.items():
            part = layer.finished(finished, divisor, positions, bounds)
            self._films.tell(film, part, int(bounds[0]))
        del self._bounds[:frames]
        self._emitted += frames
        self._drop_finished()
        return sound

    def _drop_finished(self) -> None:
        until = self._bounds[self._placed_frames - self._emitted] - self._reach[0]
        drop = min(max(until, 0), self._bounds[0]) - self._origin
        drop = max(min(drop, len(self._mix.source)), 0)
        self._weight = self._weight[drop:]
        for layer in (self._mix, *self._film_layers.values()):
            layer.drop(drop)
        self._origin += drop
