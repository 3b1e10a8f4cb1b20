"""Style: how a brain's predictions become sound, and the renderer that makes them so."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

from frame2sound.brain.corpus import Corpus, CorpusPointer
from frame2sound.brain.predictor import Predictor
from frame2sound.brain.spectra import PolarSpectra, RealSpectra
from frame2sound.brain.targets import PcmBlocks
from frame2sound.clock import sample_at
from frame2sound.errors import SoundtrackError
from frame2sound.library.corpus import load_corpus
from frame2sound.rendering.granular.cloud import Cloud, Modulation
from frame2sound.rendering.granular.grain_schedule import (
    GrainSchedule,
    HindleSchedule,
    OnTimeSchedule,
)
from frame2sound.rendering.granular.granular_renderer import GranularRenderer
from frame2sound.rendering.modes import DEFAULT_MODE, Mode
from frame2sound.rendering.mosaic.mosaic_synthesiser import MosaicSettings, MosaicSynthesiser
from frame2sound.rendering.soundtrack import PlainRenderer, Renderer, Synthesiser
from frame2sound.rendering.spectral.phase_from_audio import load_phase_from_audio
from frame2sound.rendering.spectral.spectral_overlap_add import (
    ComplexOverlapAdd,
    MagnitudeOverlapAdd,
)
from frame2sound.rendering.stereo import StereoRenderer
from frame2sound.sound.block_crossfader import BlockCrossfader
from frame2sound.sound.phase import (
    FROM_AUDIO_NAMES,
    PHASE_NAMES,
    PhaseReconstructor,
    create_reconstructor,
)
from frame2sound.sound.phase.quantised import QuantisedPhase
from frame2sound.sound.pitch_quantiser import PitchQuantiser
from frame2sound.sound.scale import Scale
from frame2sound.sound.stft import Stft

MIRRORED_OVERLAP = 0.15
"""Share of a frame over which blocks without a lead cross, on their own mirrored beginning."""

DEFAULT_CLOUD, DEFAULT_MOSAIC = Cloud(), MosaicSettings()

SYNTHESIS_MODES: tuple[Mode, ...] = ("overlap-add", "granular")

OPTION_MODES: dict[str, tuple[str, tuple[Mode, ...]]] = {
    "window": ("--window", SYNTHESIS_MODES),
    "overlap_seconds": ("--overlap", SYNTHESIS_MODES),
    "phase": ("--phase", SYNTHESIS_MODES),
    "phase_sound": ("--phase-from", SYNTHESIS_MODES),
    "grains": ("--grains", ("granular",)),
    "cloud": ("--cloud", ("granular",)),
    "mosaic": ("--mosaic or --only", ("mosaic",)),
}
"""What a setting is called on the command line, and in which modes it does something."""


@dataclass(frozen=True)
class Style:
    """How a brain's predictions become sound.

    Attributes
    ----------
    mode : {"overlap-add", "granular", "mosaic"}
    window : {"hann", "none"}
        How blocks of sound join; ``none`` is the hard cut.
    overlap_seconds : float, optional
        How long they cross before each frame; by default all of the brain's lead.
    grains : {"on-time", "hindle"}
        The schedule of ``granular``.
    seed : int
        Of all that chance decides.
    phase : str
        One of `frame2sound.sound.phase.PHASES`, for magnitudes.
    phase_sound : Path, optional
        The sound or film whose phases ``stolen`` takes.
    cloud : Cloud
        The grains of ``granular``, unless they are Hindle's.
    mosaic : MosaicSettings
    scale : Scale, optional
        Magnitudes are brought into its tune.
    stereo : {"no", "place"}
        ``place``: the sound is where the light is.

    Raises
    ------
    SoundtrackError
        There is no such phase, or a setting does nothing beside the others.
    """

    mode: Mode = DEFAULT_MODE
    window: Literal["hann", "none"] = "hann"
    overlap_seconds: float | None = None
    grains: Literal["on-time", "hindle"] = "on-time"
    seed: int = 0
    phase: str = "running"
    phase_sound: Path | None = None
    cloud: Cloud = DEFAULT_CLOUD
    mosaic: MosaicSettings = DEFAULT_MOSAIC
    scale: Scale | None = None
    stereo: Literal["no", "place"] = "no"

    def __post_init__(self) -> None:
        if self.phase not in PHASE_NAMES:
            raise SoundtrackError(
                f"got --phase {self.phase}, expected one of {', '.join(PHASE_NAMES)}"
            )
        if self.scale is not None and self.mode == "mosaic":
            raise SoundtrackError("--scale tunes spectra; a mosaic is made of the films' own sound")
        given = {each.name for each in fields(self) if getattr(self, each.name) != each.default}
        for name, (option, modes) in OPTION_MODES.items():
            if name in given and self.mode not in modes:
                raise SoundtrackError(
                    f"{option} does nothing in mode {self.mode}; "
                    f"leave it out or use --mode {' or '.join(modes)}"
                )
        if "cloud" in given and self.grains == "hindle":
            raise SoundtrackError(
                "--cloud does nothing with --grains hindle; leave out one of them"
            )
        if "overlap_seconds" in given and self.window == "none":
            raise SoundtrackError(
                "--overlap does nothing with --window none; leave out one of them"
            )
        if (self.phase in FROM_AUDIO_NAMES) != ("phase_sound" in given):
            raise SoundtrackError(
                "--phase stolen and --phase-from FILE belong together; "
                f"got --phase {self.phase} {'with' if 'phase_sound' in given else 'without'} a file"
            )

    def build_renderer(
        self, brain: Predictor, corpus: Corpus | CorpusPointer | None = None
    ) -> Renderer:
        """Build a renderer for a brain's predictions.

        Parameters
        ----------
        brain : Sounding
        corpus : Corpus or CorpusPointer, optional
            What ``mosaic`` is made of; the other modes do without.

        Raises
        ------
        SoundtrackError
            A setting does nothing to what this brain predicts, the phases cannot be stolen, or
            there is no corpus.
        BrainError
            The corpus is not there, or there is nothing in it to sound.
        """
        made = self._build_renderer(brain, corpus)
        return StereoRenderer(made) if self.stereo == "place" and made.channels == 1 else made

    def _build_renderer(self, brain: Predictor, corpus: Corpus | CorpusPointer | None) -> Renderer:
        """Build a renderer that is mono, unless its grains are placed one by one."""
        if self.mode == "mosaic":
            return self._mosaic(brain, corpus)
        join = self._synthesiser(brain)
        if self.mode == "overlap-add":
            return PlainRenderer(join)
        return GranularRenderer(join, brain.clock, self._schedule(), self.seed)

    def _mosaic(self, brain: Predictor, corpus: Corpus | CorpusPointer | None) -> Renderer:
        if corpus is None and self.mosaic.films:
            raise SoundtrackError(
                f"got {', '.join(map(repr, self.mosaic.films))} to choose of a brain that has no "
                "films to choose from: it has no sound of them; leave out --only, or name a brain "
                "that was trained with --corpus carry, or give films with --corpus LIBRARY"
            )
        if corpus is None:
            raise SoundtrackError(
                "the brain has no sound of its films for a mosaic; give some with "
                "--corpus LIBRARY, or train it with --corpus carry"
            )
        found = load_corpus(corpus, brain.clock) if isinstance(corpus, CorpusPointer) else corpus
        mosaic = MosaicSynthesiser(brain.target, found, self.mosaic, self.seed)
        chosen = found.select_films(self.mosaic.films) if self.mosaic.films else found
        films = chosen.films
        what = f"{len(films)} films" if len(films) > 1 else f"the film {films[0]}"
        return PlainRenderer(mosaic, summary=f"a mosaic of {chosen.seconds:.1f} s of {what}")

    def _schedule(self) -> GrainSchedule:
        if self.grains == "hindle":
            return HindleSchedule()
        if self.stereo == "place" and self.cloud.channels == 1:
            return OnTimeSchedule(replace(self.cloud, pan=Modulation(-1, 1, "place")))
        return OnTimeSchedule(self.cloud)

    def _synthesiser(self, brain: Predictor) -> Synthesiser:
        target = brain.target
        if isinstance(target, PcmBlocks | RealSpectra):
            self._refuse_phase("waveforms")
            joins = isinstance(target, PcmBlocks) and target.lead > 0
            law: Literal["amplitude", "power"] = "amplitude" if joins else "power"
            return BlockCrossfader(target.lead, self._overlap(brain), law)
        if self.window == "none" or self.overlap_seconds is not None:
            raise SoundtrackError(
                "--window and --overlap are for brains that predict waveforms; "
                "this one predicts spectra, leave them out"
            )
        window_length = target.recipe.window_length
        stft = Stft(window_length, window_length // 4, target.recipe.window)
        if isinstance(target, PolarSpectra):
            self._refuse_phase("spectra with their phase")
            return ComplexOverlapAdd(target, stft)
        return MagnitudeOverlapAdd(target, stft, self._phase(stft, brain.clock.sample_rate))

    def _refuse_phase(self, predicted: str) -> None:
        for option, given in (("--phase", self.phase != "running"), ("--scale", self.scale)):
            if given:
                raise SoundtrackError(
                    f"{option} is for brains that predict spectra without a phase; "
                    f"this one predicts {predicted}, leave it out"
                )

    def _phase(self, stft: Stft, sample_rate: int) -> PhaseReconstructor:
        stolen = (
            None
            if self.phase_sound is None
            else load_phase_from_audio(self.phase_sound, stft, sample_rate)
        )
        phase = create_reconstructor(self.phase, stft, self.seed, stolen)
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
                    f"got --overlap {self.overlap_seconds} s, expected 0 to less than a frame "
                    f"({frame:.4f} s)"
                )
            return sample_at(Fraction(self.overlap_seconds), brain.clock.sample_rate)
        return brain.target.lead or int(MIRRORED_OVERLAP * brain.clock.max_samples_per_frame)
