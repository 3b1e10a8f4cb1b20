"""The queue of jobs: soundtracks are not held up by training, and a kill loses nothing."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from frame2sound.errors import Frame2SoundError, StudioError
from frame2sound.web.job import Job, JobKind, Progress, read_jobs, write_jobs
from frame2sound.web.job_names import check_own_names, first_words
from frame2sound.web.process import (
    STOP_SECONDS,
    CommandProcess,
    curve_point,
    end_process,
    process_start,
)

QUICK: frozenset[str] = frozenset({"render", "wav", "export", "notes", "squiggles", "draw", "sing"})
"""Kinds of jobs that have a lane of their own."""

OVERWRITING: frozenset[str] = frozenset(
    {"render", "wav", "train", "pair", "draw", "sing", "report"}
)
"""Kinds of jobs that replace their outputs when they run a second time."""

ATOMIC: frozenset[str] = OVERWRITING | {"notes", "squiggles"}
"""Kinds of jobs whose outputs appear complete, at their end."""

MAX_WAITING = 500

KILL_SECONDS = 5.0
"""Seconds after which a process that does not even end when it is killed is left alone."""

STORE_SECONDS = 5.0
"""Seconds between the times at which the curve of a training is stored."""

CHECKPOINT_SUFFIX = ".checkpoint.safetensors"
"""Of `frame2sound.training.checkpoint`, which imports PyTorch."""

CHECKPOINT_REFUSED = "begin anew: leave out"
"""Part of the error of a training whose checkpoint is of no use; see there."""


class JobQueue:
    """Runs one quick and one slow job at a time, in the order in which they were asked for.

    Parameters
    ----------
    root, state : Path
        The project's folder, where commands run, and the folder of the queue's files.
    on_end : callable
        Is called with each job that has ended, well or not.
    before_done : callable
        Is called with such a job before anybody is told that it is done.
    check : callable
        Is called with each job before it runs; one for which it raises `StudioError` does not.

    Attributes
    ----------
    naming : lock
        Is held from the choice of a name to `add`, so that no two jobs choose one name.
    """

    def __init__(
        self,
        root: Path,
        state: Path,
        on_end: Callable[[Job], None] = lambda job: None,
        check: Callable[[Job], None] = lambda job: None,
        before_done: Callable[[Job], object] = lambda job: None,
    ) -> None:
        self.root, self.state, self.check = root, state, check
        self.on_end, self.before_done = on_end, before_done
        self.jobs = read_jobs(state)
        self.storage_error, self._stored = "", 0.0
        self.naming = threading.RLock()
        self._changed = threading.Condition(threading.RLock())
        self._processes: dict[int, CommandProcess] = {}
        self._wanted_again: set[int] = set()
        self._closed = False
        self._threads: list[threading.Thread] = []
        for job in self.jobs:
            if job.state == "running":
                self._recover(job)

    def start(self) -> None:
        """Begin to run jobs."""
        for is_quick in (True, False):
            thread = threading.Thread(target=self._work, args=(is_quick,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def add(
        self, kind: JobKind, words: list[str], about: dict[str, Any], outputs: list[str]
    ) -> Job:
        """Put a command at the end of the queue.

        Raises
        ------
        StudioError
            Too many jobs wait, or the queue cannot be stored.
        """
        with self._changed:
            if sum(job.is_open for job in self.jobs) >= MAX_WAITING:
                raise StudioError(f"{MAX_WAITING} jobs wait already; stop some, or wait for them")
            number = 1 + max((job.number for job in self.jobs), default=0)
            job = Job(number, kind, words, about=about, outputs=outputs, asked=time.time())
            self.jobs.append(job)
            self._store()
            if self.storage_error:
                self.jobs.remove(job)
                raise StudioError(self.storage_error)
            self._changed.notify_all()
        return job

    def find(self, number: int) -> Job:
        """Return the job of a number; raise `StudioError` if there is none."""
        with self._changed:
            for job in self.jobs:
                if job.number == number:
                    return job
        raise StudioError(f"there is no job {number}; reload the page")

    def stop(self, number: int) -> Job:
        """Stop a job: what it has done is kept, as Ctrl-C keeps it."""
        job = self.find(number)
        with self._changed:
            process = self._processes.get(number)
            if job.is_open:
                job.state, job.ended = "stopped", time.time()
                self._store()
        if process is not None:
            threading.Thread(target=process.stop, daemon=True).start()
        return job

    def again(self, number: int) -> Job:
        """Run a job again that has failed or was stopped.

        A training goes on where it was, unless its checkpoint was refused.

        Raises
        ------
        StudioError
            It runs still, or the name of its output is another job's by now.
        """
        job = self.find(number)
        with self.naming, self._changed:
            if job.is_open:
                raise StudioError(f"job {number} runs still; wait until it has ended")
            self.check_own_names(job)
            if number in self._processes:
                self._wanted_again.add(number)  # it still saves its work
                return job
            self._requeue(job)
            self._store()
            self._changed.notify_all()
        return job

    def check_own_names(self, job: Job) -> None:
        """Raise `StudioError` if the name of a job's output is another job's by now."""
        with self._changed:
            check_own_names(job, self.jobs, self.root)

    def taken_outputs(self) -> frozenset[str]:
        """Return the outputs of jobs that wait or run, without suffixes."""
        return frozenset(name.rpartition(".")[0] for name in self._open_outputs())

    def makes(self, name: str) -> bool:
        """Return whether a job that waits or runs makes this file or folder."""
        return name in self._open_outputs()

    def snapshot(self) -> list[dict[str, Any]]:
        """Return all jobs as plain values."""
        with self._changed:
            return [job.to_dict() for job in self.jobs]

    def close(self) -> None:
        """End what runs; it is begun again when the queue is opened the next time."""
        with self._changed:
            self._closed = True
            processes = list(self._processes.values())
            self._changed.notify_all()
        for process in processes:
            process.stop()
        for thread in self._threads:
            thread.join(10)

    def _open_outputs(self) -> list[str]:
        """Return the outputs of jobs that wait or run, also of those that save their work."""
        with self._changed:
            own = [job for job in self.jobs if job.is_open or job.number in self._processes]
            return [name for job in own for name in job.outputs]

    def _recover(self, job: Job) -> None:
        """Put a job back that ran when the studio was killed, and end what is left of it.

        One that has come to its end meanwhile is done.
        """
        if job.process_start and process_start(job.process) == job.process_start:
            end_process(job.process)
            deadline = time.monotonic() + STOP_SECONDS
            while process_start(job.process) == job.process_start:
                late = time.monotonic() - deadline
                if late > 0:
                    end_process(job.process, signal.SIGKILL)
                if late > KILL_SECONDS:
                    break
                time.sleep(0.02)
        if self._is_finished(job):
            job.state, job.ended = "done", time.time()
        else:
            self._requeue(job)

    def _is_finished(self, job: Job) -> bool:
        """Whether all outputs of a job are there, and newer than its start."""
        if job.kind not in ATOMIC or not job.outputs:
            return False
        paths = [self.root / name for name in job.outputs]
        if job.kind == "train" and _checkpoint(paths[0]).exists():
            return False
        try:
            return all(path.stat().st_mtime >= job.started for path in paths)
        except OSError:
            return False

    def _requeue(self, job: Job) -> None:
        job.words = _words_again(job, self.root)
        job.state, job.error, job.progress = "waiting", "", None

    def _work(self, is_quick: bool) -> None:
        while (job := self._next(is_quick)) is not None:
            try:
                self.check(job)
                self._run(job)
            except StudioError as error:
                self._finish(job, str(error))
            except (OSError, ValueError) as error:
                self._finish(job, f"the command cannot be started: {error}")

    def _next(self, is_quick: bool) -> Job | None:
        with self._changed:
            while not self._closed:
                for job in self.jobs:
                    if job.state == "waiting" and (job.kind in QUICK) == is_quick:
                        job.state, job.started = "running", time.time()
                        return job
                self._changed.wait()
        return None

    def _run(self, job: Job) -> None:
        process = CommandProcess(job.words, self.root, self.output_file(job))
        with self._changed:
            self._processes[job.number] = process
            job.process = process.process_id
            job.process_start = process_start(job.process)
            is_stopped = job.state == "stopped"
            self._store()
        if is_stopped:
            process.stop()
        code = process.wait(lambda progress: self._report(job, progress))
        job.messages = process.messages
        if code == 0:
            self.before_done(job)
        with self._changed:
            del self._processes[job.number]
            if self._closed and code != 0:
                return  # it stays "running" in the file, and is begun again
        self._finish(job, "" if code == 0 else process.error())

    def _finish(self, job: Job, error: str) -> None:
        with self._changed:
            if not error or job.state == "running":
                job.state = "failed" if error else "done"
                job.error, job.ended = error, time.time()
            job.progress = None
            if job.number in self._wanted_again:
                self._wanted_again.remove(job.number)
                self._requeue(job)
            self._store()
            self._changed.notify_all()
        if not job.is_open:
            with suppress(Frame2SoundError):  # a full disk: the page has the warning
                self.on_end(job)

    def _report(self, job: Job, progress: Progress) -> None:
        job.progress = progress
        point = curve_point(progress.note)
        if point is None:
            return
        with self._changed:
            is_new = not job.curve or job.curve[-1][0] != point[0]
            job.curve = [*(each for each in job.curve if each[0] < point[0]), point]
            is_due = time.monotonic() - self._stored > STORE_SECONDS
            if is_new and (is_due or len(job.curve) == 1):
                self._store()

    def output_file(self, job: Job) -> Path:
        """Return the file of what a job prints on standard output."""
        return self.state / "output" / f"{job.number}.txt"

    def _store(self) -> None:
        self._stored = time.monotonic()
        if not self.state.is_dir():  # else it would be made anew, beside one that comes back
            self.storage_error = f"{self.root} is no longer there; put it back"
            return
        try:
            write_jobs(self.state, self.jobs)
            self.storage_error = ""
        except StudioError as error:
            self.storage_error = str(error)


def _words_again(job: Job, root: Path) -> list[str]:
    """Return a job's command with what it needs to run a second time."""
    if job.kind not in OVERWRITING or not job.outputs:
        return job.words
    is_refused = CHECKPOINT_REFUSED in job.error
    if job.kind == "train" and not is_refused and _checkpoint(root / job.outputs[0]).exists():
        return [*first_words(job), "--resume"]
    return [*first_words(job), "--overwrite"]


def _checkpoint(brain: Path) -> Path:
    return brain.with_name(f"{brain.stem}{CHECKPOINT_SUFFIX}")
