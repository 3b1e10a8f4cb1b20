"""Hooks of the site's build: pages from the rest of the repository, and pages from the program."""

from __future__ import annotations

import json
import posixpath
import re
import types
from collections.abc import Callable, Iterator
from fractions import Fraction
from html import escape
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

ROOT = Path(__file__).resolve().parents[1]
OUTSIDE = ("CHANGELOG.md", "CONTRIBUTING.md", "brains/*.md", "render/**/*", "benchmarks/**/*")
"""Files outside of ``docs`` that the site shows under their own paths."""

LEFT_OUT = re.compile(r"\.py$|/study/.*\.(?:csv|json|toml)$|/work/|/real-[^/]*$|__pycache__")
MOVED = {"render/README.md": "render/gallery.md"}
"""Pages that would otherwise be written onto the ``index.html`` beside them."""

MARK = re.compile(r"<!-- generated: ([a-z ]+) -->")
RANGE = re.compile(r"[\d.]+ (?:or more|or less|to [\d.]+)")
LINK = re.compile(r"(\[[^\]]*\]\()(?![a-z]+:|#)([^)#\s]+)(#[^)\s]*)?(\))")


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are not in ``docs``, and a page for each notebook."""
    from mkdocs.structure.files import File

    for path in outside():
        uri = site_uri(path.relative_to(ROOT).as_posix())
        if path.suffix == ".md":
            files.append(File.generated(config, uri, content=path.read_text(encoding="utf-8")))
        else:
            files.append(File.generated(config, uri, abs_src_path=str(path)))
    for notebook in [file for file in files if file.src_uri.endswith(".ipynb")]:
        uri = notebook.src_uri.removesuffix(".ipynb") + ".md"
        files.append(File.generated(config, uri, content=notebook_page(notebook.content_string)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Fill in what the program says of itself, and point links at the pages of the site."""
    filled = MARK.sub(lambda match: GENERATED[match[1]](), markdown)
    return linked(filled, page.file.src_uri)


def outside() -> Iterator[Path]:
    """Yield the files outside of ``docs`` that the site shows."""
    for pattern in OUTSIDE:
        for path in sorted(ROOT.glob(pattern)):
            if path.is_file() and not LEFT_OUT.search(path.relative_to(ROOT).as_posix()):
                yield path


def site_uri(repository_path: str) -> str:
    """Return where the site shows a file of the repository."""
    return MOVED.get(repository_path, repository_path.removeprefix("docs/"))


def repository_path(uri: str) -> str:
    """Return the file of the repository that the site shows at a place."""
    back = {shown: path for path, shown in MOVED.items()}
    path = back.get(uri, uri)
    return path if (ROOT / path).exists() and not (ROOT / "docs" / path).exists() else f"docs/{uri}"


def linked(markdown: str, uri: str) -> str:
    """Rewrite links between files of the repository as links between pages of the site."""
    here = posixpath.dirname(repository_path(uri))

    def rewritten(match: re.Match[str]) -> str:
        target = site_uri(posixpath.normpath(posixpath.join(here, match[2])))
        relative = posixpath.relpath(target, posixpath.dirname(uri) or ".")
        return f"{match[1]}{relative}{match[3] or ''}{match[4]}"

    return LINK.sub(rewritten, markdown)


def notebook_page(text: str) -> str:
    """Return a notebook as Markdown: its text, its code, and what the code printed or drew."""
    parts = []
    for cell in json.loads(text)["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(f"```python\n{source}\n```")
        parts += filter(None, map(_output, cell.get("outputs", ())))
    return "\n\n".join(parts) + "\n"


def _output(output: dict[str, Any]) -> str:
    data = output.get("data", {})
    if "image/png" in data:
        return f"![](data:image/png;base64,{''.join(data['image/png']).strip()})"
    text = "".join(output.get("text", data.get("text/plain", ""))).rstrip()
    return f"```text\n{text}\n```" if text else ""


def commands() -> str:
    """Return a section for each command: its usage, its arguments, and its groups of options."""
    from typer.main import get_command

    from frame2sound.cli import app

    return "\n\n".join(_command(name, command) for name, command in _commands(get_command(app)))


def _commands(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the commands of a group and of the groups in it, by their full names."""
    for name, command in sorted(group.commands.items()):
        if hasattr(command, "commands"):
            yield from _commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def _command(name: str, command: Any) -> str:
    context = command.context_class(command, info_name=f"frame2sound {name}")
    usage = " ".join([f"frame2sound {name}", *command.collect_usage_pieces(context)])
    parts = [f"## {name}", command.help.partition("\f")[0].strip(), f"```text\n{usage}\n```"]
    for title, records in command.help_groups(context).items():
        rows = (_row(*record) for record in records if not record[0].endswith("--help"))
        anchor = f"{name}-{title}".lower().replace(" ", "-")
        parts.append(f"### {title} {{ #{anchor} }}")
        parts.append("\n".join(["| | | default |", "|---|---|---|", *rows]))
    return "\n\n".join(parts)


def _row(names: str, text: str) -> str:
    description, _, rest = text.partition("  [")
    parts = rest.removesuffix("]").split("; ")
    limits = [f"({part})" for part in parts if RANGE.fullmatch(part)]
    default = "; ".join(part for part in parts if not RANGE.fullmatch(part))
    words = " ".join([_cell(description), *limits])
    return f"| <code>{_cell(names)}</code> | {words} | {_cell(default.removeprefix('default: '))} |"


def _cell(text: str) -> str:
    return escape(text, quote=False).replace("|", "&#124;").strip()


def recipes() -> str:
    """Return a table of the recipes that ship."""
    from frame2sound.brain.recipe import load_recipe, recipe_names

    rows = [f"| `{name}` | {load_recipe(name).about} |" for name in recipe_names()]
    return "\n".join(["| recipe | |", "|---|---|", *rows])


def example() -> str:
    """Return the default recipe as it is written."""
    text = (ROOT / "brains" / "deep.toml").read_text(encoding="utf-8")
    return f"```toml\n{text.rstrip()}\n```"


def settings() -> str:
    """Return a section for each part of a recipe: its settings, their values and defaults."""
    from frame2sound.brain.recipe import Recipe

    parts = []
    for name, hint in get_type_hints(Recipe, include_extras=True).items():
        kinds = [kind for kind in _choices(hint) if hasattr(kind, "__struct_fields__")]
        if kinds:
            parts.append(f"## {name}")
        parts += [_settings(name, kind, len(kinds) > 1) for kind in kinds]
    return "\n\n".join(parts)


def _settings(part: str, kind: Any, one_of_several: bool) -> str:
    import msgspec

    tag = msgspec.inspect.type_info(kind).tag
    hints = get_type_hints(kind, include_extras=True)
    rows = ["| setting | values | default |", "|---|---|---|"]
    for field in msgspec.structs.fields(kind):
        default = "" if field.default is msgspec.NODEFAULT else f"`{_toml(field.default)}`"
        key = f"{part}.{field.encode_name}"
        rows.append(f"| `{key}` | {_values(hints[field.name])} | {default} |")
    head = [f"### {part}.kind = {tag}"] if one_of_several else []
    return "\n\n".join([*head, _paragraphs(kind.__doc__ or ""), "\n".join(rows)])


def _paragraphs(docstring: str) -> str:
    lines = [line.strip() for line in docstring.strip().splitlines()]
    return re.sub(r"``|`([^`]*)`(?!`)", lambda m: "`" if m[1] is None else f"`{m[1]}`",
                  "\n".join(lines))  # fmt: skip


def _values(hint: Any) -> str:
    base, limits = hint, []
    if hasattr(hint, "__metadata__"):
        base, limits = hint.__origin__, hint.__metadata__
    if get_origin(base) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(base))
    if get_origin(base) is tuple:
        return _values(get_args(base)[0]).replace("whole number", "list of whole numbers")
    names = {int: "whole number", float: "number", bool: "`true`, `false`", Fraction: "fraction"}
    return " ".join([names.get(base, str(base)), *filter(None, map(_range, limits))])


def _range(meta: Any) -> str:
    limits = {"from": meta.ge, "above": meta.gt, "to": meta.le, "below": meta.lt}
    words = [f"{word} {_plain(limit)}" for word, limit in limits.items() if limit is not None]
    return " ".join([*words, *([f"in steps of {meta.multiple_of}"] if meta.multiple_of else [])])


def _plain(limit: float) -> str:
    return f"{limit:,}".replace(",", "\u202f") if isinstance(limit, int) else f"{limit:g}"


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _choices(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


GENERATED: dict[str, Callable[[], str]] = {
    "commands": commands,
    "example": example,
    "recipes": recipes,
    "settings": settings,
}
"""What a mark such as ``<!-- generated: commands -->`` stands for."""
