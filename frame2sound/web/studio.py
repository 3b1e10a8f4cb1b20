"""A studio: a project, its queue of jobs, and what the page is told of them."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from frame2sound.api.library import Library
from frame2sound.errors import LibraryError
from frame2sound.library.calibration import CALIBRATION_NAME
from frame2sound.training.film_names import ORIGINAL, find_films
from frame2sound.untrusted import read_json
from frame2sound.web.drawing_sets import drawing_table
from frame2sound.web.exports import no_stems_reason
from frame2sound.web.film_pictures import draw_film_picture
from frame2sound.web.job import Job
from frame2sound.web.job_queue import JobQueue
from frame2sound.web.job_words import check_words
from frame2sound.web.peaks import keep_waveform
from frame2sound.web.project import ANIMATIONS, BRAINS, COMPARISONS, FILMS, LIBRARY, Project
from frame2sound.web.requests import FILMS_SUFFIX, add_inspect, brain_list, take_waveform
from frame2sound.web.uploads import MAX_UPLOAD_BYTES

SHOWN_JOBS = 400
"""Jobs that the page is told of; older ones stay in the file."""


class Studio:
    """A project that is open.

    Parameters
    ----------
    project : Project
    max_upload_bytes : int

    Raises
    ------
    StudioError
        Its list of jobs cannot be read.
    """

    def __init__(self, project: Project, max_upload_bytes: int = MAX_UPLOAD_BYTES) -> None:
        self.project = project
        self.max_upload_bytes = max_upload_bytes
        self.cache = self.project.state / "cache"
        self.queue = JobQueue(
            self.project.root,
            self.project.state,
            self._follow_up,
            check=self._check,
            before_done=self._prepare,
        )

    def state(self) -> dict[str, Any]:
        """Return what may change while the page is open."""
        project = self.project
        return {
            "project": project.root.name,
            "animations": project.names(ANIMATIONS),
            "films": project.names(FILMS),
            "brains": brain_list(project),
            "comparisons": [name for name in project.names(COMPARISONS) if self._is_done(name)],
            "drawing": drawing_table(project),
            "jobs": [self._as_it_is(job) for job in self.queue.snapshot()[-SHOWN_JOBS:]],
            "warning": self.queue.storage_error,
        }

    def library_table(self) -> dict[str, Any]:
        """Return the films of the library, and what the last listing said of them.

        Films that the listing does not know are given without loudness and coupling.
        """
        try:
            films = self.library().all_films()
        except LibraryError:
            return {"films": [], "coupling": None}
        listing = self._listing()
        known = {row.get("film"): row for row in listing.get("films", [])}
        rows = [
            {
                **known.get(film.name, {}),
                "film": film.name,
                "source": Path(film.card.source).name,
                "seconds": film.card.samples / film.card.sample_rate,
                "excluded": film.excluded,
            }
            for film in films
        ]
        rows.sort(key=lambda row: row["film"] == CALIBRATION_NAME)
        is_new = {row["film"] for row in rows} != set(known)
        return {"films": rows, "coupling": None if is_new else listing.get("coupling")}

    def film_picture(self, name: str, kind: str) -> Path:
        """Return a WebP of a film of the library; see `draw_film_picture`."""
        return draw_film_picture(self.library()[name], kind, self.cache)

    def library(self) -> Library:
        """Open the project's library."""
        folder = self.project.root / LIBRARY
        if folder.is_symlink() or not folder.is_dir():
            raise LibraryError("the library is empty; add films with sound")
        return Library.open(folder)

    def _as_it_is(self, job: dict[str, Any]) -> dict[str, Any]:
        """Return a job with those of its files that are still there, and why it has no stems."""
        if job["kind"] == "render":
            job = {**job, "no_stems": no_stems_reason(job["about"])}
        if job["kind"] == "train" and job["outputs"]:
            job = {**job, "films": self._checkpoint_films(job["outputs"][0])}
        if job["state"] != "done" or not job["outputs"]:
            return job
        there = [name for name in job["outputs"] if (self.project.root / name).exists()]
        if job["outputs"][0] in there:
            return {**job, "outputs": there}
        return {**job, "state": "failed", "error": f"{job['outputs'][0]} is no longer there"}

    def _checkpoint_films(self, brain: str) -> dict[str, Any]:
        """Return the films of a training: with the film's own sound, and by epoch, newest first."""
        folder = brain.removesuffix(".safetensors") + FILMS_SUFFIX
        path = self.project.root / folder
        if path.parent != self.project.root / BRAINS or path.is_symlink():
            return {"original": None, "epochs": []}
        epochs = [[epoch, f"{folder}/{film.name}"] for epoch, film in find_films(path)]
        original = f"{folder}/{ORIGINAL}" if (path / ORIGINAL).is_file() else None
        return {"original": original, "epochs": epochs[::-1]}

    def _listing(self) -> dict[str, Any]:
        jobs = [job for job in self.queue.jobs if job.kind == "inspect" and job.state == "done"]
        if not jobs:
            return {}
        return _read_table(self.queue.output_file(jobs[-1]), jobs[-1].number)

    def _is_done(self, comparison: str) -> bool:
        return (self.project.root / comparison / "results.json").is_file()

    def _check(self, job: Job) -> None:
        check_words(job, self.project.root)

    def _prepare(self, job: Job) -> None:
        """Have the waveform of a take ready when the page hears of the take."""
        waveform = take_waveform(job)
        if waveform is not None:
            root = self.project.root
            keep_waveform(root / waveform, root / job.outputs[0], self.cache)

    def _follow_up(self, job: Job) -> None:
        """List the library when it has changed; of several films, those that are good are kept."""
        is_kept = job.kind == "pickle" and (self.project.root / LIBRARY).is_dir()
        if is_kept or (job.kind in ("pickle", "library") and job.state == "done"):
            add_inspect(self.queue)


@functools.lru_cache(2)
def _read_table(path: Path, number: int) -> dict[str, Any]:
    try:
        table = read_json(path)
    except (OSError, ValueError):
        return {}
    return table if isinstance(table, dict) else {}
