"""Jobs are commands; their history survives a restart and a kill."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import typer

from frame2sound.cli import app
from frame2sound.errors import StudioError
from frame2sound.training.checkpoint import BEGIN_ANEW
from frame2sound.web import job_queue
from frame2sound.web.job import Job, read_jobs, write_jobs
from frame2sound.web.job_queue import JobQueue
from frame2sound.web.job_words import check_words
from frame2sound.web.process import process_start
from frame2sound.web.project import Project
from frame2sound.web.server import open_studio
from tests.commanding import run
from tests.hang_guard import fail_if_hung
from tests.web.asking import Browser

ROOT = Path(__file__).resolve().parents[2]


def queue_in(folder: Path) -> JobQueue:
    (folder / "state").mkdir(exist_ok=True)
    return JobQueue(folder, folder / "state")


def wait_for_end(queue: JobQueue, job: Job) -> None:
    with fail_if_hung():
        while job.is_open:
            time.sleep(0.02)


def test_what_is_shown_is_the_command_that_runs(tmp_path: Path, drawn_film: Path) -> None:
    queue, prepared = queue_in(tmp_path), []
    queue.before_done = lambda job: prepared.append((job.number, job.state))
    words = ["films", "typing", "--seconds=1", "--out=drawn film.mp4"]
    drawn = queue.add("pickle", words, {}, [])
    failing = queue.add("render", ["render", "none.mp4"], {"seed": 3}, ["none.mp4"])
    queue.start()
    for job in (drawn, failing):
        wait_for_end(queue, job)
    queue.close()
    assert drawn.command == "frame2sound films typing --seconds=1 '--out=drawn film.mp4'"
    assert (drawn.state, failing.state) == ("done", "failed")
    assert prepared == [(drawn.number, "running")]
    assert (tmp_path / "drawn film.mp4").stat().st_size > 1000
    assert "drawn film.mp4  30 frames" in queue.output_file(drawn).read_text()
    assert failing.error == run(tmp_path, "render", "none.mp4").stderr.strip().partition(": ")[2]
    again = queue_in(tmp_path)
    assert [job.to_dict() for job in again.jobs] == [job.to_dict() for job in queue.jobs]


def test_progress_and_curve_are_those_of_the_command(tmp_path: Path) -> None:
    queue = queue_in(tmp_path)
    job = queue.add("train", ["train"], {}, ["brains/a.safetensors"])
    for note in (
        "",
        "epoch 1  loss 0.900",
        "epoch 1  loss 0.800",
        "epoch 2  loss 0.7  held out 0.6",
    ):
        queue._report(job, job_queue.Progress("training deep", 1, 4, note))
    assert job.curve == [(1, 0.8, None), (2, 0.7, 0.6)]
    assert job.to_dict()["progress"] == {
        "task": "training deep", "done": 1, "total": 4, "note": note,
    }  # fmt: skip


def test_reports_of_progress_are_lines_of_json_for_other_programs(tmp_path: Path) -> None:
    environment = {**os.environ, "FRAME2SOUND_PROGRESS": "json"}
    words = [
        sys.executable,
        "-m",
        "frame2sound",
        "films",
        "typing",
        "--seconds",
        "1",
        "-o",
        "a.mp4",
    ]
    made = subprocess.run(
        words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    last = json.loads(made.stderr.splitlines()[-1])["progress"]
    assert (last["task"], last["done"], last["total"]) == ("a.mp4", last["total"], last["total"])


def test_a_job_that_ran_when_the_studio_was_killed_is_done_when_it_is_opened_again(
    tmp_path: Path,
) -> None:
    (tmp_path / "state").mkdir()
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    words = ["films", "typing", "--seconds=1", "--out=a.mp4"]
    job = Job(7, "render", words, state="running", outputs=["a.mp4"])
    job.process, job.process_start = left.pid, process_start(left.pid)
    write_jobs(tmp_path / "state", [job])
    queue = None
    with fail_if_hung():
        reaper = threading.Thread(target=left.wait)
        reaper.start()
        queue = queue_in(tmp_path)
        reaper.join()
    assert left.returncode == -signal.SIGTERM
    (recovered,) = queue.jobs
    assert (recovered.number, recovered.state) == (7, "waiting")
    assert recovered.words == [*words, "--overwrite"]
    other = Job(8, "render", words, state="running", outputs=["a.mp4"])
    other.process, other.process_start = os.getpid(), 1  # the number of a later process
    write_jobs(tmp_path / "state", [other])
    assert queue_in(tmp_path).jobs[0].state == "waiting"


def test_a_training_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    queue = queue_in(tmp_path)
    job = queue.add("train", ["train", "library", "--out=a.safetensors"], {}, ["a.safetensors"])
    queue.stop(job.number)
    assert queue.again(job.number).words[-1] == "--overwrite"
    queue.stop(job.number)
    (tmp_path / "a.checkpoint.safetensors").write_bytes(b"")
    assert queue.again(job.number).words[2:] == ["--out=a.safetensors", "--resume"]
    with pytest.raises(StudioError, match="job 1 runs still"):
        queue.again(job.number)


def test_a_training_whose_checkpoint_was_refused_begins_anew(tmp_path: Path) -> None:
    queue = queue_in(tmp_path)
    words = ["train", "library", "--out=a.safetensors", "--resume"]
    job = queue.add("train", words, {}, ["a.safetensors"])
    (tmp_path / "a.checkpoint.safetensors").write_bytes(b"")
    job.state, job.error = "failed", f"it belongs to another library; {BEGIN_ANEW}"
    assert queue.again(job.number).words[2:] == ["--out=a.safetensors", "--overwrite"]
    assert job.error == ""


def test_stopping_ends_the_command(tmp_path: Path) -> None:
    queue = queue_in(tmp_path)
    job = queue.add("pickle", ["films", "typing", "--seconds=300", "--out=a.mp4"], {}, [])
    queue.start()
    with fail_if_hung():
        while not queue._processes:
            time.sleep(0.02)
        queue.stop(job.number)
        queue.again(job.number)  # while it ends
        while job.state == "stopped":
            time.sleep(0.02)
        assert job.state in ("waiting", "running")
        while not queue._processes:
            time.sleep(0.02)
        queue.stop(job.number)
        while queue._processes:
            time.sleep(0.02)
    queue.close()
    assert job.state == "stopped"
    assert not (tmp_path / "a.mp4").exists()


def test_a_list_of_jobs_that_is_damaged_or_newer_is_named(tmp_path: Path) -> None:
    path = tmp_path / "jobs.json"
    for text, told in (("{", "cannot be read"), ('{"version": 2, "jobs": []}', "of version 2")):
        path.write_text(text)
        with pytest.raises(StudioError, match=told):
            read_jobs(tmp_path)


def test_a_disk_that_fills_is_told_and_loses_no_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = queue_in(tmp_path)
    queue.add("render", ["films"], {}, [])

    def fail(*arguments: object) -> None:
        raise StudioError("the disk is full")

    monkeypatch.setattr(job_queue, "write_jobs", fail)
    with pytest.raises(StudioError, match="the disk is full"):
        queue.add("render", ["films"], {}, [])
    assert len(queue.jobs) == 1
    assert queue.storage_error == "the disk is full"
    monkeypatch.undo()
    queue.stop(1)
    assert queue.storage_error == ""


def test_a_port_in_use_and_a_folder_that_is_open_are_named(tmp_path: Path) -> None:
    with socket.socket() as used:
        used.bind(("127.0.0.1", 0))
        used.listen()
        port = used.getsockname()[1]
        told = run(tmp_path, "studio", "project", "--no-browser", "--port", str(port))
    assert told.returncode == 1
    assert told.stderr == (
        f"frame2sound: port {port} is in use; give another --port, or none for one that is free\n"
    )
    state = Project.create(tmp_path / "project").state
    code = (
        "import sys, filelock; lock = filelock.FileLock(sys.argv[1]); lock.acquire();"
        "print('held', flush=True);"
        "sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(state / "lock")], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as holder:  # fmt: skip
        assert holder.stdout is not None
        holder.stdout.readline()
        with fail_if_hung(), pytest.raises(StudioError, match=r"another studio has .* open"):
            open_studio(tmp_path / "project", browser=False)
        holder.communicate()


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    told = run(tmp_path, "studio", "project")
    assert told.returncode == 1
    assert "the studio needs uvicorn, which is not installed; install it with: pip" in told.stderr


def test_each_command_of_the_page_is_one_of_the_command_line(
    browser: Browser, animation: str, tmp_path: Path
) -> None:
    """Every option that the page can send is parsed by the command."""
    (tmp_path / "project" / "library").mkdir()
    (tmp_path / "project" / "films" / "a.mp4").write_bytes(b"")
    (tmp_path / "project" / "animations" / "walk").mkdir()
    (tmp_path / "project" / "animations" / "walk" / "1.png").write_bytes(b"")
    events = [{"time_seconds": 0.5}]
    table = {"animation": animation, "mode": "mosaic", "start": 1, "stop": 2.5, "seed": 4,
             "controls": {"gain": -3, "literal": 0.2, "sensitivity": 0.7, "fade-in": 0.1,
                          "fade-out": 1, "loudness": -20}, "scale": "D minor",
             "effects": "reverb," * 100 + "reverb", "stereo": True, "events": events}  # fmt: skip
    asked = [
        ("render", table),
        ("render", {"animation": animation, "mode": "granular", "controls": {"density": 300}}),
        ("render", {"animation": "animations/walk", "fps": 12}),
        ("pickle", {"films": ["films/a.mp4"]}),
        ("train", {"name": "my brain", "recipe": "mel", "epochs": 5, "seed": 1}),
        ("compare", {"name": "both", "recipes": ["deep", "shallow"], "seeds": 1, "epochs": 2}),
    ]
    root = typer.main.get_command(app)
    for kind, request in asked:
        answer = browser.post(f"/api/jobs/{kind}", request)
        assert answer.status == 200, answer.content
    wav = browser.post("/api/job/1/wav").table["command"]
    assert "--wav" in wav
    assert "--out=takes/typing-001.wav" in wav
    assert "events-out" not in wav
    for job in read_jobs(tmp_path / "project" / ".studio"):
        command = root.commands[job.words[0]]  # type: ignore[attr-defined]
        command.make_context("x", list(job.words[1:]), resilient_parsing=False)
        check_words(job, tmp_path / "project")
    edited = tmp_path / "project" / "takes" / "typing-001.edited.json"
    assert json.loads(edited.read_text())["events"] == events
