"""What the site's build adds to the pages: links, notebooks, and tables from the program."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
import typer.main

from frame2sound.brain.recipe import recipe_names
from frame2sound.cli import app

ROOT = Path(__file__).resolve().parents[1]
_spec = importlib.util.spec_from_file_location("hooks", ROOT / "docs" / "hooks.py")
assert _spec is not None
assert _spec.loader is not None
hooks = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(hooks)


@pytest.mark.parametrize(
    ("uri", "link", "site"),
    [
        ("index.md", "../render/README.md", "render/gallery.md"),
        ("index.md", "how-to/modes.md", "how-to/modes.md"),
        ("how-to/brains.md", "../../brains/bells.md", "../brains/bells.md"),
        ("how-to/modes.md", "grains.md#a-part", "grains.md#a-part"),
        ("render/gallery.md", "index.html", "index.html"),
        ("CONTRIBUTING.md", "docs/glossary.md", "glossary.md"),
        ("benchmarks/README.md", "study/README.md", "study/README.md"),
        ("index.md", "https://example.org/a.md", "https://example.org/a.md"),
        ("index.md", "#two-commands", "#two-commands"),
    ],
)
def test_links_of_the_repository_become_links_of_the_site(uri: str, link: str, site: str) -> None:
    assert hooks.linked(f"see [this]({link}).", uri) == f"see [this]({site})."


def test_no_work_and_no_program_is_shown() -> None:
    shown = {path.relative_to(ROOT).as_posix() for path in hooks.outside()}
    assert {"benchmarks/README.md", "brains/bells.md", "render/demo.webp", "CHANGELOG.md"} <= shown
    assert not [path for path in shown if path.endswith(".py") or "/work/" in path]


def test_a_notebook_becomes_a_page() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# One\n", "two"]},
        {"cell_type": "code", "source": "1 + 1", "outputs": [{"data": {"text/plain": ["2"]}}]},
        {"cell_type": "code", "source": "print(3)", "outputs": [{"text": ["3\n"]}]},
        {"cell_type": "code", "source": "draw()", "outputs": [{"data": {"image/png": "AA==\n"}}]},
    ]
    assert hooks.notebook_page(json.dumps({"cells": cells})) == (
        "# One\ntwo\n\n```python\n1 + 1\n```\n\n```text\n2\n```\n\n```python\nprint(3)\n```\n\n"
        "```text\n3\n```\n\n```python\ndraw()\n```\n\n![](data:image/png;base64,AA==)\n"
    )


def test_every_command_and_option_is_on_its_page() -> None:
    page = hooks.commands()
    for name, command in typer.main.get_command(app).commands.items():
        section = page.split(f"## {name}\n")[1].split("\n## ")[0]
        assert f"frame2sound {name} [OPTIONS]" in section
        for option in (name for parameter in command.params for name in parameter.opts):
            assert option in section


def test_options_stand_with_their_defaults() -> None:
    section = hooks.commands().split("## train\n")[1].split("\n## ")[0]
    (seed,) = [line for line in section.splitlines() if "--seed" in line]
    assert seed.endswith("(from 0) | 0 |")
    (library,) = [line for line in section.splitlines() if "<code>library" in line]
    assert library.endswith(" | required |")


@pytest.mark.parametrize(
    ("names", "text", "row"),
    [
        (
            "--a x|y",
            "A <b>.  [default: 2; 1<=x<=6]",
            ["--a x&#124;y", "A &lt;b&gt;. (from 1 to 6)", "2"],
        ),
        ("--b N", "B.  [x<=9; required]", ["--b N", "B. (to 9)", "required"]),
        ("--c", "C.", ["--c", "C.", ""]),
        ("--d N", "D.  [default: (as it is; else 1)]", ["--d N", "D.", "as it is; else 1"]),
    ],
)
def test_rows_tell_range_and_default_apart(names: str, text: str, row: list[str]) -> None:
    name, says, default = row
    assert hooks._row(names, text) == f"| <code>{name}</code> | {says} | {default} |"


def test_every_recipe_and_setting_is_on_its_page() -> None:
    assert all(f"| `{name}` |" in hooks.recipes() for name in recipe_names())
    assert 'loss = "log-magnitude"\n' in hooks.example()
    page = hooks.settings()
    assert "### target.kind = mel" in page
    assert "| `training.epochs` | whole number from 1 to 1\u202f000\u202f000 | `150` |" in page
    assert "| `clock.fps` | fraction | `30` |" in page
    assert "| `training.optimiser` | `adamw`, `nag` | `adamw` |" in page
