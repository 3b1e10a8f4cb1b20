"""Read the strokes of an SVG strictly: shapes with a stroke, and nothing that runs or refers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from frame2sound.errors import SynaesthesiaError
from frame2sound.untrusted import one_line_reason, read_text

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_BYTES, MAX_ELEMENTS, MAX_POINTS, MAX_DEPTH = 4 << 20, 10_000, 100_000, 50
"""Largest SVG in bytes, elements, points and levels of elements."""

MAX_REACH = 1000.0
"""Pages that a line may be wide, or lie away from the page."""

POINTS_OF_CURVE = 16
"""Points on each curve of a path."""

_SVG = "{http://www.w3.org/2000/svg}"
_SHAPES = ("path", "polyline", "polygon", "line", "circle", "ellipse", "rect")
_GROUPS = ("svg", "g")
_IGNORED = ("title", "desc", "metadata")
_INHERITED = ("stroke", "stroke-width", "fill", "stroke-opacity")

_REFERENCE = re.compile(r"url\s*\(|@import|javascript:|expression\s*\(|\\", re.IGNORECASE)

_DIGITS = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?"
_NUMBER = re.compile(rf"\s*({_DIGITS})\s*(?:px)?\s*")
_NUMBERS = re.compile(_DIGITS)


@dataclass(frozen=True)
class Outline:
    """The line of a stroke on a page from 0 to 1.

    Attributes
    ----------
    points : float64 array (n, 2)
    closed : bool
    width : float
        As a share of the page.
    ink : float32 array (3,)
        How much of red, green and blue is missing from white, 0 to 1.
    """

    points: NDArray[np.float64]
    closed: bool
    width: float
    ink: NDArray[np.float32]


@dataclass(frozen=True)
class _Style:
    """What a shape inherits: attributes, transformation and opacity."""

    values: dict[str, str]
    matrix: Any
    opacity: float


def read_svg(path: Path) -> list[Outline]:
    """Return the strokes of an SVG file; see `parse_svg`."""
    try:
        return parse_svg(read_text(path, MAX_BYTES, follow_links=True))
    except SynaesthesiaError as error:
        raise SynaesthesiaError(f"{path}: {error}") from error
    except (OSError, ValueError) as error:
        raise SynaesthesiaError(
            f"{path} cannot be read ({one_line_reason(error)}); expected an SVG in UTF-8"
        ) from error


def parse_svg(text: str) -> list[Outline]:
    """Return the strokes of an SVG, in the order in which they are drawn.

    The page is the view box, scaled so that its longer side is 1, in the middle of a square.

    Raises
    ------
    SynaesthesiaError
        It is no SVG, holds a script, an image, a reference, an entity, a style sheet, a filled
        shape or another element, or no stroke.
    """
    root = _parse_xml(text)
    if root.tag != f"{_SVG}svg":
        raise SynaesthesiaError(f"got <{_local(root.tag)}>, expected an SVG: <svg xmlns=...>")
    outlines, points = [], 0
    for outline in _walk(root, _Style({}, _page_matrix(root), 1.0), 0):
        outlines.append(outline)
        points += len(outline.points)
        if points > MAX_POINTS:
            raise SynaesthesiaError(f"got more than {MAX_POINTS} points; draw it more simply")
    if not outlines:
        raise SynaesthesiaError("got an SVG without strokes; expected at least one path")
    return outlines


def _parse_xml(text: str) -> Element:
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: Element = fromstring(text, forbid_dtd=True)
    except DefusedXmlException as error:
        raise SynaesthesiaError(
            "got a document type or an entity, expected an SVG without; save it as plain SVG"
        ) from error
    except (ParseError, ValueError, RecursionError) as error:
        raise SynaesthesiaError(
            f"got no XML ({one_line_reason(error)}); expected an SVG"
        ) from error
    for number, element in enumerate(root.iter()):
        if number >= MAX_ELEMENTS:
            raise SynaesthesiaError(f"got more than {MAX_ELEMENTS} elements; draw it more simply")
        _refuse(element)
    return root


def _refuse(element: Element) -> None:
    """Raise `SynaesthesiaError` if an element runs something or refers to something."""
    tag = element.tag
    if not isinstance(tag, str):
        raise SynaesthesiaError("got a processing instruction, expected plain SVG; remove it")
    name = _local(tag)
    is_known = name in (*_SHAPES, *_GROUPS, *_IGNORED, "defs")
    if tag.startswith(_SVG) and not is_known:
        raise SynaesthesiaError(
            f"got <{name}>, expected strokes: {', '.join(_SHAPES)}; "
            "convert everything to paths and save it as plain SVG"
        )
    for key, value in element.attrib.items():
        if _local(key).lower().startswith("on") and not key.startswith("{"):
            raise SynaesthesiaError(f"got the script {key}=..., expected plain SVG; remove it")
        if _local(key) in ("href", "base") or _REFERENCE.search(value):
            raise SynaesthesiaError(
                f"got a reference in {_local(key)}={value[:40]!r}, expected none; "
                "use plain colours and save it as plain SVG"
            )


def _walk(element: Element, style: _Style, depth: int) -> Iterator[Outline]:
    name = _local(element.tag)
    if not element.tag.startswith(_SVG) or name in (*_IGNORED, "defs"):
        return
    if depth > MAX_DEPTH:
        raise SynaesthesiaError(f"got more than {MAX_DEPTH} groups in each other; ungroup them")
    style = _inherit(element, style)
    if style.values.get("display") == "none":
        return
    if name in _SHAPES:
        with np.errstate(all="ignore"):
            yield from _outlines(element, name, style)
        return
    if name == "svg" and depth:
        raise SynaesthesiaError("got an <svg> in another, expected one; ungroup it")
    for child in element:
        yield from _walk(child, style, depth + 1)


def _inherit(element: Element, style: _Style) -> _Style:
    """Return the style of an element that is in one with ``style``."""
    import svgelements

    own = dict(element.attrib)
    for part in own.pop("style", "").split(";"):
        key, colon, value = part.partition(":")
        if colon:
            own[key.strip()] = value.replace("!important", "").strip()
    values = style.values | {key: own[key] for key in (*_INHERITED, "display") if key in own}
    matrix = style.matrix
    if "transform" in own:
        try:
            matrix = svgelements.Matrix(own["transform"]) * matrix
        except (ValueError, TypeError, IndexError, AttributeError) as error:
            raise SynaesthesiaError(f"got transform={own['transform'][:40]!r}; apply it") from error
    return replace(
        style,
        values=values,
        matrix=matrix,
        opacity=style.opacity * _number(own.get("opacity", "1"), "opacity"),
    )


def _outlines(element: Element, name: str, style: _Style) -> Iterator[Outline]:
    values = style.values
    if name != "line" and values.get("fill", "black") not in ("none", "transparent"):
        raise SynaesthesiaError(
            f"got a filled <{name}>, expected strokes; give it fill='none' and a stroke, "
            "or save the drawing as PNG"
        )
    colour = values.get("stroke", "none")
    if colour in ("none", "transparent"):
        return
    opacity = style.opacity * _number(values.get("stroke-opacity", "1"), "stroke-opacity")
    scale = abs(style.matrix.a * style.matrix.d - style.matrix.b * style.matrix.c) ** 0.5
    width = _number(values.get("stroke-width", "1"), "stroke-width") * scale
    ink = _ink(colour) * np.float32(np.clip(opacity, 0, 1))
    for points, closed in _lines(element, name, style.matrix):
        if not (np.append(np.abs(points), width) <= MAX_REACH).all():
            raise SynaesthesiaError(
                f"got a <{name}> with numbers not finite, or far beyond the page; redraw it"
            )
        if len(points) > 1 and width > 0:
            yield Outline(points, closed, width, ink)


def _lines(element: Element, name: str, matrix: Any) -> Iterator[tuple[NDArray[np.float64], bool]]:
    """Yield the points of each line of a shape, and whether it is closed."""
    import svgelements

    if any(_count(element.attrib.get(key, "")) > 2 * MAX_POINTS for key in ("d", "points")):
        raise SynaesthesiaError(f"got more than {MAX_POINTS} points; draw it more simply")
    shape = getattr(svgelements, {"line": "SimpleLine"}.get(name, name.capitalize()))
    keys = ("d", "points", "x", "y", "width", "height", "rx", "ry", "cx", "cy", "r")
    given = {
        key: element.attrib[key] for key in (*keys, "x1", "y1", "x2", "y2") if key in element.attrib
    }
    try:
        parts = (given["d"],) if name == "path" and "d" in given else ()
        path = svgelements.Path(*parts) if name == "path" else svgelements.Path(shape(**given))
        for line in path.as_subpaths():
            points, closed = _points(svgelements.Path(line))
            turn = np.array([[matrix.a, matrix.b], [matrix.c, matrix.d]])
            yield points @ turn + [matrix.e, matrix.f], closed
    except (ValueError, TypeError, IndexError, AttributeError, ArithmeticError) as error:
        raise SynaesthesiaError(f"got a <{name}> that is no shape; redraw it") from error


def _points(path: Any) -> tuple[NDArray[np.float64], bool]:
    import svgelements

    points: list[tuple[float, float]] = []
    for segment in path:
        if isinstance(segment, (svgelements.Move, svgelements.Line)):
            points.append((segment.end.x, segment.end.y))
        elif not isinstance(segment, svgelements.Close):
            if len(points) > MAX_POINTS:
                raise SynaesthesiaError(f"got more than {MAX_POINTS} points; draw it more simply")
            shares = np.arange(1, POINTS_OF_CURVE + 1) / POINTS_OF_CURVE
            points += [tuple(place) for place in segment.npoint(shares)]
    array = np.array(points, np.float64).reshape(-1, 2)
    return array, bool(len(path)) and isinstance(path[-1], svgelements.Close)


def _page_matrix(root: Element) -> Any:
    """Return the transformation from an SVG's units to the page."""
    import svgelements

    given = root.attrib.get("viewBox")
    if given is not None:
        box = [_number(part, "viewBox") for part in given.replace(",", " ").split()]
    else:
        box = [0, 0, *(_number(root.attrib.get(key, ""), key) for key in ("width", "height"))]
    if len(box) != 4 or not all(side > 0 for side in box[2:]):
        raise SynaesthesiaError("got no page, expected a viewBox of four numbers on <svg>; add it")
    x, y, width, height = box
    scale = 1 / max(width, height)
    left, top = (1 - width * scale) / 2 - x * scale, (1 - height * scale) / 2 - y * scale
    return svgelements.Matrix(scale, 0, 0, scale, left, top)


def _number(text: str, name: str) -> float:
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise SynaesthesiaError(f"got {name}={text[:40]!r}, expected a number without a unit")
    number = float(match[1])
    if not np.isfinite(number):
        raise SynaesthesiaError(f"got {name}={text[:40]!r}, expected a number that is finite")
    return number


def _count(text: str) -> int:
    """Return how many numbers are in a text; a point of a line has at most two."""
    return sum(1 for _ in _NUMBERS.finditer(text))


def _ink(colour: str) -> NDArray[np.float32]:
    from PIL import ImageColor

    try:
        levels = np.array(ImageColor.getrgb(colour)[:3], np.float64)
    except ValueError as error:
        raise SynaesthesiaError(f"got stroke={colour[:40]!r}, expected a colour") from error
    return (1 - levels / 255).astype(np.float32)


def _local(name: str) -> str:
    return name.rpartition("}")[2]
