"""Measure what the sound that a brain carries costs: bytes a second, CPU time and memory.

    frame2sound pickle FILM ... --library my-films
    python benchmarks/corpus.py my-films [--seconds 600]

For each film of a library, this prints the rate and the channels of its sound and the kilobytes
that a second of it takes in a brain. Then it prints the same of all films, of what brains learn
from, and CPU seconds to store, to load and to build a mosaic of the corpus, which is repeated to
last 600 s, with the memory that this takes.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

from frame2sound.brain.corpus import Corpus, corpus_from_file, corpus_to_file, stored_bytes
from frame2sound.brain.pieces import Piece
from frame2sound.brain.recipe import load_recipe
from frame2sound.brain.targets import Target, build_target
from frame2sound.clock import Clock
from frame2sound.library.corpus import read_corpus
from frame2sound.library.store import Library
from frame2sound.rendering.mosaic.mosaic_synthesiser import MosaicSynthesiser


def repeated(corpus: Corpus, seconds: float) -> Corpus:
    """Return a corpus whose pieces are repeated until they last for some time."""
    pieces: list[Piece] = []
    missing = round(seconds * corpus.sample_rate)
    while missing > 0:
        piece = corpus.pieces[len(pieces) % len(corpus.pieces)]
        pieces.append(replace(piece, data=piece.data[:missing].copy()))
        missing -= len(piece)
    return replace(corpus, pieces=tuple(pieces))


def print_sizes(corpus: Corpus, learned: Corpus) -> None:
    """Print what a second of each film takes in a brain, and of all films."""
    for name in corpus.films:
        film = corpus.select_films([name])
        print(
            f"{name:42} {film.seconds:6.1f} s {stored_bytes(film) / film.seconds / 1e3:6.1f} kB/s"
        )
    for label, each in (("all", corpus), ("what brains learn from", learned)):
        print(
            f"{label:42} {each.seconds:6.1f} s {stored_bytes(each) / each.seconds / 1e3:6.1f} kB/s"
        )


def print_costs(corpus: Corpus, target: Target) -> None:
    """Print CPU seconds and memory of storing and loading a corpus, and of preparing a mosaic."""
    began = time.process_time()
    description, tensors = corpus_to_file(corpus)
    stored, size = time.process_time() - began, stored_bytes(corpus)

    def load() -> Corpus:
        loaded = corpus_from_file(description, dict(tensors), corpus.clock)
        assert isinstance(loaded, Corpus)
        return loaded

    began = time.process_time()
    loaded = load()
    read, began = time.process_time() - began, time.process_time()
    MosaicSynthesiser(target, loaded)
    prepared = time.process_time() - began
    tracemalloc.start()
    mosaic = MosaicSynthesiser(target, load())
    now, peak = tracemalloc.get_traced_memory()
    print(f"{loaded.seconds:.0f} s at {loaded.sample_rate} Hz, {loaded.channels} channels:")
    print(f"  in a brain {size / 1e6:.1f} MB, stored in {stored:.2f} s, loaded in {read:.2f} s")
    print(
        f"  a mosaic of {len(mosaic.database)} units prepared in {prepared:.2f} s; "
        f"{now / 1e6:.0f} MB, at most {peak / 1e6:.0f} MB while it is prepared"
    )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("library", type=Path)
    parser.add_argument("--seconds", type=float, default=600.0, help="of the repeated corpus")
    arguments = parser.parse_args()
    library = Library.open(arguments.library)
    recipe = load_recipe("deep")
    clock = Clock(recipe.to_clock().fps, library.sample_rate)
    corpus, learned = read_corpus(library, clock), read_corpus(library, clock, full=False)
    print_sizes(corpus, learned)
    print_costs(repeated(corpus, arguments.seconds), build_target(recipe, 0.1))


if __name__ == "__main__":
    main()
