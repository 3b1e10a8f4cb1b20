"""What is printed cannot steer a terminal, is whole or an error, and JSON stays JSON."""

import errno
import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import frame2sound.cli.app  # noqa: F401
from frame2sound import progress_bars, terminal
from frame2sound.cli.options import print_json
from frame2sound.errors import BatchError
from frame2sound.library.store import Library
from frame2sound.terminal import OutputError, escaped, say
from tests.commanding import run

commands = sys.modules["frame2sound.cli.app"]  # the package has an attribute of that name

NASTY = "a\x1b[31m\x07\r\n\t\x7f\x9b\x85\u202egnp.\u2066\u2028b\udce9"
PLAIN = "a\\x1b[31m\\x07\\r\\n\\t\\x7f\\x9b\\x85\\u202egnp.\\u2066\\u2028b\\xe9"


def test_what_steers_a_terminal_is_escaped():
    assert escaped(NASTY) == PLAIN
    assert escaped("Übergröße 夜 🎬 [red]") == "Übergröße 夜 🎬 [red]"


@pytest.mark.parametrize("err", [False, True])
def test_a_line_is_one_line(capsys, err):
    say(NASTY, err)
    assert capsys.readouterr() == (("", PLAIN + "\n") if err else (PLAIN + "\n", ""))


def test_json_comes_back_as_it_was(capsys):
    table = {NASTY: ["Übergröße 夜 🎬", NASTY]}
    print_json(table)
    said = capsys.readouterr().out
    assert json.loads(said) == table
    assert not set(said) & set("\x1b\x7f\x9b\x85\u202e\u2066\u2028\udce9")
    assert "Übergröße 夜 🎬" in said


def test_json_is_json_where_the_terminal_knows_no_umlauts(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, "ascii"))
    print_json({"name": "ü夜🎬"})
    say("ü")
    assert json.loads(raw.getvalue().splitlines()[0] + raw.getvalue().splitlines()[1] + b"}") == {
        "name": "ü夜🎬"
    }
    assert raw.getvalue().endswith(b"\\xfc\n")


def test_json_knows_no_nan(capsys):
    print_json({"loss": [float("nan"), 1.5, (float("-inf"),)], "n": True})
    assert json.loads(capsys.readouterr().out, parse_constant=lambda name: pytest.fail(name)) == {
        "loss": [None, 1.5, [None]],
        "n": True,
    }


def test_progress_escapes_names_and_reads_no_markup(capsys, monkeypatch):
    monkeypatch.setattr(progress_bars, "LINE_SECONDS", 0.0)
    with progress_bars.ProgressBars() as shown:
        shown.show(NASTY, 1, 1, "\x1b")
    assert capsys.readouterr().err == f"{PLAIN}  100 %  \\x1b\n"
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    with progress_bars.ProgressBars() as shown:
        shown.show("[/b][red]" + NASTY, 0.5, 1, "[/x]")
    said = capsys.readouterr().err
    assert "[/b][red]a\\x1b[31m" in said
    assert "\x07" not in said


def test_results_go_to_a_pipe_while_bars_are_on_the_terminal(capsys, monkeypatch):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    with progress_bars.ProgressBars() as shown:
        shown.show("training", 0.5, 1)
        say("sound follows the picture well")
    assert capsys.readouterr().out == "sound follows the picture well\n"


def test_several_errors_are_a_line_each(capsys):
    error = BatchError("2 of 3 failed:", "  a\nb", "  \x1b")
    commands._complain(*error.lines)
    assert capsys.readouterr().err == "frame2sound: 2 of 3 failed:\n  a\\nb\n  \\x1b\n"


def test_errors_and_wrong_usage_are_escaped(tmp_path):
    said = run(tmp_path, "pickle", "a\x1b\n.mp4", "--library", "lib")
    assert said.returncode == 1
    assert "\x1b" not in said.stderr
    assert "a\\x1b\\n.mp4" in said.stderr
    for words in (["films\x1b"], ["films", "--seed\x1b=3"], ["films", "typing", "--fps", "\x1b"]):
        said = run(tmp_path, *words)
        assert said.returncode == 2
        assert "\x1b" not in said.stderr


def test_cards_of_strangers_are_escaped(tmp_path, add_film):
    film = add_film(Library.create(tmp_path / "lib", 8000), "film")
    path = film.path / "film.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"notes": [NASTY], "source": NASTY}))
    said = run(tmp_path, "library", "lib")
    assert f"  note: {PLAIN}\n" in said.stdout
    said = run(tmp_path, "library", "lib", "--json")
    assert json.loads(said.stdout)["films"][0]["notes"] == [NASTY]
    assert "\x1b" not in said.stdout


class Full(io.StringIO):
    """A standard output that cannot be written."""

    def __init__(self, number):
        super().__init__()
        self.number = number

    def flush(self):
        raise OSError(self.number, os.strerror(self.number))


@pytest.mark.parametrize(
    ("number", "why"), [(errno.ENOSPC, "the disk is full"), (errno.EIO, "input/output error")]
)
def test_an_output_that_cannot_be_written_is_an_error(monkeypatch, number, why):
    monkeypatch.setattr(sys, "stdout", Full(number))
    monkeypatch.setattr(terminal, "silence_stdout", lambda: None)
    with pytest.raises(OutputError, match=rf"standard output cannot be written \({why}\)"):
        say("line")


def test_errors_that_cannot_be_told_stop_nothing(monkeypatch):
    for stream in (Full(errno.ENOSPC), None):
        monkeypatch.setattr(sys, "stderr", stream)
        assert say("line", err=True) is None


def command(*words, **options):
    return subprocess.run(
        [sys.executable, "-m", "frame2sound", *words],
        cwd=Path(__file__).parents[1],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        **options,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("words", [["films"], ["--version"], ["films", "-h"]], ids=str)
def test_a_full_disk_behind_standard_output_is_one_line(words):
    with Path("/dev/full").open("w") as full:
        said = command(*words, stdout=full)
    assert said.returncode == 1
    assert said.stderr.startswith(
        "frame2sound: standard output cannot be written (the disk is full)"
    )
    assert len(said.stderr.splitlines()) == 1


@pytest.mark.parametrize("words", [["films"], ["--version"], ["films", "-h"]], ids=str)
def test_a_closed_pipe_ends_quietly(words):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        said = command(*words, stdout=writing)
    finally:
        os.close(writing)
    assert (said.returncode, said.stderr) == (141, "")


def unforeseen(capsys, monkeypatch, error):
    def fail(**options):
        raise error

    monkeypatch.setattr(commands, "app", fail)
    monkeypatch.setattr(commands.signal, "signal", lambda *args: None)
    with pytest.raises(SystemExit) as ended:
        commands.main()
    assert ended.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_a_full_folder_of_temporary_files_is_named(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(commands.tempfile, "gettempdir", lambda: str(tmp_path))
    line = unforeseen(capsys, monkeypatch, OSError(errno.ENOSPC, "No space left on device"))
    assert line.startswith(f"frame2sound: the disk is full: {tmp_path}; make room, or set TMPDIR")
    error = OSError(errno.EDQUOT, "Disk quota exceeded", "/far/away/file")
    assert "the disk is full: /far/away; " in unforeseen(capsys, monkeypatch, error)


def test_what_the_system_refuses_is_named(capsys, monkeypatch):
    error = PermissionError(errno.EACCES, "Permission denied", "/far/away\x1b")
    assert unforeseen(capsys, monkeypatch, error) == (
        "frame2sound: /far/away\\x1b cannot be read or written (permission denied); "
        "expected a file that can be"
    )
    assert "this is a bug (KeyError" in unforeseen(capsys, monkeypatch, KeyError("x"))


def test_time_left_is_never_negative(capsys, monkeypatch):
    monkeypatch.setattr(progress_bars, "LINE_SECONDS", 0.0)
    with progress_bars.ProgressBars() as shown:
        shown.show("a", 12, 10)
        shown.show("b", -3, 10)
        shown.show("c", 3, -10)
        monkeypatch.setattr(time, "time", lambda: -1e9)
        shown.show("d", 1, 10)
        shown.show("d", 2, 10)
    assert "-" not in capsys.readouterr().err
