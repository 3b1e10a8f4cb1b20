"""``frame2sound live``: what it prints and writes, and how it fails."""

import json
import signal
import socket
from fractions import Fraction

import numpy as np
import pytest
import soundfile
from pythonosc.osc_bundle import OscBundle

import frame2sound as f2s
from frame2sound.errors import SoundtrackError
from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.film.drawing.scene_writer import write_scene
from frame2sound.rendering.events.event_list import read_events
from tests.commanding import run
from tests.media_files import make_film


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("live")
    write_scene(load_scene("bounce", seconds=3, seed=2, size=(64, 64)), folder / "film.mp4")
    return folder


WORDS = ("live", "film.mp4", "--brain", "bells", "--offline")


def test_a_film_is_played_offline_and_all_is_written(folder):
    outputs = ["--record", "heard.wav", "--report", "report.json", "--events-out", "events.json"]
    shown = run(folder, *WORDS, *outputs)
    assert shown.returncode == 0, shown.stderr
    report = json.loads((folder / "report.json").read_text())
    heard, rate = soundfile.read(folder / "heard.wav")
    events = read_events(folder / "events.json")
    assert shown.stdout.startswith(f"film.mp4  {report['seconds']:.3f} s  {len(events)} events in ")
    assert (rate, report["audio"], report["frames"]) == (48_000, "offline", 90)
    assert len(heard) / 48_000 == report["seconds"]
    assert len(events) == report["events"] > 0
    assert report["sound_delay"]["max_ms"] == report["delay_ms"] == 20
    assert (report["dropouts"], report["late_events"], report["skipped_frames"]) == (0, 0, 0)
    for event in events:  # the sound rises where the list says that it does
        at = round(event.time_seconds * 48_000)
        after, before = (np.square(part).sum() for part in (heard[at:][:480], heard[:at][-480:]))
        assert after > before


def test_python_gives_the_same_to_the_bit(folder):
    result = f2s.play_live(
        folder / "film.mp4", brain="bells", offline=True, record=folder / "again.wav"
    )
    run(folder, *WORDS, "--record", "once.wav")
    assert (folder / "again.wav").read_bytes() == (folder / "once.wav").read_bytes()
    assert isinstance(result, f2s.LiveResult)
    assert result.to_dict()["recorded"] == [str(folder / "again.wav")]


def test_each_event_is_sent_as_it_is_known(folder):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(5)
        out = str(listener.getsockname()[1])
        shown = run(folder, *WORDS, "--osc-out", out, "--osc-in", "127.0.0.1:0", "--json")
        assert shown.returncode == 1  # a port is from 1 to 65535
        shown = run(folder, *WORDS, "--osc-out", out, "--events-out", "sent.json", "--json")
        events = read_events(folder / "sent.json")
        messages = [next(iter(OscBundle(listener.recv(1000)))) for _ in events]
    assert json.loads(shown.stdout)["events"] == len(events) > 0
    for event, message in zip(events, messages, strict=True):
        seconds, level_db, _, delay_ms = message
        assert event.time_seconds == pytest.approx(seconds + delay_ms / 1e3, abs=1e-4)
        assert event.level_db == pytest.approx(level_db, abs=1e-4)


def test_a_loop_ends_when_the_time_is_over(folder):
    shown = run(folder, *WORDS, "--loop", "--max-seconds", "4", "--json")
    values = json.loads(shown.stdout)
    assert values["frames"] == 120
    assert values["seconds"] >= 4


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("live",), 2, "expected one: a film, --camera or --screen"),
        (("live", "film.mp4", "--camera", "0"), 2, "got 2 sources"),
        (("live", "--camera", "0", "--offline"), 2, "--offline does nothing with a camera"),
        ((*WORDS, "--fps", "30"), 2, "--fps does nothing with a film"),
        ((*WORDS, "--loop"), 2, "never ends; give --max-seconds"),
        ((*WORDS, "--delay-ms", "5.33"), 2, "expected 5.34 to 1000"),
        ((*WORDS, "--set", "gain=40"), 1, "expected -60 to 12"),
        ((*WORDS, "--osc-in", "x"), 1, "expected PORT or HOST:PORT"),
        ((*WORDS, "--audio", "jack"), 2, "--audio does nothing with --offline; leave it out"),
        ((*WORDS, "--record", "a.mp3"), 2, "got --record a.mp3, expected a name that ends with"),
        ((*WORDS, "--events-out", "a.txt"), 2, "expected a name that ends with .json"),
        ((*WORDS, "--report", "film.mp4", "--overwrite"), 2, "a name that ends with .json"),
        ((*WORDS, "--events-out", "a.json", "--report", "a.json"), 1, "one file for two outputs"),
        ((*WORDS, "--report", "film.json"), 1, "film.json exists already"),
        ((*WORDS, "--report", "film.json", "--overwrite"), 1, "is read by this command"),
        (("live", "none.mp4", "--offline"), 1, "no such file"),
        (("live", "--camera", "99"), 1, "camera 99 cannot be opened"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(folder, words, code, said):
    link = folder / "film.json"
    link.unlink(missing_ok=True)
    link.symlink_to(folder / "film.mp4")
    shown = run(folder, *words)
    assert (shown.returncode, len(shown.stderr.splitlines())) == (code, 1)
    assert said in shown.stderr


def test_an_interrupted_performance_keeps_what_was_heard(folder, monkeypatch):
    from frame2sound.live.engine import LiveEngine

    see, seen = LiveEngine.see, []

    def interrupted(engine, picture, sample):
        seen.append(sample)
        if len(seen) == 40:
            raise KeyboardInterrupt
        return see(engine, picture, sample)

    monkeypatch.setattr(LiveEngine, "see", interrupted)
    shown = run(folder, *WORDS, "--record", "part.wav", "--json")
    assert (shown.returncode, json.loads(shown.stdout)["frames"]) == (0, 39)
    assert soundfile.info(folder / "part.wav").frames >= 39 * 1600


def test_an_interrupt_while_the_sound_dies_away_keeps_what_was_heard(folder, monkeypatch):
    from frame2sound.live.session import OfflineClock

    def interrupted(clock, seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr(OfflineClock, "wait_for", interrupted)
    shown = run(folder, *WORDS, "--record", "whole.wav", "--events-out", "whole.json", "--json")
    assert (shown.returncode, json.loads(shown.stdout)["frames"]) == (0, 90)
    assert soundfile.info(folder / "whole.wav").frames >= 90 * 1600
    assert read_events(folder / "whole.json")


def test_an_interrupt_while_files_are_closed_keeps_what_was_heard(folder, monkeypatch):
    from frame2sound.live.recording import SoundRecorder

    close = SoundRecorder.close

    def interrupted(recorder):
        signal.raise_signal(signal.SIGINT)
        close(recorder)

    monkeypatch.setattr(SoundRecorder, "close", interrupted)
    shown = run(folder, *WORDS, "--record", "closed.wav")
    assert shown.returncode == 130
    assert soundfile.info(folder / "closed.wav").frames >= 90 * 1600


def test_a_film_that_is_damaged_ends_where_it_is(folder):
    levels = np.random.default_rng(0).integers(0, 255, (200, 64, 64), np.uint8)
    film = make_film(folder / "damaged.mkv", levels, fps=Fraction(25))
    content = film.read_bytes()
    film.write_bytes(content[: len(content) // 2])
    words = ("live", film.name, *WORDS[2:])
    outputs = ["--record", "part.wav", "--events-out", "part.json", "--report", "part-report.json"]
    shown = run(folder, *words, *outputs, "--overwrite")
    assert shown.returncode == 0, shown.stderr
    report = json.loads((folder / "part-report.json").read_text())
    (note,) = report["notes"]
    assert note.startswith("it ended early: damaged.mkv is damaged: it ")
    assert f"  note: {note.split(';')[0]}" in shown.stdout
    assert note.endswith("; copy it again")  # what could be read was played
    assert 90 <= report["frames"] <= 100
    heard = soundfile.info(folder / "part.wav").frames / 48_000
    assert heard == report["seconds"] >= report["frames"] / 25
    film.write_bytes(content[:300])
    assert run(folder, *words, "--record", "none.wav").returncode == 1
    assert not (folder / "none.wav").exists()


def test_an_output_that_cannot_be_written_leaves_the_others(folder, monkeypatch):
    def full(path, events, *, overwrite):
        raise SoundtrackError(f"the disk is full, {path} was not written")

    monkeypatch.setattr("frame2sound.api.live_performance.write_events", full)
    outputs = ["--record", "k.wav", "--events-out", "k.json", "--report", "k-report.json"]
    shown = run(folder, *WORDS, *outputs)
    assert shown.returncode == 1
    assert shown.stderr.endswith("k.json was not written; kept k.wav, k-report.json\n")
    assert (folder / "k.wav").exists()
    assert (folder / "k-report.json").exists()
    assert not (folder / "k.json").exists()
    report = json.loads((folder / "k-report.json").read_text())
    assert report["recorded"] == ["k.wav", "k-report.json"]
    assert report["notes"] == ["the disk is full, k.json was not written"]
