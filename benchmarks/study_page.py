"""Pages of the study: its tables, and one paragraph that says only what they carry.

The words around the tables are in `study/README.template`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from study_analysis import (
    DISTANCE,
    ENVELOPE,
    IN_ONSETS,
    MARGINS,
    MEASURES,
    ONSETS,
    PRIMARY,
    SECONDARY,
    Contrast,
    Difference,
    Mean,
    Means,
    Report,
    film_figures,
    load,
    mean_figures,
    without_law,
)
from study_cells import BASELINES
from study_design import ARMS, FOLDER, LENGTHS, PRIMARY_ARMS, WHOLE, Design
from study_picture import picture
from study_power import DRAWS, Found, Power
from study_results import cells, csv_path, film_laws

from frame2sound.evaluation.measure_table import MEASURES as MEASURE_TABLE

PAGE = FOLDER / "README.template"
GROUPS = FOLDER / "groups"
REST = "<!-- once all films are in -->\n"
EXPLANATION = Path(__file__).parent.parent / "docs" / "explanation" / "study.md"
PICTURE = EXPLANATION.with_suffix(".svg")
START, END = "<!-- result -->\n", "<!-- end of result -->\n"
FORMS = {ENVELOPE: "+.3f", DISTANCE: "+.2f"}
UNITS = {ENVELOPE: "", DISTANCE: " dB"}
HEARD = {
    ENVELOPE: "in level over time (RMS envelope)",
    DISTANCE: "in spectra",
    ONSETS: "in when sounds begin (onset F)",
}
BETTER = {ENVELOPE: 1, DISTANCE: -1, ONSETS: 1}

HEADINGS = (
    "comparison",
    "measure",
    "films",
    "difference, 95 %",
    "90 %",
    "p",
    "Holm p",
    "p, laws",
    "Holm p, laws",
    "within margin",
    "within margin, laws",
)


def page(report: Report) -> str:
    """Return the page of the results, in Markdown."""
    head, rest = PAGE.read_text(encoding="utf-8").split(REST)
    text = head.format(verdict=verdict(report))
    if not report.is_complete:
        return text.rstrip("\n") + "\n"
    tables = {
        "primary": _difference_table(report.primary),
        "picture": _shown("../../docs/explanation/study.svg"),
        "laws": _law_table(report),
        "power": power_table(report.power, report.films, "them"),
        "secondary": _difference_table(report.secondary),
        "nearest": _baseline_table(report),
        "means": (line for seconds in LENGTHS for line in _figure_table(report, seconds)),
        "groups": group_table(GROUPS),
    }
    return text + rest.format(
        known=len(report.secondary),
        family=len(SECONDARY),
        missing=f" Not trained yet: {'; '.join(report.missing)}." if report.missing else "",
        margins=" and ".join(f"{MARGINS[each]:g}{UNITS[each]}" for each in (ENVELOPE, DISTANCE)),
        failures=f" {report.failures} trainings failed." if report.failures else "",
        **{name: "\n".join(lines).rstrip("\n") for name, lines in tables.items()},
    )


def verdict(report: Report) -> str:
    """Return the paragraph that the results carry, whichever way they fall."""
    if not report.is_complete:
        return (
            f"{report.complete_films} of {report.films} films; no verdict before all are in. "
            "Until then no figure of a judged film is shown."
        )
    first, *others = (_sentence(each) for each in report.primary)
    laws = len(report.laws)
    head = f"With a minute learned, on average over {report.films} drawn films of {laws} laws, "
    sentences = [head + first, _range_of_laws(report), *map(_capital, others)]
    onsets = (each for each in report.secondary if each.contrast == IN_ONSETS)
    sentences += [f"Of the secondary figures: {_sentence(each)}" for each in onsets]
    return " ".join([*sentences, _length_sentence(report)])


def _sentence(difference: Difference) -> str:
    measure = difference.contrast.measure
    how, said, margin = HEARD[measure], _said(difference), MARGINS.get(measure, 0.0)
    if difference.is_clear:
        better = difference.films.tested.value * BETTER[measure] > 0
        word, than = ("is heard", "better") if better else ("does harm", "worse")
        sentence = (
            f"depth {word} {how}: three layers are {than} than one with as many weights by {said}, "
            f"Holm p {difference.films.adjusted_p:.2g}."
        )
        if difference.is_none:
            sentence += f" That is within the margin of {margin:g}{UNITS[measure]}."
        return sentence + _law_caveat(difference)
    if difference.is_none:
        sentence = (
            f"depth is not heard {how}: the difference of {said} is within "
            f"{margin:g}{UNITS[measure]}."
        )
        return sentence + _law_caveat(difference)
    return f"it cannot be said whether depth is heard {how}: {said}."


def _law_caveat(difference: Difference) -> str:
    """Return what to add where laws as units do not say the same as films."""
    if difference.laws_agree:
        return ""
    if difference.is_clear and not difference.laws.is_clear:
        p, adjusted = difference.laws.tested.p, difference.laws.adjusted_p
        found = f"it is not clear (p {p:.2g}, Holm p {adjusted:.2g})"
    else:
        found = f"it cannot be said (90 %: {_range(difference, difference.laws.shown.interval_90)})"
    return f" With laws as units {found}, so it may not hold for other laws."


def _range_of_laws(report: Report) -> str:
    means = {law: float(parts[0].mean()) for law, parts in report.laws.items() if len(parts[0])}
    low, high = min(means, key=means.__getitem__), max(means, key=means.__getitem__)
    form = FORMS[PRIMARY[0].measure]
    return f"Laws differ: from {means[low]:{form}} (`{low}`) to {means[high]:{form}} (`{high}`)."


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _length_sentence(report: Report) -> str:
    found = [each for each in report.secondary if len(each.contrast.terms) == 4]
    clear = [each for each in found if each.is_clear]
    if not clear:
        return "That depth gains by more film is not shown."
    parts = [f"{HEARD[each.contrast.measure]} by {_said(each)}" for each in clear]
    return f"From 20 s to a minute the effect of depth changes {' and '.join(parts)}."


def _said(difference: Difference) -> str:
    """Return a mean difference over films with its 95 % interval."""
    return _with_interval(difference.contrast.measure, difference.films.shown)


def _with_interval(measure: str, mean: Mean) -> str:
    form, unit = FORMS.get(measure, "+.3f"), UNITS.get(measure, "")
    low, high = mean.interval
    return f"{mean.value:{form}}{unit} ({low:{form}} to {high:{form}})"


def _range(difference: Difference, interval: tuple[float, float]) -> str:
    form = FORMS.get(difference.contrast.measure, "+.3f")
    return " to ".join(f"{value:{form}}" for value in interval)


def _difference_table(differences: tuple[Difference, ...]) -> Iterator[str]:
    yield f"| {' | '.join(HEADINGS)} |"
    yield "|---|---|" + "--:|" * 7 + "---|---|"
    for each in differences:
        name = MEASURE_TABLE[each.contrast.measure].column_with_unit
        mark = "**" if each.is_clear else ""
        cells = (
            each.contrast.name,
            name,
            f"{each.films.tested.units}",
            f"{mark}{_said(each)}{mark}",
            _range(each, each.films.shown.interval_90),
            *(
                f"{p:.3g}"
                for means in (each.films, each.laws)
                for p in (means.tested.p, means.adjusted_p)
            ),
            *(_within(each, means) for means in (each.films, each.laws)),
        )
        yield f"| {' | '.join(cells)} |"
    yield ""


def _within(difference: Difference, means: Means) -> str:
    if difference.contrast.measure not in MARGINS:
        return "-"
    return "yes" if difference.is_none_over(means) else "no"


def _baseline_table(report: Report) -> Iterator[str]:
    yield "| comparison | measure | difference |"
    yield "|---|---|--:|"
    for each in report.beside_nearest:
        name = MEASURE_TABLE[each.contrast.measure].column_with_unit
        yield f"| {each.contrast.name} | {name} | {_said(each)} |"
    yield ""


def _shown(path: str) -> Iterator[str]:
    yield f"![the difference in each film, and the mean]({path})\n"
    yield "A dot is a film, deep minus wide with a minute learned; the bar is the mean, with its"
    yield "95 % interval, and the band the margin within which a difference counts as none.\n"


def _law_table(report: Report) -> Iterator[str]:
    names = [MEASURE_TABLE[each.measure].column_with_unit for each in PRIMARY]
    yield f"| law | {' | '.join(f'{name} | without it' for name in names)} |"
    yield "|---|" + "--:|" * (2 * len(names))
    for law, values in sorted(report.laws.items()):
        cells = []
        for number, (each, part) in enumerate(zip(PRIMARY, values, strict=True)):
            others = without_law(report.laws, law, number)
            cells.append(f"{part.mean():{FORMS[each.measure]}}" if len(part) else "-")
            cells.append("-" if others is None else _with_interval(each.measure, others))
        yield f"| {law} | {' | '.join(cells)} |"
    yield ""


def _figure_table(report: Report, seconds: int) -> Iterator[str]:
    yield f"### {seconds} s learned\n"
    names = [MEASURE_TABLE[measure].column_with_unit for measure in MEASURES]
    yield f"| | {' | '.join(names)} | training, s |"
    yield "|---|" + "--:|" * (len(names) + 1)
    for arm in (*ARMS, *BASELINES):
        found = [report.figures.get((seconds, arm, measure)) for measure in MEASURES]
        if any(each is not None for each in found):
            texts = (_mean_of(each, report.films) for each in found)
            cost = report.cpu_seconds.get((seconds, arm))
            yield f"| {arm} | {' | '.join(texts)} | {'-' if cost is None else f'{cost:.0f}'} |"
    yield ""


def _mean_of(found: tuple[float, int] | None, films: int) -> str:
    if found is None:
        return "-"
    mean, count = found
    return f"{mean:z.2f}" if count == films else f"{mean:z.2f} ({count})"


def write_explanation(report: Report) -> None:
    """Write the paragraph into the page of the documents, and the picture that it shows."""
    text = EXPLANATION.read_text(encoding="utf-8")
    before, rest = text.split(START)
    _, after = rest.split(END)
    found = verdict(report) + "\n"
    if report.is_complete:
        PICTURE.write_text(picture(report), encoding="utf-8")
        found += "\n" + "\n".join(_shown(PICTURE.name))
    EXPLANATION.write_text(before + START + found + END + after, encoding="utf-8")


def group_table(results: Path) -> Iterator[str]:
    """Yield tables of groups of real films: means over the films of each, without a test."""
    laws = film_laws(results)
    loaded = {(film, WHOLE): cells(csv_path(results, film, WHOLE)) for film in laws}
    names = (*PRIMARY_ARMS, *BASELINES)
    figures = film_figures(loaded, names)
    groups: dict[str, list[str]] = {}
    for film, group in laws.items():
        groups.setdefault(group, []).append(film)
    for measure in (ENVELOPE, DISTANCE, ONSETS):
        yield f"### {_capital(MEASURE_TABLE[measure].column_with_unit)}\n"
        yield f"| group | films | {' | '.join(names)} |"
        yield "|---|--:|" + "--:|" * len(names)
        for group, films in {**groups, "all films": list(laws)}.items():
            means = mean_figures({key: figures[key] for key in figures if key[0] in films})
            texts = (_mean_of(means.get((WHOLE, arm, measure)), len(films)) for arm in names)
            yield f"| {group} | {len(films)} | {' | '.join(texts)} |"
        yield ""


def development_table(design: Design, results: Path) -> Iterator[str]:
    """Yield a table of held-out losses, means over the films that have all arms and changes."""
    loaded = load(design, results)
    seconds = design.lengths[0]
    tables = [loaded[film.name, seconds] for film in design.films]
    whole = [
        film.name
        for film, table in zip(design.films, tables, strict=True)
        if {(arm, 0) for arm in design.settings} <= table.keys()
    ]
    changes = list(dict.fromkeys(arm.partition(" ")[2] for arm in design.settings))
    arms = list(dict.fromkeys(arm.partition(" ")[0] for arm in design.settings))
    yield f"Of {', '.join(whole)}:\n"
    yield f"| | {' | '.join(arms)} | training of deep, s |"
    yield "|---|" + "--:|" * (len(arms) + 1)
    for change in changes:
        names = [f"{arm} {change}".strip() for arm in arms]
        means = [
            sum(loaded[film, seconds][name, 0]["held_out_loss"].item() for film in whole)
            / len(whole)
            for name in names
        ]
        cost = sum(
            loaded[film, seconds][names[-1], 0]["training_cpu_seconds"].item() for film in whole
        )
        texts = " | ".join(f"{mean:.4f}" for mean in means)
        yield f"| {change or 'as in the study'} | {texts} | {cost / len(whole):.0f} |"


def power_table(powers: dict[Contrast, Power], films: int, spread_over: str) -> Iterator[str]:
    """Yield which differences so many films show, with the spread over some films."""
    yield f"{DRAWS} simulated studies of {films} films, with the spread over {spread_over}:\n"
    yield '| comparison | measure | found, nearer | found, farther | "no difference" said |'
    yield "|---|---|--:|--:|--:|"
    for contrast, each in powers.items():
        margin, unit = MARGINS[contrast.measure], UNITS[contrast.measure]
        name = MEASURE_TABLE[contrast.measure].column_with_unit
        pairs = zip(
            _directions(contrast, each.found_shown), _directions(contrast, each.found), strict=True
        )
        found = (
            f"{shown:.3f}{unit}" + ("" if shown == tested else f" ({tested:.3f} in z)")
            for shown, tested in pairs
        )
        share = f"by {100 * each.none_share:.0f} %, within {margin:g}{unit}"
        yield f"| {contrast.name} | {name} | {' | '.join(found)} | {share} |"
    yield ""


def _directions(contrast: Contrast, found: Found) -> tuple[float, float]:
    """Return the differences that are found where the first arm is nearer, and farther."""
    return (found.up, found.down) if BETTER[contrast.measure] > 0 else (found.down, found.up)
