"""``frame2sound compare``: what it prints, what it makes, how it ends."""

from __future__ import annotations

import json
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
import torch

from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene
from frame2sound.studio.comparison_page import write_report
from tests.commanding import run

QUICK = ["--set", "training.epochs=1", "--set", "input.kind=pixels", "--set", "network.hidden=[4]"]
TWO = ["--recipe", "waveform", "--recipe", "waveform target.lead_seconds=0"]


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory):
    """A folder with a library of one film, and a comparison of two recipes."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("studio")
    write_scene(load_scene("typing", seconds=8, seed=0, size=(64, 64)), folder / "film.mp4")
    assert run(folder, "pickle", "film.mp4", "--library", "library").returncode == 0
    made = run(folder, "compare", "library", *TWO, *QUICK, "--seeds", "1", "--out", "out")
    assert made.returncode == 0, made.stderr
    (folder / "said.txt").write_text(made.stdout)
    yield folder
    torch.set_num_threads(before)


class Parts(HTMLParser):
    """What a page is made of: what it links to, and its scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.scripts: list[str] = []
        self.tag = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tag = tag
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag: str) -> None:
        self.tag = ""

    def handle_data(self, data: str) -> None:
        if self.tag == "script":
            self.scripts.append(data)


def test_it_prints_figures_beside_baselines_and_how_sure_differences_are(studio: Path) -> None:
    said = (studio / "said.txt").read_text()
    assert re.search(r"^its own sound +1\.00 ", said, re.MULTILINE)
    assert re.search(r"^silence +0\.00 ", said, re.MULTILINE)
    assert re.search(
        r"^waveform minus waveform target\.lead_seconds=0, onset F: \S+ \(\S+ to \S+\), "
        "cannot be said$",
        said,
        re.MULTILINE,
    )
    assert "out/report.html" in said
    assert "is better" not in said
    assert "cannot be said: one seed; train 5 or more; intervals of so few" in said
    assert "waveform minus nearest, as waveform, envelope: " in said


def test_the_page_needs_no_network_and_nothing_but_its_folder(studio: Path) -> None:
    page = (studio / "out" / "report.html").read_text("utf-8")
    parts = Parts(page)
    assert all(link.startswith(("#", "data:")) for link in parts.links)
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", page)
    results, script = parts.scripts[0], parts.scripts[-1]
    table = json.loads(results)
    assert "function preference(" in script
    assert table["no_verdict"] == "one seed; train 5 or more"
    assert 'each.no_verdict ? "cannot be said"' in script
    assert not re.search(r"/\*[A-Z]+\*/", page)
    for stretch in table["stretches"]:
        for track in table["soundtracks"]:
            for ending in ("m4a", "webp"):
                path = f"media/{stretch['name']}/{track['player']}.{ending}"
                assert (studio / "out" / unquote(path)).is_file()


def test_results_cannot_end_the_page_early(studio: Path, tmp_path: Path) -> None:
    table = json.loads((studio / "out" / "results.json").read_text())
    table["library"] = "</script><!--"
    write_report(table, tmp_path)
    told = Parts((tmp_path / "report.html").read_text("utf-8")).scripts[0]
    assert json.loads(told)["library"] == "</script><!--"


def test_again_it_finds_all_done_and_says_the_same(studio: Path) -> None:
    words = ["compare", "library", *TWO, *QUICK, "--seeds", "1", "--out", "out"]
    again = run(studio, *words)
    assert again.stdout == (studio / "said.txt").read_text()
    told = run(studio, *words, "--json")
    assert json.loads(told.stdout) == json.loads((studio / "out" / "results.json").read_text())


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (["--recipe", "deep", "--recipe", "deep"], "deep twice, expected each once"),
        (["--recipe", "huge"], "no recipe 'huge'; expected one of"),
        (["--recipe", "deep", "--recipe", "deep clock.fps=24"], "add the setting clock.fps=30"),
        (["--recipe", "deep", "--split", "films"], "use --split ends or pickle another film"),
        (["--recipe", "deep", "--held-out", "other"], "got --held-out other, expected a film of"),
        (["--recipe", "deep", "--seeds", "0"], "0, expected 1 or more"),
        (["--recipe", "deep", "--out", "library"], "holds something else than a comparison"),
        (["--recipe", "deep", "--animation", "none.mp4"], "none.mp4 cannot be read"),
        (["--recipe", "waveform", "--out", "out"], "other settings of recipe waveform"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(studio: Path, words: list[str], match: str) -> None:
    words = ["compare", "library", *words, *(["--out", "new"] * ("--out" not in words))]
    said = run(studio, *words)
    assert said.returncode == 1
    assert match in said.stderr
    assert len(said.stderr.strip().splitlines()) == 1
    assert not (studio / "new").exists()


def test_the_scripts_are_javascript() -> None:
    try:
        subprocess.run(["node", "--version"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("node, which reads the page's scripts, is not installed")
    folder = Path(write_report.__code__.co_filename).parent / "report_page"
    for script in folder.glob("*.js"):
        read = subprocess.run(["node", "--check", str(script)], capture_output=True, text=True)
        assert read.returncode == 0, read.stderr
