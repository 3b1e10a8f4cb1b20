"""Train a brain on a library, with checkpoints, and write it to a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from frame2sound.atomic import defer_interrupt
from frame2sound.brain.brain import Brain
from frame2sound.brain.brain_file import save_brain
from frame2sound.brain.corpus import CorpusMode
from frame2sound.brain.recipe import Recipe
from frame2sound.errors import TrainingError
from frame2sound.library.corpus import build_corpus
from frame2sound.library.store import Library
from frame2sound.progress import ProgressCallback, ignore_progress
from frame2sound.training.checkpoint import checkpoint_path
from frame2sound.training.distributed import LostProcessError, join_process_group
from frame2sound.training.losses import refuse_diverged
from frame2sound.training.memory_budget import MemoryBudget
from frame2sound.training.optimiser import pick_device
from frame2sound.training.trainer import Trainer
from frame2sound.training.training_films import describe_copies

BestCallback = Callable[[Trainer, Brain | None], None]
"""Called after each epoch, with None, and at the end, with the finished brain."""


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
    on_note: Callable[[str], None] = lambda note: None,
    on_best: BestCallback | None = None,
) -> Brain:
    """Train a brain on a library and write it to ``out``.

    The best weights by held-out loss are used, or by training loss where nothing is held out. If
    the library has the calibration film, black and white screens are then made exactly silent.

    The state is saved beside ``out`` every 30 seconds and when training is interrupted. Training
    that is resumed reaches exactly the weights of one that was not interrupted, on the same machine
    with equally many threads and processes; with others, rounding differs. Where ``torchrun`` has
    started several processes, they train one brain together, and the first of them writes it.

    Parameters
    ----------
    library : Library
    recipe : Recipe
    out : Path
        Ends in .safetensors; the checkpoint is beside it while training runs.
    seed : int
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    resume : bool
        Continue from the checkpoint.
    corpus : {"carry", "point", "none"}
        For the mosaic: whether the brain's file carries up to ten minutes of its films' sound,
        points to the library, or does neither.
    memory_limit : int, optional
        Bytes of memory that the program may use; None is 2 GiB, or what training needs without
        cached examples if that is more. Training data that does not fit is cached on disk beside
        ``out``.
    on_progress : callable
        Called after every step and every epoch.
    on_note : callable
        Called before training with one sentence on which films are left out as copies, if any are,
        and one on how far the sound of the films follows their picture, if the recipe has a motion
        head.
    on_best : callable, optional
        See `BestCallback`; only the main process calls it.

    Returns
    -------
    Brain

    Raises
    ------
    TrainingError, LibraryError
        The library has nothing to train on, the checkpoint belongs to another training, training
        diverged, or memory or disk are too small.
    KeyboardInterrupt
        After the state and the best brain so far were saved.
    """
    checkpoint = checkpoint_path(out)

    def on_epoch(trainer: Trainer) -> None:
        if on_best is not None:
            on_best(trainer, None)

    def save_best_brain() -> Brain:
        films, loudness = trainer.training_data.films, recipe.training.loudness
        carried = build_corpus(library, recipe.to_clock(), corpus, films, loudness)
        brain = replace(trainer.export_best_brain(), corpus=carried)
        if group.is_main:
            save_brain(brain, out)
        return brain

    with join_process_group() as group:
        torch_device = pick_device(group.device_name(device))
        memory_budget = MemoryBudget(memory_limit, out.parent)
        trainer = Trainer(library, recipe, seed, torch_device, memory_budget, group)
        if resume or (group.restart_count and checkpoint.exists()):
            trainer.load(checkpoint)
        say = on_note if group.is_main else lambda note: None
        if copies := describe_copies(trainer.training_data.left_out_copies):
            say(copies)
        trainer.measure_motion(on_progress, say)
        try:
            trainer.fit(checkpoint, on_progress, on_epoch)
        except LostProcessError:
            if group.is_main:
                with defer_interrupt():  # torchrun ends this process, too
                    trainer.save(checkpoint)
            raise
        except KeyboardInterrupt:
            if group.is_main:
                with defer_interrupt():  # torchrun interrupts a second time
                    trainer.save(checkpoint)
                    save_best_brain()
            raise
        try:
            refuse_diverged(trainer.state, recipe.training.rate)
        except TrainingError:
            if group.is_main:
                checkpoint.unlink(missing_ok=True)  # resuming it would fail in the same place
            raise
        brain = save_best_brain()
    if group.is_main:
        checkpoint.unlink(missing_ok=True)
        if on_best is not None:
            on_best(trainer, brain)
    return brain
