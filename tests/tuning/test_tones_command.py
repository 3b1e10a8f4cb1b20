"""The command ``tones``: its table, and what it refuses."""

import csv
import json

import pytest

from tests.commanding import run


@pytest.mark.parametrize(
    ("system", "says"),
    [
        ("0-tet", "got 0 equal steps, expected 1 to 999"),
        ("-5-tet", "got -5 equal steps, expected 1 to 999"),
        ("1000-edo", "got 1000 equal steps, expected 1 to 999"),
        ("5-ed1", "got an interval of 1, expected one above 1"),
        ("5-edx", "expected equal steps as '19-tet'"),
        ("just", "got no tones, expected at least one"),
        ("cents", "got no tones, expected at least one"),
        ("hz", "got no tones, expected at least one"),
        ("just 1 1e999999999", "got ratio '1e999999999', expected one such as '3/2'"),
        ("just 1 3/0", "got ratio '3/0', expected one such as '3/2'"),
        ("just 1 5/2", "expected them to ascend from 1 and stay below the period"),
        ("cents 0 nan", "got nan cents, expected at most 12000"),
        ("hz 100 200 nested in 12-tet", "a list of tones has no period, expected a scale"),
        ("999-tet nested in 999-tet", "got 998001 nested tones, expected at most 10000"),
        ("12-tet on -5 Hz", "got -5, expected hertz above 0"),
        (" nested in ".join(["5-tet"] * 500), "and 10 nested scales; write a Scala file"),
        ("pelogg", "no scale is called 'pelogg'; expected a note and a scale"),
        ("none.scl", "none.scl cannot be read (no such file or directory), expected a Scala"),
    ],
)
def test_what_is_no_system_is_told_in_a_line(tmp_path, system, says):
    made = run(tmp_path, "tones", "--", system)
    assert made.returncode == 2
    assert says in made.stderr
    assert len(made.stderr.splitlines()) == 1


def test_the_table_is_printed_and_written(tmp_path):
    shown = run(tmp_path, "tones", "just 1 7/4 on A4", "--csv", "t.csv")
    assert shown.stdout.splitlines() == [
        " step      ratio      cents          Hz  note",
        "    0        1/1       0.00     440.000  A4 +0.0",
        "    1        7/4     968.83     770.000  G5 -31.2",
        "    2        2/1    1200.00     880.000  A5 +0.0",
        "t.csv",
    ]
    rows = list(csv.DictReader((tmp_path / "t.csv").open(newline="")))
    assert [float(row["hz"]) for row in rows] == pytest.approx([440, 770, 880])
    assert rows[1]["note"] == "G5"
    told = json.loads(run(tmp_path, "tones", "just 1 7/4 on A4", "--json").stdout)["tones"]
    assert [tone["cents"] for tone in told] == pytest.approx([0, 968.8259, 1200], abs=1e-4)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--wave", "sinus"], "got --wave sinus, expected sine, triangle, square or saw"),
        (["--steps", ""], "--steps: got no steps, expected at least one"),
        (["--steps", "1.5"], "--steps: got step '1.5', expected whole numbers"),
        (["--steps", "0..99999"], "--steps: got more than 10000 steps"),
        (["--chord", " "], "--chord: got no steps, expected at least one"),
        (["--steps", "99999"], "whose tone has inf Hz, expected 8 Hz to 1 MHz"),
        (["--steps", "-99"], "whose tone has 1.45 Hz, expected 8 Hz to 1 MHz"),
        (["--effects", "reverse"], "got effects without a sound, expected --out too"),
        (["-o", "a.wav", "--seconds", "0"], "got --seconds 0, expected at least 0.01 for each"),
        (["--seconds", "banana"], "got --seconds banana, expected seconds, 0 or more"),
        (["-o", "a.wav", "--seconds", "3600"], "got --seconds 3600 for 13 tones or chords, expec"),
        (["-o", "a.wav", "--effects", "layer of=up"], "layer: got of=up, expected reverse or orig"),
        (["--csv", "a.scl"], "got --csv a.scl, expected a name that ends with .csv"),
        (["-o", "a.mp3"], "got a.mp3, expected the name of a .wav"),
        (["-o", "a.wav", "--sample-rate", "0"], "got --sample-rate 0, expected 8000 to 192000 Hz"),
    ],
)
def test_wrong_options_are_told_in_a_line(tmp_path, words, says):
    made = run(tmp_path, "tones", "12-tet", *words)
    assert made.returncode in (1, 2)
    assert says in made.stderr
    assert not list(tmp_path.iterdir())


def test_a_table_that_exists_is_told_before_any_sound_is_made(tmp_path):
    (tmp_path / "t.csv").write_text("mine")
    made = run(tmp_path, "tones", "12-tet", "-o", "a.wav", "--csv", "t.csv")
    assert made.returncode == 1
    assert "t.csv exists already; choose another name or give --overwrite" in made.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]
    assert (tmp_path / "t.csv").read_text() == "mine"


def test_the_widest_interval_is_ten_octaves(tmp_path):
    made = run(tmp_path, "tones", "1-ed1024 on 10 Hz", "--json")
    assert [tone["hz"] for tone in json.loads(made.stdout)["tones"]] == [10, 10_240]
