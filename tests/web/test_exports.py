"""Exports of a take: the commands that make them, and their downloads."""

from __future__ import annotations

import doctest
import io
import zipfile
from contextlib import nullcontext
from pathlib import Path
from typing import get_args

import pytest

from frame2sound.api.exporting import check_effects
from frame2sound.api.rendering import RenderOptions
from frame2sound.errors import SoundtrackError, StudioError
from frame2sound.rendering.effects import parse_chain
from frame2sound.rendering.modes import Mode
from frame2sound.web import exports
from frame2sound.web.exports import open_archive
from frame2sound.web.studio import Studio
from tests.web.asking import Browser

SOUND = "--wav --overwrite --out=takes/typing-001.exports/typing-001.wav"


def export(browser: Browser, kind: str, **take: object) -> tuple[str, list[str]]:
    """Ask for a take and its export; return the export's options and outputs."""
    number = browser.post("/api/jobs/render", take).table["number"]
    made = browser.post(f"/api/job/{number}/export/{kind}").table
    assert (made["kind"], made["about"]) == ("export", {"take": number, "export": kind})
    return made["command"].partition("--gain=-3 ")[2], made["outputs"]


@pytest.mark.parametrize(
    ("kind", "suffix"), [("markers", ".csv"), ("midi", ".mid"), ("otio", ".otio")]
)
def test_an_export_is_the_command_of_its_take_with_an_option(
    browser: Browser, animation: str, kind: str, suffix: str
) -> None:
    take = {"animation": animation, "stop": 1.5, "controls": {"gain": -3}, "seed": 4}
    command, outputs = export(browser, kind, **take)
    file = f"takes/typing-001.exports/typing-001{suffix}"
    assert command == f"--to=1.5 --seed=4 --{kind}={file} {SOUND}"
    assert outputs == [file]


def test_a_project_for_reaper_has_stems_where_there_are_any(
    browser: Browser, animation: str
) -> None:
    folder = "takes/typing-001.exports"
    given = {"animation": animation, "controls": {"gain": -3}}
    command, outputs = export(browser, "reaper", **given)
    assert command == f"--reaper={folder}/typing-001.rpp --stems={folder}/stems {SOUND}"
    assert outputs == [f"{folder}/typing-001.rpp", f"{folder}/stems"]
    command, outputs = export(browser, "reaper", **given, effects="distortion db=6")
    assert "--stems" not in command
    folder = "takes/typing-002.exports"
    assert outputs == [f"{folder}/typing-002.rpp", f"{folder}/typing-002.wav"]


@pytest.mark.parametrize(
    ("effects", "without_stems"),
    [
        ("reverb wet=0.3, layer of=reverse", None),
        ("reverb, distortion db=6", "distortion"),
        ("pitch-shift semitones=7", "pitch-shift"),
        ("time-stretch ratio=2", "time-stretch"),
    ],
)
def test_takes_have_stems_with_the_effects_that_the_command_allows(
    browser: Browser, animation: str, effects: str, without_stems: str | None
) -> None:
    with nullcontext() if without_stems is None else pytest.raises(SoundtrackError):
        check_effects(RenderOptions(stems=Path("stems")), parse_chain(effects))
    browser.post("/api/jobs/render", {"animation": animation, "effects": effects})
    (job,) = browser.get("/api/state").table["jobs"]
    expected = f"those with the effect {without_stems} would not add up to the mix"
    assert job["no_stems"].partition(";")[0] == (expected if without_stems else "")
    asked = browser.post("/api/job/1/export/stems")
    assert asked.status == (400 if without_stems else 200)
    if without_stems:
        assert expected in asked.table["error"]


def test_takes_of_every_mode_have_stems(browser: Browser, animation: str) -> None:
    assert doctest.testmod(exports).failed == 0
    for number, mode in enumerate(get_args(Mode), start=1):
        browser.post("/api/jobs/render", {"animation": animation, "mode": mode})
        assert browser.post(f"/api/job/{2 * number - 1}/export/stems").status == 200


def test_what_is_no_take_or_no_export_is_refused(browser: Browser, animation: str) -> None:
    browser.post("/api/jobs/render", {"animation": animation})
    assert "got the export 'exe'" in browser.post("/api/job/1/export/exe").table["error"]
    browser.post("/api/job/1/export/midi")
    assert "job 2 made no take" in browser.post("/api/job/2/export/midi").table["error"]
    for number in (1, 2):
        assert "has made no download" in browser.get(f"/api/job/{number}/download").table["error"]
    assert browser.get("/api/job/9/download").status == 400


def test_a_file_is_downloaded_as_it_is_and_several_as_one_archive(
    browser: Browser, studio: Studio, animation: str
) -> None:
    browser.post("/api/jobs/render", {"animation": animation})
    for kind in ("markers", "stems", "reaper"):
        browser.post(f"/api/job/1/export/{kind}")
    folder = studio.project.root / "takes" / "typing-001.exports"
    contents = {"typing-001.csv": b"name\n", "typing-001.rpp": b"<", "stems/a b.wav": b"RIFF" * 9,
                "stems/stems.json": b"{}", "stems/.partial": b"-"}  # fmt: skip
    (folder / "stems").mkdir(parents=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    for job in studio.queue.jobs:
        job.state = "done"

    markers = browser.get("/api/job/2/download")
    assert markers.content == b"name\n"
    assert markers.headers["content-disposition"] == 'attachment; filename="typing-001.csv"'
    stems, project = (browser.get(f"/api/job/{number}/download") for number in (3, 4))
    assert "typing-001-stems.zip" in stems.headers["content-disposition"]
    assert int(stems.headers["content-length"]) == len(stems.content)
    assert sorted(unpack(stems.content)) == ["stems/a b.wav", "stems/stems.json"]
    del contents["stems/.partial"], contents["typing-001.csv"]
    assert unpack(project.content) == contents
    (folder / "stems" / "link.wav").symlink_to("/etc/hostname")
    assert browser.get("/api/job/3/download").status == 400


def unpack(content: bytes) -> dict[str, bytes]:
    """Return the files in a .zip by their names."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert all(each.compress_type == zipfile.ZIP_STORED for each in archive.infolist())
        return {name: archive.read(name) for name in archive.namelist()}


def test_an_archive_leaves_no_file_and_names_what_is_missing(studio: Studio) -> None:
    folder = studio.project.state
    before = set(folder.iterdir())
    with open_archive({}, folder)[0]:
        assert set(folder.iterdir()) == before
    with pytest.raises(StudioError, match="no longer there; make it again"):
        open_archive({"a": folder / "gone"}, folder)
