"""The one training loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from frame2sound import __version__
from frame2sound.brain.brain import Brain
from frame2sound.brain.corpus import Keeping, keep
from frame2sound.brain.file import save_brain
from frame2sound.brain.inputs import see
from frame2sound.brain.networks import eyes_of, glance_of
from frame2sound.brain.recipe import Recipe
from frame2sound.errors import TrainingError
from frame2sound.library.store import Library
from frame2sound.safe import unhurried
from frame2sound.training.checkpoint import (
    Course,
    checkpoint_path,
    load_checkpoint,
    save_checkpoint,
)
from frame2sound.training.glance import teach_glance
from frame2sound.training.losses import loss_of
from frame2sound.training.material import MOST_SEEN, Material
from frame2sound.training.optimiser import build_optimiser, pick_device, rate_at
from frame2sound.training.pairs import Pairs

CHECKPOINT_SECONDS = 30.0
"""Seconds of training that a sudden end may cost."""

HEARD = 0.98
"""A brain hears in films that it has not seen if its loss there is below this; silence has 1."""

NOTABLE = 0.99
"""Patience waits for losses lower than this share of the last one that it took note of."""

LEAST_BATCHES = 16
"""Short films are learned in smaller batches rather than in fewer steps."""


@dataclass(frozen=True)
class Report:
    """What a progress display may show; losses are relative to silence, which scores 1."""

    step: int
    steps: int
    epoch: int
    loss: float
    held_out: float | None
    seconds_left: float


def train(
    library: Library,
    recipe: Recipe,
    out: Path,
    *,
    seed: int = 0,
    device: str = "auto",
    resume: bool = False,
    corpus: Keeping = "carry",
    report: Callable[[Report], None] = lambda report: None,
) -> Brain:
    """Fit a brain to a library and write it to ``out``.

    The best weights by held-out loss (by the loss itself where nothing is held out) are kept, and
    black and white screens are then made exactly silent if the library holds the calibration film.
    For the mosaic the brain carries ten minutes at most of its films' sound as its ``corpus``, or
    points to the library, or does neither.

    While it runs, its state is kept beside ``out``; a training that was interrupted and is resumed
    reaches exactly the weights of one that was not, on the same machine.

    Raises
    ------
    TrainingError, LibraryError
        There is nothing to learn from, or the checkpoint belongs to another training.
    KeyboardInterrupt
        After the state and the best brain so far were saved.
    """
    trainer = Trainer(library, recipe, seed, pick_device(device))
    path = checkpoint_path(out)
    if resume:
        trainer.load(path)
    try:
        trainer.run(path, report)
    except KeyboardInterrupt:
        trainer.save(path)
        save_brain(replace(trainer.brain(), corpus=keep(library, recipe.ticking(), corpus)), out)
        raise
    brain = replace(trainer.brain(), corpus=keep(library, recipe.ticking(), corpus))
    save_brain(brain, out)
    path.unlink(missing_ok=True)
    return brain


class Trainer:
    """A training in progress: data, network, optimiser and course."""

    def __init__(self, library: Library, recipe: Recipe, seed: int, device: torch.device) -> None:
        self.recipe, self.seed, self.device = recipe, seed, device
        self.material = Material.of(library, recipe, seed)
        self.best_brain = self.material.untrained(recipe, seed)
        self.network = self.best_brain.network.to(device)
        self.target = self.best_brain.target
        self.loss = loss_of(recipe.training, self.target)
        self.silence = self._of_always(self.material.learned, self._silent())
        self.held_out_silence = self._of_always(self.material.held_out, self._silent())
        self.optimiser = build_optimiser(self.network, recipe.training)
        self.course = Course(self.material.signature(recipe, seed))
        self.best = self._weights()

    @property
    def batch(self) -> int:
        """Pairs in a batch: as the recipe says, but an epoch has at least 16 where it can."""
        return max(1, min(self.recipe.training.batch, len(self.material.learned) // LEAST_BATCHES))

    @property
    def batches(self) -> int:
        """Batches in an epoch; the odd pairs at an epoch's end are left for the next."""
        return len(self.material.learned) // self.batch

    def run(self, path: Path, report: Callable[[Report], None]) -> None:
        """Go on until the last epoch or until patience ends."""
        training = self.recipe.training
        saved = begun = time.monotonic()
        before = self.course.seconds
        self.network.train()
        while self.course.epoch < training.epochs and not self._out_of_patience():
            random = np.random.default_rng([self.seed, 2, self.course.epoch])
            order = random.permutation(len(self.material.learned))
            while self.course.batch < self.batches:
                self.step(order[self.course.batch * self.batch :][: self.batch])
                now = time.monotonic()
                self.course.seconds = before + now - begun
                report(self._report())
                if now - saved > CHECKPOINT_SECONDS:
                    self.save(path)
                    saved = now
            self._end_epoch()
            report(self._report())

    def save(self, path: Path) -> None:
        """Write a checkpoint."""
        save_checkpoint(path, self.course, self.network, self.optimiser, self.best)

    def load(self, path: Path) -> None:
        """Go back to a checkpoint."""
        signature = self.course.signature
        self.course, best = load_checkpoint(path, signature, self.network, self.optimiser)
        self.best = {name: tensor.to(self.device) for name, tensor in best.items()}

    def brain(self) -> Brain:
        """Return the best brain so far, its screens made silent."""
        brain = replace(self.best_brain, provenance=self._provenance())
        if self.course.best_epoch:
            brain.network.load_state_dict(self.best)
            if glance_of(brain.network) is not None:
                brain.provenance["glance"] = teach_glance(brain, self.material, self.seed)
        if self.material.calibrated:
            brain.silence_screens()
        return brain

    def step(self, which: np.ndarray) -> None:
        """Learn from the pairs of these numbers; `TrainingError` when the loss is not finite."""
        rate = rate_at(self.recipe.training, self._steps_done(), self._steps())
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        with self._chance() as random:
            loss = self._loss(*self._exposed(*self.material.learned.take(which), random))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        value = self._finite(loss.item())
        with unhurried():
            self.optimiser.step()
            self.course.batch += 1
            self.course.loss_sum += value

    def _finite(self, loss: float) -> float:
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss is no longer finite in epoch {self.course.epoch + 1}: training "
                f"diverged; use a smaller --set training.rate (now {self.recipe.training.rate})"
            )
        return loss

    def _loss(self, frames: np.ndarray, excerpts: np.ndarray) -> torch.Tensor:
        seen = see(torch.from_numpy(frames).to(self.device), self.recipe.input)
        eyes = eyes_of(self.network)
        if eyes is not None:
            seen = eyes(seen)
        noise = self.recipe.training.noise
        if noise and self.network.training:
            seen = seen + noise * torch.randn_like(seen)
        given = self.network[eyes is not None :](seen)
        return self.loss(given, self._wanted(excerpts))

    @contextmanager
    def _chance(self) -> Iterator[np.random.Generator]:
        """Draw what a step leaves to chance from its number, so that a resumed step is the same."""
        seeds = [self.seed, 3, self._steps_done()]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(np.random.SeedSequence(seeds).generate_state(1)[0]))
            yield np.random.default_rng(seeds)

    def _exposed(
        self, frames: np.ndarray, excerpts: np.ndarray, random: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Expose some frames twice: the lighter of two pictures, the sum of two sounds."""
        share = self.recipe.training.double_exposure
        if not share:
            return frames, excerpts
        chosen = np.flatnonzero(random.random(len(frames)) < share)
        other = random.integers(len(frames), size=len(chosen))
        lighter = np.maximum(frames[chosen], frames[other])
        mixed = excerpts[chosen] + excerpts[other]
        frames[chosen], excerpts[chosen] = lighter, mixed
        return frames, excerpts

    def _wanted(self, excerpts: np.ndarray) -> torch.Tensor:
        return self.target.wanted(torch.from_numpy(excerpts).to(self.device))

    def _silent(self) -> torch.Tensor:
        return torch.full((self.target.length,), self.target.silent, device=self.device)

    def _mean(self) -> torch.Tensor:
        """Return the mean of what is wanted: what a brain gives that does not look."""
        learned, total = self.material.learned, torch.zeros(self.target.length).to(self.device)
        which = learned.spread(MOST_SEEN)
        for some in np.array_split(which, -(-len(which) // 256)):
            total += self._wanted(learned.take(some)[1]).sum(0)
        return total / len(which)

    def _of_always(self, pairs: Pairs, output: torch.Tensor) -> float:
        """Return the loss of a brain that always gives the same; never 0."""
        which, total = pairs.spread(MOST_SEEN), 0.0
        with torch.inference_mode():
            for some in np.array_split(which, -(-len(which) // 256) or 1):
                wanted = self._wanted(pairs.take(some)[1])
                if len(some):
                    total += self.loss(output.expand(wanted.shape), wanted).item() * len(some)
        return max(total / max(len(which), 1), 1e-30)

    def _end_epoch(self) -> None:
        course = self.course
        loss = course.loss_sum / self.batches / self.silence
        held_out = self.evaluate() if len(self.material.held_out) else None
        judged = self._finite(_judged(loss, held_out))
        weights = self._weights()
        self._finite(sum(tensor.sum().item() for tensor in weights.values()))
        with unhurried():
            course.curve.append((loss, held_out))
            course.epoch, course.batch, course.loss_sum = course.epoch + 1, 0, 0.0
            if judged < course.best:
                if judged < NOTABLE * course.mark:
                    course.mark, course.marked = judged, course.epoch
                course.best, course.best_epoch = judged, course.epoch
                self.best = weights

    def evaluate(self) -> float:
        """Return the loss on what is held out, relative to silence's."""
        pairs = self.material.held_out
        self.network.eval()
        total = 0.0
        with torch.inference_mode():
            for which in pairs.batches(512):
                total += self._loss(*pairs.take(which)).item() * len(which)
        self.network.train()
        return total / len(pairs) / self.held_out_silence

    def _out_of_patience(self) -> bool:
        patience = self.recipe.training.patience
        return 0 < patience <= self.course.epoch - self.course.marked

    def _weights(self) -> dict[str, torch.Tensor]:
        return {name: tensor.clone() for name, tensor in self.network.state_dict().items()}

    def _steps(self) -> int:
        return self.recipe.training.epochs * self.batches

    def _steps_done(self) -> int:
        return self.course.epoch * self.batches + self.course.batch

    def _report(self) -> Report:
        course, done, steps = self.course, self._steps_done(), self._steps()
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
        course, mean = self.course, None
        if len(self.material.held_out):
            mean = self._of_always(self.material.held_out, self._mean()) / self.held_out_silence
        return {
            "program": f"frame2sound {__version__}",
            "seed": self.seed,
            "epochs": course.epoch,
            "best_epoch": course.best_epoch,
            "seconds": round(course.seconds, 1),
            "loss": [loss for loss, _ in course.curve],
            "held_out_loss": [held_out for _, held_out in course.curve],
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
