"""Build what the sound of events is made with, in each mode of rendering."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

from frame2sound.brain.corpus import Corpus
from frame2sound.brain.spectra import Spectra
from frame2sound.brain.targets import Target
from frame2sound.clock import Clock
from frame2sound.errors import BrainError, SoundtrackError
from frame2sound.rendering.events.bed import BedLeveller, quiet_spectrum, without_attacks
from frame2sound.rendering.events.event_mixer import EventParts
from frame2sound.rendering.events.event_synthesis import (
    EventSynthesiser,
    SpectralSynthesiser,
    UnitSynthesiser,
)
from frame2sound.rendering.events.event_units import EventUnits
from frame2sound.rendering.events.unit_choice import ChoiceWeights, UnitChooser
from frame2sound.rendering.mosaic.mosaic_settings import MosaicSettings
from frame2sound.rendering.mosaic.mosaic_synthesiser import MosaicSynthesiser
from frame2sound.rendering.renderer import Synthesiser
from frame2sound.rendering.sound_tap import SoundTap
from frame2sound.rendering.spectral.spectral_overlap_add import MagnitudeOverlapAdd


@dataclass(frozen=True)
class EventPartsBuilder:
    """Builds the parts of an `EventMixer` when they are needed.

    Attributes
    ----------
    target : Target
    clock : Clock
    synthesiser : Synthesiser
        Of the bed; new.
    load_corpus : callable
        Returns the corpus, or None if there is none.
    settings : MosaicSettings
    seed : int
    weights : ChoiceWeights
    taps : tuple of SoundTap
        Are told the sound of each film in the bed.
    """

    target: Target
    clock: Clock
    synthesiser: Synthesiser
    load_corpus: Callable[[], Corpus | None]
    settings: MosaicSettings
    seed: int
    weights: ChoiceWeights
    taps: tuple[SoundTap, ...] = ()

    def build(self, *, bed_is_levelled: bool) -> EventParts:
        """Return the parts.

        Parameters
        ----------
        bed_is_levelled : bool
            Whether the motion head says how loud the bed is; then it has no events of its own.

        Raises
        ------
        SoundtrackError
            The brain predicts no magnitudes, and there is no corpus.
        """
        corpus, remark = self._corpus()
        units = None if corpus is None else EventUnits.from_corpus(corpus)
        if units is not None and not len(units):
            units = None
        bed, spectrum, played = self.synthesiser, None, units
        if corpus is not None and units is not None and isinstance(bed, MosaicSynthesiser):
            played = units.as_heard(corpus)
            if bed_is_levelled:
                calm = without_attacks(bed.database, corpus, played)
                bed = MosaicSynthesiser(
                    self.target, corpus, self.settings, self.seed, calm, self.taps
                )
        if bed_is_levelled and corpus is not None:
            spectrum = quiet_spectrum(corpus, self.target)
        events = self._synthesiser(played)
        chooser = None if units is None else self._chooser(units)
        return EventParts(bed, events, BedLeveller(spectrum), chooser, remark)

    def _corpus(self) -> tuple[Corpus | None, str]:
        """Return the corpus, and a remark for the user if it cannot be found."""
        try:
            return self.load_corpus(), ""
        except BrainError as error:
            return None, f"events do not have the films' own sound: {error}"

    def _chooser(self, units: EventUnits) -> UnitChooser:
        settings = self.settings
        return UnitChooser(
            units, self.target, self.clock, self.weights,
            settings.no_repeat_seconds, settings.variety, self.seed,
        )  # fmt: skip

    def _synthesiser(self, units: EventUnits | None) -> EventSynthesiser:
        if isinstance(self.synthesiser, MagnitudeOverlapAdd) and isinstance(self.target, Spectra):
            pristine = deepcopy(self.synthesiser)
            return SpectralSynthesiser(self.target, self.clock, lambda: deepcopy(pristine), units)
        if units is None:
            raise SoundtrackError(
                "this brain makes no events without the sound of films; leave `events` out, or "
                "name a brain that was trained with `corpus` carry"
            )
        return UnitSynthesiser(units, self.settings.follow_loudness)
