"""Is depth heard? The study that `study/PLAN.md` describes.

    python benchmarks/study.py run [--workers 2]   what is missing of the study; it goes on any time
    python benchmarks/study.py analyse [--write]   what the results say, once they are complete
    python benchmarks/study.py power               which differences so many films can show
    python benchmarks/study.py develop             the films by which epochs and rates were chosen
    python benchmarks/study.py groups FOLDER       the same arms on a folder of films, each left out

Results are CSV files by block of 2 s in `study/results`; films and brains are made in a folder of
work, and are not kept.
"""

from __future__ import annotations

import argparse
import multiprocessing
from concurrent.futures import FIRST_COMPLETED, wait
from multiprocessing.queues import Queue
from pathlib import Path

import study_analysis
import study_cells
import study_page
import torch
from study_cells import Job
from study_design import FOLDER, Design, development, real_groups, study
from study_results import lock_results, require_design
from worker_pool import CONTEXT, worker_pool

from frame2sound.progress_bars import ProgressBars

RESULTS = FOLDER / "results"
DEVELOPMENT = FOLDER / "development"
TICK_SECONDS = 1.0

_finished: Queue[str] | None = None


def run(design: Design, results: Path, work: Path, workers: int) -> None:
    """Compute all cells of a design that its results lack, several films at once."""
    require_design(results, design)
    waiting = [job for job in study_cells.jobs(design, results, work) if job.missing()]
    total, count = sum(len(job.missing()) for job in waiting), 0
    print(f"{total} cells to compute", flush=True)
    finished: Queue[str] = CONTEXT.Queue()
    with (
        lock_results(results),
        ProgressBars() as progress,
        worker_pool(workers, _start_worker, finished) as pool,
    ):
        futures = {pool.submit(_work, job) for job in waiting}
        try:
            while futures:
                ready, futures = wait(futures, TICK_SECONDS, FIRST_COMPLETED)
                while not finished.empty():
                    name, count = finished.get(), count + 1
                    progress.show("cells", count, total, name)
                for future in ready:
                    future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in multiprocessing.active_children():
                worker.terminate()  # what it has finished is written
            raise


def _start_worker(finished: Queue[str]) -> None:
    global _finished
    _finished = finished
    torch.set_num_threads(1)


def _work(job: Job) -> None:
    study_cells.run(job, _tell)


def _tell(job: Job, arm: str, seed: int) -> None:
    assert _finished is not None
    _finished.put(f"{job.film.name}, {job.seconds} s, {arm}, seed {seed}")


def analyse(results: Path, *, write: bool) -> None:
    """Print what the results of the study say, and write the pages."""
    report = study_analysis.analyse(study(), results)
    text = study_page.page(report)
    print(text)
    if write:
        (FOLDER / "README.md").write_text(text, encoding="utf-8")
        study_page.write_explanation(report)


def print_power(results: Path) -> None:
    """Print what the study can show, with the spread over its own films once they are complete."""
    report, films = study_analysis.analyse(study(), results), len(study().films)
    if report.is_complete:
        powers, spread_over = report.power, "its own films"
    else:
        powers = study_analysis.power_of_development(development(), DEVELOPMENT, films)
        spread_over = f"{len(development().films)} films of the development"
    print("\n".join(study_page.power_table(powers, films, spread_over)))


def main() -> None:
    """Read the command line."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--work", type=Path, default=Path("study-work"), help="films and brains")
    common.add_argument("--workers", type=int, default=2, help="films that are learned at once")
    common.add_argument("--out", type=Path, help="folder of the results")
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("run", "develop", "power"):
        commands.add_parser(name, parents=[common])
    commands.add_parser("groups", parents=[common]).add_argument("films", type=Path)
    commands.add_parser("analyse", parents=[common]).add_argument("--write", action="store_true")
    given = parser.parse_args()
    if given.command == "run":
        run(study(), given.out or RESULTS, given.work, given.workers)
    elif given.command == "develop":
        results = given.out or DEVELOPMENT
        run(development(), results, given.work, given.workers)
        print("\n".join(study_page.development_table(development(), results)))
    elif given.command == "groups":
        results = given.out or Path("study-groups")
        run(real_groups(given.films), results, given.work, given.workers)
        print("\n".join(study_page.group_table(results)))
    elif given.command == "power":
        print_power(given.out or RESULTS)
    else:
        analyse(given.out or RESULTS, write=given.write)


if __name__ == "__main__":
    main()
