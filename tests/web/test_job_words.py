"""The studio runs the commands that it makes itself: all of those, and no others."""

from __future__ import annotations

from typing import Any, get_args

from frame2sound.api.library import Library
from frame2sound.web.controls import controls
from frame2sound.web.exports import ExportKind
from frame2sound.web.job import JobKind
from frame2sound.web.job_words import COMMANDS, OPTIONS, check_words
from frame2sound.web.requests import add_inspect
from frame2sound.web.studio import Studio
from tests.web.asking import Browser

FILES = (
    "sounds/a.wav", "drawings/b.svg", "films/c.mp4", "animations/walk/1.png",
    "pairs/pair.safetensors",
)  # fmt: skip
PAIR = "pairs/pair.safetensors"


def ask_for_everything(browser: Browser, animation: str) -> None:
    """Ask for each kind of job with all that the page can give, and for their second runs."""
    sliders = {control.name: control.default for control in controls()}
    take = {"animation": animation, "brain": "bells", "mode": "mosaic", "controls": sliders,
            "scale": "D minor", "effects": "reverb", "stereo": True, "seed": 3,
            "start": 0.5, "stop": 1.5, "events": [{"time_seconds": 0.5}],
            "events_until": 1.0}  # fmt: skip
    learned = {"sounds": "sounds", "drawings": "drawings", "steps": 5, "seed": 2}
    asked = [
        ("render", take),
        ("render", {**take, "mode": "granular"}),
        ("render", {"animation": animation, "stop": 1}),
        ("render", {"animation": "animations/walk", "fps": 12}),
        ("pickle", {"films": ["films/c.mp4"]}),
        *(("library", {"action": each, "film": "one"}) for each in
          ("exclude", "include", "delete")),
        ("train", {"name": "brain", "recipe": "mel", "epochs": 5, "seed": 1}),
        ("compare", {"name": "both", "recipes": ["deep"], "seeds": 1, "epochs": 2}),
        ("notes", {"count": 64}),
        ("squiggles", {"count": 64}),
        ("pair", {"name": "asked", **learned, "pairing": {"loudness": "size"}}),
        ("pair", {"name": "found", **learned}),
        ("draw", {"sound": "sounds/a.wav", "pair": PAIR, "voices": 2}),
        ("draw", {"sound": "sounds/a.wav", "pair": PAIR, "form": "still", "at": 1.5}),
        ("sing", {"drawing": "drawings/b.svg", "pair": PAIR}),
        ("report", {"pair": PAIR}),
    ]  # fmt: skip
    for kind, request in asked:
        answer = browser.post(f"/api/jobs/{kind}", request)
        assert answer.status == 200, answer.content
    for number in (1, 2, 3, 4):
        for path in ("wav", *(f"export/{kind}" for kind in get_args(ExportKind))):
            browser.post(f"/api/job/{number}/{path}")


def test_each_option_that_the_studio_gives_is_known_and_each_known_one_is_given(
    browser: Browser, studio: Studio, animation: str, add_film: Any
) -> None:
    root = studio.project.root
    for name in FILES:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"")
    add_film(Library.create(root / "library", 8000), "one")
    ask_for_everything(browser, animation)
    add_inspect(studio.queue)
    (root / "brains" / "brain.checkpoint.safetensors").write_bytes(b"")
    words: dict[str, list[str]] = {kind: [] for kind in COMMANDS}
    for _ in range(3):  # as asked for, resumed, and begun anew
        for job in studio.queue.jobs:
            check_words(job, root)
            words[job.kind] += job.words
            browser.post(f"/api/job/{job.number}/stop")
            browser.post(f"/api/job/{job.number}/again")
        (root / "brains" / "brain.checkpoint.safetensors").unlink(missing_ok=True)
    for kind, options in OPTIONS.items():
        given = {option for option in options for word in words[kind]
                 if word == option or word.startswith(f"{option}=")}  # fmt: skip
        assert given == options, kind
    assert set(OPTIONS) == set(COMMANDS) == set(get_args(JobKind))
