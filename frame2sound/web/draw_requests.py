"""What the page Draw asks for, checked, and the commands that do it."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from frame2sound.errors import StudioError
from frame2sound.synaesthesia.descriptors import parse_pairings
from frame2sound.web.job import Job
from frame2sound.web.job_queue import JobQueue
from frame2sound.web.project import (
    ANIMATIONS,
    DRAWINGS,
    DRAWN,
    FILMS,
    PAIRS,
    SOUNDS,
    SUNG,
    Project,
    safe_title,
)
from frame2sound.web.requests import AddJob, Name, Seconds, Seed, Title

DRAWN_FROM = (SOUNDS, FILMS, SUNG)
"""Parts of a project whose files are drawn."""

SUNG_FROM = (DRAWINGS, DRAWN, ANIMATIONS)
"""Parts of a project whose files, and folders of them, are sung."""

LEARNED_SOUNDS = (SOUNDS, FILMS)
LEARNED_DRAWINGS = (DRAWINGS, ANIMATIONS)

_Word = Annotated[str, Meta(max_length=20)]


class SetRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Notes to play, or squiggles to draw, to learn from."""

    count: Annotated[int, Meta(ge=1, le=100_000)] = 1024


class PairRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A pair of networks to train; ``pairing`` has a measure of drawings for some of sounds.

    Without any, the networks find a mapping of their own.
    """

    name: Title
    sounds: Name
    drawings: Name
    pairing: Annotated[dict[_Word, _Word], Meta(max_length=4)] = {}
    steps: Annotated[int, Meta(ge=1, le=10**6)] | None = None
    seed: Seed = 0


class DrawRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A sound to draw: as a film, or as a still of the second ``at``, else of the loudest."""

    sound: Name
    pair: Name
    form: Literal["film", "still"] = "film"
    fps: Annotated[float, Meta(gt=0, le=240)] = 25.0
    voices: Annotated[int, Meta(ge=1, le=12)] = 1
    at: Seconds | None = None


class SingRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A drawing, a folder of numbered ones or a drawn film, to make the sound of."""

    drawing: Name
    pair: Name
    by: Literal["mosaic", "phase"] = "mosaic"


class ReportRequest(msgspec.Struct, forbid_unknown_fields=True):
    """A pair of networks to measure."""

    pair: Name


def add_notes(project: Project, queue: JobQueue, request: SetRequest) -> Job:
    """Queue a folder of notes."""
    out = _new_folder(project, queue, f"{SOUNDS}/notes-{request.count}")
    words = ["synaesthesia", "notes", out, f"--count={request.count}"]
    return queue.add("notes", words, msgspec.to_builtins(request), [out])


def add_squiggles(project: Project, queue: JobQueue, request: SetRequest) -> Job:
    """Queue a folder of squiggles."""
    out = _new_folder(project, queue, f"{DRAWINGS}/squiggles-{request.count}")
    words = ["synaesthesia", "squiggles", out, f"--count={request.count}"]
    return queue.add("squiggles", words, msgspec.to_builtins(request), [out])


def add_pair(project: Project, queue: JobQueue, request: PairRequest) -> Job:
    """Queue the training of a pair of networks."""
    stem = f"{PAIRS}/{safe_title(request.name)}"
    out = f"{stem}.safetensors"
    if (project.root / out).exists() or queue.makes(out):
        raise StudioError(f"there is a pair {request.name!r} already; choose another name")
    words = ["synaesthesia", "train"]
    words.append(_learned(project, request.sounds, LEARNED_SOUNDS))
    words.append(_learned(project, request.drawings, LEARNED_DRAWINGS))
    asked = ", ".join(f"{sound}={drawing}" for sound, drawing in request.pairing.items())
    pairing = ", ".join(str(each) for each in parse_pairings(asked))
    words.append(f"--pairing={pairing}" if pairing else "--recipe=found")
    if request.steps is not None:
        words.append(f"--set=training.steps={request.steps}")
    if request.seed:
        words.append(f"--seed={request.seed}")
    about = {**msgspec.to_builtins(request), "pairing": pairing}
    return queue.add("pair", [*words, f"--out={out}"], about, [out])


def add_draw(project: Project, queue: JobQueue, request: DrawRequest) -> Job:
    """Queue the film or the still of a sound."""
    sound = _file(project, request.sound, DRAWN_FROM)
    suffix = ".svg" if request.form == "still" else ".mp4"
    out = _new_output(project, queue, DRAWN, sound, suffix)
    words = ["synaesthesia", "draw", sound, f"--pair={_pair(project, request.pair)}"]
    if request.form == "film":
        words.append(f"--fps={request.fps:.10g}")
    elif request.at is not None:
        words.append(f"--at={request.at:.10g}")
    words += [f"--voices={request.voices}"] * (request.voices > 1)
    return queue.add("draw", [*words, f"--out={out}"], msgspec.to_builtins(request), [out])


def add_sing(project: Project, queue: JobQueue, request: SingRequest) -> Job:
    """Queue the sound of a drawing."""
    drawing = _in(request.drawing, SUNG_FROM)
    project.resolve(drawing)
    out = _new_output(project, queue, SUNG, drawing, ".wav")
    words = ["synaesthesia", "sing", drawing, f"--pair={_pair(project, request.pair)}"]
    words += [f"--by={request.by}", f"--out={out}"]
    return queue.add("sing", words, msgspec.to_builtins(request), [out])


def add_report(project: Project, queue: JobQueue, request: ReportRequest) -> Job:
    """Queue the page that measures a pair of networks."""
    pair = _pair(project, request.pair)
    out = f"{pair.removesuffix('.safetensors')}.html"
    if (project.root / out).exists() or queue.makes(out):
        raise StudioError(f"{pair} has a report already; reload the page")
    words = ["synaesthesia", "report", f"--pair={pair}", f"--out={out}"]
    return queue.add("report", words, msgspec.to_builtins(request), [out])


def _new_folder(project: Project, queue: JobQueue, name: str) -> str:
    if (project.root / name).exists() or queue.makes(name):
        raise StudioError(f"there is a folder {name} already; choose another number")
    return name


def _new_output(project: Project, queue: JobQueue, part: str, source: str, suffix: str) -> str:
    return project.new_name(part, PurePosixPath(source).stem, suffix, queue.taken_outputs())


def _learned(project: Project, name: str, parts: tuple[str, ...]) -> str:
    """Return a part of the project, or a file or folder in it."""
    if name not in parts:
        project.resolve(_in(name, parts))
    return name


def _file(project: Project, name: str, parts: tuple[str, ...]) -> str:
    project.file(_in(name, parts))
    return name


def _pair(project: Project, name: str) -> str:
    if not name.endswith(".safetensors"):
        raise StudioError(f"got {name[:200]!r}, expected a pair of networks; reload the page")
    return _file(project, name, (PAIRS,))


def _in(name: str, parts: tuple[str, ...]) -> str:
    if name.partition("/")[0] not in parts:
        raise StudioError(
            f"got {name[:200]!r}, expected a file of {' or '.join(parts)}; reload the page"
        )
    return name


DRAW_REQUESTS: dict[str, tuple[type[msgspec.Struct], AddJob]] = {
    "notes": (SetRequest, add_notes),
    "squiggles": (SetRequest, add_squiggles),
    "pair": (PairRequest, add_pair),
    "draw": (DrawRequest, add_draw),
    "sing": (SingRequest, add_sing),
    "report": (ReportRequest, add_report),
}
"""The requests of the page Draw: their form, and what queues them."""
