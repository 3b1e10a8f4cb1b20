"""Rendering style: how predictions become sound, and the renderer that does it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from frame2sound.brain.brain import Brain
from frame2sound.brain.config import Rnn, Tcn
from frame2sound.brain.corpus import Corpus, CorpusPointer
from frame2sound.brain.predictor import Predictor
from frame2sound.brain.spectra import PolarSpectra, RealSpectra
from frame2sound.brain.targets import PcmBlocks
from frame2sound.clock import sample_at
from frame2sound.errors import SoundtrackError
from frame2sound.rendering.events.event_list import Event
from frame2sound.rendering.events.event_mixer import EventSettings
from frame2sound.rendering.events.event_parts import EventPartsBuilder
from frame2sound.rendering.events.event_picker import DEFAULT_SENSITIVITY
from frame2sound.rendering.events.event_renderer import EventRenderer
from frame2sound.rendering.events.unit_choice import SPECTRUM_WEIGHT, ChoiceWeights
from frame2sound.rendering.granular.cloud import Cloud, Modulation
from frame2sound.rendering.modes import DEFAULT_MODE, Mode
from frame2sound.rendering.mosaic.mosaic_settings import MosaicSettings
from frame2sound.rendering.mosaic.mosaic_synthesiser import MosaicSynthesiser
from frame2sound.rendering.renderer import (
    MONO_GAIN,
    LevelledRenderer,
    PlainRenderer,
    Renderer,
    StereoRenderer,
    Synthesiser,
)
from frame2sound.rendering.sound_tap import SoundTap
from frame2sound.rendering.spectral.phase_from_audio import load_phase_from_audio
from frame2sound.rendering.spectral.spectral_overlap_add import (
    ComplexOverlapAdd,
    MagnitudeOverlapAdd,
)
from frame2sound.sound.block_crossfader import BlockCrossfader
from frame2sound.sound.phase import (
    DEFAULT_PHASE,
    FROM_AUDIO_NAMES,
    PHASE_ALIASES,
    PHASE_NAMES,
    PhaseReconstructor,
    create_reconstructor,
)
from frame2sound.sound.pitch_quantiser import PitchQuantiser, QuantisedPhase
from frame2sound.sound.scale import Scale
from frame2sound.sound.stft import Stft

if TYPE_CHECKING:
    from frame2sound.rendering.granular.grain_schedule import GrainSchedule

MIRRORED_OVERLAP = 0.15
"""Share of a frame over which blocks without a lead are crossfaded, with their mirrored start."""

DEFAULT_CLOUD, DEFAULT_MOSAIC = Cloud(), MosaicSettings()

SYNTHESIS_MODES: tuple[Mode, ...] = ("overlap-add", "granular")

OPTION_MODES: dict[str, tuple[str, tuple[Mode, ...]]] = {
    "window": ("`window`", SYNTHESIS_MODES),
    "overlap_seconds": ("`overlap`", SYNTHESIS_MODES),
    "phase": ("`phase`", SYNTHESIS_MODES),
    "phase_sound": ("`phase_from`", SYNTHESIS_MODES),
    "grains": ("`grains`", ("granular",)),
    "cloud": ("`cloud`", ("granular",)),
    "mosaic": ("`mosaic` or `only`", ("mosaic",)),
}
"""For each field of a style that not every mode uses: its name in errors, and those modes."""


@dataclass(frozen=True)
class Style:
    """How a brain's predictions become sound.

    Attributes
    ----------
    mode : {"overlap-add", "granular", "mosaic"}
    window : {"hann", "none"}
        How blocks of samples are joined; ``none`` is a hard cut.
    overlap_seconds : float, optional
        Length of the crossfade before each frame; by default all of the brain's lead.
    grains : {"on-time", "hindle"}
        The grain schedule of the mode ``granular``.
    seed : int
        Of all random numbers.
    phase : str
        One of `frame2sound.sound.phase.PHASE_NAMES`, for brains that predict magnitudes. Old
        names in `frame2sound.sound.phase.PHASE_ALIASES` are replaced by the new ones.
    phase_sound : Path, optional
        The sound file or film whose phases ``from-audio`` takes.
    cloud : Cloud
        The controls of the ``on-time`` grains.
    mosaic : MosaicSettings
    sensitivity : float
        How readily motion becomes an event: 0 hardly ever, 1 nearly always; at 0.5 as the brain
        has learned.
    events : tuple of Event, optional
        The events to play, instead of those that the brain finds in the picture.
    events_until : float, optional
        The time in seconds from which on those that the brain finds are played all the same.
    scale : Scale, optional
        The scale to which predicted magnitudes are quantised.
    stereo : {"no", "place"}
        ``place`` pans the sound to where the light is in the picture.

    Raises
    ------
    SoundtrackError
        The phase is unknown, or a setting has no effect together with the others.
    """

    mode: Mode = DEFAULT_MODE
    window: Literal["hann", "none"] = "hann"
    overlap_seconds: float | None = None
    grains: Literal["on-time", "hindle"] = "on-time"
    seed: int = 0
    phase: str = DEFAULT_PHASE
    phase_sound: Path | None = None
    cloud: Cloud = DEFAULT_CLOUD
    mosaic: MosaicSettings = DEFAULT_MOSAIC
    sensitivity: float = DEFAULT_SENSITIVITY
    events: tuple[Event, ...] | None = None
    events_until: float | None = None
    scale: Scale | None = None
    stereo: Literal["no", "place"] = "no"

    def __post_init__(self) -> None:
        object.__setattr__(self, "phase", PHASE_ALIASES.get(self.phase, self.phase))
        if self.phase not in PHASE_NAMES:
            raise SoundtrackError(
                f"got `phase` {self.phase}, expected one of {', '.join(PHASE_NAMES)}"
            )
        if self.scale is not None and self.mode == "mosaic":
            raise SoundtrackError(
                "`scale` quantises spectra; a mosaic is made of the films' own sound"
            )
        given = {each.name for each in fields(self) if getattr(self, each.name) != each.default}
        for name, (parameter, modes) in OPTION_MODES.items():
            if name in given and self.mode not in modes:
                raise SoundtrackError(
                    f"{parameter} does nothing in mode {self.mode}; "
                    f"leave it out or use `mode` {' or '.join(modes)}"
                )
        if not 0 <= self.sensitivity <= 1:
            raise SoundtrackError(f"got `sensitivity` {self.sensitivity:g}, expected 0 to 1")
        if self.events_until is not None and self.events is None:
            raise SoundtrackError("`events_until` does nothing without `events`; give both")
        if {"sensitivity", "events"} <= given and self.events_until is None:
            raise SoundtrackError(
                "`sensitivity` does nothing with `events`, which are played as they are; "
                "leave out one of them"
            )
        if "cloud" in given and self.grains == "hindle":
            raise SoundtrackError(
                "`cloud` does nothing with `grains` hindle; leave out one of them"
            )
        if "overlap_seconds" in given and self.window == "none":
            raise SoundtrackError(
                "`overlap` does nothing with `window` none; leave out one of them"
            )
        if (self.phase in FROM_AUDIO_NAMES) != ("phase_sound" in given):
            raise SoundtrackError(
                "`phase` from-audio and a file in `phase_from` belong together; "
                f"got `phase` {self.phase} {'with' if 'phase_sound' in given else 'without'} a file"
            )

    def build_renderer(
        self,
        brain: Predictor,
        corpus: Corpus | CorpusPointer | None = None,
        on_event: Callable[[Event], object] | None = None,
        span_seconds: tuple[float, float] = (0.0, math.inf),
        *,
        taps: tuple[SoundTap, ...] = (),
        needed_by: tuple[str, ...] = (),
    ) -> Renderer:
        """Return a renderer for a brain's predictions.

        Parameters
        ----------
        brain : Predictor
        corpus : Corpus or CorpusPointer, optional
            The source of the units of the mode ``mosaic``, and of the sounds of events in all
            modes; only ``mosaic`` cannot do without it.
        on_event : callable, optional
            Is called with each event that is played, in the order of time.
        span_seconds : (float, float)
            The times between which events are counted and reported.
        taps : tuple of SoundTap
            Are told the sounds of films as they are played.
        needed_by : tuple of str
            Parameters that do nothing if there are no events.

        Raises
        ------
        SoundtrackError
            A setting has no effect on what this brain predicts, the sound for the phases cannot be
            used, or there is no corpus.
        BrainError
            The corpus cannot be found, or contains no sound.
        """
        picked_from = math.inf if self.events_until is None else self.events_until
        chosen = self.sensitivity, self.events, picked_from
        settings = EventSettings(*chosen, on_event or _ignore_event, span_seconds, taps)
        if self.sensitivity != DEFAULT_SENSITIVITY:
            needed_by = (*needed_by, "`sensitivity`")
        renderer = self._build_renderer(
            brain, corpus, settings, () if self.events is not None else needed_by
        )
        if self.stereo == "place" and (self.mode == "mosaic" or renderer.channels == 1):
            return StereoRenderer(renderer, taps)
        if self.mode == "mosaic" and renderer.channels == 2 and learns_equal_loudness(brain):
            for tap in taps:
                tap.set_gain(float(MONO_GAIN))
            return LevelledRenderer(renderer)
        return renderer

    def _build_renderer(
        self,
        brain: Predictor,
        corpus: Corpus | CorpusPointer | None,
        settings: EventSettings,
        needed_by: tuple[str, ...],
    ) -> Renderer:
        """Return a renderer whose sound has places only if its films or its grains have."""
        if self.mode == "mosaic":
            corpus = self._mosaic_corpus(brain, corpus)
            taps = settings.taps
            mosaic = MosaicSynthesiser(brain.target, corpus, self.mosaic, self.seed, taps=taps)
            plain = PlainRenderer(
                mosaic, corpus.sample_rate, corpus.channels, _mosaic_summary(corpus)
            )
        else:
            plain = PlainRenderer(self._synthesiser(brain), brain.clock.sample_rate)
        return self._with_events(plain, brain, corpus, settings, needed_by)

    def _with_events(
        self,
        plain: PlainRenderer,
        brain: Predictor,
        corpus: Corpus | CorpusPointer | None,
        settings: EventSettings,
        needed_by: tuple[str, ...],
    ) -> Renderer:
        """Return a renderer that plays events, where there are any, over a synthesiser's sound."""
        granulate = None
        if self.mode == "granular":
            settings, granulate = self._granulator(brain, settings)
        parts = EventPartsBuilder(
            brain.target,
            brain.clock,
            plain.synthesiser,
            partial(_load_corpus, corpus, brain),
            self.mosaic,
            self.seed,
            ChoiceWeights(spectrum=SPECTRUM_WEIGHT if knows_spectrum(brain) else 0.0),
            settings.taps,
        )
        eventless = granulate(plain.synthesiser) if granulate else plain
        return EventRenderer(eventless, parts, settings, granulate, needed_by)

    def _granulator(
        self, brain: Predictor, settings: EventSettings
    ) -> tuple[EventSettings, Callable[[Synthesiser], Renderer]]:
        """Return settings that tell of films through grains, and what makes grains of a sound."""
        from frame2sound.rendering.granular.grain_layer import through_grains
        from frame2sound.rendering.granular.granular_renderer import GranularRenderer

        films, taps = through_grains(settings.taps)
        return replace(settings, taps=taps), lambda synthesiser: GranularRenderer(
            synthesiser, brain.clock, self._schedule(), self.seed, films
        )

    def _mosaic_corpus(self, brain: Predictor, corpus: Corpus | CorpusPointer | None) -> Corpus:
        if corpus is None and self.mosaic.films:
            raise SoundtrackError(
                f"got {', '.join(map(repr, self.mosaic.films))} to choose of a brain that has no "
                "films to choose from: it has no sound of them; leave out `only`, or name a brain "
                "that was trained with `corpus` carry, or give a library as `corpus`"
            )
        if corpus is None:
            raise SoundtrackError(
                "the brain has no sound of its films for a mosaic; give a library as `corpus`, "
                "or train it with `corpus` carry"
            )
        loaded = _load_corpus(corpus, brain)
        assert loaded is not None
        return loaded.select_films(self.mosaic.films) if self.mosaic.films else loaded

    def _schedule(self) -> GrainSchedule:
        from frame2sound.rendering.granular.grain_schedule import HindleSchedule, OnTimeSchedule

        if self.grains == "hindle":
            return HindleSchedule()
        if self.stereo == "place" and not self.cloud.max_abs("pan"):
            return OnTimeSchedule(replace(self.cloud, pan=Modulation(-1, 1, "place")))
        return OnTimeSchedule(self.cloud)

    def _synthesiser(self, brain: Predictor) -> Synthesiser:
        target = brain.target
        if isinstance(target, PcmBlocks | RealSpectra):
            self._refuse_phase("waveforms")
            continuous = isinstance(target, PcmBlocks) and target.lead > 0
            law: Literal["amplitude", "power"] = "amplitude" if continuous else "power"
            return BlockCrossfader(target.lead, self._overlap(brain), law)
        if self.window == "none" or self.overlap_seconds is not None:
            raise SoundtrackError(
                "`window` and `overlap` are for brains that predict waveforms; "
                "this one predicts spectra, leave them out"
            )
        window_length = target.recipe.window_length
        stft = Stft(window_length, window_length // 4, target.recipe.window)
        if isinstance(target, PolarSpectra):
            self._refuse_phase("spectra with their phase")
            return ComplexOverlapAdd(target, stft)
        return MagnitudeOverlapAdd(target, stft, self._phase(stft, brain.clock.sample_rate))

    def _refuse_phase(self, predicted: str) -> None:
        for name, given in (("`phase`", self.phase != DEFAULT_PHASE), ("`scale`", self.scale)):
            if given:
                raise SoundtrackError(
                    f"{name} is for brains that predict spectra without a phase; "
                    f"this one predicts {predicted}, leave it out"
                )

    def _phase(self, stft: Stft, sample_rate: int) -> PhaseReconstructor:
        source, from_audio = self.phase_sound, None
        if source is not None:
            from_audio = load_phase_from_audio(source, stft, sample_rate)
        phase = create_reconstructor(self.phase, stft, self.seed, from_audio)
        if self.scale is None:
            return phase
        return QuantisedPhase(phase, PitchQuantiser(self.scale, sample_rate, stft.n_fft))

    def _overlap(self, brain: Predictor) -> int:
        if self.window == "none":
            return 0
        if self.overlap_seconds is not None:
            frame = float(1 / brain.clock.fps)
            if not 0 <= self.overlap_seconds < frame:
                raise SoundtrackError(
                    f"got `overlap` {self.overlap_seconds} s, expected 0 to less than a frame "
                    f"({frame:.4f} s)"
                )
            return sample_at(Fraction(self.overlap_seconds), brain.clock.sample_rate)
        return brain.target.lead or int(MIRRORED_OVERLAP * brain.clock.max_samples_per_frame)


def learns_equal_loudness(brain: Predictor) -> bool:
    """Return whether a brain learned its films at one loudness, as mono sound."""
    return bool(getattr(brain, "learns_equal_loudness", False))


def remembers(brain: Predictor, style: Style) -> bool:
    """Return whether the sound of a frame depends on more than its prediction and the next."""
    return (
        style.mode != "overlap-add"
        or style.events is not None
        or predictions_remember(brain)
        or not isinstance(brain.target, PcmBlocks | RealSpectra | PolarSpectra)
    )


def predictions_remember(brain: Predictor) -> bool:
    """Return whether a brain's predictions depend on more than a few past frames."""
    network = brain.recipe.network if isinstance(brain, Brain) else None
    return brain.motion_head is not None or brain.maps_ground or isinstance(network, Rnn | Tcn)


def knows_spectrum(brain: Predictor) -> bool:
    """Return whether the spectra that a brain predicts of events are better than a mean."""
    return bool(getattr(brain, "knows_spectrum", False))


def _mosaic_summary(corpus: Corpus) -> str:
    films = corpus.films
    source = f"{len(films)} films" if len(films) > 1 else f"the film {films[0]}"
    return f"a mosaic of {corpus.seconds:.1f} s of {source}"


def _load_corpus(corpus: Corpus | CorpusPointer | None, brain: Predictor) -> Corpus | None:
    if not isinstance(corpus, CorpusPointer):
        return corpus
    from frame2sound.library.corpus import load_corpus

    return load_corpus(corpus, brain.clock)


def _ignore_event(event: Event) -> None: ...
