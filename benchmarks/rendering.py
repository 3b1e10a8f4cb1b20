"""Compare rendering with decoding the animation alone.

    python benchmarks/rendering.py [ANIMATION ...] [--recipe deep] [--modes mosaic overlap-add]
    python benchmarks/rendering.py --profile          the ten dearest functions of a film in 480p
    python benchmarks/rendering.py --hours 3          peak memory for an animation of 3 hours

Decoding is PyAV's with equally many threads; its frames are discarded. Rendering is everything that
the command does after it has loaded the brain: decoding in a subprocess, whose start counts,
scaling to 64x64, brain, synthesis, limiter, AAC, muxing. The brain is the default one, or an
untrained one of a recipe. Films are drawn: five minutes of 854x480, two of 1280x720, one of
1920x1080. Both run in turns, each in its own process; the run with the least wall time counts.
Required: at most 1.5, 1.3 and 1.15 times the wall time of decoding, and 400 MB for three hours.
CPU seconds and memory are those of all processes together; memory that they share counts in each.

To compare two versions, run this file in a checkout of each, one after the other.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import torch
from pickling import resident

from frame2sound.api.rendering import RenderOptions
from frame2sound.brain.brain import Brain
from frame2sound.brain.brain_file import load_brain, save_brain
from frame2sound.brain.pretrained import DEFAULT_BRAIN, pretrained_brains
from frame2sound.brain.recipe import load_recipe
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene
from frame2sound.film.encoding.muxer import WriteResult, mux
from frame2sound.rendering.output import delivery
from frame2sound.rendering.render import Delivery, Style, render

RUNS = 3
DRAWN_SECONDS = 30
SIZES = {480: (854, 480), 720: (1280, 720), 1080: (1920, 1080)}
REPETITIONS = {480: 10, 720: 4, 1080: 2}
"""How often each drawn film is repeated."""

REQUIRED = {480: 1.5, 720: 1.3, 1080: 1.15}
"""The most that rendering may cost by the height of the picture, in times of decoding."""

POLL_SECONDS = 0.05


def draw(path: Path, seconds: float, size: tuple[int, int]) -> Path:
    """Draw an animation and return its path."""
    scene = load_scene("bounce", seconds=seconds, seed=0, fps=Fraction(30), size=size)
    write_scene(scene, path, with_audio=False, overwrite=True)
    return path


def looped(film: Path, times: int) -> Path:
    """Return a film that repeats another ``times`` times."""
    long = film.with_stem(f"{film.stem}-long")
    with av.open(str(long), "w") as target:
        shift = 0
        for turn in range(times):
            with av.open(str(film)) as source:
                video = source.streams.video[0]
                if not turn:
                    copy = target.add_stream_from_template(video)
                for packet in source.demux(video):
                    if packet.pts is not None and packet.dts is not None:
                        packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                        packet.stream = copy
                        target.mux(packet)
                shift += video.duration or 0
    return long


def decode(film: Path) -> tuple[float, int]:
    """Return the seconds that decoding takes, and the number of frames."""
    began = time.perf_counter()
    with av.open(str(film)) as container:
        video = container.streams.video[0]
        video.thread_type = "SLICE" if video.codec_context.name == "vp8" else "AUTO"
        frames = sum(1 for _ in container.decode(video))
    return time.perf_counter() - began, frames


def make_brain(recipe: str | None) -> Brain:
    """Return the default brain, or an untrained one that gives 40 dB above its floor."""
    if recipe is None:
        return load_brain(pretrained_brains()[DEFAULT_BRAIN])
    brain = Brain.untrained(load_recipe(recipe), scale=0.1)
    torch.nn.init.constant_(brain.network.head.bias, 2.0)
    return brain


def render_film(film: Path, brain: Brain, mode: str, folder: Path) -> None:
    """Render a film as the command does."""
    style = Style(mode=mode)  # type: ignore[arg-type]
    corpus = None if mode == "mosaic" and brain.corpus is None else brain.corpus
    out = folder / f"out-{mode}.mp4"
    render(SubprocessFilmReader(film), brain, out, style, Delivery(overwrite=True), corpus=corpus)


def cpu_seconds() -> float:
    """Return the processor time of this process and its finished children."""
    usages = (resource.getrusage(of) for of in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def measure_here(job: Callable[[], object]) -> dict[str, float]:
    """Return the wall and CPU seconds of a job in this process and its children."""
    wall, cpu = time.perf_counter(), cpu_seconds()
    job()
    return {"wall": time.perf_counter() - wall, "cpu": cpu_seconds() - cpu}


def measure(job: str, film: Path, folder: Path, recipe: str | None = None) -> dict[str, float]:
    """Return the wall and CPU seconds, and the most megabytes, of a job in its own process."""
    command = [sys.executable, __file__, "--as", job, str(film), "--folder", str(folder)]
    command += [] if recipe is None else ["--recipe", recipe]
    most = 0.0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            most = max(most, resident(process.pid))
            time.sleep(POLL_SECONDS)
        assert process.stdout is not None
        return {**json.loads(process.stdout.read()), "megabytes": most}


def default_mode(recipe: str | None) -> str:
    """Return the mode in which the command renders: mosaic with the default brain's corpus."""
    return RenderOptions().choose_mode(has_corpus=recipe is None)


def compare(film: Path, modes: list[str], recipe: str | None, count: int, folder: Path) -> None:
    """Print the cost of decoding and of rendering in each mode, and their ratio."""
    with av.open(str(film)) as container:
        height = container.streams.video[0].height
    for mode in modes:
        runs = [
            (measure("decode", film, folder), measure(mode, film, folder, recipe))
            for _ in range(count)
        ]
        alone, rendered = (
            min((run[which] for run in runs), key=lambda each: each["wall"]) for which in (0, 1)
        )
        ratio = rendered["wall"] / alone["wall"]
        verdict = ""
        if height in REQUIRED and mode == default_mode(recipe):
            met = "met" if ratio <= REQUIRED[height] else "short"
            verdict = f", required {REQUIRED[height]:g}: {met}"
        print(
            f"{film.name} {mode}: decoding {alone['wall']:.2f} s, {alone['cpu']:.2f} CPU-s; "
            f"rendering {rendered['wall']:.2f} s, {rendered['cpu']:.2f} CPU-s, "
            f"{rendered['megabytes']:.0f} MB; {ratio:.2f} times the wall time{verdict}, "
            f"{rendered['cpu'] / alone['cpu']:.2f} times the CPU time",
            flush=True,
        )


@contextmanager
def all_in_this_process() -> Iterator[None]:
    """Write soundtracks in this process instead of a subprocess."""

    def write_here(*arguments: Any) -> WriteResult:
        *same, _limits, background, excerpt = arguments
        return mux(*same, background, excerpt=excerpt)

    writer = delivery.write_soundtrack
    delivery.write_soundtrack = write_here  # type: ignore[assignment]
    try:
        yield
    finally:
        delivery.write_soundtrack = writer


@contextmanager
def profiled_threads() -> Iterator[list[cProfile.Profile]]:
    """Profile all threads that start, and this one, by their processor time."""
    profiles: list[cProfile.Profile] = []

    def begin(*_: object) -> None:
        profile = cProfile.Profile(time.thread_time)
        profiles.append(profile)
        profile.enable()

    threading.setprofile(begin)
    begin()
    try:
        yield profiles
    finally:
        profiles[0].disable()
        threading.setprofile(None)  # type: ignore[arg-type]


def profile(film: Path, brain: Brain, mode: str, folder: Path) -> None:
    """Print the CPU seconds of the ten dearest functions, with all work in this process."""
    style = Style(mode=mode)  # type: ignore[arg-type]
    with all_in_this_process(), profiled_threads() as profiles:
        out = folder / "profiled.mp4"
        reader = FilmReader(film)
        render(reader, brain, out, style, Delivery(overwrite=True), corpus=brain.corpus)
    spent: Counter[str] = Counter()
    for each in profiles:
        each.create_stats()
        for (file, line, name), (_, _, own, *_) in pstats.Stats(each).stats.items():  # type: ignore[attr-defined]
            place = name if file == "~" else f"{'/'.join(Path(file).parts[-2:])}:{line} {name}"
            spent[place] += own
    print(f"{film.name} {mode}: {sum(spent.values()):.2f} CPU-s in Python's view, of which")
    for place, seconds in spent.most_common(10):
        print(f"{seconds:7.2f}  {place}")


def measure_memory(hours: float, brain: Brain, folder: Path) -> None:
    """Print the peak resident memory of `frame2sound render` for a film of ``hours`` hours."""
    film = looped(draw(folder / "minute.mp4", 60, SIZES[480]), round(hours * 60))
    save_brain(brain, folder / "brain.safetensors")
    began, most = time.perf_counter(), 0.0
    program = [sys.executable, "-m", "frame2sound", "render", str(film), "-o", str(folder)]
    with subprocess.Popen([*program, "--brain", str(folder / "brain.safetensors")]) as process:
        while process.poll() is None:
            most = max(most, resident(process.pid))
            time.sleep(POLL_SECONDS)
    spent = time.perf_counter() - began
    print(f"{hours:g} hours of 854x480 film in {spent:.0f} s, {most:.0f} MB peak resident memory")


def main() -> None:
    """Run the benchmark that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("animations", nargs="*", type=Path)
    parser.add_argument("--recipe")
    parser.add_argument("--modes", nargs="+")
    parser.add_argument("--heights", nargs="+", type=int, default=list(SIZES), choices=SIZES)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--hours", type=float)
    parser.add_argument("--as", dest="job", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.modes = args.modes or [default_mode(args.recipe)]
    if args.job == "decode":
        print(json.dumps(measure_here(lambda: decode(args.animations[0]))))
        return
    if args.job:
        brain = make_brain(args.recipe)
        work = lambda: render_film(args.animations[0], brain, args.job, args.folder)  # noqa: E731
        print(json.dumps(measure_here(work)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if args.hours:
            measure_memory(args.hours, make_brain(args.recipe), folder)
            return
        heights = args.heights[:1] if args.profile else args.heights
        drawn = (
            looped(
                draw(folder / f"drawn-{height}p.mp4", DRAWN_SECONDS, SIZES[height]),
                REPETITIONS[height],
            )
            for height in heights
        )
        for film in args.animations or drawn:
            if args.profile:
                for mode in args.modes:
                    profile(film, make_brain(args.recipe), mode, folder)
            else:
                compare(film, args.modes, args.recipe, args.runs, folder)


if __name__ == "__main__":
    main()
