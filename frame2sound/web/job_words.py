"""Checks commands before they run: a list of jobs may have come with a folder, from a stranger."""

from __future__ import annotations

import re
from pathlib import Path

from frame2sound.errors import StudioError
from frame2sound.web.controls import control_options
from frame2sound.web.exports import export_options
from frame2sound.web.job import Job

COMMANDS = {
    "render": "render",
    "wav": "render",
    "export": "render",
    "pickle": "pickle",
    "library": "library",
    "inspect": "library",
    "train": "train",
    "compare": "compare",
    "notes": "synaesthesia notes",
    "squiggles": "synaesthesia squiggles",
    "pair": "synaesthesia train",
    "draw": "synaesthesia draw",
    "sing": "synaesthesia sing",
    "report": "synaesthesia report",
}
"""The command of each kind of job."""

_TAKE = control_options().union(
    ("--brain", "--mode", "--scale", "--effects", "--stereo", "--fps", "--from", "--to", "--seed"),
    ("--events", "--events-until", "--wav", "--out", "--overwrite"),
)
_SET = frozenset({"--count"})

OPTIONS = {
    "render": _TAKE | {"--events-out", "--waveform"},
    "wav": _TAKE,
    "export": _TAKE | export_options(),
    "pickle": frozenset({"--library"}),
    "library": frozenset({"--exclude", "--include", "--delete"}),
    "inspect": frozenset({"--json"}),
    "train": frozenset({
        "--recipe", "--set=training.epochs", "--seed", "--out", "--listen", "--resume",
        "--overwrite",
    }),
    "compare": frozenset({"--recipe", "--seeds", "--set=training.epochs", "--out"}),
    "notes": _SET,
    "squiggles": _SET,
    "pair": frozenset({
        "--pairing", "--recipe=found", "--set=training.steps", "--seed", "--out", "--overwrite",
    }),
    "draw": frozenset({"--pair", "--fps", "--at", "--voices", "--out", "--overwrite"}),
    "sing": frozenset({"--pair", "--by", "--out", "--overwrite"}),
    "report": frozenset({"--pair", "--out", "--overwrite"}),
}  # fmt: skip
"""The options that the studio gives to the command of each kind of job, and no others.

Some options of commands connect to other computers, or write elsewhere.
"""

READS_FOLDERS = frozenset({"pair", "draw", "sing", "report"})
"""Kinds of jobs that read whatever lies in a folder."""

_OPTION = re.compile(r"--[a-z][a-z0-9-]*(?:=(.*))?", re.DOTALL)
_OUTSIDE = re.compile(r"[/~\\].*|[A-Za-z]:[/\\].*|.*(://|\x00).*", re.DOTALL)


def check_words(job: Job, root: Path) -> None:
    """Raise `StudioError` unless a job's command stays in the project, as those of the page do.

    Paths are relative to the project's ``root`` and go through no link; options are those of
    `OPTIONS`, and have their values after ``=``.
    """
    command = COMMANDS.get(job.kind, "").split()
    is_own = bool(command) and job.words[: len(command)] == command
    is_own = is_own and all(_is_known(word, OPTIONS[job.kind]) for word in job.words)
    if not is_own or any(_leads_outside(word, root) for word in job.words):
        raise StudioError(
            f"{job.command[:200]} is not one that the studio makes; it was not run; "
            "run it in a terminal if you trust it"
        )
    if job.kind in READS_FOLDERS:
        _refuse_links(job.words, root)


def _is_known(word: str, options: frozenset[str]) -> bool:
    """Return whether a word is no option, or one of some options, with a value or without."""
    return not word.startswith("-") or any(
        word == option or word.startswith(f"{option}=") for option in options
    )


def _refuse_links(words: list[str], root: Path) -> None:
    """Raise `StudioError` if a folder that is named holds links, which may lead anywhere."""
    named = (word.partition("=")[2] if word.startswith("-") else word for word in words)
    for folder in (root / name for name in named if name):
        if folder.is_dir() and (link := next(filter(Path.is_symlink, folder.iterdir()), None)):
            raise StudioError(
                f"{link.relative_to(root)} is a link; the studio follows none; put there what it "
                "leads to"
            )


def _leads_outside(word: str, root: Path) -> bool:
    """Return whether a word, or the value of an option, is a path outside, or an unknown form."""
    option = _OPTION.fullmatch(word)
    if option is None and word.startswith("-"):
        return True
    value = word if option is None else option[1] or ""
    if _OUTSIDE.fullmatch(value) or ".." in re.split(r"[/\\]", value):
        return True
    path = Path(value)
    try:
        return any((root / part).is_symlink() for part in (path, *path.parents))
    except OSError:  # a text that is too long for a name
        return False
