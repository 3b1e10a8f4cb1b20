"""The one training loop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from frame2sound.brain.brain import Brain
from frame2sound.brain.corpus import Keeping, keep
from frame2sound.brain.file import save_brain
from frame2sound.brain.recipe import Recipe
from frame2sound.library.store import Library
from frame2sound.training.checkpoint import checkpoint_path
from frame2sound.training.optimiser import pick_device
from frame2sound.training.trainer import Report, Trainer


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
