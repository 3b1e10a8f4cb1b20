"""Compare rendering with decoding the animation alone.

    python benchmarks/rendering.py [ANIMATION ...] [--recipe deep]
    python benchmarks/rendering.py --hours 3          peak memory for an animation of 3 hours

Decoding is PyAV's with equally many threads; its frames are discarded. Rendering is everything that
the command does: decoding in a subprocess, whose start counts, scaling to 64x64, brain,
overlap-add, limiter, AAC, muxing. The brain is the default one, or an untrained one of a recipe.
Films are drawn, two minutes each; both run in turns, best of three. Required: at most 1.15 times
the cost of decoding. Memory is that of all processes together.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import av
import torch
from pickling import resident

from frame2sound.brain.brain import Brain
from frame2sound.brain.brain_file import load_brain, save_brain
from frame2sound.brain.pretrained import DEFAULT_BRAIN, pretrained_brains
from frame2sound.brain.recipe import load_recipe
from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene
from frame2sound.rendering.render import Delivery, Style, render

RUNS = 3


def draw(path: Path, seconds: float, size: tuple[int, int]) -> Path:
    """Draw an animation and return its path."""
    scene = load_scene("bounce", seconds=seconds, seed=0, fps=Fraction(30), size=size)
    write_scene(scene, path, with_audio=False, overwrite=True)
    return path


def looped(film: Path, times: int) -> Path:
    """Return a film that repeats another ``times`` times."""
    long = film.with_stem(f"{film.stem}-long")
    command = ["ffmpeg", "-y", "-v", "error", "-nostdin", "-stream_loop", str(times - 1), "-i"]
    subprocess.run([*command, str(film), "-c", "copy", str(long)], check=True)
    return long


def decode(film: Path) -> tuple[float, int]:
    """Return the seconds that decoding takes, and the number of frames."""
    began = time.perf_counter()
    with av.open(str(film)) as container:
        video = container.streams.video[0]
        video.thread_type = "SLICE" if video.codec_context.name == "vp8" else "AUTO"
        frames = sum(1 for _ in container.decode(video))
    return time.perf_counter() - began, frames


def render_seconds(film: Path, brain: Brain, style: Style, folder: Path) -> float:
    """Return the seconds that rendering takes."""
    began = time.perf_counter()
    render(
        SubprocessFilmReader(film),
        brain,
        folder / "out.mkv",
        style,
        Delivery(codec="aac", overwrite=True),
    )
    return time.perf_counter() - began


def loud_brain(recipe: str) -> Brain:
    """Return an untrained brain whose log magnitudes are 40 dB above their floor."""
    brain = Brain.untrained(load_recipe(recipe), scale=0.1)
    torch.nn.init.constant_(brain.network.head.bias, 2.0)
    return brain


def compare(film: Path, brain: Brain, folder: Path) -> None:
    """Print the cost of both, and their ratio."""
    for style in (Style(), Style(mode="granular")):
        runs = [(*decode(film), render_seconds(film, brain, style, folder)) for _ in range(RUNS)]
        alone, rendered, frames = min(r[0] for r in runs), min(r[2] for r in runs), runs[0][1]
        print(
            f"{film.name:30} {style.mode:12} {frames:5} frames  decoding {1e3 * alone / frames:.3f}"
            f" ms per frame  rendering {1e3 * rendered / frames:.3f}  ratio {rendered / alone:.2f}"
        )


def measure_memory(hours: float, brain: Brain, folder: Path) -> None:
    """Print the peak resident memory of `frame2sound render` for a film of ``hours`` hours."""
    film = looped(draw(folder / "minute.mp4", 60, (854, 480)), round(hours * 60))
    save_brain(brain, folder / "brain.safetensors")
    began, most = time.perf_counter(), 0.0
    program = [sys.executable, "-m", "frame2sound", "render", str(film), "-o", str(folder)]
    with subprocess.Popen([*program, "--brain", str(folder / "brain.safetensors")]) as process:
        while process.poll() is None:
            most = max(most, resident(process.pid))
            time.sleep(0.05)
    spent = time.perf_counter() - began
    print(f"{hours:g} hours of 854x480 film in {spent:.0f} s, {most:.0f} MB peak resident memory")


def main() -> None:
    """Run the benchmark that the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("animations", nargs="*", type=Path)
    parser.add_argument("--recipe")
    parser.add_argument("--hours", type=float)
    args = parser.parse_args()
    brain = (
        loud_brain(args.recipe) if args.recipe else load_brain(pretrained_brains()[DEFAULT_BRAIN])
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if args.hours:
            measure_memory(args.hours, brain, folder)
            return
        sizes = [(854, 480), (1280, 720), (1920, 1080)]
        drawn = (draw(folder / f"drawn-{size[1]}p.mp4", 30, size) for size in sizes)
        for film in args.animations or (looped(film, 4) for film in drawn):
            compare(film, brain, folder)


if __name__ == "__main__":
    main()
