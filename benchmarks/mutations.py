"""Films that were flipped, cut and spliced: every command uses each, or clearly refuses it.

    python benchmarks/mutations.py FOLDER_OF_FILMS [--each 21] [--seed 0] [--jobs 2]

Of every file so many mutations are made: bytes changed, the end or the middle cut off, a piece of
another file put in, pieces swapped, numbers of the container's metadata set to extremes, the file
replaced by a playlist that names another film. Each is pickled, given a soundtrack (the picture
copied or encoded beside it), measured, compared as an animation, and its phases are taken, in this
process, with films parsed in subprocesses, as the commands do. Each must end in a result that is
whole, or in one line of error, and leave nothing else behind, within the time that a stuck decoder
is given; a playlist must be refused. What does not is printed, and its mutation is kept in --keep;
then the exit is 1.
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


def metadata(data: Bytes, other: bytes, random: np.random.Generator) -> Bytes:
    """Set some numbers close to the begin or the end, where containers keep metadata, to extremes.

    Of an MP4 they are numbers of its movie box.
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
    """Write a playlist that names this very film, which is kept beside it."""
    return Bytes(str(random.choice(PLAYLISTS)).encode())


PLAYLISTS = (
    "ffconcat version 1.0\nfile {film}\n",
    "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{film}\n#EXT-X-ENDLIST\n",
    "<?xml version='1.0'?><MPD><Period><BaseURL>{film}</BaseURL></Period></MPD>",
    "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
)

CHANGES: tuple[Change, ...] = (flip, cut, hole, splice, swap, metadata, playlist)


@dataclass(frozen=True)
class Ending:
    """How one mutation ended: what each command said of it, and the seconds it took."""

    mutation: Path
    said: dict[str, str]
    seconds: float

    @property
    def broken(self) -> bool:
        """Whether it did not end as it should."""
        return any(said.startswith("BROKEN") for said in self.said.values())


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
        mutation = change(data, other.read_bytes(), random) if data else data
        path.write_bytes(mutation.replace(b"{film}", bytes(film.resolve())))
        return path


def put_through(mutation: Path, brain: Brain) -> Ending:
    """Put a mutation through all that reads films."""
    begun = time.perf_counter()
    damaged = mutation.stat().st_size % 2 == 0
    with tempfile.TemporaryDirectory(dir=mutation.parent) as name:
        folder = Path(name)
        uses = {
            "pickle": lambda: pickled_whole(mutation, folder / "library", damaged),
            "render": lambda: rendered_whole(mutation, folder / "out.mkv", brain, damaged),
            "measure": lambda: measured(mutation, damaged),
            "compare": lambda: compared(mutation),
            "phases": lambda: phases(mutation),
        }
        ended = {use: said(job) for use, job in uses.items()}
        left = {path.name for path in folder.iterdir()} - {"library", "out.mkv"}
        if left:
            ended["render"] = f"BROKEN: left {left} behind"
    if mutation.stem.endswith("-playlist"):
        for use, how in ended.items():
            if not how.startswith("refused"):
                ended[use] = f"BROKEN: a playlist was taken ({how})"
    return Ending(mutation, ended, time.perf_counter() - begun)


def said(job: Callable[[], str]) -> str:
    """Return what a job says; of an error, its kind, or all of it if there should be none."""
    try:
        return job()
    except Frame2SoundError as error:
        unclear = any(mark in str(error) for mark in ("\n", UNEXPECTED_ERROR, "crashed (exit"))
        return f"BROKEN: {error!r}" if unclear else f"refused, {type(error).__name__}"
    except Exception:
        return f"BROKEN: {traceback.format_exc()}"


def pickled_whole(mutation: Path, folder: Path, damaged: bool) -> str:
    """Pickle; say whether what lies in the library is what should."""
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


def rendered_whole(mutation: Path, out: Path, brain: Brain, damaged: bool) -> str:
    """Give sound; say whether it is sound."""
    try:
        made = render(
            SubprocessFilmReader(mutation, options=DecodeOptions(allow_damaged=damaged)),
            brain,
            out,
            delivery=Delivery(),
        )
    except Frame2SoundError:
        if out.exists():
            raise AssertionError("left half a soundtrack behind") from None
        raise
    with MediaLoader() as auditorium:
        seen = auditorium.load_film(out)
    if not np.isfinite(seen.samples).all():
        raise AssertionError("its sound is not finite")
    # Matroska rounds times to a millisecond.
    if abs(len(seen.samples) - made.seconds * seen.sample_rate) > seen.sample_rate / 500:
        raise AssertionError(f"{len(seen.samples)} samples for {made.seconds} s")
    return "sounding"


def measured(mutation: Path, damaged: bool) -> str:
    """View it as a film to be measured."""
    with MediaLoader() as auditorium:
        seen = auditorium.load_film(mutation, allow_damaged=damaged)
        if (
            not np.isfinite(seen.samples).all()
            or not np.isfinite(seen.black_frames.frame_times).all()
        ):
            raise AssertionError("what was seen is not finite")
    return "measured"


def compared(mutation: Path) -> str:
    """View it as an animation that brains are compared on."""
    footage = EvaluationFilm.from_animation(mutation, 22_050)
    if footage.samples is not None and not np.isfinite(footage.samples).all():
        raise AssertionError("its sound is not finite")
    return "compared"


def phases(mutation: Path) -> str:
    """Take its phases, as a sound or a film at its own rate."""
    rate = SubprocessFilmReader(mutation).streams.audio_sample_rate
    if not rate:
        return "has no sound to take phases of"
    load_phase_from_audio(mutation, Stft(512, 128), rate)
    return "phases taken"


def main() -> None:
    """Put all mutations through; print a summary."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("films", type=Path)
    parser.add_argument("--each", type=int, default=21)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=Path, default=Path("broken"), metavar="FOLDER")
    asked = parser.parse_args()
    brain = load_brain(pretrained_brains()[DEFAULT_BRAIN])
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
            for use, what in ending.said.items():
                counts[kind, use, what.split(":")[0]] += 1
                if what.startswith("BROKEN"):
                    print(ending.mutation.name, what, flush=True)
            endings.append(ending)
    for (kind, use, what), count in sorted(counts.items()):
        print(f"{kind:8} {use:8} {what:28} {count}")
    slowest = max(endings, key=lambda ending: ending.seconds)
    late = [ending for ending in endings if ending.seconds > 5 * ANSWER_TIMEOUT_SECONDS]
    broken = sum(ending.broken for ending in endings)
    print(
        f"{len(endings)} mutations, each put through five commands: {broken} broken, {len(late)} "
        f"hung; the slowest took {slowest.seconds:.1f} s ({slowest.mutation.name})"
    )
    sys.exit(1 if broken or late else 0)


if __name__ == "__main__":
    main()
