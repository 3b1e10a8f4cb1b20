"""From an empty project to a downloaded soundtrack, in a real browser."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
import wave
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import typer

from frame2sound.api.synaesthesia import make_notes, make_squiggles
from frame2sound.cli import app
from frame2sound.rendering.events.event_list import read_events
from frame2sound.web.job import Job, read_jobs, write_jobs
from frame2sound.web.project import Project
from frame2sound.web.studio import Studio
from tests.synaesthesia.untrained import write_pair
from tests.web.serving import serve_here


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The printed address of a studio of an empty project."""
    with serve(tmp_path) as address:
        yield address


@contextmanager
def serve(tmp_path: Path) -> Iterator[str]:
    """Serve a project, and yield the printed address."""
    words = [sys.executable, "-m", "frame2sound", "studio", "project", "--no-browser"]
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as studio:
        assert studio.stdout is not None
        found = ""
        while not (match := re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", found)):
            line = studio.stdout.readline()
            assert line, found
            found += line
        yield match[0]
        studio.terminate()
        assert studio.wait(30) == 0


def test_from_an_empty_project_to_a_soundtrack(
    address: str, page: Any, drawn_film: Path, tmp_path: Path
) -> None:
    animation = shutil.copy(drawn_film, tmp_path / "<img src=x onerror=alert(1)>.mp4")
    wrong: list[str] = []
    page.on("request", lambda request: wrong.append(request.url) if is_far(request.url) else None)
    page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("dialog", lambda dialog: wrong.append(dialog.message))

    page.goto(address)
    page.get_by_role("link", name="Sound").wait_for()
    page.locator("#animations-input").set_input_files(animation)
    page.get_by_text("1 file added").wait_for()
    page.get_by_label("Gain", exact=True).focus()
    page.keyboard.press("ArrowLeft")
    page.locator("#render-first:enabled").press("Enter")
    waveform = page.get_by_role("slider", name="Waveform and events")
    wait_for(waveform, tmp_path / "project")
    page.locator(".waveform canvas[aria-valuemax='3.00']").wait_for()
    page.get_by_role("button", name="Make WAV").click()

    waveform.focus()
    page.keyboard.press("]")
    source = page.get_by_role("status").filter(has_text=re.compile(r"^Event 1 of \d+, 0:0"))
    assert re.search(r": sound of \D+, from \d:[\d.]+ on, at -[\d.]+ dB", source.inner_text())
    page.get_by_text("List of events").press("Enter")
    page.get_by_role("button", name="Event 2: ").press("Enter")
    assert "event 2 of" in (waveform.get_attribute("aria-valuetext") or "")
    assert page.get_by_text("Between events, here: ").is_visible()
    waveform.focus()
    page.keyboard.press("Delete")
    render_edited = page.get_by_role("button", name="Render with these events")
    page.keyboard.press("Control+z")
    assert not render_edited.is_visible()
    page.keyboard.press("Control+Shift+Z")
    page.get_by_role("button", name="Undo").press("Enter")
    page.get_by_role("button", name="Redo").press("Enter")
    render_edited.click()
    page.locator(".take-name:not(:disabled)").nth(1).wait_for()
    with page.expect_download() as wav:
        page.get_by_role("link", name="Download WAV").click()
    with page.expect_download() as film:
        page.get_by_role("link", name="Download Film").first.click()

    markers, stems = download_exports(page)

    with wave.open(str(wav.value.path())) as sound:
        assert sound.getnframes() == 3 * sound.getframerate()
        assert any(sound.readframes(sound.getnframes()))
    assert b"ftyp" in Path(film.value.path()).read_bytes()[:12]
    jobs = {job.kind: job for job in read_jobs(tmp_path / "project" / ".studio")}
    assert all(job.state == "done" for job in jobs.values())
    assert re.search(r"--gain=-\d", jobs["render"].command)
    takes = sorted((tmp_path / "project" / "takes").glob("*.events.json"))
    first, second = (len(read_events(path)) for path in takes)
    assert (first - second, second > 0) == (1, True)
    takes_folder = tmp_path / "project" / "takes"
    (again,) = takes_folder.glob("*.exports/*.wav")
    assert again.read_bytes() == Path(wav.value.path()).read_bytes()
    assert markers.count("\n") == 1 + first
    assert_stems_add_up(stems, again)
    assert page.locator("code", has_text="frame2sound render").count() == 5
    assert not wrong


def download_exports(page: Any) -> tuple[str, bytes]:
    """Make and download the markers and the stems of the first take."""
    page.get_by_label("-001.mp4 for other programs").click()
    contents = []
    for kind in ("Markers", "Stems"):
        page.get_by_role("button", name=f"Make {kind}").last.click()
    for kind in ("Markers", "Stems"):
        with page.expect_download() as made:
            page.get_by_role("link", name=f"Download {kind}").click()
        contents.append(Path(made.value.path()).read_bytes())
    return contents[0].decode(), contents[1]


def assert_stems_add_up(stems: bytes, wav: Path) -> None:
    """Assert that the WAV files of a .zip are a soundtrack in sum."""
    with zipfile.ZipFile(io.BytesIO(stems)) as archive:
        parts = [soundfile.read(io.BytesIO(archive.read(name)))[0]
                 for name in archive.namelist() if name.endswith(".wav")]  # fmt: skip
    assert len(parts) > 1
    assert np.abs(sum(parts) - soundfile.read(wav)[0]).max() < 10 ** (-90 / 20)


@pytest.fixture
def stopped_training(tmp_path: Path) -> Iterator[str]:
    """The address of a studio in which a training was stopped."""
    job = Job(1, "train", ["train"], state="stopped", outputs=["brains/bold.safetensors"])
    job.about, job.curve = {"recipe": "deep"}, [(3, 0.7, 0.61), (10, 0.25, 0.302)]
    write_jobs(Project.create(tmp_path / "project").state, [job])
    with serve(tmp_path) as address:
        yield address


def test_a_training_is_heard_beside_its_film_in_two_tabs(
    stopped_training: str, page: Any, drawn_film: Path, tmp_path: Path
) -> None:
    films, wrong = tmp_path / "project" / "brains" / "bold-checkpoints", list[str]()
    films.mkdir()
    for name in ("original", "epoch-00003", "epoch-00010"):
        shutil.copy(drawn_film, films / f"{name}.mp4")
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(stopped_training)
    page.get_by_role("link", name="Train").click()
    heard = page.locator(".checkpoint-list [aria-pressed=true]")
    page.get_by_role("button", name="Play the held-out film of bold").click()
    page.get_by_role("button", name="Pause the held-out film of bold").wait_for()
    assert "Epoch 10" in heard.inner_text()
    assert page.get_by_role("listitem").filter(has_text="Epoch 10").inner_text().endswith("0.302")
    for key, name in (("a", "The film's own sound"), ("2", "Epoch 3"), ("a", "own"), ("A", "3")):
        page.keyboard.press(key)
        assert name in heard.inner_text()
    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_role("button", name="Epoch 10").wait_for()

    shutil.copy(drawn_film, films / "epoch-00012.mp4")
    for each in (page, other):
        each.get_by_role("button", name="1 Epoch 12").wait_for()
    assert "Epoch 3" in heard.inner_text()
    for each in (page, other):
        each.get_by_role("button", name="Resume: command 1").first.wait_for()
    assert not wrong


@pytest.fixture
def drawing_studio(tmp_path: Path) -> Iterator[tuple[str, Studio]]:
    """A studio in this process, whose queue does not run, with sets and a pair of networks."""
    pytest.importorskip("uvicorn")
    studio = Studio(Project.create(tmp_path / "project"))
    root = studio.project.root
    make_notes(root / "sounds" / "notes", count=4)
    make_squiggles(root / "drawings" / "squiggles", count=4)
    write_pair(root / "pairs" / "bold.safetensors")
    (root / "pairs" / "bold.html").write_text("<p>Found</p><script>document.title = 'ran'</script>")
    with serve_here(studio) as address:
        yield address, studio


def test_a_sound_is_drawn_and_a_pair_is_asked_for(
    drawing_studio: tuple[str, Studio], page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, studio = drawing_studio
    asked: list[Any] = []
    wrong: list[str] = []

    def note(route: Any) -> None:
        asked.append(route.request.post_data_json)
        route.fulfill(status=400, json={"error": "noted"})

    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.route("**/api/jobs/pair", note)
    page.route("**/api/jobs/sing", note)
    page.goto(address)
    page.get_by_role("link", name="Draw", exact=True).click()
    page.get_by_label("What to draw").select_option("still")
    page.get_by_label("Middle of the second").fill("0.5")
    page.get_by_role("button", name="Draw", exact=True).press("Enter")

    page.get_by_label("Name of the pair").fill("round")
    page.get_by_label("Drawings of pairing 1").select_option("rounder (\u2212spikiness)")
    page.get_by_label("Sounds of pairing 2").select_option("No other")
    page.get_by_role("button", name="Train").press("Enter")
    page.get_by_text("noted").wait_for()
    page.get_by_label("Let the networks find a mapping of their own").press("Space")
    page.get_by_role("button", name="Train").press("Enter")
    page.get_by_label("Made of").select_option("phase")
    page.get_by_role("button", name="Sing").press("Enter")
    page.get_by_label("Report of bold").press("Enter")
    report = page.frame_locator("iframe[title='Report of bold']")
    report.get_by_text("Found").wait_for()
    assert page.get_by_alt_text("0000.svg").evaluate("image => image.naturalWidth") == 256
    (job,) = studio.queue.jobs
    monkeypatch.chdir(studio.project.root)
    typer.main.get_command(app).main(job.words, standalone_mode=False)
    job.state = "done"
    page.get_by_alt_text("Drawing 0000-tone-001.svg").evaluate("image => image.decode()")
    with page.expect_popup() as tab:
        page.get_by_text("Open it in a tab of its own").click()
    tab.value.get_by_text("Found").wait_for()

    sets = {"sounds": "sounds/notes", "drawings": "drawings/squiggles"}
    table = {"name": "round", **sets, "steps": None, "seed": 0}
    assert asked == [
        {**table, "pairing": {"loudness": "-spikiness"}},
        {**table, "pairing": {}},
        {"drawing": "drawings/squiggles/0000.svg", "pair": "pairs/bold.safetensors", "by": "phase"},
    ]
    assert page.locator("#jobs code").inner_text() == job.command
    assert job.command.endswith("--at=0.5 --out=drawn/0000-tone-001.svg")
    assert tab.value.title() == ""
    assert not wrong


def wait_for(element: Any, project: Path) -> None:
    """Wait until an element is visible; say what became of the jobs if it is not."""
    try:
        element.wait_for()
    except Exception as error:
        jobs = [(job.command, job.state, job) for job in read_jobs(project / ".studio")]
        raise AssertionError(f"{jobs}\n{element.page.locator('body').inner_text()}") from error


def is_far(url: str) -> bool:
    """Whether a request leaves this computer."""
    return not url.startswith(("http://127.0.0.1:", "blob:", "data:"))
