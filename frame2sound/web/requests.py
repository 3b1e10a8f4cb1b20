"""What the page asks for, checked, and the commands that do it."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from frame2sound.api.brains import load_recipe
from frame2sound.api.parameters import frame_rate
from frame2sound.brain.pretrained import pretrained_brains
from frame2sound.brain.recipe import recipe_names
from frame2sound.errors import StudioError
from frame2sound.film.decoding.options import DecodeOptions
from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader
from frame2sound.library.folders import find_film_folder
from frame2sound.rendering.events.event_list import Event, write_events
from frame2sound.rendering.modes import Mode
from frame2sound.rendering.render import default_output_path
from frame2sound.web.controls import control_words
from frame2sound.web.exports import take_words
from frame2sound.web.job import Job
from frame2sound.web.job_queue import CHECKPOINT_SUFFIX, JobQueue
from frame2sound.web.project import (
    ANIMATIONS,
    BRAINS,
    COMPARISONS,
    FILMS,
    LIBRARY,
    STATE,
    TAKES,
    Project,
    safe_title,
)

Seconds = Annotated[float, Meta(ge=0, le=1e6)]
Seed = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Name = Annotated[str, Meta(min_length=1, max_length=500)]
Title = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[\w][\w .-]*$")]
_Text = Annotated[str, Meta(max_length=1000)]

_PLAYED = frozenset({".m4v", ".mov", ".mp4", ".webm"})
"""Animations that browsers play: beside them the first seconds of sound need no film of their own.

To encode such a film takes as long as the sound.
"""

_WAVEFORM = "--waveform="

FILMS_SUFFIX = "-checkpoints"
"""What follows a brain's name in that of the folder of films of its training."""


class RenderRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A soundtrack to make; times in seconds, ``fps`` of numbered pictures.

    From ``events_until`` on, the events of the brain follow those of ``events``.
    """

    animation: Name
    brain: Name = "sketchbook"
    mode: Mode | None = None
    start: Seconds = 0.0
    stop: Seconds | None = None
    controls: dict[str, Any] = {}
    scale: _Text = ""
    effects: _Text = ""
    stereo: bool = False
    seed: Seed = 0
    fps: Annotated[float, Meta(gt=0, le=1000)] | None = None
    events: Annotated[list[Event], Meta(max_length=100_000)] | None = None
    events_until: Seconds | None = None
    edited_from: int | None = None


class FilmsRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Films of the project to put into its library."""

    films: Annotated[list[Name], Meta(min_length=1, max_length=1000)]


class LibraryRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A film of the library to exclude, include or delete."""

    action: Literal["exclude", "include", "delete"]
    film: Name


class TrainRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A brain to train."""

    name: Title
    recipe: Name = "deep"
    epochs: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    seed: Seed = 0


class CompareRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Recipes to compare."""

    name: Title
    recipes: Annotated[list[Name], Meta(min_length=1, max_length=20)]
    seeds: Annotated[int, Meta(ge=1, le=20)] = 5
    epochs: Annotated[int, Meta(ge=1, le=100_000)] | None = None


R = TypeVar("R", bound=msgspec.Struct)


def parse_request(content: bytes, kind: type[R]) -> R:
    """Return a request of the page; raise `StudioError` if it is of another form."""
    try:
        return msgspec.json.decode(content, type=kind)
    except (ValueError, RecursionError) as error:
        raise StudioError(f"the request is not of the expected form: {error}") from error


def add_render(project: Project, queue: JobQueue, request: RenderRequest) -> Job:
    """Queue a soundtrack; its events are kept beside it, so that they can be edited."""
    animation = project.resolve(_in(request.animation, ANIMATIONS))
    if request.stop is not None:
        length = animation_seconds(animation, request.fps)
        if length is not None and request.stop >= length:
            request = msgspec.structs.replace(request, stop=None)
    is_preview = request.stop is not None and not request.start and animation.suffix in _PLAYED
    suffix = default_output_path(animation, Path(), wav=is_preview).suffix
    title = animation.stem if animation.is_file() else animation.name
    out = project.new_name(TAKES, title, suffix, queue.taken_outputs())
    stem = out.removesuffix(suffix)
    words = ["render", request.animation, f"--brain={_brain(project, request.brain)}"]
    if request.mode is not None:
        words.append(f"--mode={request.mode}")
    words += control_words(_effective_controls(request), request.mode)
    texts = {"scale": request.scale.strip(), "effects": request.effects.strip()}
    words += [f"--{name}={text}" for name, text in texts.items() if text]
    words += ["--stereo"] * request.stereo
    if request.fps is not None:
        words.append(f"--fps={request.fps:.10g}")
    if request.start:
        words.append(f"--from={request.start:.10g}")
    if request.stop is not None:
        words.append(f"--to={request.stop:.10g}")
    if request.seed:
        words.append(f"--seed={request.seed}")
    if request.events is not None:
        edited = f"{stem}.edited.json"
        write_events(project.root / edited, request.events)
        words.append(f"--events={edited}")
        if request.events_until is not None:
            words.append(f"--events-until={request.events_until:.10g}")
    outputs = [out]
    if request.mode in (None, "mosaic"):
        outputs.append(f"{stem}.events.json")
        words.append(f"--events-out={outputs[1]}")
    words += ["--wav"] * is_preview
    waveform = f"{STATE}/cache/{Path(stem).name}.dat"
    (project.root / waveform).unlink(missing_ok=True)  # of a take that is gone
    words += [f"{_WAVEFORM}{waveform}", f"--out={out}"]
    about = msgspec.to_builtins(request)
    about.pop("events")
    return queue.add("render", words, about, outputs)


def take_waveform(job: Job) -> str | None:
    """Return the file, from the project's root, into which a take writes its waveform."""
    if job.kind != "render":
        return None
    return next((w.removeprefix(_WAVEFORM) for w in job.words if w.startswith(_WAVEFORM)), None)


def add_wav(project: Project, queue: JobQueue, number: int) -> Job:
    """Queue the sound of a take as a WAV: the same command with another output."""
    take = queue.find(number)
    words = take_words(take)
    queue.check_own_names(take)
    if take.outputs[0].endswith(".wav"):
        raise StudioError(f"job {number} made a WAV already; reload the page")
    out = take.outputs[0].rpartition(".")[0] + ".wav"
    about = {"take": number}
    return queue.add("wav", [*words, "--wav", "--overwrite", f"--out={out}"], about, [out])


def add_pickle(project: Project, queue: JobQueue, request: FilmsRequest) -> Job:
    """Queue films for the library."""
    for name in request.films:
        project.resolve(_in(name, FILMS))
    words = ["pickle", *request.films, f"--library={LIBRARY}"]
    return queue.add("pickle", words, {"films": request.films}, [])


def add_library_change(project: Project, queue: JobQueue, request: LibraryRequest) -> Job:
    """Queue a change of the library."""
    film = find_film_folder(project.root / LIBRARY, request.film).name
    words = ["library", LIBRARY, f"--{request.action}={film}"]
    return queue.add("library", words, msgspec.to_builtins(request), [])


def add_inspect(queue: JobQueue) -> Job:
    """Queue a listing of the library, with its loudness and its coupling."""
    return queue.add("inspect", ["library", LIBRARY, "--json"], {}, [])


def add_train(project: Project, queue: JobQueue, request: TrainRequest) -> Job:
    """Queue a training."""
    _require_library(project)
    title = f"{BRAINS}/{safe_title(request.name)}"
    out, films = f"{title}.safetensors", f"{title}{FILMS_SUFFIX}"
    made = (out, films, f"{title}{CHECKPOINT_SUFFIX}")
    is_there = any((project.root / name).exists() for name in made)
    if is_there or out.rpartition(".")[0] in queue.taken_outputs():
        raise StudioError(f"there is a brain {request.name!r} already; choose another name")
    words = ["train", LIBRARY, f"--recipe={_recipe(request.recipe)}"]
    words += _epochs(request.epochs)
    words += [f"--seed={request.seed}"] * bool(request.seed)
    words += [f"--out={out}", f"--listen={films}"]
    return queue.add("train", words, msgspec.to_builtins(request), [out])


def add_compare(project: Project, queue: JobQueue, request: CompareRequest) -> Job:
    """Queue a comparison; one of the same name goes on."""
    _require_library(project)
    out = f"{COMPARISONS}/{safe_title(request.name)}"
    recipes = [f"--recipe={_recipe(name)}" for name in request.recipes]
    words = ["compare", LIBRARY, *recipes, f"--seeds={request.seeds}", *_epochs(request.epochs)]
    return queue.add("compare", [*words, f"--out={out}"], msgspec.to_builtins(request), [out])


@functools.cache
def recipe_list() -> list[dict[str, str]]:
    """Return the recipes that ship, and what each is good for; those for any film come first."""
    named = ["deep", "shallow", "mel", "memory", "pocket", "waveform"]
    others = [name for name in recipe_names() if name not in named]
    names = [*(name for name in named if name in recipe_names()), *others]
    return [{"name": name, "about": load_recipe(name).about} for name in names]


def brain_list(project: Project) -> list[str]:
    """Return the brains of the project, then those that ship."""
    own = [
        name
        for name in project.names(BRAINS)
        if re.fullmatch(r".*(?<!\.checkpoint)\.safetensors", name)
    ]
    return [*own, *sorted(pretrained_brains(), key=lambda name: name != "sketchbook")]


def animation_seconds(animation: Path, fps: float | None = None) -> float | None:
    """Return how long an animation is, if its file says so; it is read once.

    Raises
    ------
    FilmError
        It cannot be read.
    """
    return _read_seconds(animation, animation.stat().st_mtime_ns, fps)


@functools.lru_cache(1000)
def _read_seconds(animation: Path, changed: int, fps: float | None) -> float | None:
    options = DecodeOptions(fps=None if fps is None else frame_rate("fps", fps))
    return SubprocessFilmReader(animation, options=options).streams.declared_seconds


def _effective_controls(request: RenderRequest) -> dict[str, Any]:
    """Return the controls without the sensitivity where only events of a list are played."""
    is_list = request.events is not None and request.events_until is None
    return {
        name: value
        for name, value in request.controls.items()
        if not (is_list and name == "sensitivity")
    }


def _brain(project: Project, name: str) -> str:
    if name in pretrained_brains():
        return name
    project.file(_in(name, BRAINS))
    return name


def _recipe(name: str) -> str:
    if name not in recipe_names():
        raise StudioError(f"there is no recipe {name[:100]!r}; reload the page")
    return name


def _in(name: str, part: str) -> str:
    if not name.startswith(f"{part}/"):
        raise StudioError(f"got {name[:200]!r}, expected a file of {part}; reload the page")
    return name


def _epochs(epochs: int | None) -> list[str]:
    return [] if epochs is None else [f"--set=training.epochs={epochs}"]


def _require_library(project: Project) -> None:
    if not (project.root / LIBRARY).is_dir():
        raise StudioError("the library is empty; add films with sound on the page Library first")


AddJob = Callable[[Project, JobQueue, Any], Job]
"""Queues the job of a request."""

REQUESTS: dict[str, tuple[type[msgspec.Struct], AddJob]] = {
    "render": (RenderRequest, add_render),
    "pickle": (FilmsRequest, add_pickle),
    "library": (LibraryRequest, add_library_change),
    "train": (TrainRequest, add_train),
    "compare": (CompareRequest, add_compare),
}
"""The requests that become jobs: their form, and what queues them."""
