"""The gallery, shortened: folders that are whole, and pages that show them."""

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
from frame2sound.studio.gallery import RENDERINGS
from frame2sound.studio.gallery_page import RENDERING_DESCRIPTIONS as SAID
from frame2sound.studio.gallery_page import write_pages

QUICK = ("training.epochs=1", "network.hidden=[8]")
Shown = Callable[[str, float, float | None, str], None]


def make(out: Path, *films: str, show: Shown = lambda *shown: None) -> list[str]:
    said: list[str] = []
    run_gallery(out, 0, 2, said.append, show, films=films, learned_seconds=5, settings=QUICK)
    return said


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gallery of one film."""
    out = tmp_path_factory.mktemp("gallery") / "render"
    make(out, "typing")
    return out


class Links(HTMLParser):
    """Collects what a page refers to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]


def test_every_way_sounds_as_long_as_the_animation(gallery: Path) -> None:
    assert set(SAID) == {"its-own", *RENDERINGS}
    for way in SAID:
        with av.open(str(gallery / "typing" / f"{way}.mp4")) as film:
            sound = film.streams.audio[0]
            assert sound.duration * sound.time_base == 2


def test_both_pages_show_all_that_there_is_and_nothing_else(gallery: Path) -> None:
    page = Links((gallery / "index.html").read_text("utf-8"))
    assert not page.tags & {"script", "link", "iframe"}
    text = (gallery / "README.md").read_text("utf-8")
    read = re.findall(r"\]\(([^)]+)\)", text)
    for links in (page.links, read):
        assert {f"typing/{way}.mp4" for way in SAID} < set(links)
        assert all((gallery / link).stat().st_size > 1000 for link in links)
    assert "frame2sound gallery typing --seed 0 --seconds 2" in text
    assert "onset F 1.00" in text


def test_files_are_small(gallery: Path) -> None:
    assert max(path.stat().st_size for path in gallery.rglob("*.*")) < 250_000


def test_an_interrupted_gallery_keeps_what_is_whole(gallery: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in gallery.rglob("*")}

    def interrupt(name: str, done: float, total: float | None, note: str) -> None:
        if name.startswith("typing: training"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(gallery, "typing", show=interrupt)
    assert {path: path.stat().st_mtime_ns for path in gallery.rglob("*")} == before


def test_a_folder_of_others_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "typing").mkdir()
    (tmp_path / "typing" / "mine.txt").write_text("mine")
    with pytest.raises(SoundtrackError, match="was not made by a gallery"):
        make(tmp_path, "typing")
    assert (tmp_path / "typing" / "mine.txt").read_text() == "mine"


def test_unknown_films_are_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(FilmError, match="expected one of bounce"):
        make(tmp_path, "typing", "talkie")
    assert not list(tmp_path.iterdir())
    said = CliRunner().invoke(app, ["gallery", "talkie", "-o", str(tmp_path)])
    assert said.exit_code == 1


def test_pages_of_nothing_are_still_pages(tmp_path: Path) -> None:
    write_pages(tmp_path, [], "frame2sound gallery", 10, 60)
    assert "<h1>" in (tmp_path / "index.html").read_text("utf-8")
