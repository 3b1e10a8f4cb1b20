"""What the study compares: films, arms, seeds and lengths, as `study/PLAN.md` describes them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

from footage import STUDY_FILMS

from frame2sound.brain.recipe import Recipe, identity_table, load_recipe
from frame2sound.film.drawing.demo_films import load_program, load_scene
from frame2sound.film.drawing.scene import Scene
from frame2sound.film.drawing.scene_writer import write_scene
from frame2sound.library.pickler import film_digest

FOLDER = Path(__file__).parent / "study"
BASE = FOLDER / "base.toml"
"""The recipe that every arm changes in what is named in `ARMS`, and in nothing else."""

NEW_LAWS = tuple(sorted(path.stem for path in (FOLDER / "laws").glob("[!_]*.py")))
LAWS = (*STUDY_FILMS, *NEW_LAWS)

LENGTHS = (60, 20)
"""Seconds of film that are learned."""

JUDGED_SECONDS = 30
LEAD_SECONDS = 1
"""The judged film is so much longer; its beginning is rendered, but not judged."""

SEEDS = 5
SIZE = (320, 240)
FPS = Fraction(30)
WHOLE = 0
"""Stands for the learned seconds of films that are learned as long as they are."""

PAST = ("input.history=3", "input.motion=true")
ARMS: dict[str, tuple[str, ...]] = {
    "shallow": ("network.hidden=[512]",),
    "wide": ("network.hidden=[711]",),
    "deep": (),
    "wide past": (*PAST, "network.hidden=[617]"),
    "deep past": PAST,
    "memory": (
        *PAST,
        "network.kind=rnn",
        "network.hidden=[384,384]",
        "network.memory=[256]",
        "network.normalise=true",
        "network.dropout=0.1",
        "training.chunk=8",
    ),
    "deep head": ("events.head=motion",),
}
PRIMARY_ARMS = ("shallow", "wide", "deep")
SECONDARY_ARMS = (("deep head",), ("wide past", "deep past"), ("memory",))
"""Groups in the order in which they are trained: each completes a comparison."""


class Film(Protocol):
    """A film of the study: what is learned, and what is judged."""

    @property
    def name(self) -> str:
        """A name that no other film has."""

    @property
    def law(self) -> str:
        """How its pictures sound; several films have one law."""

    @property
    def lead_seconds(self) -> int:
        """How much of the judged film's beginning is not judged."""

    def learned(self, folder: Path, seconds: int) -> list[Path]:
        """Return the files to learn from, after drawing them in a folder if they are missing."""

    def judged(self, folder: Path) -> Path:
        """Return the file to judge on, likewise."""

    def identity(self) -> dict[str, Any]:
        """Return plain values that tell it from other films."""


@dataclass(frozen=True)
class DrawnFilm:
    """A drawn film of a law: a learned part, and a judged part of another seed."""

    law: str
    number: int
    learned_seed: int
    judged_seed: int
    lead_seconds: int = LEAD_SECONDS

    @property
    def name(self) -> str:
        """Its law and number."""
        return f"{self.law}-{self.number}"

    def learned(self, folder: Path, seconds: int) -> list[Path]:
        """Return the learned part."""
        return [draw(folder, self.law, seconds, self.learned_seed)]

    def judged(self, folder: Path) -> Path:
        """Return the judged part."""
        return draw(folder, self.law, self.lead_seconds + JUDGED_SECONDS, self.judged_seed)

    def identity(self) -> dict[str, Any]:
        """Return its law and seeds."""
        return {"law": self.law, "learned": self.learned_seed, "judged": self.judged_seed}


@dataclass(frozen=True)
class RealFilm:
    """A film of a group of files, which is judged after the others of the group were learned."""

    law: str
    path: Path
    others: tuple[Path, ...]
    lead_seconds: int = 0

    @property
    def name(self) -> str:
        """The name of its file."""
        return self.path.name

    def learned(self, folder: Path, seconds: int) -> list[Path]:
        """Return the other files of the group."""
        return list(self.others)

    def judged(self, folder: Path) -> Path:
        """Return its file."""
        return self.path

    def identity(self) -> dict[str, Any]:
        """Return its group, and digests of its file and the others."""
        digests = [film_digest(path) for path in (self.path, *self.others)]
        return {"law": self.law, "judged": digests[0], "learned": digests[1:]}


@dataclass(frozen=True)
class Design:
    """Which arms are trained on which lengths of which films, with how many seeds.

    ``arms`` and ``lengths`` are in order of importance: all films have the first tuple of arms at
    all lengths before any has another, and the other tuples at the first length before any has the
    next length.
    """

    films: tuple[Film, ...]
    lengths: tuple[int, ...]
    arms: tuple[tuple[str, ...], ...]
    settings: dict[str, tuple[str, ...]]
    seeds: int

    def recipe(self, arm: str) -> Recipe:
        """Return the recipe of an arm."""
        return load_recipe(str(BASE), list(self.settings[arm]))

    def identity(self) -> dict[str, Any]:
        """Return plain values that tell it from other designs; more seeds may follow."""
        return {
            "arms": {arm: identity_table(self.recipe(arm)) for arm in self.settings},
            "films": {film.name: film.identity() for film in self.films},
            "lengths": list(self.lengths),
            "judged seconds": JUDGED_SECONDS,
            "size": list(SIZE),
        }


def study() -> Design:
    """Return the design of the study: two films of each law."""
    films = tuple(
        DrawnFilm(law, number, 52_000 + 100 * number + index, 58_000 + 100 * number + index)
        for number in (1, 2)
        for index, law in enumerate(LAWS)
    )
    return Design(films, LENGTHS, (PRIMARY_ARMS, *SECONDARY_ARMS), ARMS, SEEDS)


def development() -> Design:
    """Return the design by which epochs and rates were chosen, on films that are not in the study.

    Their laws are not in the study either.
    """
    laws = ("balls", "breeze", "machine", "steps")
    films = tuple(DrawnFilm(law, 0, 0, 1) for law in laws)
    changes = {"": (), " rate=2e-3": ("training.rate=2e-3",), " rate=8e-3": ("training.rate=8e-3",)}
    changes |= {f" epochs={count}": (f"training.epochs={count}",) for count in (30, 100)}
    settings = {
        arm + name: (*ARMS[arm], *change)
        for name, change in changes.items()
        for arm in PRIMARY_ARMS
    }
    return Design(films, (60,), (tuple(settings),), settings, 1)


def real_groups(folder: Path) -> Design:
    """Return the design for a folder of films named ``group__title``: each is left out in turn."""
    groups: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix in (".mp4", ".mpg", ".mov", ".mkv", ".webm") and "__" in path.stem:
            groups.setdefault(path.stem.split("__")[0], []).append(path)
    films = tuple(
        RealFilm(group, path, tuple(other for other in paths if other != path))
        for group, paths in groups.items()
        for path in paths
        if len(paths) > 1
    )
    arms = {arm: ARMS[arm] for arm in PRIMARY_ARMS}
    return Design(films, (WHOLE,), (PRIMARY_ARMS,), arms, SEEDS)


def load_law(law: str, **settings: Any) -> Scene:
    """Return the scene of a law: a demo film, or a program in ``study/laws``."""
    if law not in NEW_LAWS:
        return load_scene(law, **settings)
    scene: Scene = load_program(FOLDER / "laws" / f"{law}.py").scene(**settings)
    return scene


def draw(folder: Path, law: str, seconds: int, seed: int) -> Path:
    """Return a film of a law in a folder, after drawing it if it is missing."""
    path = folder / f"{law}-{seconds}s-{seed}.mp4"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        scene = load_law(law, seconds=seconds, seed=seed, fps=FPS, size=SIZE)
        write_scene(scene, path, overwrite=True)
    return path
