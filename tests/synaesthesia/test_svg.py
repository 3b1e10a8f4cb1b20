"""SVG in and out: the same stroke, and nothing that runs or refers."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import cv2
import numpy as np
import pytest
import resvg_py
import torch

from frame2sound.errors import SynaesthesiaError
from frame2sound.synaesthesia import svg_reader
from frame2sound.synaesthesia.raster import rasterise
from frame2sound.synaesthesia.squiggles import draw_squiggles, write_squiggles
from frame2sound.synaesthesia.stroke import fit_stroke
from frame2sound.synaesthesia.svg_reader import parse_svg, read_svg
from frame2sound.synaesthesia.svg_writer import stroke_svg

LINE = "<path d='M0 0L10 0' fill='none' stroke='#000' {}/>"


def svg(content: str, head: str = "viewBox='0 0 10 20'") -> str:
    return f"<svg xmlns='http://www.w3.org/2000/svg' {head}>{content}</svg>"


@pytest.mark.parametrize(("size", "least"), [(32, 0.88), (128, 0.96)])
def test_another_renderer_draws_the_same(size: int, least: float) -> None:
    strokes = draw_squiggles(8, 5)
    rasters = rasterise(torch.from_numpy(strokes), size)[:, 0].numpy()
    part = 256 // size
    for stroke, raster in zip(strokes, rasters, strict=True):
        png = resvg_py.svg_to_bytes(svg_string=stroke_svg(stroke[None]), background="white")
        page = cv2.imdecode(np.frombuffer(bytes(png), np.uint8), cv2.IMREAD_GRAYSCALE) / 255
        other = 1 - page.reshape(size, part, size, part).mean(axis=(1, 3))
        assert np.minimum(raster, other).sum() / np.maximum(raster, other).sum() > least


@pytest.mark.parametrize("colours", [1, 3])
def test_an_svg_gives_its_strokes_again(colours: int) -> None:
    strokes = draw_squiggles(6, 1, colours)
    outlines = parse_svg(stroke_svg(strokes))
    for stroke, outline in zip(strokes, outlines, strict=True):
        fitted = fit_stroke(outline.points, outline.width, outline.ink[:colours])
        assert fitted[:36] == pytest.approx(stroke[:36], abs=1e-4)
        assert fitted[36:] == pytest.approx(stroke[36:], abs=0.5 / 255 + 1e-6)


def test_an_svg_has_one_path_a_stroke() -> None:
    root = ElementTree.fromstring(stroke_svg(draw_squiggles(3, 0)))
    paths = root.findall(".//{http://www.w3.org/2000/svg}path")
    assert len(paths) == 3
    assert all({"d", "stroke", "stroke-width"} <= set(path.attrib) for path in paths)
    assert root.attrib["viewBox"] == "0 0 256 256"


def test_squiggles_are_files_that_a_seed_determines(tmp_path: Path) -> None:
    for name, count in (("a", 3), ("b", 2)):
        (tmp_path / name).mkdir()
        list(write_squiggles(tmp_path / name, count, seed=7))
    texts = {path: path.read_text() for path in tmp_path.glob("*/*.svg")}
    assert len(texts) == 5 and len(set(texts.values())) == 3
    (outline,) = read_svg(tmp_path / "a" / "0002.svg")
    assert outline.closed and len(outline.points) == 96


def test_the_page_is_scaled_into_a_square() -> None:
    (outline,) = parse_svg(svg(LINE.format("stroke-width='2'")))
    assert outline.points.tolist() == [[0.25, 0], [0.75, 0]]
    assert outline.width == pytest.approx(0.1)
    assert not outline.closed


def test_groups_transformations_and_styles_count() -> None:
    group = "<g style='stroke:red;fill:none;opacity:.5' transform='translate(0 10) scale(2)'>{}</g>"
    (outline,) = parse_svg(svg(group.format("<circle r='1' cx='2.5' cy='0' stroke-width='.5'/>")))
    middle = (outline.points.min(axis=0) + outline.points.max(axis=0)) / 2
    assert middle == pytest.approx([0.5, 0.5])
    assert np.linalg.norm(outline.points - middle, axis=1) == pytest.approx(0.1, abs=1e-3)
    assert outline.width == pytest.approx(0.05)
    assert outline.ink.tolist() == [0, 0.5, 0.5]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("<script>alert(1)</script>", "<script>"),
        ("<image href='http://a.example/x.png'/>", "<image>"),
        ("<use href='http://a.example/x.svg#a'/>", "<use>"),
        ("<foreignObject/>", "<foreignObject>"),
        ("<style>path{fill:url(x)}</style>", "<style>"),
        ("<defs><script/></defs>", "<script>"),
        ("<text>a</text>", "<text>"),
        (LINE.format("onclick='a()'"), "script onclick"),
        (LINE.format("style='stroke:url(http://a.example/x)'"), "reference"),
        (LINE.format("xmlns:l='http://www.w3.org/1999/xlink' l:href='file:///etc'"), "reference"),
        (LINE.format("stroke-width='1e9mm'"), "without a unit"),
        (LINE.format("transform='x(1)'").replace("#000", "zork"), "."),
        (LINE.replace("#000", "zork").format(""), "a colour"),
        (LINE.replace("fill='none'", "").format(""), "filled"),
        (LINE.replace("10 0", "1e999 0").format(""), "not finite"),
        (LINE.replace("10 0", "1e38 0").format(""), "far beyond the page"),
        (LINE.format("stroke-width='1e999'"), "got stroke-width='1e999', .* finite"),
        (LINE.format("stroke-width='1e38'"), "far beyond the page"),
        (LINE.format("opacity='1e999'"), "got opacity='1e999', .* finite"),
        (LINE.replace("L10 0", "Lfoo").format(""), "no shape"),
        ("<g>" * 60 + "</g>" * 60, "ungroup"),
        ("", "without strokes"),
    ],
)
def test_an_svg_that_is_more_than_strokes_is_refused(content: str, reason: str) -> None:
    with pytest.raises(SynaesthesiaError, match=reason) as refusal:
        parse_svg(svg(content))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("<!DOCTYPE svg [<!ENTITY a 'b'>]><svg/>", "entity"),
        ("<!DOCTYPE svg SYSTEM 'http://a.example/svg.dtd'><svg/>", "document type"),
        ("hello", "no XML"),
        ("<html/>", "expected an SVG"),
        (svg(LINE.format(""), "viewBox='0 0 0 1'"), "viewBox"),
        (svg(LINE.format(""), "width='100%'"), "width"),
    ],
)
def test_what_is_no_svg_is_refused(text: str, reason: str) -> None:
    with pytest.raises(SynaesthesiaError, match=reason):
        parse_svg(text)


def test_a_line_has_nothing_to_fill() -> None:
    (outline,) = parse_svg(svg("<line x1='0' y1='0' x2='10' y2='20' stroke='#000'/>"))
    assert outline.points.tolist() == [[0.25, 0], [0.75, 1]]


def test_a_path_of_too_many_numbers_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(svg_reader, "MAX_POINTS", 3)
    monkeypatch.setattr("svgelements.Path", None)
    for shape in ("path d='M0 0L1-1 2,2.5-3 3'", "polyline points='0 0 1 1 2 2 3 3'"):
        with pytest.raises(SynaesthesiaError, match="more than 3 points"):
            parse_svg(svg(f"<{shape} fill='none' stroke='#000'/>"))


def test_an_svg_of_endless_points_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(svg_reader, "MAX_POINTS", 1000)
    with pytest.raises(SynaesthesiaError, match="points"):
        parse_svg(svg(LINE.replace("L10 0", "q1 1 2 2" + " 1 1 2 2" * 100).format("")))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_bytes(b"\xff\xfe")
    for name in ("a.svg", "none.svg"):
        with pytest.raises(SynaesthesiaError, match=name):
            read_svg(tmp_path / name)
