"""Full disks, uploads that break off, folders that vanish, projects of strangers."""

from __future__ import annotations

import asyncio
import resource
import shutil
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.requests import ClientDisconnect

from frame2sound.errors import StudioError
from frame2sound.web import uploads
from frame2sound.web.job import Job, write_jobs
from frame2sound.web.job_queue import JobQueue
from frame2sound.web.job_words import check_words
from frame2sound.web.process import CommandProcess
from frame2sound.web.project import Project
from frame2sound.web.studio import Studio
from frame2sound.web.uploads import save_upload
from tests.hang_guard import fail_if_hung
from tests.web.asking import Browser
from tests.web.test_job_queue import queue_in, wait_for_end


def test_an_upload_onto_a_full_disk_is_told_and_leaves_nothing(
    browser: Browser, studio: Studio
) -> None:
    """The system itself refuses to write more than 100 kB into a file."""
    films, path = studio.project.root / "films", "/api/upload?part=films&name=a.mp4"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        refused = browser.post(path, content=bytes(300_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert refused.status == 400
    assert refused.table["error"].startswith("the disk is full, films/a.mp4 was not written; ")
    assert list(films.iterdir()) == []
    assert browser.post(path, content=b"film").table == {"name": "films/a.mp4"}


def test_an_upload_that_breaks_off_leaves_nothing(studio: Studio) -> None:
    async def content() -> AsyncIterator[bytes]:
        yield bytes(1000)
        raise ClientDisconnect

    upload = save_upload(studio.project, "films", "a.mp4", "", content(), 2000)
    with pytest.raises(StudioError, match=r"the upload of a\.mp4 broke off"):
        asyncio.run(upload)
    assert list((studio.project.root / "films").iterdir()) == []


def test_the_page_is_answered_while_an_upload_goes_to_the_disk(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, waits = threading.Event(), []
    monkeypatch.setattr(uploads, "_to_disk", lambda file: waits.append(answered.wait(5)))

    async def content() -> AsyncIterator[bytes]:
        yield b"film"

    async def upload() -> str:
        asyncio.get_running_loop().call_later(0.01, answered.set)
        return await save_upload(studio.project, "films", "a.mp4", "", content(), 4)

    assert asyncio.run(upload()) == "films/a.mp4"
    assert waits == [True]


def test_two_tabs_that_upload_one_name_at_once_keep_both(studio: Studio) -> None:
    async def upload(letter: bytes) -> str:
        async def content() -> AsyncIterator[bytes]:
            yield letter
            await asyncio.sleep(0)
            yield letter

        return await save_upload(studio.project, "films", "a.mp4", "", content(), 2)

    async def both() -> list[str]:
        return await asyncio.gather(upload(b"1"), upload(b"2"))

    names = asyncio.run(both())
    assert sorted(names) == ["films/a (2).mp4", "films/a.mp4"]
    assert {(studio.project.root / name).read_bytes() for name in names} == {b"11", b"22"}


def test_a_command_that_cannot_be_started_fails_and_the_next_one_runs(tmp_path: Path) -> None:
    queue = queue_in(tmp_path)
    (tmp_path / "state" / "output").write_text("a file where a folder is expected")
    first = queue.add("pickle", ["films", "--help"], {}, [])
    queue.start()
    wait_for_end(queue, first)
    assert (first.state, first.error[:30]) == ("failed", "the command cannot be started:")
    (tmp_path / "state" / "output").unlink()
    second = queue.add("pickle", ["films", "--help"], {}, [])
    wait_for_end(queue, second)
    queue.close()
    assert second.state == "done"


def test_the_output_of_a_command_is_not_written_through_a_link(tmp_path: Path) -> None:
    queue = queue_in(tmp_path)
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "state" / "output").mkdir()
    (tmp_path / "state" / "output" / "1.txt").symlink_to(tmp_path / "precious")
    job = queue.add("pickle", ["films", "--help"], {}, [])
    queue.start()
    wait_for_end(queue, job)
    queue.close()
    assert (tmp_path / "precious").read_text() == "mine"
    assert "demo film" in queue.output_file(job).read_text().lower()


def test_what_follows_a_job_may_fail_and_the_next_job_runs(tmp_path: Path) -> None:
    def fail(job: Job) -> None:
        raise StudioError("the disk is full")

    (tmp_path / "state").mkdir()
    queue = JobQueue(tmp_path, tmp_path / "state", fail)
    jobs = [queue.add("pickle", ["films", "--help"], {}, []) for _ in range(2)]
    queue.start()
    for job in jobs:
        wait_for_end(queue, job)
    queue.close()
    assert [job.state for job in jobs] == ["done", "done"]


def test_a_film_that_cannot_be_added_is_named_and_the_others_are_listed(
    studio: Studio, drawn_film: Path
) -> None:
    films = studio.project.root / "films"
    shutil.copy(drawn_film, films / "good.mp4")
    (films / "bad.mp4").write_bytes(b"no film")
    words = ["pickle", "films/bad.mp4", "films/good.mp4", "--library=library"]
    job = studio.queue.add("pickle", words, {}, [])
    studio.queue.start()
    wait_for_end(studio.queue, job)
    with fail_if_hung():
        while studio.queue.jobs[-1].is_open or studio.queue.jobs[-1].kind != "inspect":
            time.sleep(0.02)
    assert job.state == "failed"
    assert job.error.startswith("1 of 2 films not pickled, the others are kept: films/bad.mp4")
    listed = {film["source"]: film for film in studio.library_table()["films"]}
    assert "loudness_lufs" in listed["good.mp4"]
    assert "bad.mp4" not in listed


def test_films_that_all_fail_are_not_followed_by_a_listing(studio: Studio) -> None:
    job = Job(1, "pickle", ["pickle"], "failed")
    studio._follow_up(job)
    (studio.project.root / "library").mkdir()
    studio._follow_up(Job(2, "library", ["library"], "failed"))
    assert studio.queue.jobs == []
    studio._follow_up(Job(3, "pickle", ["pickle"], "stopped"))
    assert [each.kind for each in studio.queue.jobs] == ["inspect"]


def test_of_many_films_that_fail_the_first_are_told(tmp_path: Path) -> None:
    process = CommandProcess(["films", "--help"], tmp_path, tmp_path / "output.txt")
    process.wait(lambda progress: None)
    process._keep("frame2sound: 30 of 30 films not pickled:")
    for number in range(30):
        process._keep(f"  {number}.mp4: no film")
    told = process.error()
    assert told.startswith("30 of 30 films not pickled: 0.mp4: no film; 1.mp4: no film; ")
    assert told.endswith("; 19.mp4: no film; and 10 more")


def test_a_project_that_vanishes_is_told_and_works_when_it_is_back(
    browser: Browser, studio: Studio, animation: str, tmp_path: Path
) -> None:
    away = tmp_path / "away"
    studio.project.root.rename(away)
    for answer in (
        browser.get("/api/state"),
        browser.get("/api/library"),
        browser.get(f"/media/{animation}"),
        browser.post("/api/upload?part=films&name=a.mp4", content=b"film"),
        browser.post("/api/jobs/render", {"animation": animation}),
    ):
        assert answer.status in (200, 400), answer.content
        assert "this is a bug" not in answer.content.decode()
    assert "is no longer there" in browser.get("/api/state").table["error"]
    assert not studio.project.root.exists()
    away.rename(studio.project.root)
    assert browser.get("/api/state").table["animations"] == [animation]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StudioError, match=r"file cannot be written"):
        Project.create(tmp_path / "file")
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "takes").write_text("a file")
    with pytest.raises(StudioError, match=r"cannot be written"):
        Project.create(tmp_path / "project")


@pytest.mark.parametrize("part", ["takes", "brains", "library", ".studio", ".studio/output"])
def test_a_project_whose_parts_are_links_is_refused(tmp_path: Path, part: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / part).parent.mkdir(exist_ok=True)
    (tmp_path / "project" / part).symlink_to(elsewhere)
    with pytest.raises(StudioError, match=rf"{part} is a link"):
        Project.create(tmp_path / "project")
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ["render", "animations/a.mp4", "--brain=sketchbook", "--out=../escaped.mp4"],
        ["render", "animations/a.mp4", "--out=/tmp/escaped.mp4"],
        ["render", "animations/a.mp4", "-o", "takes/a.mp4"],
        ["render", "/etc/passwd", "--out=takes/a.mp4"],
        ["render", "animations/../../a.mp4", "--out=takes/a.mp4"],
        ["render", "animations/a.mp4", "--effects-file=/etc/passwd", "--out=takes/a.mp4"],
        ["render", "http://evil.test/a.mp4", "--out=takes/a.mp4"],
        ["render", "animations/a.mp4", "--out=takes/link/a.mp4"],
        ["pickle", "films/a.mp4", "--library=/tmp/library"],
        ["library", "library", "--export=/tmp/x"],
        ["studio", "."],
        ["train", "library", "--out=brains/a.safetensors", "--recipe=../evil.toml"],
        ["train", "library", "--out=brains/a.safetensors", "--set=training.loudness=0"],
        ["pickle", "films/a.mp4", "--library=library", "--ray=evil.example:6379"],
        ["render", "animations/a.mp4", "--out=takes/a.mp4", "--ray=evil.example:6379"],
        ["render", "animations/a.mp4", "--out=takes/a.mp4", "--jobs=500"],
        ["library", "library", "--clear"],
    ],
)
def test_a_list_of_jobs_of_a_stranger_runs_nothing_that_the_page_cannot_ask_for(
    tmp_path: Path, words: list[str]
) -> None:
    project = Project.create(tmp_path / "project")
    (project.root / "takes" / "link").symlink_to(tmp_path)
    kind = words[0] if words[0] in ("render", "pickle", "library", "train") else "render"
    job = Job(1, kind, words, outputs=["takes/a.mp4"])  # type: ignore[arg-type]
    write_jobs(project.state, [job])
    studio = Studio(project)
    studio.queue.start()
    wait_for_end(studio.queue, studio.queue.jobs[0])
    studio.queue.close()
    assert studio.queue.jobs[0].state == "failed"
    assert "is not one that the studio makes" in studio.queue.jobs[0].error
    assert not (tmp_path / "escaped.mp4").exists()


@pytest.mark.parametrize(
    "name", ["a=~b.mp4", "~a.mp4", "a::b..mp4", "..a.mp4", "C:a.mp4", "a;b$(c)`d`.mp4"]
)
def test_names_that_look_like_paths_are_taken_as_names(
    browser: Browser, studio: Studio, name: str
) -> None:
    kept = browser.post(f"/api/upload?part=films&name={quote(name)}", content=b"film").table["name"]
    asked = browser.post("/api/jobs/pickle", {"films": [kept]})
    assert asked.status == 200
    check_words(studio.queue.jobs[-1], studio.project.root)
