"""The gallery, shortened: folders of films, and pages that show them."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import av
import pytest
from typer.testing import CliRunner

from frame2sound.cli import app
from frame2sound.errors import FilmError, SoundtrackError
from frame2sound.studio import run_gallery
from frame2sound.studio.gallery import RECIPE_SETTINGS
from frame2sound.studio.gallery_page import write_pages
from frame2sound.studio.renderings import RENDERINGS

QUICK = ("training.epochs=1", "network.hidden=[8]", "input.count=24")
OnProgress = Callable[[str, float, float | None, str], None]


def make(out: Path, *films: str, on_progress: OnProgress = lambda *shown: None) -> list[str]:
    messages: list[str] = []
    run_gallery(
        out,
        0,
        2,
        messages.append,
        on_progress,
        films=films,
        learned_seconds=5,
        settings=QUICK,
    )
    return messages


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gallery of one film."""
    out = tmp_path_factory.mktemp("gallery") / "render"
    make(out, "typing")
    return out


class Links(HTMLParser):
    """Collects the links and tags of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]


def test_every_rendering_is_as_long_as_the_animation(gallery: Path) -> None:
    recipes = {rendering.recipe for rendering in RENDERINGS.values()}
    assert recipes == {None, *RECIPE_SETTINGS}
    for name in RENDERINGS:
        with av.open(str(gallery / "typing" / f"{name}.mp4")) as film:
            sound = film.streams.audio[0]
            assert sound.duration * sound.time_base == 2


def test_both_pages_link_to_all_files_and_no_others(gallery: Path) -> None:
    page = Links((gallery / "index.html").read_text("utf-8"))
    assert not page.tags & {"script", "link", "iframe"}
    text = (gallery / "README.md").read_text("utf-8")
    in_text = re.findall(r"\]\(([^)]+)\)", text)
    for links in (page.links, in_text):
        assert {f"typing/{name}.mp4" for name in RENDERINGS} < set(links)
        assert all((gallery / link).stat().st_size > 1000 for link in links)
    assert "frame2sound gallery typing --seed 0 --seconds 2" in text
    assert "onset F 1.00" in text


def test_files_are_small(gallery: Path) -> None:
    assert max(path.stat().st_size for path in gallery.rglob("*.*")) < 250_000


def test_an_interrupted_gallery_keeps_finished_folders(gallery: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in gallery.rglob("*")}

    def interrupt(name: str, done: float, total: float | None, note: str) -> None:
        if name.startswith("typing: training"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(gallery, "typing", on_progress=interrupt)
    assert {path: path.stat().st_mtime_ns for path in gallery.rglob("*")} == before


def test_a_foreign_folder_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "typing").mkdir()
    (tmp_path / "typing" / "mine.txt").write_text("mine")
    with pytest.raises(SoundtrackError, match="is not a folder of a gallery"):
        make(tmp_path, "typing")
    assert (tmp_path / "typing" / "mine.txt").read_text() == "mine"


def test_unknown_films_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(FilmError, match="expected one of balls"):
        make(tmp_path, "typing", "talkie")
    assert not list(tmp_path.iterdir())
    result = CliRunner().invoke(app, ["gallery", "talkie", "-o", str(tmp_path)])
    assert result.exit_code == 1


def test_pages_without_films_are_written(tmp_path: Path) -> None:
    write_pages(tmp_path, [], "frame2sound gallery", 10, 60)
    assert "<h1>" in (tmp_path / "index.html").read_text("utf-8")
