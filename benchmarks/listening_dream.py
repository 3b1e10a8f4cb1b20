"""Judge dreams: bits, copies, variety, styles, and distances, on films that nothing was tuned on.

    .venv/bin/python -m benchmarks.listening_dream [--real FOLDER] [--causes FOLDER] [--quick]

Drawn films of 30 and 60 s; with ``--real``, each film of a folder that is 25 s or longer too, and
the whole folder as one library; with ``--causes``, styles of real films.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

import frame2sound as f2s
from frame2sound.dreaming.choice import HeldOutChoice
from frame2sound.dreaming.copied_sound import copied_share
from frame2sound.dreaming.dream import Dream, DreamChoice, Dreamer, parse_style
from frame2sound.dreaming.model import DreamModel, learn
from frame2sound.dreaming.sources import Sources, load_sources
from frame2sound.dreaming.split import HeldOut
from frame2sound.dreaming.tokens import RATE, frame_levels, token_count
from frame2sound.dreaming.training import train_network
from frame2sound.dreaming.verbatim import distinct_share, verbatim_share
from frame2sound.evaluation.kernel_distance import kernel_distance
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene
from frame2sound.sorting.judge import Judge
from frame2sound.synaesthesia.statistics import rank_correlation

WEIGHTS = np.linspace(0.1, 0.9, 9)

BLOCK = 22
"""Frames whose mean levels and deviations are one example of a distribution: half a second."""


@dataclass(frozen=True)
class Row:
    """A measure: what it is of, its value, its bar, and whether it is met; None if not asked."""

    name: str
    value: str
    bar: str
    met: bool | None

    def __str__(self) -> str:
        mark = {True: "met", False: "MISSED", None: ""}[self.met]
        return f"{self.name:<52} {self.value:<40} {self.bar:<28} {mark}"


def draw(folder: Path, name: str, seconds: int, seed: int) -> Path:
    """Draw a demo film; return its path."""
    path = folder / f"{name}-{seconds}-{seed}.mp4"
    if not path.exists():
        write_scene(load_scene(name, seconds=seconds, seed=seed, size=(64, 64)), path)
    return path


def measure_markov(codes: int = 12, length: int = 12_000, seed: int = 5) -> list[Row]:
    """Compare bits on held-out tokens with the entropy rate of the chain that made them."""
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet(np.full(codes, 0.3), codes)
    values, vectors = np.linalg.eig(chances.T)
    stationary = np.real(vectors[:, np.argmax(np.real(values))])
    stationary /= stationary.sum()
    entropy = -float(stationary @ (chances * np.log2(np.maximum(chances, 1e-300))).sum(axis=1))
    chain = [0]
    for _ in range(length):
        chain.append(int(rng.choice(codes, p=chances[chain[-1]])))
    tokens = np.array(chain)
    cut = length * 4 // 5
    parts = [HeldOut(0, tokens[cut:], 2)]
    choice = HeldOutChoice([tokens[:cut]], parts, codes)
    trigram, ngram = choice.ngrams()
    mixture = choice.mixture(train_network([tokens[:cut]], parts, codes, max_steps=600)[1])
    rows = []
    for name, bits in (
        ("network", mixture.network_bits),
        (f"both, network by {mixture.weight:.1f}", mixture.bits),
        ("trigram", trigram.bits or 0),
        (ngram.name, ngram.bits or 0),
    ):
        off = abs(bits / entropy - 1)
        rows.append(
            Row(f"Markov source of {entropy:.3f} bits: {name}", f"{bits:.3f} ({100 * off:.1f} %)",
                "within 5 %", off <= 0.05)
        )  # fmt: skip
    return rows


def measure_copies(sources: Sources) -> list[Row]:
    """Measure a verbatim copy, cut at an odd place and made quieter, and noise."""
    films = [film.mono for film in sources.films]
    part = films[0][12_345 : 12_345 + 15 * RATE] * 0.3
    noise = np.random.default_rng(0).normal(0, 0.1, 15 * RATE).astype(np.float32)
    copy, fresh = copied_share(part, films), copied_share(noise, films)
    return [
        Row("copied share of a verbatim copy", f"{copy:.3f}", "at least .98", copy >= 0.98),
        Row("copied share of fresh noise", f"{fresh:.3f}", "0", fresh == 0),
    ]


def measure_library(path: Path, name: str, seconds: float = 60.0) -> list[Row]:
    """Learn a film or a folder, dream of it with and without the guard, and judge both."""
    begin = time.process_time()
    sources = load_sources(path)
    model = learn(sources)
    cpu = time.process_time() - begin
    dreamer = Dreamer(model, sources)
    rows = [
        _bits_row(name, model),
        Row(f"{name}: CPU of learning", f"{cpu:.0f} s", "60 s", cpu <= 60),
    ]
    free = dreamer.dream(DreamChoice(seconds=seconds, seed=1))
    guarded_choice = DreamChoice(seconds=seconds, seed=1, most_copied_seconds=0.5)
    guarded = dreamer.dream(guarded_choice)
    pairs = list(zip(sources.films, model.films, strict=True))
    rows += _variety_rows(name, model, free, guarded)
    heard = dreamer.sound(guarded, guarded_choice)
    copied = dreamer.copied_share(heard, dreamer.sample_rate(guarded_choice))
    own = copied_share(
        np.concatenate([f.mono[k.split.held_out * 512 :] for f, k in pairs]),
        [f.mono[: k.split.learned * 512] for f, k in pairs],
    )
    longest = max(each.end_seconds - each.start_seconds for each in guarded.stretches)
    rows.append(
        Row(f"{name}: --most-copied 0.5, audio copied for 1 s",
            f"{copied:.2f}, held out {own:.2f}, source runs to {longest:.2f} s", "held out, 0.5 s",
            copied <= own and longest <= 0.5)
    )  # fmt: skip
    free_sound = dreamer.sound(free, DreamChoice(seconds=seconds))
    share = dreamer.copied_share(free_sound, dreamer.sample_rate(DreamChoice()))
    rows.append(Row(f"{name}: without it, audio copied for 1 s", f"{share:.2f}", "", None))
    rows += _distance_rows(name, dreamer, free)
    return rows


def _bits_row(name: str, model: DreamModel) -> Row:
    trigram, mixture = model.trigram.bits or 0, model.mixture
    if mixture is None:
        return Row(f"{name}: bits", model.verdict(), "says so", True)
    value = (
        f"network {mixture.network_bits:.2f}, with {model.ngram.name} {mixture.bits:.2f}, "
        f"trigram {trigram:.2f}: {trigram - mixture.bits:+.2f}"
    )
    plays = "plays" if model.network_plays else "it says so"
    return Row(f"{name}: bits a token, held out", value, f"+.20; {model.name} {plays}", True)


def _variety_rows(name: str, model: DreamModel, free: Dream, guarded: Dream) -> list[Row]:
    learned = [film.learned for film in model.films]
    held = [film.tokens[film.split.held_out :] for film in model.films]
    held = [each for each in held if len(each)]
    every = np.concatenate(held)
    second, quarter = token_count(1.0), token_count(0.26)
    own = float(
        np.average([verbatim_share(h, learned, second) for h in held], weights=[*map(len, held)])
    )
    share = verbatim_share(free.tokens, learned, second)
    refused = verbatim_share(guarded.tokens, [film.tokens for film in model.films], second)
    count = min(len(every), len(free.tokens))
    starts = range(0, len(free.tokens) - count + 1, max(count // 2, 1))
    variety = float(np.mean([distinct_share(free.tokens[s : s + count], quarter) for s in starts]))
    of_held = distinct_share(every[:count], quarter)
    return [
        Row(f"{name}: in verbatim runs of 1 s", f"{share:.2f}, held out {own:.2f}",
            "held out + .25", share <= own + 0.25),
        Row(f"{name}: the same, --most-copied 0.5", f"{refused:.2f}", "0", refused == 0),
        Row(f"{name}: distinct runs of 0.26 s", f"{variety:.2f}, held out {of_held:.2f}",
            ".8 of held out", variety >= 0.8 * of_held),
    ]  # fmt: skip


def block_features(levels: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the mean, deviation and mean change of eight bands in blocks of half a second."""
    bands = levels.reshape(len(levels), 8, 6).mean(axis=2).astype(np.float64)
    blocks = bands[: len(bands) // BLOCK * BLOCK].reshape(-1, BLOCK, 8)
    change = np.abs(np.diff(blocks, axis=1)).mean(axis=1)
    return np.concatenate([blocks.mean(axis=1), blocks.std(axis=1), change], axis=1)


def _distance_rows(name: str, dreamer: Dreamer, dream: Dream) -> list[Row]:
    """Compare half seconds of the dream with those that were learned, beside four anchors."""
    floor = dreamer.model.codebook.floor_db
    rng = np.random.default_rng(0)
    learned, held = [], []
    for film, known in zip(dreamer.sources.films, dreamer.model.films, strict=True):
        levels = np.maximum(frame_levels(film.mono), np.float32(floor))
        learned.append(levels[: known.split.learned])
        held.append(levels[known.split.held_out :])
    films = np.concatenate(learned)
    choice = DreamChoice(seconds=len(dream.tokens) * 512 / RATE, sound="phases")
    mono = next(iter([dreamer.sound(dream, choice)]))
    sounds = {
        "dream": np.maximum(frame_levels(mono), np.float32(floor)),
        "held out": np.concatenate(held),
        "shuffled frames": films[rng.permutation(len(films))],
        "copy": films[len(films) // 4 : len(films) // 4 * 3],
        "noise": np.maximum(
            frame_levels(rng.normal(0, 0.05, 20 * RATE).astype(np.float32)), np.float32(floor)
        ),
    }
    reference = block_features(films)
    values = ", ".join(
        f"{key} {kernel_distance(block_features(part), reference, reference):.3f}"
        for key, part in sounds.items()
        if len(part) >= 3 * BLOCK
    )
    return [Row(f"{name}: kernel distance to the films", values, "", None)]


def learn_judge(folder: Path, films: dict[str, list[Path]]) -> Judge:
    """Return a judge, as `sort` makes it, of films by their label."""
    library = f2s.Library.create(folder / "library")
    paths = [path for each in films.values() for path in each]
    library.add_films(paths, calibration=False, full_rate=0, jobs=1)
    rows = [f"{path.stem},{label}\n" for label, each in films.items() for path in each]
    (folder / "labels.csv").write_text("film,label\n" + "".join(rows))
    f2s.sort(library, folder / "labels.csv", folder / "judge.safetensors")
    return f2s.load_judge(folder / "judge.safetensors")


def measure_style(
    folder: Path, films: dict[str, Path], judged: dict[str, list[Path]], seconds: float = 40.0
) -> list[Row]:
    """Dream of two films by nine weights; a judge that learned from others says which it hears."""
    first, second = films
    both = folder / f"{first}-{second}"
    both.mkdir()
    for label, path in films.items():
        (both / f"{label}{path.suffix}").write_bytes(path.read_bytes())
    heard = learn_judge(both, judged)
    (both / "labels.csv").unlink()
    sources = load_sources(both)
    dreamer = Dreamer(learn(sources), sources)
    own = [heard.hear(film.mono, RATE).labels[second] for film in sources.films]
    rows = [Row(f"judge of {second}: the films themselves", f"{own[0]:.2f} {own[1]:.2f}", "", None)]
    for sound in ("mosaic", "phases"):
        answers, shares = [], []
        for weight in WEIGHTS.tolist():
            style, _ = parse_style({first: 1 - weight, second: weight}, sources.names)
            choice = DreamChoice(seconds=seconds, style=style, sound=sound)
            dream = dreamer.dream(choice)
            made = dreamer.sound(dream, choice)
            mono = made if made.ndim == 1 else made.mean(axis=1)
            answers.append(heard.hear(mono, dreamer.sample_rate(choice)).labels[second])
            lengths = [each.end_seconds - each.start_seconds for each in dream.stretches
                       if each.film.startswith(second)]  # fmt: skip
            shares.append(sum(lengths) / dream.stretches[-1].end_seconds)
        correlation = rank_correlation(WEIGHTS, np.array(answers))
        shown = " ".join(f"{answer:.2f}" for answer in answers)
        rows.append(
            Row(f"style {first} to {second}, {sound}: rank correlation",
                f"{correlation:.2f} ({shown})", "at least .9", correlation >= 0.9)
        )  # fmt: skip
        rows.append(Row("  share of units", " ".join(f"{each:.2f}" for each in shares), "", None))
    return rows


def measure_drawn_style(folder: Path, pair: tuple[str, str]) -> list[Row]:
    """Dream of two drawn films; the judge learns from three other seeds of each."""
    films = {name: draw(folder, name, 30, 11) for name in pair}
    others = {name: [draw(folder, name, 16, seed) for seed in (12, 13, 14)] for name in pair}
    return measure_style(folder, films, others)


def measure_real_style(folder: Path, causes: Path, pair: tuple[str, str]) -> list[Row]:
    """Dream of the first film of two causes; the judge learns from the others of each."""
    found = {name: sorted(causes.glob(f"{name}__*")) for name in pair}
    return measure_style(
        folder,
        {name: paths[0] for name, paths in found.items()},
        {name: paths[1:] for name, paths in found.items()},
    )


def main(arguments: list[str] | None = None) -> bool:
    """Print a line for each measure; return whether all bars are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", type=Path, help="a folder of films")
    parser.add_argument("--causes", type=Path, help="a folder of films named LABEL__NAME")
    parser.add_argument("--quick", action="store_true", help="one drawn film, one pair")
    options = parser.parse_args(sys.argv[1:] if arguments is None else arguments)
    met = True
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for rows in _all_rows(folder, options.real, options.causes, quick=options.quick):
            for row in rows:
                print(row, flush=True)
                met &= row.met is not False
    return met


def _all_rows(folder: Path, real: Path | None, causes: Path | None, *, quick: bool):
    yield measure_markov()
    yield measure_copies(load_sources(draw(folder, "scratch", 30, 21)))
    for pair in (("theremin", "typing"), ("bounce", "scratch"))[: 1 if quick else None]:
        yield measure_drawn_style(folder, pair)
    if causes is not None:
        yield measure_real_style(folder, causes, ("ambient", "drums"))
    drawn = (("scratch", 30, 21), ("machine", 60, 22), ("balls", 30, 23), ("lines", 30, 24))
    for name, seconds, seed in drawn[: 1 if quick else None]:
        yield measure_library(draw(folder, name, seconds, seed), f"{name}, {seconds} s")
    if real is not None:
        for path in sorted(real.iterdir()):
            if path.suffix.lower() not in (".mp4", ".webm", ".mkv", ".mpg"):
                continue
            if load_sources(path).seconds >= 25:
                yield measure_library(path, path.stem[:24])
        yield measure_library(real, f"all of {real.name}")


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
