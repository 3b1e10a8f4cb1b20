"""Kill commands with SIGKILL at random moments, run them again, and compare the results.

    python benchmarks/kills.py [--kills 50] [--seed 0] [--only JOB]

There are four jobs: pickling two films, training a brain, rendering a soundtrack, comparing brains.
Each first runs undisturbed. Then it is started, killed after a random share of that time and
started again, several times, until it may finish. The results are compared: every byte of a library
and of a soundtrack, every weight and loss of a brain, every measure and sound of a comparison. No
partial file and no process may be left.
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
MAX_KILLS = 5
"""Most kills of a job before it may finish."""

EXIT_SECONDS = 10.0
"""Within this time the child processes of a killed one must end."""


@dataclass(frozen=True)
class Job:
    """A command for a folder, and a function that returns a digest of its result."""

    name: str
    command: Callable[[Path], list[str]]
    result: Callable[[Path], str]


def digest(*parts: bytes) -> str:
    """Return one digest of several parts."""
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def digest_files(folder: Path) -> str:
    """Return a digest of every file in a folder that is not hidden, by name and content."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    visible = [path for path in files if not path.name.startswith(".")]
    return digest(*(str(p.relative_to(folder)).encode() + p.read_bytes() for p in visible))


def digest_brain(path: Path) -> str:
    """Return a digest of a brain's weights, scale and losses, without the training time."""
    brain = load_brain(path)
    weights = [tensor.numpy().tobytes() for tensor in brain.network.state_dict().values()]
    losses = repr((brain.target.scale, brain.provenance["held_out_loss"]))
    return digest(*weights, losses.encode())


def digest_comparison(folder: Path) -> str:
    """Return a digest of a comparison's measures and soundtracks, without times."""
    table = json.loads((folder / "results.json").read_text())
    figures = {key: table[key] for key in ("figures", "differences", "soundtracks")}
    sounds = (path.read_bytes() for path in sorted(folder.rglob("*.wav")))
    return digest(json.dumps(figures, sort_keys=True).encode(), *sounds)


def jobs(films: list[Path], library: Path, brain: Path) -> list[Job]:
    """Return the four jobs."""

    def train(folder: Path) -> list[str]:
        out = folder / "brain.safetensors"
        mode = ["--resume"] if checkpoint_path(out).exists() else ["--overwrite"]
        steps = ["--set", "training.steps=400", "--seed", "1", "--device", "cpu", *mode]
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
        Job("pickling", pickle, lambda folder: digest_files(folder / "library")),
        Job("training", train, lambda folder: digest_brain(folder / "brain.safetensors")),
        Job("rendering", render, lambda folder: digest((folder / "out.mp4").read_bytes())),
        Job("comparing", compare, lambda folder: digest_comparison(folder / "compared")),
    ]


def start(words: list[str]) -> subprocess.Popen[bytes]:
    """Start the program."""
    return subprocess.Popen(
        [sys.executable, "-m", "frame2sound", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def finish(words: list[str]) -> float:
    """Run the program to its end and return the seconds that it took."""
    began = time.perf_counter()
    process = start(words)
    _, output = process.communicate()
    if process.returncode:
        raise SystemExit(f"frame2sound {' '.join(words)}: {output.decode()[-2000:]}")
    return time.perf_counter() - began


def kill(words: list[str], after: float) -> bool:
    """Start the program, kill it after ``after`` seconds, and return whether it was running."""
    process = start(words)
    time.sleep(after)
    children = children_of(process.pid)
    running = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.communicate()
    deadline = time.monotonic() + EXIT_SECONDS
    while left := [child for child in children if Path("/proc", str(child)).exists()]:
        if time.monotonic() > deadline:
            raise SystemExit(
                f"processes {left} are still running after frame2sound {words[0]} was killed"
            )
        time.sleep(0.02)
    return running


def children_of(parent: int) -> list[int]:
    """Return the child processes of a process."""
    command = ["ps", "-o", "pid=", "--ppid", str(parent)]
    output = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return [int(child) for child in output.split()]


def partial_files(folder: Path) -> list[str]:
    """Return the partial files in a folder."""
    return [str(path) for path in folder.rglob("*partial*")]


def trial(job: Job, folder: Path, seconds: float, kills: int, random: np.random.Generator) -> int:
    """Kill a job ``kills`` times, then let it finish; return how often it was running."""
    killed = sum(kill(job.command(folder), random.uniform(0, seconds)) for _ in range(kills))
    finish(job.command(folder))
    return killed


def main() -> None:
    """Kill the jobs and print how many results are equal."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=["pickling", "training", "rendering", "comparing"])
    args = parser.parse_args()
    random, failures = np.random.default_rng(args.seed), 0
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
        chosen = [job for job in every if args.only in (None, job.name)]
        for job in every:
            seconds = finish(job.command(undisturbed))
            if job not in chosen:
                continue
            expected, done, same, runs = job.result(undisturbed), 0, 0, 0
            while done < args.kills / len(chosen):
                killed = folder / "killed"
                killed.mkdir()
                done += trial(job, killed, seconds, int(random.integers(1, MAX_KILLS + 1)), random)
                runs += 1
                left = partial_files(killed)
                if job.result(killed) == expected and not left:
                    same += 1
                else:
                    print(f"{job.name}: the result differs; partial files: {left}")
                shutil.rmtree(killed)
            failures += runs - same
            print(
                f"{job.name}: {seconds:.1f} s undisturbed; killed {done} times while running, "
                f"{runs} results, {same} of them equal to the undisturbed one",
                flush=True,
            )
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
