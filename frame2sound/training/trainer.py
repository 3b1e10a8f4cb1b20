"""A training in progress, step by step."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from frame2sound import __version__
from frame2sound.brain.bodies import Memory
from frame2sound.brain.brain import Brain
from frame2sound.brain.networks import Told, glance_of
from frame2sound.brain.recipe import Recipe
from frame2sound.library.store import Library
from frame2sound.safe import unhurried
from frame2sound.training.checkpoint import Course, load_checkpoint, save_checkpoint
from frame2sound.training.divergence import finite, refuse_weights
from frame2sound.training.glance import teach_glance
from frame2sound.training.lessons import Lessons
from frame2sound.training.losses import loss_of, loss_of_always, mean_of
from frame2sound.training.material import Material
from frame2sound.training.optimiser import build_optimiser, precise
from frame2sound.training.plans import Step, in_order, plan_of
from frame2sound.training.room import Room
from frame2sound.training.scaffold import Scaffold
from frame2sound.training.schedule import Schedule
from frame2sound.training.together import ALONE, Group

CHECKPOINT_SECONDS = 30.0
"""Seconds of training that a sudden end may cost."""

HEARD = 0.98
"""A brain hears in films that it has not seen if its loss there is below this; silence has 1."""

NOTABLE = 0.99
"""Patience waits for losses lower than this share of the last one that it took note of."""

EVALUATED = 512
"""Frames that are judged at once."""

STEEPEST = 10.0
"""Gradients through time are shortened to this norm (Pascanu, Mikolov and Bengio 2013)."""


@dataclass(frozen=True)
class Report:
    """What a progress display may show; losses are relative to silence, which scores 1."""

    step: int
    steps: int
    epoch: int
    loss: float
    held_out: float | None
    seconds_left: float


class Trainer:
    """A training in progress: lessons, network, optimiser and course."""

    def __init__(
        self,
        library: Library,
        recipe: Recipe,
        seed: int,
        device: torch.device,
        room: Room | None = None,
        group: Group = ALONE,
    ) -> None:
        self.recipe, self.seed, self.device, self.group = recipe, seed, device, group
        self.material = Material.of(library, recipe, seed)
        self.best_brain = self.material.untrained(recipe, seed)
        self.network = self.best_brain.network.to(device)
        group.follow(*self.network.state_dict().values())
        if device.type == "cuda" and self.network.ear is None:  # what hears itself is a long loop
            self.network.compile()
        self.target = self.best_brain.target
        self.plan = plan_of(self.material.learned, recipe, seed, self.network.remembers)
        group.share_dropout(self.network, self.plan.rows)
        self.lessons = Lessons(self.material.learned, self.best_brain, device, room)
        self.held_out = Lessons(self.material.held_out, self.best_brain, device, room)
        self.loss = loss_of(recipe.training, self.target)
        self.silence = loss_of_always(self._silent(), self.lessons, self.loss)
        self.held_out_silence = loss_of_always(self._silent(), self.held_out, self.loss)
        self.scaffold = None
        if recipe.training.pretraining:
            self.scaffold = Scaffold(self.network, recipe.network.hidden, seed)
        self.learner = nn.ModuleList(filter(None, [self.network, self.scaffold])).to(device)
        self.optimiser = build_optimiser(self.learner, recipe.training)
        layers = len(recipe.network.hidden) if self.scaffold is not None else 0
        self.schedule = Schedule(recipe.training, self.plan.steps, layers)
        self.memory: Memory = ()
        self.course = Course(
            self.material.signature(recipe, seed), settings=self.material.settings(recipe, seed)
        )
        self.best = self._weights()

    @property
    def steps(self) -> int:
        """Steps in an epoch."""
        return self.plan.steps

    def run(self, path: Path, report: Callable[[Report], None]) -> None:
        """Go on until the last epoch or until patience ends."""
        saved = begun = time.monotonic()
        before = self.course.seconds
        self.network.train()
        while self.course.epoch < self.schedule.epochs and not self._out_of_patience():
            steps = map(self.group.share, self.plan.epoch(self.course.epoch))
            for step in self.lessons.ahead(itertools.islice(steps, self.course.batch, None)):
                self.step(step)
                now = time.monotonic()
                self.course.seconds = before + now - begun
                report(self._report())
                if self.group.leads and now - saved > CHECKPOINT_SECONDS:
                    self.save(path)
                    saved = now
            self._end_epoch()
            self.course.seconds = before + time.monotonic() - begun
            report(self._report())

    def save(self, path: Path) -> None:
        """Write a checkpoint."""
        save_checkpoint(path, self.course, self.learner, self.optimiser, self.best, self.memory)

    def load(self, path: Path) -> None:
        """Go back to a checkpoint."""
        self.course, best, memory = load_checkpoint(path, self.course, self.learner, self.optimiser)
        self.best = {name: tensor.to(self.device) for name, tensor in best.items()}
        self.memory = tuple(part.to(self.device) for part in memory)

    def brain(self) -> Brain:
        """Return the best brain so far, its screens made silent."""
        brain = replace(self.best_brain, provenance=self._provenance())
        if self.course.best_epoch:
            brain.network.load_state_dict(self.best)
            if glance_of(brain.network) is not None:
                brain.provenance["glance"] = teach_glance(
                    brain, self.lessons, self.held_out, self.seed
                )
        if self.material.calibrated:
            brain.silence_screens()
        return brain

    def step(self, step: Step) -> None:
        """Learn from this process's share of some pairs.

        Raises
        ------
        TrainingError
            The loss is not finite.
        """
        done = self._steps_done()
        for group in self.optimiser.param_groups:
            group["lr"] = self.schedule.rate(done)
        with self._chance():
            loss, memory = self._learn(step, own=min(1.0, 2 * self.schedule.progress(done)))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        self.group.sum_gradients(self.learner)
        value = finite(loss.item(), self.course, self.recipe.training.rate)
        if not done:
            self.course.untrained = value / self.silence
        if self.network.remembers:
            nn.utils.clip_grad_norm_(self.learner.parameters(), STEEPEST)
        with unhurried():
            self.optimiser.step()
            self.memory = memory
            self.course.batch += 1
            self.course.loss_sum += value

    def _learn(self, step: Step, own: float) -> tuple[torch.Tensor, Memory]:
        looks, wanted, there = self.lessons.grid(step)
        rows = self.plan.rows
        if self.recipe.training.noise:
            noise = self.group.drawn(torch.randn, looks, rows)
            looks = looks + self.recipe.training.noise * noise
        told = None
        if self.network.ear is not None:
            told = Told(wanted, self.group.drawn(torch.rand, there, rows) < own)
        with precise(self.device):
            layer = self.schedule.layer(self.course.epoch)
            if self.scaffold is not None and layer is not None:
                given, memory = self.scaffold(looks, layer), self.memory
            else:
                given, memory = self.network(looks, self._memory(step), told)
                memory = tuple(self.group.whole(part.detach(), rows) for part in memory)
        given, wanted, there = (
            self.group.whole(part, rows) for part in (given.float(), wanted, there)
        )
        return self.loss(given[there], wanted[there]), memory

    def _memory(self, step: Step) -> Memory:
        memory = tuple(map(self.group.mine, self.memory))
        memory = memory or self.network.fresh(len(step.begins))
        return self.network.begun(memory, torch.from_numpy(step.begins).to(self.device))

    @contextmanager
    def _chance(self) -> Iterator[None]:
        """Draw what a step leaves to chance from its number, so that a resumed step is the same."""
        seeds = [self.seed, 4, self._steps_done()]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(np.random.SeedSequence(seeds).generate_state(1)[0]))
            yield

    def _silent(self) -> torch.Tensor:
        return torch.full((self.target.length,), self.target.silent, device=self.device)

    def _end_epoch(self) -> None:
        course = self.course
        loss = self.group.agreed(course.loss_sum / self.steps / self.silence)
        held_out = self.group.agreed(self.evaluate()) if len(self.held_out) else None
        judged = finite(_judged(loss, held_out), course, self.recipe.training.rate)
        weights = self._weights()
        refuse_weights(weights.values(), course, self.recipe.training.rate)
        with unhurried():
            course.curve.append((loss, held_out))
            course.epoch, course.batch, course.loss_sum = course.epoch + 1, 0, 0.0
            if course.epoch <= self.schedule.alone:
                course.marked = course.epoch
            elif judged < course.best:
                if judged < NOTABLE * course.mark:
                    course.mark, course.marked = judged, course.epoch
                course.best, course.best_epoch = judged, course.epoch
                self.best = weights

    def evaluate(self) -> float:
        """Return the loss on what is held out, played in order, relative to silence's."""
        self.network.eval()
        total, memory = 0.0, self.network.fresh(1)
        with torch.inference_mode():
            for step in self.held_out.ahead(in_order(self.material.held_out, EVALUATED)):
                looks, wanted, _ = self.held_out.grid(step)
                memory = self.network.fresh(1) if step.begins[0] else memory
                with precise(self.device):
                    given, memory = self.network(looks, memory)
                total += self.loss(given[0].float(), wanted[0]).item() * step.which.size
        self.network.train()
        return total / len(self.held_out) / self.held_out_silence

    def _out_of_patience(self) -> bool:
        patience = self.recipe.training.patience
        return 0 < patience <= self.course.epoch - self.course.marked

    def _weights(self) -> dict[str, torch.Tensor]:
        return {name: tensor.clone() for name, tensor in self.network.state_dict().items()}

    def _steps_done(self) -> int:
        return self.course.epoch * self.steps + self.course.batch

    def _report(self) -> Report:
        course, done, steps = self.course, self._steps_done(), self.schedule.all_steps
        loss, held_out = course.curve[-1] if course.curve else (1.0, None)
        if course.batch:
            loss = course.loss_sum / course.batch / self.silence
        return Report(
            step=done,
            steps=steps,
            epoch=course.epoch + (course.batch > 0),
            loss=loss,
            held_out=held_out,
            seconds_left=course.seconds / max(done, 1) * (steps - done),
        )

    def _provenance(self) -> dict[str, object]:
        mean = None
        if len(self.held_out):
            mean = loss_of_always(mean_of(self.lessons), self.held_out, self.loss)
            mean /= self.held_out_silence
        return {
            "program": f"frame2sound {__version__}",
            "seed": self.seed,
            **self.course.card(),
            "held_out_loss_of_mean": mean,
            **self.material.card(),
        }


def _judged(loss: float, held_out: float | None) -> float:
    """Return by what an epoch is compared with others: the lower, the better.

    The held-out loss decides as soon as it is better than silence's. Sound that cannot be foretold
    at all, such as the waveforms of a film with many unlike events, would make silence the best
    brain; there the loss itself decides, and the brain plays what it remembers.
    """
    if held_out is not None and held_out < HEARD:
        return held_out
    return 1 + loss
