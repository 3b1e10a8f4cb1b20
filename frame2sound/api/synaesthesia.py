"""Sounds and drawings: sets of both, and networks that find a mapping between them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from frame2sound.api.parameters import ParameterError, output_suffix, whole_number
from frame2sound.api.records import Record

if TYPE_CHECKING:
    from frame2sound.progress import ProgressCallback
    from frame2sound.synaesthesia.pair import Pair

MAX_EXAMPLES = 100_000

Paths = str | PathLike[str] | Iterable[str | PathLike[str]]


@dataclass(frozen=True)
class ExampleSet(Record):
    """A folder of notes or squiggles that was made."""

    folder: Path
    files: int
    kind: str

    def lines(self) -> list[str]:
        """Return one line."""
        return [f"{self.folder}  {self.files} {self.kind}"]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        return {"folder": str(self.folder), "files": self.files, "kind": self.kind}


def make_notes(
    folder: str | PathLike[str],
    *,
    count: int = 1024,
    seed: int = 0,
    progress: ProgressCallback | bool | None = None,
) -> ExampleSet:
    """Play notes of one second, and write each as a WAV file into a new folder.

    Tones, swells, noises and modulated tones come in turn, at 22050 Hz.

    Parameters
    ----------
    folder : str or path
        A folder that does not exist yet.
    count : int
        Number of notes, 1 to 100000.
    seed : int
        Seed of the random numbers.
    progress : callable or bool, optional
        True shows a progress bar; see `ProgressCallback`.

    Raises
    ------
    SynaesthesiaError
        The folder exists or cannot be written.
    """
    from frame2sound.synaesthesia.notes import write_notes

    return _write_set(Path(folder), "notes", write_notes, count, seed, progress)


def make_squiggles(
    folder: str | PathLike[str],
    *,
    count: int = 1024,
    seed: int = 0,
    progress: ProgressCallback | bool | None = None,
) -> ExampleSet:
    """Draw squiggles, closed strokes, and write each as an SVG file into a new folder.

    Parameters
    ----------
    folder : str or path
        A folder that does not exist yet.
    count : int
        Number of squiggles, 1 to 100000.
    seed : int
        Seed of the random numbers.
    progress : callable or bool, optional
        True shows a progress bar; see `ProgressCallback`.

    Raises
    ------
    SynaesthesiaError
        The folder exists or cannot be written.
    """
    from frame2sound.synaesthesia.squiggles import write_squiggles

    return _write_set(Path(folder), "squiggles", write_squiggles, count, seed, progress)


def train_pair(
    sounds: Paths,
    drawings: Paths,
    out: str | PathLike[str] | None = None,
    *,
    recipe: str = "strokes",
    pairing: str | None = None,
    settings: Iterable[str] = (),
    seed: int = 0,
    device: str = "auto",
    overwrite: bool = False,
    progress: ProgressCallback | bool | None = None,
) -> Pair:
    """Train networks from sounds to drawings and back, without pairs of the two.

    Parameters
    ----------
    sounds : str, path or several
        Sound files, films, or folders of them; each second of them is an example.
    drawings : str, path or several
        SVGs and pictures, folders of them, or films, of which a frame is taken every 0.2 s: lines
        on plain paper, or for the recipe ``"raster"`` any pictures.
    out : str or path, optional
        A ``.safetensors`` file to write.
    recipe : str
        ``"strokes"``, ``"found"``, ``"raster"``, or the path of a TOML file.
    pairing : str, optional
        What of a drawing is to follow what of a sound, as ``"loudness=size,
        brightness=-spikiness"``; an empty text lets the networks find a mapping.
    settings : iterable of str
        Settings of the recipe to change, as ``["training.steps=200"]``.
    seed : int
        Seed of the random numbers; with it, sounds, drawings and recipe determine the result.
    device : str
        ``"cpu"``, ``"cuda"``, ``"mps"``, or ``"auto"``: the fastest, which is the CPU for strokes.
    overwrite : bool
        Replace an output that exists.
    progress : callable or bool, optional
        True shows a progress bar; see `ProgressCallback`.

    Returns
    -------
    Pair

    Raises
    ------
    RecipeError
        The recipe or a setting is unknown or out of range.
    SynaesthesiaError
        There are too few sounds or drawings, they are all alike, silent, damaged, or photographs
        for strokes, or the output exists or cannot be written.
    TrainingError
        This computer has no such device.
    """
    from frame2sound.atomic import check_writable
    from frame2sound.errors import SynaesthesiaError
    from frame2sound.progress_bars import open_progress
    from frame2sound.synaesthesia.pair_file import save_pair
    from frame2sound.synaesthesia.pictures import load_drawings_of_kind
    from frame2sound.synaesthesia.recipe import load_synaesthesia_recipe
    from frame2sound.synaesthesia.sounds import load_sounds
    from frame2sound.synaesthesia.training import train_pair as train
    from frame2sound.training.optimiser import pick_device

    whole_number("seed", seed, 0)
    asked = [] if pairing is None else [f"pairing={pairing!r}"]
    chosen = load_synaesthesia_recipe(recipe, [*settings, *asked])
    on = pick_device("cpu" if device == "auto" and chosen.kind == "strokes" else device)
    if out is not None:
        check_writable(Path(out), SynaesthesiaError, overwrite=overwrite)
        output_suffix("out", Path(out), (".safetensors",))
    with open_progress(progress) as on_progress:
        heard = load_sounds(_paths(sounds), on_progress=on_progress)
        drawn = load_drawings_of_kind(chosen.kind, _paths(drawings), chosen.colours, on_progress)
        pair = train(heard, drawn, chosen, seed, on_progress, on)
    if out is not None:
        save_pair(pair, Path(out), overwrite=overwrite)
    return pair


def load_pair(path: str | PathLike[str]) -> Pair:
    """Return the pair of networks in a file; no code in the file is run.

    Raises
    ------
    SynaesthesiaError
        The file is missing, damaged, no pair, or from a newer version.
    """
    from frame2sound.synaesthesia.pair_file import load_pair as load

    return load(Path(path))


def _paths(given: Paths) -> list[Path]:
    if isinstance(given, str | PathLike):
        return [Path(given)]
    return [Path(path) for path in given]


def _write_set(
    folder: Path,
    kind: str,
    write: Any,
    count: int,
    seed: int,
    progress: ProgressCallback | bool | None,
) -> ExampleSet:
    from frame2sound.atomic import atomic_folder
    from frame2sound.errors import SynaesthesiaError
    from frame2sound.progress_bars import open_progress

    if not 1 <= count <= MAX_EXAMPLES:
        raise ParameterError(f"got `count={count}`, expected 1 to {MAX_EXAMPLES}")
    whole_number("seed", seed, 0)
    if folder.exists():
        raise SynaesthesiaError(f"{folder} exists already; choose another name")
    with (
        open_progress(progress) as on_progress,
        atomic_folder(folder, SynaesthesiaError) as partial,
    ):
        for done, _ in enumerate(write(partial, count, seed)):
            on_progress(kind, done + 1, count, "")
    return ExampleSet(folder, count, kind)
