"""What the report's page says of votes: listeners and films are units."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import frame2sound.studio
from frame2sound.comparison.intervals import mean_interval

FOLDER = Path(frame2sound.studio.__file__).parent / "report_page"


@pytest.fixture
def said(page: Any) -> Any:
    """Return a function that says what can be said of mean votes (listeners, films)."""
    plural = "const plural = (count, noun) => `${count} ${noun}${count === 1 ? '' : 's'}`;"
    page.add_script_tag(content=plural + (FOLDER / "preferences.js").read_text())

    def said(ballots: list[list[tuple[str, str | None]]]) -> dict[str, Any]:
        votes = [[{"stretch": s, "better": b} for s, b in ballot] for ballot in ballots]
        films = "(stretch) => stretch.split('-')[0]"
        found: dict[str, Any] = page.evaluate(f"preference({json.dumps(votes)}, 'one', {films})")
        return found

    return said


def ballot(values: Any) -> list[tuple[str, str | None]]:
    """Votes on films a, b, c, ..., each two stretches: 1 for one, -1 for other, 0 for none."""
    choice = {1: "one", 0: None, -1: "other"}
    return [
        (f"{chr(97 + film)}-{number}", choice[int(value)])
        for film, value in enumerate(values)
        for number in (1, 2)
    ]


def test_the_interval_is_that_of_crossed_listeners_and_films(said: Any) -> None:
    rng = np.random.default_rng(0)
    values = np.clip(np.rint(rng.normal(0.6, 1, (7, 9)) + rng.normal(0, 0.5, (7, 1))), -1, 1)
    found = said([ballot(row) for row in values])
    expected = mean_interval(values)
    assert found["found"]["mean"] == pytest.approx(expected.value)
    assert found["found"]["low"] == pytest.approx(expected.low, abs=1e-3)
    assert found["found"]["high"] == pytest.approx(expected.high, abs=1e-3)
    assert found["found"]["holds"] == "for listeners like these 7 and films like these 9"
    assert found["cannot"] == []
    assert (found["listeners"], found["films"]) == (7, 9)


def test_votes_of_one_listener_hold_for_this_listener(said: Any) -> None:
    values = np.array([1, 1, 0, 1, 1, 1, -1])
    found = said([ballot(values)])
    expected = mean_interval(values.astype(float))
    assert found["found"]["low"] == pytest.approx(expected.low, abs=1e-3)
    assert found["found"]["holds"] == "for this listener and films like these 7"
    assert found["cannot"] == [
        "Of other listeners it cannot be said: 1 listener, 6 or more are needed."
    ]


def test_one_film_tells_nothing_of_others(said: Any) -> None:
    alone = said([ballot([1])])
    assert alone["found"] is None
    assert [line.split(":")[0] for line in alone["cannot"]] == [
        "Of other listeners it cannot be said",
        "Of other films it cannot be said",
    ]
    many = said([ballot([1])] * 5 + [ballot([0])])
    assert many["found"]["holds"] == "for listeners like these 6 and this film only"
    expected = mean_interval(np.array([1.0] * 5 + [0.0]))
    assert many["found"]["low"] == pytest.approx(expected.low, abs=1e-3)
    assert said([])["found"] is None


def test_only_films_that_all_have_heard_count(said: Any) -> None:
    stopped_early = ballot([1, 1, 1, 1, 1, 1])
    found = said([ballot([1, 1, 1, 1, 1, 1, -1, -1]), stopped_early])
    assert (found["films"], found["found"]["mean"]) == (6, 1)
    assert found["found"]["holds"] == "for these 2 listeners and films like these 6"
