"""The page Draw: what it asks for becomes commands, and what it shows can do no harm."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import typer

from frame2sound.cli import app
from frame2sound.errors import StudioError
from frame2sound.web.job import Job, read_jobs, write_jobs
from frame2sound.web.job_queue import JobQueue
from frame2sound.web.job_words import check_words
from frame2sound.web.studio import Studio
from tests.web.asking import Browser

FILES = (
    "sounds/a.wav", "sounds/notes-64/0000-tone.wav", "drawings/b.svg", "films/c.mp4",
    "animations/walk/1.png", "pairs/my pair.safetensors", "drawn/a-001.mp4", "sung/b-001.wav",
)  # fmt: skip
PAIR = "pairs/my pair.safetensors"


@pytest.fixture
def project(studio: Studio) -> Path:
    """The folder of a project with a file of each kind; none has content."""
    for name in FILES:
        (studio.project.root / name).parent.mkdir(exist_ok=True)
        (studio.project.root / name).write_bytes(b"")
    return studio.project.root


@pytest.mark.parametrize(
    ("kind", "table", "words"),
    [
        ("notes", {}, ["notes", "sounds/notes-1024", "--count=1024"]),
        ("squiggles", {"count": 64}, ["squiggles", "drawings/squiggles-64", "--count=64"]),
        (
            "pair",
            {"name": "new", "sounds": "sounds/notes-64", "drawings": "drawings",
             "pairing": {"loudness": "-size", "movement": "side"}, "steps": 9, "seed": 3},
            ["train", "sounds/notes-64", "drawings", "--pairing=loudness=-size, movement=side",
             "--set=training.steps=9", "--seed=3", "--out=pairs/new.safetensors"],
        ),
        (
            "pair",
            {"name": "new", "sounds": "films", "drawings": "animations/walk"},
            ["train", "films", "animations/walk", "--recipe=found", "--out=pairs/new.safetensors"],
        ),
        (
            "draw",
            {"sound": "sounds/a.wav", "pair": PAIR, "fps": 23.976, "voices": 3},
            ["draw", "sounds/a.wav", f"--pair={PAIR}", "--fps=23.976", "--voices=3",
             "--out=drawn/a-002.mp4"],
        ),
        (
            "draw",
            {"sound": "sung/b-001.wav", "pair": PAIR, "form": "still", "at": 1.5},
            ["draw", "sung/b-001.wav", f"--pair={PAIR}", "--at=1.5", "--out=drawn/b-001-001.svg"],
        ),
        (
            "sing",
            {"drawing": "drawn/a-001.mp4", "pair": PAIR, "by": "phase"},
            ["sing", "drawn/a-001.mp4", f"--pair={PAIR}", "--by=phase",
             "--out=sung/a-001-001.wav"],
        ),
        ("report", {"pair": PAIR}, ["report", f"--pair={PAIR}", "--out=pairs/my pair.html"]),
    ],
)  # fmt: skip
def test_what_the_page_asks_for_is_a_command(
    browser: Browser, project: Path, kind: str, table: dict[str, object], words: list[str]
) -> None:
    answer = browser.post(f"/api/jobs/{kind}", table)
    assert answer.status == 200, answer.content
    (job,) = read_jobs(project / ".studio")
    assert job.words == ["synaesthesia", *words]
    group = typer.main.get_command(app).commands["synaesthesia"]  # type: ignore[attr-defined]
    group.commands[words[0]].make_context("x", words[1:])
    check_words(job, project)
    assert job.outputs == [job.words[-1].removeprefix("--out=")] or job.outputs == [job.words[2]]


@pytest.mark.parametrize(
    ("kind", "table", "told"),
    [
        ("notes", {"count": 64}, "there is a folder sounds/notes-64 already"),
        ("notes", {"count": 0}, "expected form"),
        ("pair", {"name": "my pair", "sounds": "sounds", "drawings": "drawings"}, "already"),
        ("pair", {"name": "../x", "sounds": "sounds", "drawings": "drawings"}, "expected form"),
        ("pair", {"name": "x", "sounds": "library", "drawings": "drawings"}, "got 'library'"),
        ("pair", {"name": "x", "sounds": "sounds", "drawings": "drawings/.."}, "there is no"),
        (
            "pair",
            {"name": "x", "sounds": "sounds", "drawings": "drawings", "pairing": {"pitch": "size"}},
            "got 'pitch' in a pairing",
        ),
        (
            "pair",
            {"name": "x", "sounds": "sounds", "drawings": "drawings",
             "pairing": {"loudness": "size", "movement": "-size"}},
            "expected each word once",
        ),
        ("draw", {"sound": "drawings/b.svg", "pair": PAIR}, "expected a file of sounds or films"),
        ("draw", {"sound": "sounds", "pair": PAIR}, "there is no 'sounds'"),
        ("draw", {"sound": "sounds/a.wav", "pair": "sounds/a.wav"}, "expected a pair"),
        ("draw", {"sound": "sounds/a.wav", "pair": PAIR, "voices": 13}, "expected form"),
        ("draw", {"sound": "sounds/a.wav", "pair": PAIR, "fps": 0}, "expected form"),
        ("sing", {"drawing": "/etc/passwd", "pair": PAIR}, "expected a file of drawings"),
        ("sing", {"drawing": "drawings/b.svg", "pair": PAIR, "by": "heart"}, "expected form"),
        ("report", {"pair": "pairs/none.safetensors"}, "there is no"),
    ],
)  # fmt: skip
def test_what_is_not_of_the_project_is_refused(
    browser: Browser, studio: Studio, project: Path, kind: str, table: object, told: str
) -> None:
    answer = browser.post(f"/api/jobs/{kind}", table)
    assert answer.status == 400
    assert told in answer.table["error"]
    assert studio.queue.jobs == []


def test_what_is_being_made_is_not_made_twice(browser: Browser, project: Path) -> None:
    pair = {"name": "new", "sounds": "sounds", "drawings": "drawings"}
    for kind, table in (("squiggles", {}), ("pair", pair), ("report", {"pair": PAIR})):
        assert [browser.post(f"/api/jobs/{kind}", table).status for _ in "12"] == [200, 400]
    sing = {"drawing": "drawings/b.svg", "pair": PAIR}
    outputs = [browser.post("/api/jobs/sing", sing).table["outputs"] for _ in "12"]
    assert outputs == [["sung/b-002.wav"], ["sung/b-003.wav"]]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("draw", ["synaesthesia", "train", "sounds", "drawings"]),
        ("draw", ["synaesthesia"]),
        ("draw", []),
        ("sing", ["synaesthesia", "sing", "../secret.svg", "--out=sung/a.wav"]),
        ("pair", ["synaesthesia", "train", "sounds", "drawings", "--out=/tmp/x.safetensors"]),
        ("other", []),
    ],
)
def test_commands_that_the_page_does_not_make_are_not_run(
    project: Path, kind: str, words: list[str]
) -> None:
    with pytest.raises(StudioError, match="not one that the studio makes"):
        check_words(Job(1, kind, words), project)  # type: ignore[arg-type]


def test_a_folder_that_holds_a_link_is_not_learned_from(project: Path, tmp_path: Path) -> None:
    train = Job(1, "pair", ["synaesthesia", "train", "sounds/notes-64", "drawings"])
    sing = Job(2, "sing", ["synaesthesia", "sing", "drawings", "--out=sung/a.wav", "--overwrite"])
    (project / "link").symlink_to(tmp_path)
    for job in (train, sing):
        check_words(job, project)
    (tmp_path / "private.svg").write_text("secret")
    (project / "drawings" / "link.svg").symlink_to(tmp_path / "private.svg")
    for job in (train, sing):
        with pytest.raises(StudioError, match=r"drawings/link\.svg is a link"):
            check_words(job, project)


def test_the_page_is_told_what_can_be_drawn_and_sung(browser: Browser, project: Path) -> None:
    (project / "films" / "c.json").write_bytes(b"")
    (project / "animations" / "c.json").write_bytes(b"")
    for number in range(30):
        (project / "drawings" / f"n{number:02}.txt").write_bytes(b"")
        (project / "sounds" / "notes-64" / f"{number:02}.wav").write_bytes(b"")
    told = browser.get("/api/state").table["drawing"]
    dropped, notes = told["sounds"]
    assert dropped == {"name": "sounds", "count": 1, "files": ["sounds/a.wav"]}
    assert (notes["name"], notes["count"], len(notes["files"])) == ("sounds/notes-64", 31, 24)
    assert notes["files"][0] == "sounds/notes-64/00.wav"
    assert told["drawings"] == [{"name": "drawings", "count": 1, "files": ["drawings/b.svg"]}]
    assert told["films"] == ["films/c.mp4"]
    assert told["animations"] == ["animations/walk"]
    kept = {name: told[name] for name in ("pairs", "reports", "drawn", "sung")}
    assert kept == {"pairs": [PAIR], "reports": [], "drawn": [FILES[6]], "sung": [FILES[7]]}


def test_uploads_are_sounds_or_drawings(browser: Browser, studio: Studio) -> None:
    for part, name, status in (
        ("sounds", "bell.WAV", 200), ("sounds", "film.mp4", 200), ("sounds", "b.svg", 400),
        ("drawings", "b.svg", 200), ("drawings", "b.png", 200), ("drawings", "film.mp4", 400),
        ("pairs", "a.safetensors", 400), ("drawn", "a.svg", 400),
    ):  # fmt: skip
        answer = browser.post(f"/api/upload?part={part}&name={name}", content=b"1")
        assert answer.status == status, (part, name)
        assert (studio.project.root / part / name).exists() == (status == 200)
    refused = browser.post("/api/upload?part=drawings&name=film.mp4", content=b"1")
    assert refused.table["error"] == "got 'film.mp4', expected a drawing, as .svg or .png"


def test_a_report_runs_no_script_and_loads_nothing(browser: Browser, project: Path) -> None:
    (project / "pairs" / "my pair.html").write_text("<script>alert(1)</script>")
    (project / "secret.html").write_text("secret")
    answer = browser.get("/pair/my%20pair/report.html")
    policy = answer.headers["content-security-policy"].split("; ")
    assert (answer.status, answer.headers["content-type"][:9]) == (200, "text/html")
    assert {"default-src 'none'", "sandbox", "frame-ancestors 'self'"} <= set(policy)
    assert "script" not in " ".join(policy)
    assert "http" not in " ".join(policy)
    assert answer.headers["cross-origin-opener-policy"] == "unsafe-none"
    assert browser.get("/api/state").headers["cross-origin-opener-policy"] == "same-origin"
    for name in ("none", "..%2fsecret", "%2e%2e/secret"):
        assert browser.get(f"/pair/{name}/report.html").status in (400, 404)


def test_an_svg_is_a_picture_and_no_page(browser: Browser, project: Path) -> None:
    answer = browser.get("/drawing/drawings/b.svg")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    for name in ("sounds/a.wav", "drawings/none.svg", "../x.svg"):
        assert browser.get(f"/drawing/{name}").status in (400, 404)


def test_after_a_kill_what_was_made_is_done_and_the_rest_begins_anew(
    project: Path, tmp_path: Path
) -> None:
    outputs = {"pair": PAIR, "draw": "drawn/b.svg", "notes": "sounds/notes-64"}
    jobs = [
        Job(number, kind, [kind], state="running", outputs=[name], started=1.0)  # type: ignore[arg-type]
        for number, (kind, name) in enumerate(outputs.items(), 1)
    ]
    (tmp_path / "state").mkdir()
    write_jobs(tmp_path / "state", jobs)
    pair, draw, notes = JobQueue(project, tmp_path / "state").jobs
    assert [job.state for job in (pair, draw, notes)] == ["done", "waiting", "done"]
    assert draw.words == ["draw", "--overwrite"]
    os.utime(project / PAIR, (0.5, 0.5))
    (project / "sounds" / "notes-64").rename(project / "sounds" / "other")
    pair, _, notes = JobQueue(project, tmp_path / "state").jobs
    assert (pair.state, pair.words) == ("waiting", ["pair", "--overwrite"])
    assert (notes.state, notes.words) == ("waiting", ["notes"])
