"""Compare pickling with FFmpeg and with Hindle's method, and time it in parallel and by length.

    python benchmarks/pickling.py [FILM ...]          frames per second and peak memory of each
    python benchmarks/pickling.py --side-by-side      two films at once against one
    python benchmarks/pickling.py --minutes 1 10 60 180 [--plot FILE]   time and memory by length

Without a film, two are drawn, one minute each, in 854x480 and 1280x720, as H.264 with a key frame
every 250 frames at most. All methods read the same file from the page cache in turns, each in its
own process, whose start is not counted; the best of five runs counts, and the most memory.

FFmpeg scales to 64x64 grey by area and resamples to mono 22 050 Hz; it writes the result to files,
as the pickler does. Hindle's method (2015): OpenCV reads frame by frame, grey, 64x64, floats in a
list; FFmpeg writes a WAV; all of it in memory, then saved. Required: 1.4 times as fast as FFmpeg,
and twice as fast as Hindle's method.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path

import cv2
import matplotlib.pyplot as plt
import numpy as np
import soundfile

from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene
from frame2sound.library.pickler import PickleOptions, pickle_film
from frame2sound.library.store import Library

RUNS = 5
SIZES = ((854, 480), (1280, 720))
RATE, BLOCK = 22050, 735
REQUIRED = {"FFmpeg": 1.4, "Hindle's method": 2.0}


def draw(path: Path, seconds: float, size: tuple[int, int], seed: int = 0) -> Path:
    """Draw a film and return its path."""
    scene = load_scene("bounce", seconds=seconds, seed=seed, fps=Fraction(30), size=size)
    write_scene(scene, path, overwrite=True)
    return path


def ffmpeg(film: Path, folder: Path) -> None:
    """Scale and resample with FFmpeg."""
    command = ["ffmpeg", "-y", "-v", "error", "-nostdin", "-i", str(film)]
    command += ["-map", "0:v:0", "-vf", "scale=64:64:flags=area,format=gray", "-fps_mode"]
    command += ["passthrough", "-f", "rawvideo", str(folder / "frames.raw")]
    command += ["-map", "0:a:0", "-ac", "1", "-ar", str(RATE), "-f", "f32le", str(folder / "s.raw")]
    subprocess.run(command, check=True)


def hindle(film: Path, folder: Path) -> None:
    """Prepare a film as in 2015."""
    video, frames = cv2.VideoCapture(str(film)), []
    while (read := video.read())[0]:
        small = cv2.resize(cv2.cvtColor(read[1], cv2.COLOR_BGR2GRAY), (64, 64))
        frames.append(small.reshape(4096) / 255.0)
    wav = folder / "sound.wav"
    command = ["ffmpeg", "-y", "-v", "error", "-nostdin", "-i", str(film), "-ac", "1", "-ar"]
    subprocess.run([*command, str(RATE), str(wav)], check=True)
    sound = soundfile.read(wav, dtype="int16")[0] / 65536.0 + 0.5
    blocks = sound[: len(sound) // BLOCK * BLOCK].reshape(-1, BLOCK)
    np.savez(folder / "pickled.npz", frames=np.array(frames), blocks=blocks)


def ours(film: Path, folder: Path, threads: int | None = None) -> None:
    """Pickle a film, with its digest."""
    with tempfile.TemporaryDirectory(dir=folder) as library:
        pickle_film(film, Library.create(Path(library)), PickleOptions(threads=threads))


METHODS: dict[str, Callable[[Path, Path], None]] = {
    "FFmpeg": ffmpeg,
    "Hindle's method": hindle,
    "pickler": ours,
}


def measured(method: str, film: Path, folder: Path) -> tuple[float, float]:
    """Return the seconds and the megabytes that a method takes in its own process."""
    command = [sys.executable, __file__, "--as", method, str(film), "--folder", str(folder)]
    most = 0.0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            most = max(most, resident(process.pid, itself=method != "FFmpeg"))
            time.sleep(0.05)
        assert process.stdout is not None
        return float(json.loads(process.stdout.read())), most


def resident(process: int, *, itself: bool = True) -> float:
    """Return the resident megabytes of a process and its children, or of the children alone."""
    try:
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1]) if itself else 0
    except OSError:
        return 0.0
    megabytes = pages * resource.getpagesize() / 1e6
    return megabytes + sum(resident(int(child)) for child in children)


def compare(film: Path, folder: Path) -> None:
    """Print the frames per second of all methods, and the ratios."""
    runs = [{method: measured(method, film, folder) for method in METHODS} for _ in range(RUNS)]
    best = {method: min(run[method][0] for run in runs) for method in METHODS}
    most = {method: max(run[method][1] for run in runs) for method in METHODS}
    count = int(cv2.VideoCapture(str(film)).get(cv2.CAP_PROP_FRAME_COUNT))
    for method, seconds in best.items():
        ratio = seconds / best["pickler"]
        verdict = ""
        if method in REQUIRED:
            met = "met" if ratio >= REQUIRED[method] else "short"
            verdict = f"  ours {ratio:.2f} times as fast, required {REQUIRED[method]:g}: {met}"
        print(
            f"{film.name}: {method:15} {count / seconds:6.0f} frames/s, "
            f"{most[method]:5.0f} MB{verdict}"
        )


def side_by_side(folder: Path) -> None:
    """Print the speed of two films at once, of one on one core, and of one on both."""
    films = [draw(folder / f"{seed}.mp4", 60, SIZES[0], seed) for seed in (0, 1)]

    def job(films: list[Path], threads: int) -> float:
        began = time.perf_counter()
        with ThreadPoolExecutor(len(films)) as pool:
            choice = PickleOptions(threads=threads, in_subprocess=True)
            libraries = [Library.create(folder / f"{time.monotonic_ns()}-{n}") for n in (0, 1)]
            list(pool.map(pickle_film, films, libraries, [choice] * len(films)))
        return time.perf_counter() - began

    alone, both, spread = (
        min(job(part, threads) for _ in range(RUNS))
        for part, threads in ((films[:1], 1), (films, 1), (films[:1], 2))
    )
    print(
        f"one film on one core {alone:.2f} s, two on two {both:.2f} s: "
        f"{2 * alone / both:.2f} times the throughput, required 1.7; "
        f"one film on two cores {spread:.2f} s: {alone / spread:.2f} times"
    )


def by_length(minutes: list[float], plot: Path | None, folder: Path) -> None:
    """Print time and memory of `frame2sound pickle` on films of several lengths; plot them."""
    minute = draw(folder / "minute.mp4", 60, SIZES[0])
    rows = []
    for length in minutes:
        film = folder / "long.mp4"
        command = ["ffmpeg", "-y", "-v", "error", "-nostdin", "-stream_loop", f"{length - 1:.0f}"]
        subprocess.run([*command, "-i", str(minute), "-c", "copy", str(film)], check=True)
        runs = [measured("pickler", film, folder) for _ in range(3 if length < 30 else 1)]
        seconds, megabytes = min(run[0] for run in runs), max(run[1] for run in runs)
        rows.append((length, seconds, megabytes))
        print(
            f"{length:5g} minutes of film: {seconds:7.2f} s, {seconds / length:.3f} s per minute, "
            f"{megabytes:.0f} MB",
            flush=True,
        )
    if plot is not None:
        draw_plot(rows, plot)


def draw_plot(rows: list[tuple[float, float, float]], path: Path) -> None:
    """Draw time and memory by length."""
    lengths, seconds, megabytes = zip(*rows, strict=True)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    left.loglog(lengths, seconds, "o-")
    left.set(xlabel="film, minutes", ylabel="pickling, s")
    right.semilogx(lengths, megabytes, "o-")
    right.set(xlabel="film, minutes", ylabel="peak memory, MB", ylim=(0, None))
    figure.savefig(path)


def main() -> None:
    """Run the benchmark that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("films", nargs="*", type=Path)
    parser.add_argument("--side-by-side", action="store_true")
    parser.add_argument("--minutes", nargs="+", type=float)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--as", dest="method", choices=METHODS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.method:
        began = time.perf_counter()
        METHODS[args.method](args.films[0], args.folder)
        print(json.dumps(time.perf_counter() - began))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if args.side_by_side:
            side_by_side(folder)
        elif args.minutes:
            by_length(args.minutes, args.plot, folder)
        else:
            drawn = (draw(folder / f"drawn-{size[1]}p.mp4", 60, size) for size in SIZES)
            for film in args.films or drawn:
                compare(film, folder)


if __name__ == "__main__":
    main()
