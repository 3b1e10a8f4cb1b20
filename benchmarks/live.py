"""Measure live playing against JACK's dummy driver: delays, dropouts, processor time.

    python benchmarks/live.py --seconds 600

It draws a film of bouncing balls at 30 and 60 frames a second, plays each in real time through
jackd (Debian: apt install jackd2), and prints what `live --report` counts, beside the dropouts that
jackd itself has logged. The first row is a callback that plays silence: on a busy machine it has
dropouts, too. That a flash's click sounds after the stated delay, to the sample, is
tested in tests/live/test_engine.py.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene
from frame2sound.live.engine import BLOCK_SAMPLES, SAMPLE_RATE
from frame2sound.live.pyo_output import PyoOutput
from tests.live.jack import dummy_jack

FILM_SECONDS = 20
COLUMNS = (
    "fps", "seconds", "events", "event median", "event p99", "event jitter", "sound median",
    "sound p99", "sound jitter", "dropouts", "of jackd", "late", "skipped", "CPU",
)  # fmt: skip


def main() -> None:
    """Print a row for each frame rate."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60, help="how long each film is played")
    parser.add_argument("--brain", default="sketchbook")
    parser.add_argument("--delay-ms", type=float, default=20.0)
    parser.add_argument("--fps", type=int, nargs="+", default=[30, 60])
    parser.add_argument("--ordinary", action="store_true", help="jackd without real-time priority")
    arguments = parser.parse_args()
    print("| " + " | ".join(COLUMNS) + " |\n|" + "--:|" * len(COLUMNS))
    with tempfile.TemporaryDirectory() as folder:
        print(bare(Path(folder), arguments), flush=True)
        for fps in arguments.fps:
            film = Path(folder) / f"{fps}.mp4"
            scene = load_scene("bounce", seconds=FILM_SECONDS, fps=fps, seed=5)
            write_scene(scene, film, with_audio=False)
            print(row(fps, film, arguments), flush=True)


def bare(folder: Path, arguments: argparse.Namespace) -> str:
    """Return the row of a callback that plays silence: the dropouts of the machine itself."""
    name, silence = f"f2s-bare-{os.getpid()}", np.zeros((BLOCK_SAMPLES, 2), np.float32)
    with dummy_jack(folder, name, realtime=not arguments.ordinary) as found:
        os.environ.update(found)
        with PyoOutput(lambda count: silence, SAMPLE_RATE, BLOCK_SAMPLES) as output:
            output.start("jack")
            before = time.process_time()
            time.sleep(arguments.seconds)
            cpu = 100 * (time.process_time() - before) / arguments.seconds
            dropouts = output.dropouts
        xruns = (folder / "jackd.log").read_text().count("XRun")
    values = (
        "none",
        f"{arguments.seconds:.0f}",
        *[""] * 7,
        dropouts,
        xruns,
        "",
        "",
        f"{cpu:.0f} %",
    )
    return "| " + " | ".join(map(str, values)) + " |"


def row(fps: int, film: Path, arguments: argparse.Namespace) -> str:
    """Play a film, and return what was counted as a row of a table; times are in ms."""
    folder = film.parent
    log = folder / "jackd.log"
    realtime = not arguments.ordinary
    with dummy_jack(folder, f"f2s-bench-{os.getpid()}", realtime=realtime) as found:
        command = [
            sys.executable, "-m", "frame2sound", "live", film.name, "--loop", "--audio", "jack",
            "--brain", arguments.brain, "--delay-ms", str(arguments.delay_ms), "--report",
            "report.json", "--record", "heard.wav", "--overwrite",
            "--max-seconds", str(arguments.seconds),
        ]  # fmt: skip
        subprocess.run(
            command, cwd=folder, env={**os.environ, **found}, check=True, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        xruns = log.read_text().count("XRun")
    report = json.loads((folder / "report.json").read_text())
    heard = soundfile.info(folder / "heard.wav")
    assert np.isclose(heard.frames / heard.samplerate, report["seconds"], atol=0.1)
    event, sound = report["event_latency"], report["sound_delay"]
    values = (
        fps, f"{report['seconds']:.0f}", report["events"],
        *(f"{each[key]:.2f}" for each in (event, sound)
          for key in ("median_ms", "p99_ms", "jitter_ms")),
        report["dropouts"], xruns, report["late_events"], report["skipped_frames"],
        f"{report['cpu_percent']:.0f} %",
    )  # fmt: skip
    return "| " + " | ".join(map(str, values)) + " |"


if __name__ == "__main__":
    main()
