"""A studio that is asked as its page asks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette")

from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene
from frame2sound.web.project import Project
from frame2sound.web.routes import build_app
from frame2sound.web.security import Access
from frame2sound.web.studio import Studio
from tests.web.asking import Browser

MAX_UPLOAD_BYTES = 500_000
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
TIMEOUT_MS = 30_000


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    """A studio of an empty project, whose queue does not run."""
    studio = Studio(Project.create(tmp_path / "project"), MAX_UPLOAD_BYTES)
    yield studio
    studio.queue.close()


@pytest.fixture
def browser(studio: Studio) -> Browser:
    """A browser that has opened the studio's address."""
    access = Access(8000)
    browser = Browser(build_app(studio, access), access)
    assert browser.get(f"/?token={access.token}").status == 200
    return browser


@pytest.fixture(scope="session")
def drawn_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An animation of three seconds, with sound."""
    path = tmp_path_factory.mktemp("drawn") / "typing.mp4"
    write_scene(load_scene("typing", seconds=3, seed=0, size=(64, 64)), path)
    return path


@pytest.fixture
def animation(studio: Studio, drawn_film: Path) -> str:
    """The name of an animation of the project."""
    shutil.copy(drawn_film, studio.project.root / "animations")
    return "animations/typing.mp4"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """Debian's Chromium; skipped where that or Playwright is not installed.

    While it is open, this thread cannot run `asyncio` by itself, as `Browser` does.
    """
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("Chromium, in which pages are tested, is not installed")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """A page of a browser that has no cookies."""
    context = chromium.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page.set_default_timeout(TIMEOUT_MS)
    yield page
    context.close()
