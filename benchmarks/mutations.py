"""Damage films, and check that every command uses each or refuses it clearly.

    python benchmarks/mutations.py FOLDER_OF_FILMS [--each 21] [--seed 0] [--jobs 2]

Each file is mutated --each times: bytes changed, the end or the middle cut off, a piece of another
file inserted, pieces swapped, numbers of the container's metadata set to extremes, the file
replaced by a playlist that names another film. Each mutation is pickled, given a soundtrack (with
the picture copied or encoded), measured, compared as an animation and used as a source of phases,
in this process, with films decoded in subprocesses, as the commands do. Each use must end with a
whole result or with an error of one line, leave no other file, and not hang; a playlist must be
refused. What fails is printed, its mutation is saved in --keep, and the exit status is 1.
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

from frame2sound.brain.brain import Brain
from frame2sound.brain.brain_file import load_brain
from frame2sound.brain.pretrained import DEFAULT_BRAIN, pretrained_brains
from frame2sound.comparison.segments import EvaluationFilm
from frame2sound.errors import Frame2SoundError
from frame2sound.evaluation.media_loader import MediaLoader
from frame2sound.film.decoding.options import DecodeOptions
from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader
from frame2sound.film.sandbox import ANSWER_TIMEOUT_SECONDS, UNEXPECTED_ERROR
from frame2sound.library.pickler import PickleOptions, pickle_film
from frame2sound.library.store import Library
from frame2sound.rendering.render import Delivery, render
from frame2sound.rendering.spectral.phase_from_audio import load_phase_from_audio
from frame2sound.sound.stft import Stft

Bytes = bytearray
Change = Callable[[Bytes, bytes, np.random.Generator], Bytes]


def flip(data: Bytes, other: bytes, random: np.random.Generator) -> Bytes:
    """Change one to a hundred bytes, anywhere or close to the beginning."""
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
    """Replace a piece by one of another file."""
    length = int(random.integers(1, max(2, min(len(data), len(other)) // 4)))
    there, here = (random.integers(max(len(d) - length, 1)) for d in (other, data))
    data[here : here + length] = other[there : there + length]
    return data


def swap(data: Bytes, other: bytes, random: np.random.Generator) -> Bytes:
    """Swap two pieces."""
    a, b, c = sorted(random.integers(len(data) + 1, size=3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def metadata(data: Bytes, other: bytes, random: np.random.Generator) -> Bytes:
    """Set numbers close to the beginning or the end, where metadata is, to extremes.

    In an MP4 they are numbers of its movie box.
    """
    extremes = (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFF, 1 << 24)
    begin, end = 0, min(len(data), 2048)
    movie = data.find(b"moov")
    if movie >= 0:
        begin, end = movie, min(len(data), movie + 4096)
    elif random.random() < 0.3:
        begin, end = max(len(data) - 2048, 0), len(data)
    for _ in range(int(random.integers(1, 6))):
        at, width = (
            int(random.integers(begin, max(end - 4, begin + 1))),
            int(random.choice([1, 2, 4])),
        )
        order = "big" if random.random() < 0.5 else "little"
        number = int(random.choice(extremes)) & ((1 << 8 * width) - 1)
        data[at : at + width] = number.to_bytes(width, order)
    return data


def playlist(data: Bytes, other: bytes, random: np.random.Generator) -> Bytes:
    """Return a playlist that names the original film."""
    return Bytes(str(random.choice(PLAYLISTS)).encode())


PLAYLISTS = (
    "ffconcat version 1.0\nfile {film}\n",
    "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{film}\n#EXT-X-ENDLIST\n",
    "<?xml version='1.0'?><MPD><Period><BaseURL>{film}</BaseURL></Period></MPD>",
    "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
)

CHANGES: tuple[Change, ...] = (flip, cut, hole, splice, swap, metadata, playlist)


@dataclass(frozen=True)
class Outcome:
    """What each use of a mutation reported, and the seconds of all."""

    mutation: Path
    reports: dict[str, str]
    seconds: float

    @property
    def broken(self) -> bool:
        """Whether any use failed."""
        return any(report.startswith("BROKEN") for report in self.reports.values())


@dataclass(frozen=True)
class Mutator:
    """Mutations of films, each determined by its number."""

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
        mutation = change(data, other.read_bytes(), random) if data else data
        path.write_bytes(mutation.replace(b"{film}", bytes(film.resolve())))
        return path


def use_mutation(mutation: Path, brain: Brain) -> Outcome:
    """Use a mutation in every way that reads films."""
    began = time.perf_counter()
    damaged = mutation.stat().st_size % 2 == 0
    with tempfile.TemporaryDirectory(dir=mutation.parent) as name:
        folder = Path(name)
        uses = {
            "pickle": lambda: pickle_mutation(mutation, folder / "library", damaged),
            "render": lambda: render_mutation(mutation, folder / "out.mkv", brain, damaged),
            "measure": lambda: measure_mutation(mutation, damaged),
            "compare": lambda: compare_mutation(mutation),
            "phases": lambda: phases_of_mutation(mutation),
        }
        reports = {use: report_of(job) for use, job in uses.items()}
        left = {path.name for path in folder.iterdir()} - {"library", "out.mkv"}
        if left:
            reports["render"] = f"BROKEN: left {left} behind"
    if mutation.stem.endswith("-playlist"):
        for use, how in reports.items():
            if not how.startswith("refused"):
                reports[use] = f"BROKEN: a playlist was accepted ({how})"
    return Outcome(mutation, reports, time.perf_counter() - began)


def report_of(job: Callable[[], str]) -> str:
    """Return the report of a job; for an expected error its kind, for others all of it."""
    try:
        return job()
    except Frame2SoundError as error:
        unclear = any(mark in str(error) for mark in ("\n", UNEXPECTED_ERROR, "crashed (exit"))
        return f"BROKEN: {error!r}" if unclear else f"refused, {type(error).__name__}"
    except Exception:
        return f"BROKEN: {traceback.format_exc()}"


def pickle_mutation(mutation: Path, folder: Path, damaged: bool) -> str:
    """Pickle and check the library."""
    library = Library.create(folder)
    try:
        film, _ = pickle_film(
            mutation, library, PickleOptions(allow_damaged=damaged, in_subprocess=True)
        )
    finally:
        left = sorted(path.name for path in folder.iterdir() if path.name.startswith("."))
        if left:
            raise AssertionError(f"left {left} behind")
    whole = np.isfinite(film.sound).all() and (np.diff(film.times) >= 0).all()
    if not whole or len(film.frames) != film.card.frames or library.films() != [film]:
        raise AssertionError(f"pickled {film.card}")
    return "pickled"


def render_mutation(mutation: Path, out: Path, brain: Brain, damaged: bool) -> str:
    """Render and check the soundtrack."""
    try:
        soundtrack = render(
            SubprocessFilmReader(mutation, options=DecodeOptions(allow_damaged=damaged)),
            brain,
            out,
            delivery=Delivery(),
        )
    except Frame2SoundError:
        if out.exists():
            raise AssertionError("left a partial soundtrack") from None
        raise
    with MediaLoader() as loader:
        film = loader.load_film(out)
    if not np.isfinite(film.samples).all():
        raise AssertionError("its sound is not finite")
    # Matroska rounds times to a millisecond.
    if abs(len(film.samples) - soundtrack.seconds * film.sample_rate) > film.sample_rate / 500:
        raise AssertionError(f"{len(film.samples)} samples for {soundtrack.seconds} s")
    return "rendered"


def measure_mutation(mutation: Path, damaged: bool) -> str:
    """Load it as a film to be measured."""
    with MediaLoader() as loader:
        film = loader.load_film(mutation, allow_damaged=damaged)
        if (
            not np.isfinite(film.samples).all()
            or not np.isfinite(film.black_frames.frame_times).all()
        ):
            raise AssertionError("samples or times are not finite")
    return "measured"


def compare_mutation(mutation: Path) -> str:
    """Load it as an animation that brains are compared on."""
    footage = EvaluationFilm.from_animation(mutation, 22_050)
    if footage.samples is not None and not np.isfinite(footage.samples).all():
        raise AssertionError("its sound is not finite")
    return "compared"


def phases_of_mutation(mutation: Path) -> str:
    """Load its phases, at its own sample rate."""
    rate = SubprocessFilmReader(mutation).streams.audio_sample_rate
    if not rate:
        return "has no sound for phases"
    load_phase_from_audio(mutation, Stft(512, 128), rate)
    return "phases loaded"


def main() -> None:
    """Use all mutations and print a summary."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("films", type=Path)
    parser.add_argument("--each", type=int, default=21)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=Path, default=Path("broken"), metavar="FOLDER")
    args = parser.parse_args()
    brain = load_brain(pretrained_brains()[DEFAULT_BRAIN])
    files = args.films.rglob("*")
    films = sorted(path for path in files if path.is_file() and path.suffix != ".md")
    counts: Counter[tuple[str, str, str]] = Counter()
    outcomes: list[Outcome] = []
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(args.jobs) as pool:
        mutator = Mutator(films, args.each, args.seed, Path(name))

        def work(number: int) -> Outcome:
            mutation = mutator.make(number)
            outcome = use_mutation(mutation, brain)
            if outcome.broken:
                args.keep.mkdir(exist_ok=True)
                shutil.copy(mutation, args.keep)
            mutation.unlink()
            return outcome

        for outcome in pool.map(work, range(len(mutator))):
            kind = outcome.mutation.stem.split("-")[-1]
            for use, what in outcome.reports.items():
                counts[kind, use, what.split(":")[0]] += 1
                if what.startswith("BROKEN"):
                    print(outcome.mutation.name, what, flush=True)
            outcomes.append(outcome)
    for (kind, use, what), count in sorted(counts.items()):
        print(f"{kind:8} {use:8} {what:28} {count}")
    slowest = max(outcomes, key=lambda outcome: outcome.seconds)
    late = [outcome for outcome in outcomes if outcome.seconds > 5 * ANSWER_TIMEOUT_SECONDS]
    broken = sum(outcome.broken for outcome in outcomes)
    print(
        f"{len(outcomes)} mutations, each used in five ways: {broken} broken, {len(late)} "
        f"hung; the slowest took {slowest.seconds:.1f} s ({slowest.mutation.name})"
    )
    sys.exit(1 if broken or late else 0)


if __name__ == "__main__":
    main()
