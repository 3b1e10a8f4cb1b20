"""Every command in README and docs runs as written, and prints what they say it prints."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from frame2sound.cli import app
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene
from frame2sound.rendering.effects.kinds import EFFECTS
from frame2sound.rendering.granular.cloud import RANGES, Cloud
from frame2sound.sound.phase import PHASE_NAMES

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md")]
PAGES += sorted(DOCS.rglob("*.md"))
CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
NUMBER, DIGEST = re.compile(r"(?<![\w.])[-+]?(?:\d*\.)?\d+\b"), re.compile(r"-[0-9a-f]{8}\b")
ELISION = "..."
FACTOR = 2.0
"""By how much a number that is measured, and has no sign, may differ on another computer."""

FAINT = {0: 2.0, 1: 0.5, 2: 0.1, 3: 0.02, 4: 0.001}
"""What is as good as zero, by the number of decimals that are shown."""

SIGNED = {0: 5.0, 1: 2.0, 2: 0.2, 3: 0.15}
"""By how much a level or a difference may be off, likewise: more than a fifth, if this is more."""


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the reader's own films."""
    folder = tmp_path_factory.mktemp("films")
    for name, seconds, seed, sounding in (
        ("my-film.mp4", 6, 0, True),
        ("another-film.mp4", 6, 1, True),
        ("my-animation.mp4", 3, 2, False),
    ):
        scene = load_scene("typing", seconds=seconds, seed=seed, size=(64, 64))
        write_scene(scene, folder / name, with_audio=sounding)
    labels = ["my-film,typing", "another-film,typing", "bounce-1,bouncing", "bounce-2,bouncing"]
    (folder / "labels.csv").write_text("\n".join(["film,label", *labels, ""]))
    return folder


def test_every_command_runs_as_written(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The README first, in an order that makes what other pages go on from; tutorials anew."""
    done = shutil.copytree(films, tmp_path / "readme")
    assert run_page(README, done, monkeypatch) >= 5
    total = 0
    for page in sorted(DOCS.rglob("*.md")):
        begun = films if page.parent.name == "tutorials" else done
        folder = shutil.copytree(begun, tmp_path / "pages" / page.relative_to(DOCS).with_suffix(""))
        total += run_page(page.read_text(encoding="utf-8"), folder, monkeypatch)
    assert total >= 30


def run_page(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Run a page's commands in a folder; return how many there were."""
    monkeypatch.chdir(folder)
    commands = [
        (line.removeprefix("$ "), block)
        for block in CONSOLE.findall(text)
        for line in block.splitlines()
        if line.startswith("$ ")
    ]
    for command, block in commands:
        program, *words = shlex.split(command)
        assert program == "frame2sound"
        made = CliRunner().invoke(app, words)
        assert made.exit_code == 0, f"{command}\n{made.output}\n{made.exception!r}"
        shown, lines = printed(command, block), made.stdout.splitlines()
        if words[0] == "pickle":  # which of several films is done first is chance
            shown, lines = sorted(shown), sorted(lines)
        if shown:
            assert agree(shown, lines), f"{command}\n{made.stdout}"
    return len(commands)


def printed(command: str, block: str) -> list[str]:
    """The lines that a block shows after a command."""
    after = block.split(f"$ {command}\n")[1].splitlines()
    lines = []
    for line in after:
        if line.startswith("$ "):
            break
        lines.append(line)
    return lines


def agree(shown: list[str], made: list[str]) -> bool:
    """Whether these lines are shown for those; ``...`` stands for any lines."""
    if not shown or not made:
        return not made and all(line == ELISION for line in shown)
    if shown[0] == ELISION:
        return agree(shown[1:], made) or agree(shown, made[1:])
    return alike(shown[0], made[0]) and agree(shown[1:], made[1:])


def alike(shown: str, made: str) -> bool:
    """Whether two lines have the same words, and numbers as near as another machine has them."""
    ours, theirs = (DIGEST.sub("-DIGEST", line) for line in (shown, made))
    words = [re.sub(r" +", " ", NUMBER.sub(" # ", line)).strip() for line in (ours, theirs)]
    if words[0] != words[1]:
        return False
    pairs = zip(NUMBER.finditer(ours), NUMBER.finditer(theirs), strict=True)
    return all(
        near(one[0], other[0], ours[: one.start()], ours[one.end() :]) for one, other in pairs
    )


def near(shown: str, made: str, before: str, after: str) -> bool:
    """Whether a number is the one shown: counts and lengths exactly, what is measured about.

    Brains learn, and codecs round, a little otherwise on other processors.
    """
    if before.endswith(" in ") and after.startswith(" s,"):
        return True  # how long it took
    if "." not in shown and not after.startswith(("%", " events")):
        return shown == made
    if re.match(r" (s|hours)\b", after):
        return shown == made
    one, other, decimals = float(shown), float(made), len(shown.partition(".")[2])
    if {shown[0], made[0]} & {"+", "-"}:
        return abs(one - other) <= max(0.2 * abs(one), SIGNED[decimals])
    low, high = sorted((one, other))
    if re.match(r" [kMG]B\b", after):
        return high <= 1.2 * low
    return high <= max(FACTOR * low, FAINT[decimals])


@pytest.mark.parametrize(
    ("shown", "made", "same"),
    [
        ("my.brain  2 parameters", "my.brain  2024776 parameters", False),
        ("my.brain  2024776 parameters", "my.brain  2024776 parameters", True),
        ("3 films  0.02 hours  10.5 MB", "3 films  0.02 hours  15.2 MB", False),
        (
            "a-0123abcd  0:00:06  1.3 MB  -22.4 LUFS",
            "a-456789ef  0:00:06  1.3 MB  -22.9 LUFS",
            True,
        ),
        ("learned 375 pairs in 40 s, 100 epochs", "learned 375 pairs in 9 s, 100 epochs", True),
        ("a.mp4  3.000 s  22050 Hz", "a.mp4  3.001 s  22050 Hz", False),
        ("onset F   0.98   above 0.95  0.00", "onset F  1.00  above 0.95  0.05", True),
        ("onset F   0.98   above 0.95  0.00", "onset F  1.00  above 0.95  0.30", False),
        ("onset F   0.98   above 0.95  0.00", "onset F  0.40  above 0.95  0.00", False),
        ("lag  +0.1  ms", "lag  -0.2  ms", True),
        ("lag  +0.1  ms", "lag  -0.2  s", False),
        ("distance  1.9  dB", "distance  1.4  dB", True),
        ("distance  1.9  dB", "distance  0.2  dB", False),
        ("envelope error  0.0060", "envelope error  0.0260", False),
        ("a  1.3 MB  23% silent", "a  1.3 MB  27% silent", True),
        ("a  1.3 MB  23% silent", "a  3.3 MB  23% silent", False),
        ("a  1.3 MB  23% silent", "a  1.3 GB  23% silent", False),
        ("loudness  -23.5  LUFS", "loudness  -2.3  LUFS", False),
        ("a mosaic of 2 films; 11 events", "a mosaic of 2 films; 13 events", True),
        ("a mosaic of 2 films; 11 events", "a mosaic of 2 films; 1 events", False),
        ("a mosaic of 2 films; 11 events", "a mosaic of 3 films; 11 events", False),
    ],
)
def test_what_is_printed_is_held_to_what_is_shown(shown: str, made: str, same: bool) -> None:
    assert alike(shown, made) == same
    assert agree(["...", shown, "..."], ["one", made, "two"]) == same
    assert not agree([shown], [made, "more"])


def test_make_has_the_commands() -> None:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    for goal, wanted in (
        ("demo", "frame2sound demo"),
        ("gallery", "frame2sound gallery"),
        ("test", "pytest"),
        ("docs", "mkdocs build --strict"),
    ):
        made = subprocess.run(["make", "-n", goal], cwd=ROOT, capture_output=True, text=True)
        assert wanted in made.stdout


def test_the_readme_is_short_and_names_every_command() -> None:
    assert len(README.split()) <= 1200
    functions = [command.callback.__name__ for command in app.registered_commands]
    for command in [name.replace("_", "-") for name in functions]:
        assert f"frame2sound {command}`" in README, command


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?![a-z]+:|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def row(page: str, name: str) -> str:
    """The row of a how-to page's table that begins with a name."""
    text = (DOCS / "how-to" / page).read_text(encoding="utf-8")
    (found,) = re.findall(rf"^\| `{name}`.*$", text, re.MULTILINE)
    return found


@pytest.mark.parametrize("kind", EFFECTS)
def test_each_effect_is_described_with_its_settings_and_defaults(kind: str) -> None:
    effect = EFFECTS[kind]
    required = len(effect.__struct_fields__) - len(effect.__struct_defaults__)
    defaults = [None] * required + list(effect.__struct_defaults__)
    for name, default in zip(effect.__struct_fields__, defaults, strict=True):
        setting = name if default is None else f"{name}={default:g}"
        assert f"`{setting}`" in row("effects.md", kind)


@pytest.mark.parametrize("control", RANGES)
def test_each_control_of_grains_is_described_with_its_range_and_default(control: str) -> None:
    limits, default = RANGES[control], getattr(Cloud(), control)
    assert f"| {limits} | {default:g} |" in row("grains.md", control)


@pytest.mark.parametrize("phase", [name for name in PHASE_NAMES if not name.startswith("hindle")])
def test_each_phase_is_described(phase: str) -> None:
    assert row("phases.md", phase)
