"""The studio is killed, the disk is full, the folder is gone: nothing is lost, and work goes on."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import frame2sound as f2s
from frame2sound.web.job import read_jobs
from frame2sound.web.project import Project
from tests.hang_guard import fail_if_hung


@dataclass
class Served:
    """A studio in a process of its own, as its browser sees it."""

    process: subprocess.Popen[str]
    port: int
    cookie: str = ""

    def ask(self, method: str, path: str, table: Any = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        headers = {"Cookie": self.cookie, "Origin": f"http://127.0.0.1:{self.port}",
                   "X-Frame2Sound": "1"}  # fmt: skip
        connection.request(method, path, None if table is None else json.dumps(table), headers)
        answer = connection.getresponse()
        self.cookie = (answer.headers["set-cookie"] or self.cookie).split(";")[0]
        content = answer.read()
        assert answer.status == 200, content
        return json.loads(content) if content.startswith(b"{") else content

    def jobs(self) -> dict[str, dict[str, Any]]:
        return {job["kind"]: job for job in self.ask("GET", "/api/state")["jobs"]}


@contextmanager
def served(project: Path) -> Iterator[Served]:
    words = [sys.executable, "-m", "frame2sound", "studio", str(project), "--no-browser"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            match = None
            while match is None:
                match = re.search(r"127\.0\.0\.1:(\d+)(/\?token=\S+)", process.stdout.readline())
            studio = Served(process, int(match[1]))
            studio.ask("GET", match[2])
            yield studio
        finally:
            process.terminate()


def test_a_studio_that_is_killed_goes_on_where_it_was(tmp_path: Path, drawn_film: Path) -> None:
    project = Project.create(tmp_path / "project").root
    shutil.copy(drawn_film, project / "animations")
    f2s.draw_film("typing", project / "films" / "film.mp4", seconds=10, size=(64, 64))
    f2s.Library.create(project / "library").add_films([project / "films" / "film.mp4"])
    wanted = {"name": "a", "recipe": "pocket", "epochs": 50_000}
    with fail_if_hung(), served(project) as studio:
        studio.ask("POST", "/api/jobs/train", wanted)
        while not studio.jobs()["train"]["curve"]:
            time.sleep(0.05)
        studio.ask("POST", "/api/jobs/render", {"animation": "animations/typing.mp4"})
        while read_jobs(project / ".studio")[-1].state == "waiting":
            time.sleep(0.01)
        studio.process.kill()
        studio.process.wait()
    left = {job.kind: job for job in read_jobs(project / ".studio")}
    assert {kind: job.state for kind, job in left.items()} == dict.fromkeys(left, "running")
    with fail_if_hung(), served(project) as studio:
        before = studio.jobs()["train"]
        assert before["command"].endswith(" --resume")
        assert before["curve"] == [list(point) for point in left["train"].curve] != []
        while studio.jobs()["render"]["state"] != "done":
            time.sleep(0.05)
    assert (project / before["outputs"][0]).with_suffix(".checkpoint.safetensors").exists()
    assert len(list((project / "takes").iterdir())) == len(left["render"].outputs)
    assert not list(project.rglob("*.partial*"))
