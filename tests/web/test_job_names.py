"""No job writes over what another made under the same name."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from frame2sound.web.job_queue import JobQueue
from frame2sound.web.project import Project
from frame2sound.web.studio import Studio
from tests.web.asking import Browser


def end(queue: JobQueue, number: int, state: str = "done") -> None:
    """Let a job end as if it had run."""
    job = queue.find(number)
    job.state, job.started = state, time.time()  # type: ignore[assignment]
    if state == "done":
        for name in job.outputs:
            (queue.root / name).write_bytes(b"its own")


def test_a_training_does_not_go_on_under_a_name_that_another_has_by_now(
    browser: Browser, studio: Studio
) -> None:
    (studio.project.root / "library").mkdir()
    for number, recipe in ((1, "shallow"), (2, "deep")):
        browser.post("/api/jobs/train", {"name": "bells", "recipe": recipe})
        if number == 1:
            assert browser.post("/api/job/1/stop").table["state"] == "stopped"
    for _ in range(2):  # while the other waits, and when it is done
        refused = browser.post("/api/job/1/again")
        assert refused.status == 400
        assert refused.table["error"] == (
            "job 2 has the name brains/bells.safetensors by now; ask for what job 1 makes anew"
        )
        end(studio.queue, 2)
    end(studio.queue, 2, "failed")
    assert browser.post("/api/job/1/again").status == 400  # its best brain is kept
    (studio.project.root / "brains" / "bells.safetensors").unlink()
    assert browser.post("/api/job/1/again").table["command"].endswith(" --overwrite")
    assert "job 1 has the name" in browser.post("/api/job/2/again").table["error"]


def test_a_take_and_what_is_made_of_it_do_not_replace_another_take(
    browser: Browser, studio: Studio, animation: str
) -> None:
    browser.post("/api/jobs/render", {"animation": animation, "mode": "granular"})
    browser.post("/api/job/1/export/midi")
    for number in (1, 2):
        browser.post(f"/api/job/{number}/stop")
    browser.post("/api/jobs/render", {"animation": animation, "mode": "granular", "stop": 1})
    end(studio.queue, 3)
    assert studio.queue.find(3).outputs == ["takes/typing-001.wav"]
    for path in ("job/1/again", "job/2/again", "job/1/wav", "job/1/export/stems"):
        refused = browser.post(f"/api/{path}")
        assert (refused.status, refused.table["error"][:30]) == (
            400,
            "job 3 has the name takes/typin",
        )
    assert browser.post("/api/job/3/export/midi").status == 200


def test_what_is_of_the_same_take_or_the_same_command_is_made_again(
    browser: Browser, studio: Studio, animation: str
) -> None:
    browser.post("/api/jobs/render", {"animation": animation})
    browser.post("/api/job/1/export/stems")
    browser.post("/api/job/2/stop")
    browser.post("/api/job/1/export/reaper")
    assert browser.post("/api/job/2/again").status == 200
    for number in (4, 5):
        assert browser.post("/api/job/1/wav").table["number"] == number
        browser.post(f"/api/job/{number}/stop")
    assert browser.post("/api/job/4/again").status == 200


def test_a_training_that_was_begun_keeps_its_name(browser: Browser, studio: Studio) -> None:
    (studio.project.root / "library").mkdir()
    (studio.project.root / "brains" / "bells.checkpoint.safetensors").write_bytes(b"")
    assert "already" in browser.post("/api/jobs/train", {"name": "bells"}).table["error"]


def test_two_tabs_that_ask_at_once_get_two_names(
    browser: Browser, studio: Studio, animation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose = Project.new_name

    def choose_slowly(*asked: object) -> str:
        name = choose(*asked)  # type: ignore[arg-type]
        time.sleep(0.1)
        return name

    monkeypatch.setattr(Project, "new_name", choose_slowly)
    ask = lambda: browser.post("/api/jobs/render", {"animation": animation})  # noqa: E731
    tabs = [threading.Thread(target=ask) for _ in range(3)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    names = {Path(job.outputs[0]).name for job in studio.queue.jobs}
    assert names == {"typing-001.mp4", "typing-002.mp4", "typing-003.mp4"}
