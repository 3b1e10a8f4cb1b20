"""Measure what short commands cost before they begin: processor time, and modules imported.

    python benchmarks/startup.py [--runs 5] [--against FOLDER]

The commands are ``--help``, ``brains``, and ``render`` of a drawn animation of one second with the
brain that ships. Processor time is that of the process and its subprocesses, user and system; the
median of several runs, in turns with those of another working tree if there is one.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene

HERE = Path(__file__).resolve().parents[1]

COMMANDS = ("--help", "brains", "render clip.mp4 -o out.mp4 --overwrite")

RUN = """
import sys
from frame2sound.cli import main
sys.argv = ["frame2sound", *sys.argv[1:]]
try:
    main()
finally:
    print(len(sys.modules), file=open("modules.txt", "w"))
"""


def run(tree: Path, words: str, folder: Path) -> tuple[float, int]:
    """Return the processor seconds of a command, and the number of modules that it imports."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-c", RUN, *words.split()],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(tree)},
        capture_output=True,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, int((folder / "modules.txt").read_text())


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--against", type=Path, help="another working tree")
    args = parser.parse_args()
    trees = [HERE] if args.against is None else [args.against.resolve(), HERE]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scene = load_scene("bounce", seconds=1, seed=0)
        write_scene(scene, folder / "clip.mp4", with_audio=False)
        for words in COMMANDS:
            runs = [[run(tree, words, folder) for tree in trees] for _ in range(args.runs)]
            for tree, measured in zip(trees, zip(*runs, strict=True), strict=True):
                seconds = statistics.median(second for second, _ in measured)
                print(f"{words.split()[0]:8} {seconds:5.2f} s  {measured[0][1]:5} modules  {tree}")


if __name__ == "__main__":
    main()
