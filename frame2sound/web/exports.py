"""What a take becomes in other programs: stems, markers, MIDI, and projects of editors."""

from __future__ import annotations

import functools
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any, Literal, get_args
from urllib.parse import quote

from starlette.responses import Response, StreamingResponse

from frame2sound.atomic import write_error_message
from frame2sound.errors import SoundtrackError, StudioError
from frame2sound.rendering.effects import parse_chain
from frame2sound.web.job import Job
from frame2sound.web.job_queue import JobQueue
from frame2sound.web.media import send_file
from frame2sound.web.project import Project

ExportKind = Literal["stems", "markers", "midi", "reaper", "otio"]

_SUFFIXES = {"markers": ".csv", "midi": ".mid", "reaper": ".rpp", "otio": ".otio"}
_NOT_REPEATED = ("--events-out=", "--out=", "--overwrite", "--wav", "--waveform=")
"""Options of a take's command that its exports replace."""

_CHUNK_BYTES = 1 << 20


def take_words(take: Job) -> list[str]:
    """Return the command of a take without its outputs; it makes the same sound to the bit.

    Raises
    ------
    StudioError
        The job is no take.
    """
    if take.kind != "render":
        raise StudioError(f"job {take.number} made no take; reload the page")
    return [word for word in take.words if not word.startswith(_NOT_REPEATED)]


def export_options() -> frozenset[str]:
    """Return the options that exports add to the command of a take."""
    return frozenset(f"--{kind}" for kind in get_args(ExportKind))


def no_stems_reason(about: dict[str, Any]) -> str:
    """Return why a take has no stems; an empty text if it has. The rule is that of the command.

    Examples
    --------
    >>> no_stems_reason({"effects": "reverb, distortion db=6"})
    'those with the effect distortion would not add up to the mix; render without it'
    >>> no_stems_reason({"effects": "reverb", "mode": "granular"})
    ''
    """
    kinds = _not_additive(str(about.get("effects", "")))
    if not kinds:
        return ""
    return f"those with the effect {kinds[0]} would not add up to the mix; render without it"


def add_export(queue: JobQueue, number: int, kind: str) -> Job:
    """Queue an export of a take: its command again, with an option and a WAV in place of a film.

    Raises
    ------
    StudioError
        There is no such take or export, the take has no stems, or another take has its name.
    """
    take = queue.find(number)
    words = take_words(take)
    if kind not in get_args(ExportKind):
        raise StudioError(
            f"got the export {kind[:50]!r}, expected {', '.join(get_args(ExportKind))}"
        )
    queue.check_own_names(take)
    no_stems = no_stems_reason(take.about)
    if kind == "stems" and no_stems:
        raise StudioError(f"there are no stems of this take: {no_stems}")
    stem = take.outputs[0].rpartition(".")[0]
    base = f"{stem}.exports/{PurePosixPath(stem).name}"
    stems = f"{stem}.exports/stems"
    outputs = [stems if kind == "stems" else f"{base}{_SUFFIXES[kind]}"]
    words.append(f"--{kind}={outputs[0]}")
    if kind == "reaper":
        outputs.append(f"{base}.wav" if no_stems else stems)
        words += [f"--stems={stems}"] * (not no_stems)
    words += ["--wav", "--overwrite", f"--out={base}.wav"]
    return queue.add("export", words, {"take": number, "export": kind}, outputs)


def send_export(project: Project, job: Job) -> Response:
    """Return the response with what an export made: its file, or a .zip of several.

    Raises
    ------
    StudioError
        The job is no export that has ended well, or its files are gone.
    """
    if job.kind != "export" or job.state != "done":
        raise StudioError(f"job {job.number} has made no download; reload the page")
    files = list(_files(project, job.outputs))
    if len(files) == 1:
        return send_file(project, files[0], download=True)
    folder = PurePosixPath(job.outputs[0]).parent
    name = f"{folder.stem}-{job.about['export']}.zip"
    return _send_archive(project, name, files, folder)


@functools.lru_cache(1000)
def _not_additive(effects: str) -> tuple[str, ...]:
    """Return the kinds of effects that stems cannot have; none if the command refuses the text."""
    try:
        return parse_chain(effects).not_additive
    except SoundtrackError:
        return ()


def _files(project: Project, outputs: list[str]) -> Iterator[str]:
    """Yield the files of a project that outputs are or hold."""
    for name in outputs:
        path = project.resolve(name)
        if path.is_file():
            yield name
            continue
        for child in sorted(path.iterdir()):
            if not child.name.startswith("."):
                yield f"{name}/{child.name}"


def _send_archive(
    project: Project, name: str, files: list[str], folder: PurePosixPath
) -> StreamingResponse:
    paths = {str(PurePosixPath(file).relative_to(folder)): project.file(file) for file in files}
    archive, size = open_archive(paths, project.state)
    headers = {
        "Content-Disposition": f"attachment; filename*=utf-8''{quote(name, errors='replace')}",
        "Content-Length": str(size),
        "Cache-Control": "private, no-cache",
    }
    return StreamingResponse(_chunks(archive), media_type="application/zip", headers=headers)


def open_archive(paths: dict[str, Path], folder: Path) -> tuple[IO[bytes], int]:
    """Return an open .zip of files by their names in it, not compressed, and its size in bytes.

    It is a file without a name in ``folder``, so that a kill leaves nothing.

    Raises
    ------
    StudioError
        The disk is full, or a file cannot be read.
    """
    archive = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115
    try:
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as written:
            for name, path in paths.items():
                written.write(path, name)
        size = archive.tell()
        archive.seek(0)
    except FileNotFoundError as failure:
        archive.close()
        raise StudioError("a file of this export is no longer there; make it again") from failure
    except OSError as failure:
        archive.close()
        raise StudioError(write_error_message(folder, failure)) from failure
    return archive, size


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        yield from iter(lambda: file.read(_CHUNK_BYTES), b"")
