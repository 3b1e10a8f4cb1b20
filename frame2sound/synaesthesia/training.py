"""Train a pair: two generators and two discriminators, on sounds and drawings without pairs."""

from __future__ import annotations

import copy
import math
import time
from contextlib import AbstractContextManager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from frame2sound import __version__
from frame2sound.errors import SynaesthesiaError
from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.synaesthesia.descriptors import DRAWING_WORDS
from frame2sound.synaesthesia.drawings import Drawings
from frame2sound.synaesthesia.losses import (
    RasterComponents,
    RasterDistance,
    SpectrumMeasures,
    pairing_loss,
    score_loss,
)
from frame2sound.synaesthesia.pair import Pair, Training, build_discriminators, build_networks
from frame2sound.synaesthesia.recipe import SynaesthesiaRecipe
from frame2sound.synaesthesia.sound_windows import SoundComponents, fit_components
from frame2sound.synaesthesia.sounds import Sounds
from frame2sound.threads import one_thread_per_operation

MIN_EXAMPLES = 32
"""Fewest sounds, and fewest drawings, to learn from."""

WARMUP_STEPS = 30
"""Steps in which the learning rate rises."""

REPORT_STEPS = 10

_CLIP_SCALE = 32767

CPU = torch.device("cpu")


def train_pair(
    sounds: Sounds,
    drawings: Drawings,
    recipe: SynaesthesiaRecipe,
    seed: int = 0,
    on_progress: ProgressCallback = ignore_progress,
    device: torch.device = CPU,
) -> Pair:
    """Return a pair of networks trained on sounds and drawings; the pair is on the CPU.

    On one kind of processor, the same sounds, drawings, recipe and seed give the same pair to the
    bit: each operation runs on one thread.

    Raises
    ------
    SynaesthesiaError
        There are too few sounds or drawings, they are all alike, or a loss is not finite.
    """
    refuse_poor_examples(sounds, drawings)
    begin = time.monotonic()
    with one_thread_per_operation(), _restore_random_state(device):
        torch.manual_seed(seed)
        trainer = PairTrainer(sounds, drawings, recipe, device)
        for step in range(recipe.training.steps):
            losses = trainer.step()
            if step % REPORT_STEPS == 0 or step + 1 == recipe.training.steps:
                note = ", ".join(f"{name} {loss:.2f}" for name, loss in losses.items())
                note = note.replace("_", " ")
                on_progress("training", step + 1, recipe.training.steps, note)
        return trainer.pair(seed, time.monotonic() - begin)


def refuse_poor_examples(sounds: Sounds, drawings: Drawings) -> None:
    """Raise `SynaesthesiaError` if there is too little to learn from."""
    for name, count in (("seconds of sound", len(sounds)), ("drawings", len(drawings))):
        if count < MIN_EXAMPLES:
            raise SynaesthesiaError(
                f"got {name}: {count}, expected at least {MIN_EXAMPLES}; give more"
            )
    if float(sounds.spectra.std(axis=0).max()) < 0.1:
        raise SynaesthesiaError("got sounds that are all alike, expected different ones; give more")
    if float(drawings.rasters.std(axis=0).max()) < 0.01:
        raise SynaesthesiaError(
            "got drawings that are all alike, expected different ones; give more"
        )


class PairTrainer:
    """Networks in training, and the examples they learn from."""

    def __init__(
        self,
        sounds: Sounds,
        drawings: Drawings,
        recipe: SynaesthesiaRecipe,
        device: torch.device = CPU,
    ) -> None:
        self.recipe, self.settings, self._device = recipe, recipe.training, device
        self.components = fit_components(sounds.spectra, recipe.network.components)
        self._complete_components()
        self._sounds = torch.from_numpy(self.components.transform(sounds.spectra)).to(device)
        self._rasters = torch.from_numpy(drawings.rasters).to(device)
        self._measures = torch.from_numpy(drawings.measures).to(device)
        self._clips = _choose_clips(sounds.windows, recipe.clips)
        self._build_networks(torch.from_numpy(drawings.statistics()))
        self._prepare_networks()
        self._spectrum_measures = SpectrumMeasures(self.components).to(device)
        self._distance = RasterDistance.of(self._rasters)
        identity = RasterComponents(drawings.rasters, recipe.network.leading)
        self._raster_components = identity.to(device)
        named = {DRAWING_WORDS[each.drawing] for each in recipe.pairings}
        self._turns = self.settings.turn_drawings and not named & {"height", "side"}
        self.step_count = 0

    def _build_networks(self, drawn: Tensor) -> None:
        self.generator, self.reader = build_networks(self.recipe, drawn, self.components)
        self.raster_critic, self.sound_critic = build_discriminators(self.recipe, self.components)

    def _prepare_networks(self) -> None:
        self._trained = nn.ModuleList([self.generator, self.reader]).to(self._device)
        self._average_generator = copy.deepcopy(self.generator).requires_grad_(False)
        self._average_reader = copy.deepcopy(self.reader).requires_grad_(False)
        self._average = nn.ModuleList([self._average_generator, self._average_reader])
        critics = nn.ModuleList([self.raster_critic, self.sound_critic]).to(self._device)
        betas = (0.5, 0.9)
        self._optimiser = torch.optim.Adam(self._trained.parameters(), betas=betas)
        self._critic_optimiser = torch.optim.Adam(critics.parameters(), betas=betas)

    def _complete_components(self) -> None:
        """Add components of no weight where there are fewer sounds than components."""
        missing = self.recipe.network.components - len(self.components.scales)
        if missing > 0:
            parts = self.components
            self.components = SoundComponents(
                parts.mean,
                np.pad(parts.directions, [(0, missing), (0, 0)]),
                np.pad(parts.scales, (0, missing), mode="edge"),
            )

    def step(self) -> dict[str, float]:
        """Take one step of all networks, and return the losses."""
        self._set_rates()
        sounds, drawings, measures = self._batch()
        drawn, measured = self.generator.show(self.generator(sounds))
        heard = self.reader(self._noisy(drawings))
        if self.settings.adversarial:
            self._step_critics(sounds, drawings, drawn.detach(), heard.detach())
        losses = {
            "cycle": self._sound_cycle(sounds, drawn),
            "drawing_cycle": self._drawing_cycle(drawings, heard),
            "adversarial": self._adversarial(drawn, heard),
            "correlation": pairing_loss(
                self.recipe.pairings, self._spectrum_measures(sounds), measured
            )
            + pairing_loss(self.recipe.pairings, self._spectrum_measures(heard), measures),
            "identity": self._identity(sounds, drawn, drawings, heard),
        }
        total = torch.stack([getattr(self.settings, k) * loss for k, loss in losses.items()]).sum()
        if not torch.isfinite(total):
            raise SynaesthesiaError(
                f"the loss of step {self.step_count} is not finite; lower training.rate"
            )
        self._optimiser.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        self._update_average()
        self.step_count += 1
        return {name: float(loss.detach()) for name, loss in losses.items() if loss.requires_grad}

    def pair(self, seed: int = 0, seconds: float = 0.0) -> Pair:
        """Return the pair with the moving average of weights."""
        generator = copy.deepcopy(self._average_generator).cpu().eval()
        reader = copy.deepcopy(self._average_reader).cpu().eval()
        training = Training(
            __version__, seed, self.step_count, seconds, len(self._sounds), len(self._rasters)
        )
        return Pair(self.recipe, self.components, generator, reader, self._clips, training)

    def _batch(self) -> tuple[Tensor, Tensor, Tensor]:
        count = self.settings.batch
        chosen = torch.randint(len(self._sounds), (count,))
        drawn = torch.randint(len(self._rasters), (count,))
        turn = int(torch.randint(8, ())) if self._turns else 0
        rasters = torch.rot90(self._rasters[drawn], turn % 4, (2, 3))
        rasters = rasters.flip(3) if turn > 3 else rasters
        return self._sounds[chosen], rasters, self._measures[drawn]

    def _noisy(self, rasters: Tensor) -> Tensor:
        return rasters + self.settings.picture_noise * torch.randn_like(rasters)

    def _step_critics(self, sounds: Tensor, drawings: Tensor, drawn: Tensor, heard: Tensor) -> None:
        loss = (
            score_loss(self.raster_critic(drawings), 1)
            + score_loss(self.raster_critic(drawn), 0)
            + score_loss(self.sound_critic(sounds), 1)
            + score_loss(self.sound_critic(heard), 0)
        )
        self._critic_optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._critic_optimiser.step()

    def _sound_cycle(self, sounds: Tensor, drawn: Tensor) -> Tensor:
        lead = self.recipe.network.leading
        again: Tensor = self.reader(self._noisy(drawn))
        return ((again - sounds)[:, :lead] ** 2).mean()

    def _drawing_cycle(self, drawings: Tensor, heard: Tensor) -> Tensor:
        noisy = heard + self.settings.sound_noise * torch.randn_like(heard)
        again, _ = self.generator.show(self.generator(noisy))
        return self._distance(again, drawings)

    def _adversarial(self, drawn: Tensor, heard: Tensor) -> Tensor:
        if not self.settings.adversarial:
            return drawn.new_zeros(())
        return score_loss(self.raster_critic(drawn), 1) + score_loss(self.sound_critic(heard), 1)

    def _identity(self, sounds: Tensor, drawn: Tensor, drawings: Tensor, heard: Tensor) -> Tensor:
        if not self.settings.identity:
            return drawn.new_zeros(())
        there: Tensor = self._raster_components(drawn)
        back: Tensor = self._raster_components(drawings)
        count = there.shape[1]
        return ((there - sounds[:, :count]) ** 2).mean() + ((heard[:, :count] - back) ** 2).mean()

    def _set_rates(self) -> None:
        step, steps = self.step_count, self.settings.steps
        share = min(1, (step + 1) / WARMUP_STEPS) * (1 + math.cos(math.pi * step / steps)) / 2
        rates = (self.settings.rate, self.settings.discriminator_rate)
        for optimiser, rate in zip((self._optimiser, self._critic_optimiser), rates, strict=True):
            for group in optimiser.param_groups:
                group["lr"] = rate * share

    @torch.no_grad()
    def _update_average(self) -> None:
        decay = min(self.settings.average, (1 + self.step_count) / (10 + self.step_count))
        pairs = zip(self._average.parameters(), self._trained.parameters(), strict=True)
        for average, weight in pairs:
            average.lerp_(weight, 1 - decay)


def _restore_random_state(device: torch.device) -> AbstractContextManager[None]:
    """Return a context that ends with the random state it began with."""
    if device.type != "cuda":
        return torch.random.fork_rng(devices=[])
    return torch.random.fork_rng(devices=[device.index or torch.cuda.current_device()])


def _choose_clips(windows: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Return evenly spaced windows, rounded as files hold them."""
    chosen = np.linspace(0, len(windows) - 1, min(count, len(windows))).round().astype(int)
    rounded = np.rint(np.clip(windows[chosen], -1, 1) * _CLIP_SCALE) / _CLIP_SCALE
    return np.asarray(rounded, np.float32)
