"""What the full sound of a library costs: bytes and CPU time, by compression level and by film.

    python benchmarks/full_sound.py [FILM ...]        kB and CPU seconds of each level of FLAC
    python benchmarks/full_sound.py --pickle FILM...  CPU seconds and memory of pickling, with and
                                                      without the full sound

White noise at full scale, two channels at 48 kHz, is always measured: nothing costs more. Required:
less than 250 kB for a second of film.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from frame2sound.film.decoding.audio_chunks import AudioChunk
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.library import full_sound_writer
from frame2sound.library.folders import DEFAULT_FULL_RATE
from frame2sound.library.pickler import PickleOptions, pickle_film
from frame2sound.library.store import Library

LEVELS = (0, 3, 4, 5, 6, 8)
"""Compression levels as the FLAC command counts them; libsndfile has them as eighths."""

NOISE_SECONDS = 30
MAX_KB = 250


def cpu_seconds(whose: int = resource.RUSAGE_SELF) -> float:
    """Return user and system time of this process, or of its children."""
    usage = resource.getrusage(whose)
    return usage.ru_utime + usage.ru_stime


def film_chunks(film: Path) -> tuple[list[AudioChunk], int, int]:
    """Return the full sound of a film, its rate and its channels."""
    reader = FilmReader(film, 22_050, full_rate=DEFAULT_FULL_RATE)
    rate, channels = reader.full_format
    return [event for event in reader.read(None, with_audio=True) if event.full], rate, channels


def white_noise() -> tuple[list[AudioChunk], int, int]:
    """Return white noise at full scale."""
    rng = np.random.default_rng(0)
    blocks = (rng.uniform(-1, 1, (48_000, 2)).astype(np.float32) for _ in range(NOISE_SECONDS))
    chunks = [AudioChunk(48_000 * at, block, True) for at, block in enumerate(blocks)]
    return chunks, 48_000, 2


def compare_levels(name: str, chunks: list[AudioChunk], rate: int, channels: int) -> None:
    """Print a row: kB for a second of sound, and CPU seconds for five minutes, of each level."""
    count = chunks[-1].start_sample + len(chunks[-1].samples)
    cells = []
    for level in LEVELS:
        full_sound_writer.COMPRESSION_LEVEL = level / 8
        with tempfile.TemporaryDirectory() as folder:
            path, began = Path(folder) / "full_sound.flac", cpu_seconds()
            with full_sound_writer.FullSoundWriter(path, rate, channels) as writer:
                for chunk in chunks:
                    writer.write(chunk)
                writer.finish(count)
            spent = (cpu_seconds() - began) * 300 * rate / count
            kilobytes = path.stat().st_size / 1000 * rate / count
        assert kilobytes < MAX_KB
        cells.append(f"{kilobytes:.0f} kB, {spent:.2f} s")
    print(f"| {name} | {rate / 1000:g} kHz, {channels} | " + " | ".join(cells) + " |", flush=True)


def pickle_once(film: Path, full_rate: int) -> None:
    """Print CPU seconds and memory of pickling a film, as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        options = PickleOptions(in_subprocess=True, full_rate=full_rate)
        pickled, _ = pickle_film(film, Library.create(Path(folder)), options)
        files = {path.name: path.stat().st_size for path in pickled.path.iterdir()}
        kilobytes = files.get("full_sound.flac", 0) / pickled.seconds / 1000
    kinds = resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN
    memory = sum(resource.getrusage(kind).ru_maxrss for kind in kinds) / 1024
    print(json.dumps([sum(map(cpu_seconds, kinds)), memory, kilobytes]))


def compare_pickling(film: Path) -> None:
    """Print a row: CPU seconds and memory without and with the full sound."""
    cells = []
    for full_rate in (0, DEFAULT_FULL_RATE):
        command = [sys.executable, __file__, "--one", str(full_rate), str(film)]
        runs = [json.loads(subprocess.check_output(command)) for _ in range(3)]
        seconds, memory, kilobytes = min(runs)
        cells.append(f"{seconds:.2f} s, {memory:.0f} MB")
    print(f"| {film.name} | {' | '.join(cells)} | {kilobytes:.0f} kB/s |", flush=True)


def main() -> None:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("films", nargs="*", type=Path)
    parser.add_argument("--pickle", action="store_true")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one is not None:
        pickle_once(arguments.films[0], arguments.one)
        return
    if arguments.pickle:
        print("| film | without | with the full sound | |\n|---|--:|--:|--:|")
        for film in arguments.films:
            compare_pickling(film)
        return
    columns = "".join(f" level {level} |" for level in LEVELS)
    print(f"| sound | format |{columns}\n|---|---|{'--:|' * len(LEVELS)}")
    compare_levels("white noise", *white_noise())
    for film in arguments.films:
        compare_levels(film.stem, *film_chunks(film))


if __name__ == "__main__":
    main()
