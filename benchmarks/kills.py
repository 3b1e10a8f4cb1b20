"""Killed (-9) at random moments, the next run goes on, and the end is as if nothing had happened.

    python benchmarks/kills.py [--kills 50] [--seed 0] [--only JOB]

Four jobs in turn: two films pickled, a brain trained, a soundtrack rendered, brains compared. Each
is first run undisturbed; then it is begun, killed after a random share of that time, and begun
again, until it has been killed so often and is let through. The ends are compared: of a library and
a soundtrack every byte, of a brain every weight and every loss, of a comparison every figure and
every sound. Nothing half-written may be left, no process.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from frame2sound.brain.brain_file import load_brain
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene
from frame2sound.training.checkpoint import checkpoint_path

SIZE, SECONDS = (480, 360), 40.0
IN_A_ROW = 5
"""A job is killed so often at most before it is let through."""

QUIET_SECONDS = 10.0
"""Within which processes that a killed one had started must end."""


@dataclass(frozen=True)
class Job:
    """A command, by the folder it works in, whether it goes on; and what tells its end."""

    name: str
    command: Callable[[Path], list[str]]
    end: Callable[[Path], str]


def digest(*parts: bytes) -> str:
    """Return one digest of all."""
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def of_files(folder: Path) -> str:
    """Return a digest of every file in a folder that is not hidden, name and bytes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    seen = [path for path in files if not path.name.startswith(".")]
    return digest(*(str(p.relative_to(folder)).encode() + p.read_bytes() for p in seen))


def of_brain(path: Path) -> str:
    """Return a digest of a brain's weights, scale and losses; not of the seconds it took."""
    brain = load_brain(path)
    weights = [tensor.numpy().tobytes() for tensor in brain.network.state_dict().values()]
    losses = repr((brain.target.scale, brain.provenance["held_out_loss"]))
    return digest(*weights, losses.encode())


def of_comparison(folder: Path) -> str:
    """Return a digest of a comparison's figures, and of its soundtracks; not of the seconds."""
    table = json.loads((folder / "results.json").read_text())
    figures = {key: table[key] for key in ("figures", "differences", "soundtracks")}
    sounds = (path.read_bytes() for path in sorted(folder.rglob("*.wav")))
    return digest(json.dumps(figures, sort_keys=True).encode(), *sounds)


def jobs(films: list[Path], library: Path, brain: Path) -> list[Job]:
    """Return the jobs that are to be killed."""

    def train(folder: Path) -> list[str]:
        out = folder / "brain.safetensors"
        going_on = ["--resume"] if checkpoint_path(out).exists() else ["--overwrite"]
        steps = ["--set", "training.steps=400", "--seed", "1", "--device", "cpu", *going_on]
        return ["train", str(library), "--recipe", "shallow", "--out", str(out), *steps]

    def render(folder: Path) -> list[str]:
        out = str(folder / "out.mp4")
        return ["render", str(films[1]), "--brain", str(brain), "-o", out, "--overwrite"]

    def pickle(folder: Path) -> list[str]:
        return ["pickle", *map(str, films), "--library", str(folder / "library")]

    def compare(folder: Path) -> list[str]:
        out = ["--out", str(folder / "compared"), "--seeds", "2", "--device", "cpu"]
        return ["compare", str(library), "--recipe", "shallow", "--set", "training.steps=30", *out]

    return [
        Job("pickling", pickle, lambda folder: of_files(folder / "library")),
        Job("training", train, lambda folder: of_brain(folder / "brain.safetensors")),
        Job("rendering", render, lambda folder: digest((folder / "out.mp4").read_bytes())),
        Job("comparing", compare, lambda folder: of_comparison(folder / "compared")),
    ]


def start(words: list[str]) -> subprocess.Popen[bytes]:
    """Start the program."""
    return subprocess.Popen(
        [sys.executable, "-m", "frame2sound", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def finish(words: list[str]) -> float:
    """Run the program to its end; return the seconds that it took."""
    begun = time.perf_counter()
    process = start(words)
    _, said = process.communicate()
    if process.returncode:
        raise SystemExit(f"frame2sound {' '.join(words)}: {said.decode()[-2000:]}")
    return time.perf_counter() - begun


def kill(words: list[str], after: float) -> bool:
    """Start the program, and kill it after so many seconds; return whether it still ran."""
    process = start(words)
    time.sleep(after)
    children = children_of(process.pid)
    running = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    deadline = time.monotonic() + QUIET_SECONDS
    while left := [child for child in children if Path("/proc", str(child)).exists()]:
        if time.monotonic() > deadline:
            raise SystemExit(f"processes {left} outlived frame2sound {words[0]}, which was killed")
        time.sleep(0.02)
    return running


def children_of(parent: int) -> list[int]:
    """Return the processes that a process has started."""
    command = ["ps", "-o", "pid=", "--ppid", str(parent)]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return [int(child) for child in said.split()]


def half_written(folder: Path) -> list[str]:
    """Return what a run has left behind that no run should."""
    return [str(path) for path in folder.rglob("*partial*")]


def trial(job: Job, folder: Path, seconds: float, kills: int, random: np.random.Generator) -> int:
    """Kill a job so often and let it through; return how often it was running when killed."""
    killed = sum(kill(job.command(folder), random.uniform(0, seconds)) for _ in range(kills))
    finish(job.command(folder))
    return killed


def main() -> None:
    """Kill, and print what became of it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=["pickling", "training", "rendering", "comparing"])
    asked = parser.parse_args()
    random, failures = np.random.default_rng(asked.seed), 0
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        films = [folder / f"{each}.mp4" for each in ("bounce", "lines")]
        for film in films:
            scene = load_scene(film.stem, seconds=SECONDS, fps=Fraction(30), size=SIZE)
            write_scene(scene, film)
        undisturbed = folder / "undisturbed"
        library, brain = undisturbed / "library", undisturbed / "brain.safetensors"
        every = jobs(films, library, brain)
        chosen = [job for job in every if asked.only in (None, job.name)]
        for job in every:
            seconds = finish(job.command(undisturbed))
            if job not in chosen:
                continue
            expected, done, same, ends = job.end(undisturbed), 0, 0, 0
            while done < asked.kills / len(chosen):
                place = folder / "killed"
                place.mkdir()
                done += trial(job, place, seconds, int(random.integers(1, IN_A_ROW + 1)), random)
                ends += 1
                left = half_written(place)
                if job.end(place) == expected and not left:
                    same += 1
                else:
                    print(f"{job.name}: the end differs; left behind: {left}")
                shutil.rmtree(place)
            failures += ends - same
            print(
                f"{job.name}: {seconds:.1f} s undisturbed; killed {done} times while it ran, "
                f"{ends} ends, {same} of them equal to the undisturbed one",
                flush=True,
            )
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
