"""Lists of events are written and read to the bit; what is no list is refused in one line."""

import json

import numpy as np
import pytest

from frame2sound.errors import SoundtrackError
from frame2sound.rendering.events.event_list import (
    BedSpan,
    Event,
    read_bed,
    read_events,
    write_events,
)


def test_numbers_are_read_as_they_were_written(tmp_path):
    random = np.random.default_rng(0)
    events = [
        Event(float(time), float(level), "Hits – 1", float(at))
        for time, level, at in zip(*random.uniform([[0], [-90], [0]], [[9], [0], [60]], (3, 100)),
                                   strict=True)
    ]  # fmt: skip
    write_events(tmp_path / "events.json", events)
    assert read_events(tmp_path / "events.json") == tuple(
        sorted(events, key=lambda e: e.time_seconds)
    )


def test_an_added_event_needs_only_its_time(tmp_path):
    path = tmp_path / "events.json"
    path.write_text(
        '{"version": 1, "events": [{"time_seconds": 2}, {"time_seconds": 0.5, "film": "a"}]}'
    )
    assert read_events(path) == (Event(0.5, film="a"), Event(2.0))


def test_the_bed_is_kept_beside_events_and_may_be_missing(tmp_path):
    bed = [BedSpan(0.0, 0.5, "a"), BedSpan(0.5, 1.25, "b")]
    write_events(tmp_path / "both.json", [Event(0.5)], bed)
    assert read_events(tmp_path / "both.json") == (Event(0.5),)
    assert read_bed(tmp_path / "both.json") == tuple(bed)
    write_events(tmp_path / "none.json", [Event(0.5)])
    assert read_bed(tmp_path / "none.json") == ()


def test_one_event_a_line(tmp_path):
    write_events(tmp_path / "events.json", [Event(0.5, -3.0), Event(0.25)])
    lines = (tmp_path / "events.json").read_text().splitlines()
    assert lines[3:5] == [
        '    {"time_seconds": 0.25},',
        '    {"time_seconds": 0.5, "level_db": -3.0}',
    ]
    write_events(tmp_path / "none.json", [])
    assert read_events(tmp_path / "none.json") == ()


def listed(**event):
    return json.dumps({"version": 1, "events": [{"time_seconds": 1.0} | event]})


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "is no list of events"),
        ("[]", "is no list of events .*expected `object`, got `array`"),
        ('{"events": []}', "missing required field `version`"),
        ('{"version": 1}', "missing required field `events`"),
        ('{"version": 2, "events": []}', "made by a newer version"),
        ("[" * 100_000, "is no list of events"),
        (listed(time_seconds=-0.1), r"expected `float` >= 0.*events\[0\]\.time_seconds"),
        (listed(time_seconds=float("nan")), "is no list of events"),
        (listed(time_seconds=float("inf")), "is no list of events"),
        (listed(time_seconds="1"), "expected `float`, got `str`"),
        (listed(level_db=100), "expected `float` <= 24"),
        (listed(film=""), "expected `str` of length >= 1"),
        (listed(film_seconds=3), "film_seconds without a film, expected both"),
        (listed(levle_db=3), "unknown field `levle_db`"),
    ],
)  # fmt: skip
def test_what_is_no_list_is_refused_in_one_line(tmp_path, text, match):
    path = tmp_path / "events.json"
    path.write_text(text)
    with pytest.raises(SoundtrackError, match=match) as error:
        read_events(path)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 500


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SoundtrackError, match=r"none\.json cannot be read"):
        read_events(tmp_path / "none.json")
    write_events(tmp_path / "events.json", [])
    with pytest.raises(SoundtrackError, match="exists"):
        write_events(tmp_path / "events.json", [], overwrite=False)
