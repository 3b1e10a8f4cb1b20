"""While jobs report their progress, what is open, pressed or focused on a page stays so."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from frame2sound.web.job import Job, Progress, write_jobs
from frame2sound.web.project import Project
from frame2sound.web.studio import Studio
from tests.web.serving import serve_here

pytest.importorskip("uvicorn")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path / "project")


def served(project: Project, *jobs: Job) -> Iterator[tuple[str, Studio]]:
    write_jobs(project.state, list(jobs))
    studio = Studio(project)
    with serve_here(studio) as address:
        yield address, studio


@pytest.fixture
def comparing(project: Project) -> Iterator[tuple[str, Studio]]:
    """A studio with a comparison that is done, and one that waits."""
    for name in ("first", "second"):
        (project.root / "comparisons" / name).mkdir()
    (project.root / "comparisons" / "first" / "results.json").write_text("{}")
    yield from served(project, Job(1, "compare", ["compare"], outputs=["comparisons/second"]))


def report(job: Job, page: Any, note: str) -> None:
    """Report progress, and wait until the page shows it."""
    job.state, job.progress = "running", Progress("working", 1, 4, note)
    page.locator("#comparisons, #films").get_by_text(note).wait_for()


def test_an_open_report_and_the_focus_stay_while_a_comparison_runs(
    comparing: tuple[str, Studio], page: Any
) -> None:
    address, studio = comparing
    (job,) = studio.queue.jobs
    page.goto(address)
    page.get_by_role("link", name="Compare").click()
    place = page.locator("#comparisons")
    report(job, page, "began")
    place.locator("summary").press("Enter")
    stop = place.get_by_role("button", name="Stop command 1")
    stop.focus()
    report(job, page, "went on")
    assert place.locator("details").evaluate("details => details.open")
    assert stop.evaluate("button => button === document.activeElement")
    (studio.project.root / "comparisons" / "second" / "results.json").write_text("{}")
    job.state = "done"
    place.locator("summary", has_text="second").wait_for()
    assert place.locator("details").first.evaluate("details => details.open")


@pytest.fixture
def pickling(project: Project) -> Iterator[tuple[str, Studio]]:
    """A studio that puts a film into its library, and has another beside it."""
    for name in ("a.mp4", "b.mp4"):
        (project.root / "films" / name).write_bytes(b"")
    job = Job(1, "pickle", ["pickle", "films/a.mp4"], about={"films": ["films/a.mp4"]})
    yield from served(project, job)


def test_a_button_of_the_library_works_though_progress_comes_while_it_is_pressed(
    pickling: tuple[str, Studio], page: Any
) -> None:
    address, studio = pickling
    film = {"film": "0-c", "source": "c.mp4", "seconds": 3, "excluded": False}
    asked: list[Any] = []

    def note(route: Any) -> None:
        asked.append(route.request.post_data_json)
        route.fulfill(status=400, json={"error": "noted"})

    page.route("**/api/library", lambda route: route.fulfill(json={"films": [film]}))
    page.route("**/api/jobs/*", note)
    page.goto(address)
    page.get_by_role("link", name="Library").click()
    for number, name in enumerate(("Exclude c.mp4", "Add b.mp4")):
        page.get_by_role("button", name=name).hover()
        page.mouse.down()
        report(studio.queue.jobs[0], page, f"step {number}")
        with page.expect_response("**/api/jobs/*"):
            page.mouse.up()
        page.get_by_role("button", name=name).focus()
    report(studio.queue.jobs[0], page, "last step")
    assert page.evaluate("document.activeElement.textContent") == "Add"
    assert asked == [{"action": "exclude", "film": "0-c"}, {"films": ["films/b.mp4"]}]


@pytest.fixture
def takes(project: Project, drawn_film: Path) -> Iterator[tuple[str, Studio]]:
    """A studio with three takes, of which the second has failed."""
    shutil.copy(drawn_film, project.root / "animations")
    about = {"animation": "animations/typing.mp4", "brain": "bells", "mode": None, "start": 0,
             "stop": None, "controls": {}, "scale": "", "effects": ""}  # fmt: skip
    jobs = []
    for number in (1, 2, 3):
        name = f"takes/typing-00{number}.mp4"
        shutil.copy(drawn_film, project.root / name)
        state: Any = "failed" if number == 2 else "done"
        jobs.append(Job(number, "render", ["render"], state, about, [name]))
    yield from served(project, *jobs)


def test_the_number_of_a_take_is_the_key_that_chooses_it(
    takes: tuple[str, Studio], page: Any
) -> None:
    page.goto(takes[0])
    names = page.locator(".take-name")
    page.locator(".take-name[data-take='1'][aria-pressed]").wait_for()
    shown = {row.get_attribute("data-take"): row.locator("kbd").inner_text() for row in names.all()}
    assert shown == {"3": "1", "2": "", "1": "2"}
    for take in ("1", "3"):
        page.keyboard.press(shown[take])
        page.locator(f".take-name[data-take='{take}'][aria-pressed='true']").wait_for()
