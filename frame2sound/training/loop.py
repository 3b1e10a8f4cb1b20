"""The one training loop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from frame2sound.atomic import defer_interrupt
from frame2sound.brain.brain import Brain
from frame2sound.brain.brain_file import save_brain
from frame2sound.brain.corpus import CorpusMode, build_corpus
from frame2sound.brain.recipe import Recipe
from frame2sound.errors import TrainingError
from frame2sound.library.store import Library
from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.training.checkpoint import checkpoint_path
from frame2sound.training.distributed import LostProcessError, join_process_group
from frame2sound.training.divergence import refuse_diverged
from frame2sound.training.memory_budget import MemoryBudget
from frame2sound.training.optimiser import pick_device
from frame2sound.training.trainer import Trainer


def train(
    library: Library,
    recipe: Recipe,
    out: Path,
    *,
    seed: int = 0,
    device: str = "auto",
    resume: bool = False,
    corpus: CorpusMode = "carry",
    memory_limit: int | None = None,
    on_progress: ProgressCallback = ignore_progress,
) -> Brain:
    """Fit a brain to a library and write it to ``out``.

    The best weights by held-out loss (by the loss itself where nothing is held out) are kept, and
    black and white screens are then made exactly silent if the library holds the calibration film.
    For the mosaic the brain carries ten minutes at most of its films' sound as its ``corpus``, or
    points to the library, or does neither.

    Lessons that do not fit in the ``memory``, in bytes, that the program may take are laid on the
    disk beside ``out`` for as long as it runs; None is 2 GiB, or what learning takes without
    lessons if that is more. Where ``torchrun`` has started several processes, they train one brain
    together; the first of them writes it.

    While it runs, its state is kept beside ``out``; a training that was interrupted and is resumed
    reaches exactly the weights of one that was not, on the same machine with as many threads and
    processes. Others add sums up in another order, and round otherwise.

    Raises
    ------
    TrainingError, LibraryError
        There is nothing to learn from, the checkpoint belongs to another training, training
        diverged, or memory or disk are too small.
    KeyboardInterrupt
        After the state and the best brain so far were saved.
    """
    path = checkpoint_path(out)

    def made() -> Brain:
        kept = build_corpus(library, recipe.to_clock(), corpus, trainer.training_data.films)
        brain = replace(trainer.export_best_brain(), corpus=kept)
        if group.is_main:
            save_brain(brain, out)
        return brain

    with join_process_group() as group:
        where, room = pick_device(group.device_name(device)), MemoryBudget(memory_limit, out.parent)
        trainer = Trainer(library, recipe, seed, where, room, group)
        if resume or (group.restart_count and path.exists()):
            trainer.load(path)
        try:
            trainer.fit(path, on_progress)
        except LostProcessError:
            if group.is_main:
                with defer_interrupt():  # torchrun ends this one, too
                    trainer.save(path)
            raise
        except KeyboardInterrupt:
            if group.is_main:
                with defer_interrupt():  # torchrun interrupts once more
                    trainer.save(path)
                    made()
            raise
        try:
            refuse_diverged(trainer.state, recipe.training.rate)
        except TrainingError:
            if group.is_main:
                path.unlink(missing_ok=True)  # it would end the same
            raise
        brain = made()
    if group.is_main:
        path.unlink(missing_ok=True)
    return brain
