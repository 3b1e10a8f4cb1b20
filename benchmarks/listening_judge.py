"""How well films are sorted by their sound, beside guessing, and beside labels drawn at random.

Labels that are drawn at random by film cannot be learned: split by film, an interval of 95 % holds
chance in most draws; split by windows, so that both parts have windows of each film, they look
learned. Demo films are judged on seeds that were not learned from. `--films` are folders of real
films, of which `--causes` has files named LABEL__NAME.

    python benchmarks/listening_judge.py --films FOLDER --causes FOLDER
"""

from __future__ import annotations

import argparse
import csv
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import frame2sound as f2s
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.sorting.choice import choice_shares
from frame2sound.sorting.classifiers import CLASSIFIERS
from frame2sound.sorting.cross_validation import cross_validate
from frame2sound.sorting.film_windows import hear_films
from frame2sound.sorting.intervals import score_with_interval
from frame2sound.sorting.labelled_windows import LabelledWindows
from frame2sound.sorting.report import JUDGE
from frame2sound.sorting.scores import balanced_score, film_scores
from frame2sound.sorting.sorter import group_numbers
from frame2sound.sorting.window_features import join_features
from frame2sound.threads import one_thread_per_operation

KINDS = ("bounce", "lines", "scratch", "theremin", "typing")
LEARNED_SEEDS, JUDGED_SEEDS = range(501, 507), range(601, 605)
DEMO_SECONDS, RATE = 16, 22_050
CHEAP = ("logistic regression", "nearest neighbours")
CHEAP_DRAWS, DRAWS = 40, 4


def library_of(folder: Path, films: Sequence[Path]) -> f2s.Library:
    """Return a new library of films, without calibration and without full sound."""
    library = f2s.Library.create(folder)
    library.add_films(films, calibration=False, full_rate=0, jobs=1)
    return library


def random_labels(library: f2s.Library) -> None:
    """Print how often intervals hold chance for labels drawn at random, and the control."""
    films = library.films()
    heard = [each.features for each in hear_films(films)]
    films = [film for film, each in zip(films, heard, strict=True) if len(each)]
    heard = [each for each in heard if len(each)]
    numbers = np.repeat(np.arange(len(heard)), [len(each) for each in heard])
    features, groups = join_features(heard), group_numbers(films)
    print(
        f"\nlabels at random: {len(films)} films, {len(set(groups))} groups, {len(numbers)} windows"
    )
    names = dict.fromkeys((JUDGE, *CLASSIFIERS))
    by_film: dict[str, list[float]] = {name: [] for name in names}
    held: dict[str, list[bool]] = {name: [] for name in names}
    by_window: dict[str, list[float]] = {name: [] for name in CLASSIFIERS}
    for draw in range(CHEAP_DRAWS):
        random = np.random.default_rng([7, draw])
        of_group = random.permutation(np.arange(len(films)) % 2)
        labels = of_group[groups].astype(np.int64)
        windows = LabelledWindows(features, numbers, labels, groups, 2)
        all_kinds = draw < DRAWS
        kinds = {name: CLASSIFIERS[name] for name in (CLASSIFIERS if all_kinds else CHEAP)}
        found = cross_validate(windows, kinds, draw, lambda: None)
        scores = dict(found.scores)
        if all_kinds:
            shares = choice_shares(scores, labels, groups, draw)
            scores[JUDGE] = (shares * np.stack(list(scores.values()))).sum(axis=0)
        for name, each in scores.items():
            score = score_with_interval(
                [(each, labels)], groups, draw, folds=int(found.folds.max()) + 1
            )
            by_film[name].append(score.value)
            held[name].append(score.holds(0.5))
        if draw < DRAWS:
            part = random.integers(0, 2, len(numbers)) == 0
            rest = windows.select(~part)
            for name, kind in kinds.items():
                answers = kind.fit(windows.select(part), draw).probabilities(rest.features)
                scores = film_scores(answers, rest)
                known = np.isfinite(scores)
                by_window[name].append(balanced_score(scores[known], labels[known]))
    print("                       draws  by film (mean)  holds chance  by window")
    for name in names:
        control = f"{np.mean(by_window[name]):.3f}" if name in by_window else ""
        print(
            f"{name:<22} {len(held[name]):>5}  {np.mean(by_film[name]):>14.3f}"
            f"  {np.mean(held[name]):>12.2f}  {control:>9}"
        )


def demo_films(folder: Path) -> None:
    """Print how demo films are told apart, by cross-validation and on seeds not learned from."""
    paths = []
    rows = []
    for kind in KINDS:
        for seed in LEARNED_SEEDS:
            path = folder / f"{kind}-{seed}.mp4"
            f2s.draw_film(kind, path, seconds=DEMO_SECONDS, seed=seed, size=(64, 64))
            paths.append(path)
            rows.append((path.name, kind))
    library = library_of(folder / "demo", paths)
    result = sort(folder, library, rows, "demo films")
    seconds, films = [], []
    for kind in KINDS:
        for seed in JUDGED_SEEDS:
            scene = load_scene(kind, seconds=DEMO_SECONDS, seed=seed, size=(64, 64))
            sound = np.asarray(scene.synthesise(0, scene.sample_count), np.float32)
            rate = scene.clock.sample_rate
            answer = result.judge.hear(sound, rate)
            films.append(next(iter(answer.labels)) == kind)
            seconds.append(share_right(result.judge, sound, rate, kind))
    print(
        f"the judge on {len(films)} films of unseen seeds: {np.mean(films):.3f} of films, "
        f"{np.mean(seconds):.3f} of seconds"
    )


def share_right(judge, sound, rate, label: str) -> float:
    """Return the share of the windows of a sound that a judge gives a label."""
    from frame2sound.library.film_loudness import sound_gain_db
    from frame2sound.sorting.window_features import compute_features
    from frame2sound.sorting.windows import window_starts

    heard = judge.resampled(sound, rate)
    starts = window_starts(0, len(heard), judge.sample_rate)
    gain_db = sound_gain_db(heard, judge.sample_rate)
    features, silent = compute_features(heard, starts, judge.sample_rate, gain_db)
    answers = judge.classifier.probabilities(features.select(~silent)).argmax(axis=1)
    return float((answers == judge.labels.index(label)).mean())


def sort(folder: Path, library: f2s.Library, rows: list[tuple[str, str]], title: str):
    """Sort a library, print what the command prints and how long it took, and return the result."""
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("film", "label"), *rows])
    begin = time.process_time()
    out = folder / "judge.safetensors"
    result = f2s.sort(library, folder / "labels.csv", out, overwrite=True)
    print(f"\n{title}: {time.process_time() - begin:.0f} s of processor")
    print("\n".join([*result.notes, *result.lines()]))
    return result


def two_names(folder: Path) -> None:
    """Print whether a film under two names is one group."""
    paths = []
    for number, (seed, size) in enumerate([(1, (64, 64)), (1, (96, 64)), (2, (64, 64))]):
        for kind in ("typing", "theremin"):
            paths.append(folder / f"{kind}{number}.mp4")
            f2s.draw_film(kind, paths[-1], seconds=8, seed=seed, size=size)
    library = library_of(folder / "twice", paths)
    films = library.films()
    groups = group_numbers(films)
    print("\nfilms drawn twice:")
    for group in np.unique(groups):
        print(
            " ", ", ".join(film.name for film, g in zip(films, groups, strict=True) if g == group)
        )


def speed(judge) -> None:
    """Print how much faster than real time a judge hears."""
    sound = np.random.default_rng(0).normal(0, 0.1, 60 * judge.sample_rate).astype(np.float32)
    begin = time.perf_counter()
    judge.hear(sound, judge.sample_rate)
    wall = time.perf_counter() - begin
    print(
        f"\na minute is judged in {wall:.2f} s, {60 / wall:.0f} times real time, "
        f"load {os.getloadavg()[0]:.1f}"
    )


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--films", type=Path, help="folder of real films")
    parser.add_argument("--causes", type=Path, help="folder of real films named LABEL__NAME")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, one_thread_per_operation():
        folder = Path(name)
        two_names(folder)
        demo_films(folder)
        judge = f2s.load_judge(folder / "judge.safetensors")
        if arguments.films:
            real = sorted(each for each in arguments.films.iterdir() if each.is_file())
            random_labels(library_of(folder / "real", real))
        if arguments.causes:
            causes = sorted(each for each in arguments.causes.iterdir() if "__" in each.name)
            rows = [(each.name, each.name.partition("__")[0]) for each in causes]
            rows = [(film, label) for film, label in rows if label != "single"]
            sort(folder, library_of(folder / "causes", causes), rows, "causes of sound")
        speed(judge)


if __name__ == "__main__":
    main()
