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
    commands = dict(typer.main.get_command(app).commands)
    group = commands.pop("synaesthesia")
    commands |= {f"synaesthesia {name}": command for name, command in group.commands.items()}
    assert "synaesthesia live" in commands
    for name, command in commands.items():
        section = page.split(f"## {name}\n")[1].split("\n## ")[0]
        assert f"frame2sound {name} [OPTIONS]" in section
        for parameter in command.params:
            is_argument = parameter.param_type_name == "argument"
            names = [parameter.metavar or parameter.name.upper()] if is_argument else parameter.opts
            for shown in names:
                assert shown in section


def test_options_are_shown_with_their_defaults() -> None:
    section = hooks.commands().split("## train\n")[1].split("\n## ")[0]
    (seed,) = [line for line in section.splitlines() if "--seed" in line]
    assert seed.endswith("(0 or more) | 0 |")
    (library,) = [line for line in section.splitlines() if "<code>LIBRARY" in line]
    assert library.startswith("| <code>LIBRARY</code> |")
    assert library.endswith(" | required |")
    (memory,) = [line for line in section.splitlines() if "--memory" in line]
    assert memory.endswith(" | 2GiB |")


def test_groups_of_options_are_sections() -> None:
    section = hooks.commands().split("## render\n")[1].split("\n## ")[0]
    titles = [line for line in section.splitlines() if line.startswith("### ")]
    assert titles == [
        "### Arguments { #render-arguments }",
        "### Brain and mode { #render-brain-and-mode }",
        "### How predictions are joined { #render-how-predictions-are-joined }",
        "### Grains { #render-grains }",
        "### Mosaic { #render-mosaic }",
        "### Events { #render-events }",
        "### For other programs { #render-for-other-programs }",
        "### Level and effects { #render-level-and-effects }",
        "### Output { #render-output }",
        "### Reading films { #render-reading-films }",
        "### Other options { #render-other-options }",
    ]
    grains = section.split("{ #render-grains }")[1].split("### ")[0]
    assert "--cloud" in grains
    assert "--mosaic" not in grains


def test_no_python_type_and_no_formula_is_on_the_page() -> None:
    page = hooks.commands()
    for text in ("&lt;str&gt;", "&lt;Path&gt;", "list[", "x&gt;=", "&lt;=x", "[default", "| ("):
        assert text not in page


@pytest.mark.parametrize(
    ("names", "text", "row"),
    [
        (
            "--a x|y",
            "A <b>.  [default: 2; 1 to 6]",
            ["--a x&#124;y", "A &lt;b&gt;. (1 to 6)", "2"],
        ),
        ("--b N", "B.  [9 or less; required]", ["--b N", "B. (9 or less)", "required"]),
        ("--c", "C.", ["--c", "C.", ""]),
        ("--d N", "D.  [default: as it is; else 1]", ["--d N", "D.", "as it is; else 1"]),
    ],
)
def test_rows_separate_range_and_default(names: str, text: str, row: list[str]) -> None:
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
