"""Films that were flipped, cut and spliced: each is pickled and given sound, or clearly refused.

    python benchmarks/mutations.py FOLDER_OF_FILMS [--each 20] [--seed 0] [--jobs 2]

Of every file so many mutations are made: bytes changed, the end or the middle cut off, a piece of
another file put in, pieces swapped. Each is pickled, and a soundtrack is made for it, in this
process, with films read apart from it, as the commands do. It must end in a film or a soundtrack
that is whole, or in one line of error, and leave nothing else behind, within the time that a stuck
decoder is given. What does not is printed, and its mutation is kept in --keep; then the exit is 1.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from frame2sound.brain.brain import Brain
from frame2sound.brain.file import load_brain
from frame2sound.brain.shipped import DEFAULT, shipped
from frame2sound.errors import Frame2SoundError
from frame2sound.film.booth import BoothReader
from frame2sound.film.sandbox import PATIENCE_SECONDS, UNEXPECTED
from frame2sound.library.pickler import Choice, pickle_film
from frame2sound.library.store import Library
from frame2sound.rendering.render import Delivery, render

Bytes = bytearray
Change = Callable[[Bytes, bytes, np.random.Generator], Bytes]


def flip(data: Bytes, other: bytes, random: np.random.Generator) -> Bytes:
    """Change one to a hundred bytes, anywhere or close to the begin."""
    reach = len(data) if random.random() < 0.5 else min(len(data), 4096)
    for place in random.integers(reach, size=int(10 ** random.uniform(0, 2))):
        data[place] = random.integers(256)
    return data


def cut(data: Bytes, other: bytes, random: np.random.Generator) -> Bytes:
    """Cut off the end."""
    return data[: random.integers(len(data))]


def hole(data: Bytes, other: bytes, random: np.random.Generator) -> Bytes:
    """Cut out a piece."""
    first, last = sorted(random.integers(len(data) + 1, size=2))
    return data[:first] + data[last:]


def splice(data: Bytes, other: bytes, random: np.random.Generator) -> Bytes:
    """Lay a piece of another file over a piece of this one."""
    length = int(random.integers(1, max(2, min(len(data), len(other)) // 4)))
    there, here = (random.integers(max(len(d) - length, 1)) for d in (other, data))
    data[here : here + length] = other[there : there + length]
    return data


def swap(data: Bytes, other: bytes, random: np.random.Generator) -> Bytes:
    """Change the places of two pieces."""
    a, b, c = sorted(random.integers(len(data) + 1, size=3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


CHANGES: tuple[Change, ...] = (flip, cut, hole, splice, swap)


@dataclass(frozen=True)
class Ending:
    """How one mutation ended, twice: what was said of it, and the seconds it took."""

    mutation: Path
    pickled: str
    rendered: str
    seconds: float

    @property
    def broken(self) -> bool:
        """Whether it did not end as it should."""
        return any(said.startswith("BROKEN") for said in (self.pickled, self.rendered))


@dataclass(frozen=True)
class Mutator:
    """Makes mutations of films, each from its number."""

    films: list[Path]
    each: int
    seed: int
    folder: Path

    def __len__(self) -> int:
        return len(self.films) * self.each

    def make(self, number: int) -> Path:
        """Write a mutation."""
        which, turn = divmod(number, self.each)
        random = np.random.default_rng([self.seed, which, turn])
        film, other = self.films[which], self.films[random.integers(len(self.films))]
        change, data = CHANGES[turn % len(CHANGES)], Bytes(film.read_bytes())
        path = self.folder / f"{film.stem}-{turn}-{change.__name__}{film.suffix}"
        path.write_bytes(change(data, other.read_bytes(), random) if data else data)
        return path


def put_through(mutation: Path, brain: Brain) -> Ending:
    """Pickle a mutation, and give it sound."""
    begun = time.perf_counter()
    damaged = mutation.stat().st_size % 2 == 0
    with tempfile.TemporaryDirectory(dir=mutation.parent) as name:
        folder = Path(name)
        pickled = said(lambda: pickled_whole(mutation, folder / "library", damaged))
        rendered = said(lambda: rendered_whole(mutation, folder / "sound.wav", brain, damaged))
        left = sorted(path.name for path in folder.iterdir() if path.name != "library")
        if set(left) - {"sound.wav"}:
            rendered = f"BROKEN: left {left} behind"
    return Ending(mutation, pickled, rendered, time.perf_counter() - begun)


def said(job: Callable[[], str]) -> str:
    """Return what a job says; of an error, its kind, or all of it if there should be none."""
    try:
        return job()
    except Frame2SoundError as error:
        unclear = "\n" in str(error) or UNEXPECTED in str(error)
        return f"BROKEN: {error!r}" if unclear else f"refused, {type(error).__name__}"
    except Exception:
        return f"BROKEN: {traceback.format_exc()}"


def pickled_whole(mutation: Path, folder: Path, damaged: bool) -> str:
    """Pickle; say whether what lies in the library is what should."""
    library = Library.create(folder)
    try:
        film, _ = pickle_film(mutation, library, Choice(allow_damaged=damaged, apart=True))
    finally:
        left = sorted(path.name for path in folder.iterdir() if path.name.startswith("."))
        if left:
            raise AssertionError(f"left {left} behind")
    whole = np.isfinite(film.sound).all() and (np.diff(film.times) >= 0).all()
    if not whole or len(film.frames) != film.card.frames or library.films() != [film]:
        raise AssertionError(f"pickled {film.card}")
    return "pickled"


def rendered_whole(mutation: Path, out: Path, brain: Brain, damaged: bool) -> str:
    """Give sound; say whether it is sound."""
    try:
        made = render(BoothReader(mutation, allow_damaged=damaged), brain, out, delivery=Delivery())
    except Frame2SoundError:
        if out.exists():
            raise AssertionError("left half a soundtrack behind") from None
        raise
    sound, rate = soundfile.read(out)
    if not np.isfinite(sound).all() or abs(len(sound) - made.seconds * rate) > 1:
        raise AssertionError(f"{len(sound)} samples for {made.seconds} s")
    return "sounding"


def main() -> None:
    """Put all mutations through; print a summary."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("films", type=Path)
    parser.add_argument("--each", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=Path, default=Path("broken"), metavar="FOLDER")
    asked = parser.parse_args()
    brain = load_brain(shipped()[DEFAULT])
    files = asked.films.rglob("*")
    films = sorted(path for path in files if path.is_file() and path.suffix != ".md")
    counts: Counter[tuple[str, str, str]] = Counter()
    endings: list[Ending] = []
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(asked.jobs) as pool:
        mutator = Mutator(films, asked.each, asked.seed, Path(name))

        def work(number: int) -> Ending:
            mutation = mutator.make(number)
            ending = put_through(mutation, brain)
            if ending.broken:
                asked.keep.mkdir(exist_ok=True)
                shutil.copy(mutation, asked.keep)
            mutation.unlink()
            return ending

        for ending in pool.map(work, range(len(mutator))):
            kind = ending.mutation.stem.split("-")[-1]
            for what in (ending.pickled, ending.rendered):
                counts[kind, what.split(":")[0], "in all"] += 1
                if what.startswith("BROKEN"):
                    print(ending.mutation.name, what, flush=True)
            endings.append(ending)
    for (kind, what, _), count in sorted(counts.items()):
        print(f"{kind:8} {what:28} {count}")
    slowest = max(endings, key=lambda ending: ending.seconds)
    late = [ending for ending in endings if ending.seconds > 2 * PATIENCE_SECONDS]
    broken = sum(ending.broken for ending in endings)
    print(
        f"{len(endings)} mutations, each pickled and given sound: {broken} broken, {len(late)} "
        f"hung; the slowest took {slowest.seconds:.1f} s ({slowest.mutation.name})"
    )
    sys.exit(1 if broken or late else 0)


if __name__ == "__main__":
    main()
