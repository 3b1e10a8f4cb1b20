"""A training in progress, step by step."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
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
from frame2sound.library.store import Library
from frame2sound.progress import ProgressCallback
from frame2sound.training.brightness_branch import train_brightness_branch
from frame2sound.training.checkpoint import TrainingState, load_checkpoint, save_checkpoint
from frame2sound.training.distributed import SINGLE_PROCESS, ProcessGroup
from frame2sound.training.divergence import require_finite_loss, require_finite_weights
from frame2sound.training.example_cache import ExampleCache
from frame2sound.training.layerwise_pretraining import LayerwiseHeads
from frame2sound.training.losses import constant_output_loss, make_loss, mean_target
from frame2sound.training.memory_budget import MemoryBudget
from frame2sound.training.optimiser import build_optimiser, mixed_precision
from frame2sound.training.samplers import StepIndices, make_sampler, sequential_steps
from frame2sound.training.training_data import TrainingData
from frame2sound.training.training_schedule import TrainingSchedule

CHECKPOINT_SECONDS = 30.0
"""Seconds of training that a sudden end may cost."""

GENERALISATION_THRESHOLD = 0.98
"""A brain hears in films that it has not seen if its loss there is below this; silence has 1."""

PATIENCE_RATIO = 0.99
"""Patience waits for losses lower than this share of the last one that it took note of."""

EVALUATION_BATCH = 512
"""Frames that are judged at once."""

MAX_GRADIENT_NORM = 10.0
"""Gradients through time are shortened to this norm (Pascanu, Mikolov and Bengio 2013)."""


class Trainer:
    """A training in progress: lessons, network, optimiser and course."""

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
        if (
            device.type == "cuda" and self.network.feedback is None
        ):  # what hears itself is a long loop
            self.network.compile()
        self.target = self.live_brain.target
        self.sampler = make_sampler(
            self.training_data.training, recipe, seed, self.network.is_recurrent
        )
        group.shard_dropout(self.network, self.sampler.rows_per_step)
        self.examples = ExampleCache(
            self.training_data.training, self.live_brain, device, memory_budget
        )
        self.held_out_examples = ExampleCache(
            self.training_data.held_out, self.live_brain, device, memory_budget
        )
        self.loss_function = make_loss(recipe.training, self.target)
        self.silence_loss = constant_output_loss(
            self._silence_output(), self.examples, self.loss_function
        )
        self.held_out_silence_loss = constant_output_loss(
            self._silence_output(), self.held_out_examples, self.loss_function
        )
        self.layerwise_heads = None
        if recipe.training.pretraining:
            self.layerwise_heads = LayerwiseHeads(self.network, recipe.network.hidden, seed)
        self.trained_modules = nn.ModuleList(filter(None, [self.network, self.layerwise_heads])).to(
            device
        )
        self.optimiser = build_optimiser(self.trained_modules, recipe.training)
        layers = len(recipe.network.hidden) if self.layerwise_heads is not None else 0
        self.schedule = TrainingSchedule(recipe.training, self.sampler.steps_per_epoch, layers)
        self.recurrent_state: State = ()
        self.state = TrainingState(
            self.training_data.signature(recipe, seed),
            settings=self.training_data.describe_settings(recipe, seed),
        )
        self.best_weights = self._copy_weights()

    @property
    def steps_per_epoch(self) -> int:
        """Steps in an epoch."""
        return self.sampler.steps_per_epoch

    def fit(self, path: Path, on_progress: ProgressCallback) -> None:
        """Go on until the last epoch or until patience ends."""
        saved = begun = time.monotonic()
        before = self.state.seconds
        self.network.train()
        while self.state.epoch < self.schedule.epochs and not self._out_of_patience():
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
        """Go back to a checkpoint."""
        self.state, best, memory = load_checkpoint(
            path, self.state, self.trained_modules, self.optimiser
        )
        self.best_weights = {name: tensor.to(self.device) for name, tensor in best.items()}
        self.recurrent_state = tuple(part.to(self.device) for part in memory)

    def export_best_brain(self) -> Brain:
        """Return the best brain so far, its screens made silent."""
        brain = replace(self.live_brain, provenance=self._provenance())
        if self.state.best_epoch:
            brain.network.load_state_dict(self.best_weights)
            if get_brightness_branch(brain.network) is not None:
                brain.provenance["glance"] = train_brightness_branch(
                    brain, self.examples, self.held_out_examples, self.seed
                )
        if self.training_data.has_calibration:
            brain.silence_screens()
        return brain

    def train_step(self, step: StepIndices) -> None:
        """Learn from this process's share of some pairs.

        Raises
        ------
        TrainingError
            The loss is not finite.
        """
        done = self._completed_steps()
        for group in self.optimiser.param_groups:
            group["lr"] = self.schedule.learning_rate(done)
        with self._seed_step():
            loss, memory = self._forward(
                step, feedback_probability=min(1.0, 2 * self.schedule.stage_progress(done))
            )
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
            self.recurrent_state = memory
            self.state.batch += 1
            self.state.loss_sum += value

    def _forward(
        self, step: StepIndices, feedback_probability: float
    ) -> tuple[torch.Tensor, State]:
        looks, wanted, there = self.examples.load_step(step)
        rows = self.sampler.rows_per_step
        if self.recipe.training.noise:
            noise = self.group.draw_shard(torch.randn, looks, rows)
            looks = looks + self.recipe.training.noise * noise
        told = None
        if self.network.feedback is not None:
            told = TeacherForcing(
                wanted, self.group.draw_shard(torch.rand, there, rows) < feedback_probability
            )
        with mixed_precision(self.device):
            layer = self.schedule.pretrained_layer(self.state.epoch)
            if self.layerwise_heads is not None and layer is not None:
                given, memory = self.layerwise_heads(looks, layer), self.recurrent_state
            else:
                given, memory = self.network(looks, self._initial_state(step), told)
                memory = tuple(self.group.all_gather(part.detach(), rows) for part in memory)
        given, wanted, there = (
            self.group.all_gather(part, rows) for part in (given.float(), wanted, there)
        )
        return self.loss_function(given[there], wanted[there]), memory

    def _initial_state(self, step: StepIndices) -> State:
        memory = tuple(map(self.group.shard, self.recurrent_state))
        memory = memory or self.network.initial_state(len(step.starts))
        return self.network.reset_state(memory, torch.from_numpy(step.starts).to(self.device))

    @contextmanager
    def _seed_step(self) -> Iterator[None]:
        """Draw what a step leaves to chance from its number, so that a resumed step is the same."""
        seeds = [self.seed, 4, self._completed_steps()]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(np.random.SeedSequence(seeds).generate_state(1)[0]))
            yield

    def _silence_output(self) -> torch.Tensor:
        return torch.full((self.target.length,), self.target.silence_value, device=self.device)

    def _end_epoch(self) -> None:
        course = self.state
        loss = self.group.broadcast_value(
            course.loss_sum / self.steps_per_epoch / self.silence_loss
        )
        held_out = (
            self.group.broadcast_value(self.evaluate()) if len(self.held_out_examples) else None
        )
        judged = require_finite_loss(
            _selection_loss(loss, held_out), course, self.recipe.training.rate
        )
        weights = self._copy_weights()
        require_finite_weights(weights.values(), course, self.recipe.training.rate)
        with defer_interrupt():
            course.curve.append((loss, held_out))
            course.epoch, course.batch, course.loss_sum = course.epoch + 1, 0, 0.0
            if course.epoch <= self.schedule.pretraining_epochs:
                course.patience_epoch = course.epoch
            elif judged < course.best_loss:
                if judged < PATIENCE_RATIO * course.patience_loss:
                    course.patience_loss, course.patience_epoch = judged, course.epoch
                course.best_loss, course.best_epoch = judged, course.epoch
                self.best_weights = weights

    def evaluate(self) -> float:
        """Return the loss on what is held out, played in order, relative to silence's."""
        self.network.eval()
        total, memory = 0.0, self.network.initial_state(1)
        with torch.inference_mode():
            for step in self.held_out_examples.prefetch(
                sequential_steps(self.training_data.held_out, EVALUATION_BATCH)
            ):
                looks, wanted, _ = self.held_out_examples.load_step(step)
                memory = self.network.initial_state(1) if step.starts[0] else memory
                with mixed_precision(self.device):
                    given, memory = self.network(looks, memory)
                total += self.loss_function(given[0].float(), wanted[0]).item() * step.indices.size
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
    """Return by what an epoch is compared with others: the lower, the better.

    The held-out loss decides as soon as it is better than silence's. Sound that cannot be foretold
    at all, such as the waveforms of a film with many unlike events, would make silence the best
    brain; there the loss itself decides, and the brain plays what it remembers.
    """
    if held_out is not None and held_out < GENERALISATION_THRESHOLD:
        return held_out
    return 1 + loss
