"""A training in progress: its steps, epochs and checkpoints."""

from __future__ import annotations

import copy
import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from frame2sound import __version__
from frame2sound.atomic import defer_interrupt
from frame2sound.brain.backbones import State
from frame2sound.brain.brain import Brain
from frame2sound.brain.networks import TeacherForcing, get_brightness_branch
from frame2sound.brain.recipe import Recipe
from frame2sound.library.coupling import HeldOutCurves, predict_held_out
from frame2sound.library.film_motion import FilmMotion
from frame2sound.library.store import Library
from frame2sound.progress import ProgressCallback
from frame2sound.training.brightness_branch import train_brightness_branch
from frame2sound.training.checkpoint import TrainingState, load_checkpoint, save_checkpoint
from frame2sound.training.distributed import SINGLE_PROCESS, ProcessGroup
from frame2sound.training.example_cache import ExampleCache
from frame2sound.training.layerwise_pretraining import LayerwiseHeads
from frame2sound.training.losses import (
    constant_output_loss,
    make_loss,
    mean_target,
    predict_in_order,
    require_finite_loss,
    require_finite_weights,
)
from frame2sound.training.memory_budget import MemoryBudget
from frame2sound.training.motion_head import fit_motion_head, score_network
from frame2sound.training.optimiser import TrainingSchedule, build_optimiser, mixed_precision
from frame2sound.training.samplers import StepIndices, make_sampler
from frame2sound.training.training_data import TrainingData

CHECKPOINT_SECONDS = 30.0
"""Seconds between checkpoints: the most work that a crash loses."""

GENERALISATION_THRESHOLD = 0.98
"""Held-out losses below this share of silence's decide which epoch is the best."""

PATIENCE_RATIO = 0.99
"""Patience counts epochs since the loss last fell below this share of its previous low."""

EVALUATION_BATCH = 512
"""Held-out frames that the network processes at once."""

MAX_GRADIENT_NORM = 10.0
"""Gradients of recurrent networks are clipped to this norm (Pascanu et al. 2013)."""


class Trainer:
    """A training in progress: examples, network, optimiser and how far it has come.

    Attributes
    ----------
    live_brain : Brain
        The brain that is being trained, with the latest weights.
    state : TrainingState
    best_weights : dict of tensors
        The network's weights after the best epoch so far.
    recurrent_state : tuple of tensors
        The network's, carried from one step to the next; of all processes' rows.
    """

    def __init__(
        self,
        library: Library,
        recipe: Recipe,
        seed: int,
        device: torch.device,
        memory_budget: MemoryBudget | None = None,
        group: ProcessGroup = SINGLE_PROCESS,
    ) -> None:
        self.recipe, self.seed, self.device, self.group = recipe, seed, device, group
        self.training_data = TrainingData.from_library(library, recipe, seed)
        self.live_brain = self.training_data.make_untrained_brain(recipe, seed)
        self.network = self.live_brain.network.to(device)
        group.broadcast(*self.network.state_dict().values())
        if device.type == "cuda" and self.network.feedback is None:
            self.network.compile()  # not with feedback: its loop over frames takes too long
        self.target = self.live_brain.target
        data, brain = self.training_data, self.live_brain
        self.sampler = make_sampler(data.training, recipe, seed, self.network.is_recurrent)
        group.shard_dropout(self.network, self.sampler.rows_per_step)
        keeps_overlays = self.sampler.kept_overlays(0) is not None
        self.examples = ExampleCache(
            data.training, brain, device, memory_budget, keeps_overlays=keeps_overlays
        )
        self.held_out_examples = ExampleCache(data.held_out, brain, device, memory_budget)
        self.loss_function = make_loss(recipe.training, self.target)
        silence = torch.full((self.target.length,), self.target.silence_value, device=device)
        self.silence_loss = constant_output_loss(silence, self.examples, self.loss_function)
        self.held_out_silence_loss = constant_output_loss(
            silence, self.held_out_examples, self.loss_function
        )
        self.layerwise_heads = None
        if recipe.training.pretraining:
            self.layerwise_heads = LayerwiseHeads(self.network, recipe.network.hidden, seed)
        modules = filter(None, [self.network, self.layerwise_heads])
        self.trained_modules = nn.ModuleList(modules).to(device)
        self.optimiser = build_optimiser(self.trained_modules, recipe.training)
        layers = len(recipe.network.hidden) if self.layerwise_heads is not None else 0
        self.schedule = TrainingSchedule(recipe.training, self.sampler.steps_per_epoch, layers)
        self.recurrent_state: State = ()
        self.state = TrainingState(
            data.signature(recipe, seed), settings=data.describe_settings(recipe, seed)
        )
        self.best_weights = self._copy_weights()
        self.stretches: list[FilmMotion] = []
        self.held_out_curves: HeldOutCurves | None = None

    def measure_motion(
        self, on_progress: ProgressCallback, on_note: Callable[[str], None] = lambda note: None
    ) -> None:
        """Measure the motion of the films, for a motion head, if the recipe has one.

        ``on_note`` is called with one sentence on how far their sound follows their picture.
        """
        if self.recipe.events.head == "none":
            return
        self.stretches = self.training_data.measure_motion(self.recipe, on_progress)
        self.held_out_curves = predict_held_out(self.stretches)
        on_note(self.held_out_curves.coupling.describe())

    @property
    def steps_per_epoch(self) -> int:
        """Steps in an epoch."""
        return self.sampler.steps_per_epoch

    def fit(
        self,
        path: Path,
        on_progress: ProgressCallback,
        on_epoch: Callable[[Trainer], None] = lambda trainer: None,
    ) -> None:
        """Train until the last epoch or until patience ends, from the present state.

        ``on_epoch`` is called by the main process after each epoch.
        """
        saved = begun = time.monotonic()
        before = self.state.seconds
        self.network.train()
        while self.state.epoch < self.schedule.epochs and not self._out_of_patience():
            self.examples.keep_overlays(self.sampler.kept_overlays(self.state.epoch))
            steps = map(self.group.shard_step, self.sampler.iterate_epoch(self.state.epoch))
            for step in self.examples.prefetch(itertools.islice(steps, self.state.batch, None)):
                self.train_step(step)
                now = time.monotonic()
                self.state.seconds = before + now - begun
                self._report(on_progress)
                if self.group.is_main and now - saved > CHECKPOINT_SECONDS:
                    self.save(path)
                    saved = now
            self._end_epoch()
            self.state.seconds = before + time.monotonic() - begun
            self._report(on_progress)
            if self.group.is_main:
                on_epoch(self)

    def save(self, path: Path) -> None:
        """Write a checkpoint."""
        save_checkpoint(
            path,
            self.state,
            self.trained_modules,
            self.optimiser,
            self.best_weights,
            self.recurrent_state,
        )

    def load(self, path: Path) -> None:
        """Continue from a checkpoint."""
        self.state, best_weights, recurrent_state = load_checkpoint(
            path, self.state, self.trained_modules, self.optimiser
        )
        self.best_weights = {name: tensor.to(self.device) for name, tensor in best_weights.items()}
        self.recurrent_state = tuple(part.to(self.device) for part in recurrent_state)

    def export_best_brain(self) -> Brain:
        """Return a copy of the brain with the best weights so far, silent for uniform screens."""
        network = copy.deepcopy(self.network)
        brain = replace(
            self.live_brain,
            model=network,
            provenance=self._provenance(),
            silent_screens=self.training_data.standing_screens,
        )
        if self.state.best_epoch:
            brain.network.load_state_dict(self.best_weights)
            if get_brightness_branch(brain.network) is not None:
                brain.provenance["glance"] = train_brightness_branch(
                    brain, self.examples, self.held_out_examples, self.seed
                )
        brain.silence_screens(self.training_data.taught_screens)
        if self.held_out_curves is not None:
            brain.motion_head = fit_motion_head(
                self.stretches,
                self.held_out_curves,
                score_network(brain, self.examples, self.held_out_examples),
                self.recipe.events.decide,
            )
        return brain

    def train_step(self, step: StepIndices) -> None:
        """Update the weights once, on this process's rows of a step.

        Raises
        ------
        TrainingError
            The loss is not finite.
        """
        done = self._completed_steps()
        for parameters in self.optimiser.param_groups:
            parameters["lr"] = self.schedule.learning_rate(done)
        with self._seed_step():
            features, targets, mask = self.examples.load_step(step)
            features = self._add_noise(features)
            teacher_forcing = self._draw_teacher_forcing(targets, mask)
            with mixed_precision(self.device):
                predictions, recurrent_state = self._predict(step, features, teacher_forcing)
        loss = self._loss_of_all_rows(predictions.float(), targets, mask)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.group.all_reduce_gradients(self.trained_modules)
        value = require_finite_loss(loss.item(), self.state, self.recipe.training.rate)
        if not done:
            self.state.initial_loss = value / self.silence_loss
        if self.network.is_recurrent:
            nn.utils.clip_grad_norm_(self.trained_modules.parameters(), MAX_GRADIENT_NORM)
        with defer_interrupt():
            self.optimiser.step()
            self.recurrent_state = recurrent_state
            self.state.batch += 1
            self.state.loss_sum += value

    def _add_noise(self, features: torch.Tensor) -> torch.Tensor:
        amount = self.recipe.training.noise
        if not amount:
            return features
        noise = self.group.draw_shard(torch.randn, features, self.sampler.rows_per_step)
        return features + amount * noise

    def _draw_teacher_forcing(
        self, targets: torch.Tensor, mask: torch.Tensor
    ) -> TeacherForcing | None:
        """Return where output feedback is the target and where the network's own output.

        The own output is the likelier the later in a stage, and certain from its middle on.
        """
        if self.network.feedback is None:
            return None
        probability = min(1.0, 2 * self.schedule.stage_progress(self._completed_steps()))
        random = self.group.draw_shard(torch.rand, mask, self.sampler.rows_per_step)
        return TeacherForcing(targets, random < probability)

    def _predict(
        self, step: StepIndices, features: torch.Tensor, teacher_forcing: TeacherForcing | None
    ) -> tuple[torch.Tensor, State]:
        """Return the outputs for this process's rows and the recurrent state of all rows."""
        layer = self.schedule.pretrained_layer(self.state.epoch)
        if self.layerwise_heads is not None and layer is not None:
            return self.layerwise_heads(features, layer), self.recurrent_state
        predictions, state = self.network(features, self._initial_state(step), teacher_forcing)
        rows = self.sampler.rows_per_step
        return predictions, tuple(self.group.all_gather(part.detach(), rows) for part in state)

    def _initial_state(self, step: StepIndices) -> State:
        """Return the recurrent state before a step, reset where a stream starts."""
        state = tuple(map(self.group.shard, self.recurrent_state))
        state = state or self.network.initial_state(len(step.starts))
        return self.network.reset_state(state, torch.from_numpy(step.starts).to(self.device))

    def _loss_of_all_rows(
        self, predictions: torch.Tensor, targets: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        predictions, targets, mask = (
            self.group.all_gather(part, self.sampler.rows_per_step)
            for part in (predictions, targets, mask)
        )
        if not bool(mask.all()):
            predictions, targets = predictions[mask], targets[mask]
        return self.loss_function(predictions.flatten(0, 1), targets.flatten(0, 1))

    @contextmanager
    def _seed_step(self) -> Iterator[None]:
        """Seed the generator by the step's number, so that resumed training draws the same."""
        seeds = [self.seed, 4, self._completed_steps()]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(np.random.SeedSequence(seeds).generate_state(1)[0]))
            yield

    def _end_epoch(self) -> None:
        """Add the epoch's losses to the curve, and keep its weights if they are the best."""
        state, rate = self.state, self.recipe.training.rate
        loss = self.group.broadcast_value(state.loss_sum / self.steps_per_epoch / self.silence_loss)
        held_out = None
        if len(self.held_out_examples):
            held_out = self.group.broadcast_value(self.evaluate())
        selection_loss = require_finite_loss(_selection_loss(loss, held_out), state, rate)
        weights = self._copy_weights()
        require_finite_weights(weights.values(), state, rate)
        with defer_interrupt():
            state.curve.append((loss, held_out))
            state.epoch, state.batch, state.loss_sum = state.epoch + 1, 0, 0.0
            if state.epoch <= self.schedule.pretraining_epochs:
                state.patience_epoch = state.epoch
            elif selection_loss < state.best_loss:
                if selection_loss < PATIENCE_RATIO * state.patience_loss:
                    state.patience_loss, state.patience_epoch = selection_loss, state.epoch
                state.best_loss, state.best_epoch = selection_loss, state.epoch
                self.best_weights = weights

    def evaluate(self) -> float:
        """Return the held-out loss, relative to silence's; recurrent state follows each film."""
        self.network.eval()
        total, precision = 0.0, mixed_precision(self.device)
        with torch.inference_mode():
            for _, predictions, targets in predict_in_order(
                self.network, self.held_out_examples, EVALUATION_BATCH, precision
            ):
                total += self.loss_function(predictions.float(), targets).item() * len(targets)
        self.network.train()
        return total / len(self.held_out_examples) / self.held_out_silence_loss

    def _out_of_patience(self) -> bool:
        patience = self.recipe.training.patience
        return 0 < patience <= self.state.epoch - self.state.patience_epoch

    def _copy_weights(self) -> dict[str, torch.Tensor]:
        return {name: tensor.clone() for name, tensor in self.network.state_dict().items()}

    def _completed_steps(self) -> int:
        return self.state.epoch * self.steps_per_epoch + self.state.batch

    def _report(self, on_progress: ProgressCallback) -> None:
        """Report the steps done; the note holds losses relative to silence, which scores 1."""
        loss, held_out = self.state.curve[-1] if self.state.curve else (1.0, None)
        if self.state.batch:
            loss = self.state.loss_sum / self.state.batch / self.silence_loss
        note = f"epoch {self.state.epoch + (self.state.batch > 0)}  loss {loss:.3f}"
        if held_out is not None:
            note += f"  held out {held_out:.3f}"
        total = self.schedule.total_steps
        on_progress(f"training {self.recipe.name}", self._completed_steps(), total, note)

    def _provenance(self) -> dict[str, object]:
        mean = None
        if len(self.held_out_examples):
            mean = constant_output_loss(
                mean_target(self.examples), self.held_out_examples, self.loss_function
            )
            mean /= self.held_out_silence_loss
        return {
            "program": f"frame2sound {__version__}",
            "seed": self.seed,
            **self.state.to_provenance(),
            "held_out_loss_of_mean": mean,
            **self.training_data.to_provenance(),
        }


def _selection_loss(loss: float, held_out: float | None) -> float:
    """Return the loss by which epochs are compared.

    The held-out loss decides as soon as it is better than silence's. Sound that cannot be predicted
    at all, such as the waveforms of a film with many different events, would make silence the best
    brain; there the training loss decides, and the brain reproduces what it was trained on.
    """
    if held_out is not None and held_out < GENERALISATION_THRESHOLD:
        return held_out
    return 1 + loss
