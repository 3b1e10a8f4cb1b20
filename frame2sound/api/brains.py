"""Recipes and brains: reading, training and describing them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from frame2sound.api.parameters import (
    ParameterError,
    Settings,
    number_of_bytes,
    one_of,
    setting_texts,
    whole_number,
)
from frame2sound.api.records import Record, count_films, plain_values
from frame2sound.brain.pretrained import DEFAULT_BRAIN, find_brain

if TYPE_CHECKING:
    from frame2sound.brain.brain import Brain
    from frame2sound.brain.corpus import Corpus, CorpusMode, CorpusPointer
    from frame2sound.brain.event_head import HeadSettings
    from frame2sound.brain.recipe import Recipe
    from frame2sound.library.store import Library
    from frame2sound.progress import ProgressCallback
    from frame2sound.training.loop import BestCallback

SMALL_NETWORK = 4_000_000
"""Networks of so many parameters predict a film on the processor before PyTorch has started."""


def load_recipe(recipe: str | PathLike[str], settings: Settings | None = None) -> Recipe:
    """Return a recipe.

    Parameters
    ----------
    recipe : str or path
        Name of a recipe that ships, such as ``"deep"``, or a ``.toml`` file.
    settings : list of str, or dict, optional
        Values to change: ``["training.epochs=5"]`` or ``{"training.epochs": 5}``.

    Raises
    ------
    RecipeError
        The recipe or a setting is unknown, or a value is of the wrong type or out of range.

    Examples
    --------
    >>> load_recipe("deep", {"training.epochs": 5}).training.epochs
    5
    """
    from frame2sound.brain import recipe as recipes

    return recipes.load_recipe(str(recipe), setting_texts(settings))


def load_brain(brain: str | PathLike[str] = DEFAULT_BRAIN, device: str = "cpu") -> Brain:
    """Return a trained brain.

    Parameters
    ----------
    brain : str or path
        Name of a brain that ships, such as ``"sketchbook"``, or a ``.safetensors`` file.
    device : str
        ``"cpu"``, ``"cuda"``, ``"mps"``, or ``"auto"`` for the fastest, which is the processor for
        small networks.

    Raises
    ------
    BrainError
        There is no such brain, or the file is not a brain's.

    Examples
    --------
    >>> load_brain("sketchbook").clock
    Clock(fps=Fraction(30, 1), sample_rate=22050)
    """
    from frame2sound.brain import brain_file

    loaded = brain_file.load_brain(find_brain(Path(brain)))
    is_small = loaded.parameter_count <= SMALL_NETWORK
    if device == "cpu" or (device == "auto" and is_small):
        return loaded
    from frame2sound.training.optimiser import pick_device

    return loaded.to(pick_device(device))


def train(
    library: Library | str | PathLike[str],
    recipe: Recipe | str | PathLike[str] = "deep",
    settings: Settings | None = None,
    out: str | PathLike[str] = "brain.safetensors",
    *,
    corpus: CorpusMode = "carry",
    memory: float | str | None = None,
    resume: bool = False,
    seed: int = 0,
    device: str = "auto",
    overwrite: bool = False,
    listen: str | PathLike[str] | None = None,
    progress: ProgressCallback | bool | None = None,
    on_note: Callable[[str], None] | None = None,
) -> Brain:
    """Train a brain on a library, write it to a file, and return it.

    Where ``torchrun`` has started several processes, they train one brain together.

    Parameters
    ----------
    library : Library, str or path
        Library, its folder, or its address.
    recipe : Recipe, str or path
        Recipe, the name of one that ships, or a ``.toml`` file.
    settings : list of str, or dict, optional
        Values of the recipe to change: ``["training.epochs=5"]``.
    out : str or path
        File to write; its name ends in ``.safetensors``.
    corpus : {"carry", "point", "none"}
        Whether the brain carries sound of its films for mosaics, points to the library by its path,
        or neither; it cannot point to an address.
    memory : number or str, optional
        Memory limit, in bytes or as ``"1.5GiB"``; by default 2 GiB. Training data that does not fit
        is cached on disk.
    resume : bool
        Continue a training that was interrupted.
    seed : int
        Seed of the random numbers.
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.
    overwrite : bool
        Replace a brain, or an interrupted training, of this name.
    listen : str or path, optional
        Folder for short films of held-out film, ``original.mp4`` with its own sound, and others as
        ``epoch-00012.mp4`` with that of the best brain so far; see `CheckpointFilms`.
    progress : callable or bool, optional
        True shows a progress bar; see `ProgressCallback`.
    on_note : callable, optional
        Is called before training with one sentence on films that are left out as copies of others;
        with one on how far the sound of the films follows their picture, if the recipe has a motion
        head; and if there is no film to listen to.

    Raises
    ------
    TrainingError, LibraryError, RecipeError
        The library has no films, training diverged, or ``out`` exists.
    KeyboardInterrupt
        After the state and the best brain so far were written; ``resume`` continues from there.
    """
    from typing import get_args

    from frame2sound.api.library import open_library
    from frame2sound.brain.corpus import CorpusMode
    from frame2sound.brain.recipe import Recipe
    from frame2sound.progress_bars import open_progress
    from frame2sound.training.checkpoint import lock_output, refuse_overwriting
    from frame2sound.training.distributed import ProcessGroup
    from frame2sound.training.loop import train as fit

    one_of("corpus", corpus, get_args(CorpusMode))
    whole_number("seed", seed, 0)
    if isinstance(recipe, Recipe) and settings:
        raise ParameterError(
            "got `settings` with a recipe that is already loaded; give them to load_recipe"
        )
    chosen = recipe if isinstance(recipe, Recipe) else load_recipe(recipe, settings)
    if corpus == "point":
        _refuse_address(library)
    limit = None if memory is None else number_of_bytes("memory", memory)
    group, path = ProcessGroup.from_environment(), Path(out)
    with (
        lock_output(path, group),
        open_progress(progress if group.is_main else None) as on_progress,
    ):
        opened = open_library(library)
        if group.is_main and not group.restart_count:
            refuse_overwriting(path, resume=resume, overwrite=overwrite)
        on_best: BestCallback | None = None
        if listen is not None and group.is_main:
            from frame2sound.studio.checkpoint_films import CheckpointFilms

            on_best = CheckpointFilms(Path(listen), opened, corpus, on_note)
            if not (resume or group.restart_count):
                on_best.clear(overwrite=overwrite)
        return fit(
            opened,
            chosen,
            path,
            seed=seed,
            device=device,
            resume=resume,
            corpus=corpus,
            memory_limit=limit,
            on_progress=on_progress,
            on_note=on_note or (lambda note: None),
            on_best=on_best,
        )


def _refuse_address(library: Library | str | PathLike[str]) -> None:
    from frame2sound.library.remote import RemoteLibrary, locate_library
    from frame2sound.library.store import Library

    is_open = isinstance(library, Library)
    origin = getattr(library, "origin", None) if is_open else locate_library(str(library))
    if isinstance(origin, RemoteLibrary):
        raise ParameterError(
            f"got `corpus=point` and a library at {origin.address}, to which no brain can point; "
            "give `corpus=carry`, or a copy of the library in a folder"
        )


@dataclass(frozen=True)
class BrainCard(Record):
    """What a brain is and where it comes from.

    Attributes
    ----------
    brain : str
        Its file, or the name of its recipe.
    parameters : int
        How many numbers were trained.
    recipe : Recipe
    provenance : dict
        Films, seconds of training, and losses, of which silence scores 1.
    corpus : Corpus or CorpusPointer, optional
        Sound of its films, for mosaics.
    events : HeadSettings, optional
        Who decides about events, levels and spectra, and the scores on held-out film; None without
        a motion head.
    """

    brain: str
    parameters: int
    recipe: Recipe
    provenance: dict[str, Any]
    corpus: Corpus | CorpusPointer | None
    events: HeadSettings | None = None

    def lines(self) -> list[str]:
        """Return the card as the command line prints it."""
        details = [describe_network(self.recipe), *self.training_lines()]
        return [
            f"{self.brain}  {self.recipe.name}  {self.parameters} parameters",
            *(f"  {line}" for line in details),
        ]

    def training_lines(self) -> list[str]:
        """Return what it was trained on, how well, who decides what, and what mosaics have."""
        from frame2sound.api.brain_descriptions import describe_events, describe_training

        events = [] if self.events is None else describe_events(self.events, self.recipe)
        band = f"predicts frequencies up to {self.recipe.clock.sample_rate / 2:g} Hz"
        return [*describe_training(self.provenance), *events, band, _corpus_line(self.corpus)]

    def to_dict(self) -> dict[str, Any]:
        """Return the card as plain values."""
        from frame2sound.brain.recipe import recipe_table

        table = {
            "brain": self.brain,
            "parameters": self.parameters,
            "recipe": recipe_table(self.recipe),
            "provenance": self.provenance,
            "corpus": _corpus_table(self.corpus),
            "events": self.events_table(),
        }
        values: dict[str, Any] = plain_values(table)
        return values

    def events_table(self) -> dict[str, Any] | None:
        """Return who decides what, and by which scores, as plain values."""
        import msgspec

        return None if self.events is None else msgspec.to_builtins(self.events)


def describe_brain(brain: Brain | str | PathLike[str]) -> BrainCard:
    """Return the card of a brain.

    Parameters
    ----------
    brain : Brain, str or path
        Brain, the name of one that ships, or a ``.safetensors`` file.

    Raises
    ------
    BrainError
        There is no such brain, or the file is not a brain's.
    """
    from frame2sound.brain.brain import Brain

    if isinstance(brain, Brain):
        name, loaded = brain.recipe.name, brain
    else:
        name, loaded = str(find_brain(Path(brain))), load_brain(brain)
    head = loaded.motion_head
    return BrainCard(
        name,
        loaded.parameter_count,
        loaded.recipe,
        loaded.provenance,
        loaded.corpus,
        None if head is None else head.settings,
    )


def describe_network(recipe: Recipe) -> str:
    """Return the input, the hidden layers and the output of a recipe's network, with their sizes.

    Examples
    --------
    >>> describe_network(load_recipe("lines"))
    'eigenframes 4096 - 1000 - 1000 - 1000 - pcm 735'
    """
    from frame2sound.brain.config import Rnn, Tcn
    from frame2sound.brain.frame_encoding import input_size
    from frame2sound.brain.targets import build_target

    inputs, outputs = (str(part.__struct_config__.tag) for part in (recipe.input, recipe.target))
    sizes = [f"{inputs} {input_size(recipe.input)}", *map(str, recipe.network.hidden)]
    if isinstance(recipe.network, Rnn):
        sizes += [f"{recipe.network.cell} {width}" for width in recipe.network.memory]
    if isinstance(recipe.network, Tcn):
        sizes.append(f"tcn {recipe.network.layers}x{recipe.network.channels}")
    return " - ".join([*sizes, f"{outputs} {build_target(recipe).length}"])


def _corpus_table(corpus: Corpus | CorpusPointer | None) -> dict[str, Any] | None:
    from frame2sound.brain.corpus import Corpus

    if corpus is None:
        return None
    if isinstance(corpus, Corpus):
        return {
            "kind": "carried",
            "seconds": round(corpus.seconds, 2),
            "sample_rate": corpus.sample_rate,
            "channels": corpus.channels,
            "films": list(corpus.films),
        }
    return {"kind": "pointed", "library": corpus.library, "films": sorted(corpus.films)}


def _corpus_line(corpus: Corpus | CorpusPointer | None) -> str:
    table = _corpus_table(corpus)
    if table is None:
        return "it has no sound of its films: mosaics need `corpus=LIBRARY`"
    films = count_films(len(table["films"]))
    if table["kind"] == "carried":
        sound = f"{table['sample_rate']} Hz {'stereo' if table['channels'] == 2 else 'mono'}"
        return f"carries {table['seconds']:.1f} s of {films} for mosaics, {sound}"
    return f"mosaics take the sound of {films} from {table['library']}"
