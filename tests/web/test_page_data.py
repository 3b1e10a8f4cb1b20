"""What the page draws: waveforms, pictures of films, the library, and reports."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile

from frame2sound.api.library import Library
from frame2sound.errors import FilmError, StudioError
from frame2sound.rendering.events.event_list import BedSpan, Event, read_events, write_events
from frame2sound.sound.waveform import PIECE_SAMPLES, Waveform
from frame2sound.web import comparison_pages, peaks
from frame2sound.web.peaks import load_waveform
from frame2sound.web.studio import Studio
from tests.media_files import Audio, grey_pictures, make_film
from tests.web.asking import Browser


def test_a_waveform_is_as_long_as_the_sound_and_computed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = np.zeros(24_000, np.int16)
    sound[12_000] = 20_000
    film = make_film(tmp_path / "film.mkv", grey_pictures(np.zeros(12, int)), audio=Audio(sound))
    first = load_waveform(film, tmp_path / "cache")
    (loud,) = np.flatnonzero(first.peaks[:, 1] > 10_000)
    assert loud == 12_000 // PIECE_SAMPLES
    monkeypatch.setattr(peaks, "compute_waveform", lambda path: pytest.fail("computed again"))
    again = load_waveform(film, tmp_path / "cache")
    assert np.array_equal(again.peaks, first.peaks)
    (cached,) = (tmp_path / "cache").iterdir()
    monkeypatch.undo()
    cached.write_bytes(cached.read_bytes()[:-4])
    assert np.array_equal(load_waveform(film, tmp_path / "cache").peaks, first.peaks)


def test_the_waveform_of_a_take_is_there_when_the_take_is(
    browser: Browser, studio: Studio, animation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_over = studio.cache / "typing-001.dat"
    left_over.parent.mkdir(exist_ok=True)
    left_over.write_bytes(b"of a take that is gone")
    command = browser.post("/api/jobs/render", {"animation": animation, "stop": 1.5}).table
    assert " --waveform=.studio/cache/typing-001.dat " in command["command"]
    assert not left_over.exists()
    (job,) = studio.queue.jobs
    out = studio.project.root / job.outputs[0]
    soundfile.write(out, np.zeros(8000), 8000)
    studio.queue.before_done(job)  # without the file, which is no reason to fail
    left_over.write_bytes(Waveform(8000, np.full((63, 2), 7, np.int16)).to_bytes())
    studio.queue.before_done(job)
    assert not left_over.exists()
    monkeypatch.setattr(peaks, "compute_waveform", lambda path: pytest.fail("computed again"))
    answer = browser.get(f"/api/peaks?name={job.outputs[0]}&pieces=63")
    assert answer.headers["x-seconds"] == "1.008000"
    assert np.array_equal(np.frombuffer(answer.content, "<i2"), np.full(126, 7))


def test_the_first_seconds_are_a_wav_and_drawn_to_the_sample(
    browser: Browser, studio: Studio, animation: str
) -> None:
    preview = browser.post("/api/jobs/render", {"animation": animation, "stop": 1.5}).table
    assert preview["command"].endswith(
        " --to=1.5 --events-out=takes/typing-001.events.json --wav "
        "--waveform=.studio/cache/typing-001.dat --out=takes/typing-001.wav"
    )
    assert browser.post("/api/job/1/wav").status == 400
    whole = browser.post("/api/jobs/render", {"animation": animation, "stop": 3}).table
    assert whole["command"].endswith("-002.dat --out=takes/typing-002.mp4")
    assert whole["about"]["stop"] is None
    sound = np.zeros((1000, 2), np.float32)
    sound[300, 1], sound[999, 0] = 0.5, -0.25
    path = studio.project.root / "takes" / "typing-001.wav"
    soundfile.write(path, sound, 8000, "PCM_16")
    drawn = load_waveform(path, studio.cache)
    assert (drawn.sample_rate, drawn.seconds) == (8000, 0.128)
    assert drawn.peaks[:, 1].tolist() == [0, 0, 16384, 0, 0, 0, 0, 0]
    assert drawn.peaks[:, 0].tolist() == [0] * 7 + [-8192]
    path.write_bytes(b"no WAV")
    with pytest.raises(FilmError, match="cannot be read as a WAV"):
        load_waveform(path, studio.cache)


def test_edited_events_are_kept_when_the_whole_is_rendered(
    browser: Browser, studio: Studio, animation: str
) -> None:
    events = [{"time_seconds": 0.5}]
    edited = {"animation": animation, "controls": {"sensitivity": 0.7}, "events": events}
    list_alone, followed = (
        browser.post("/api/jobs/render", {**edited, "events_until": until}).table
        for until in (None, 1.5)
    )
    assert "sketchbook --events=takes/typing-001.edited.json --events-out" in list_alone["command"]
    assert list_alone["about"]["controls"] == {"sensitivity": 0.7}
    words = (
        "--sensitivity=0.7 --events=takes/typing-002.edited.json --events-until=1.5 --events-out"
    )
    assert words in followed["command"]
    assert read_events(studio.project.root / "takes/typing-002.edited.json") == (Event(0.5),)


def test_a_film_without_sound_has_no_waveform(tmp_path: Path) -> None:
    film = make_film(tmp_path / "film.mkv", grey_pictures(np.zeros(3, int)))
    with pytest.raises(FilmError, match="has no sound, so there is no waveform"):
        load_waveform(film, tmp_path / "cache")


def test_events_are_sent_with_their_films_and_those_of_the_bed(
    browser: Browser, studio: Studio
) -> None:
    events = [Event(0.5, -20.0, "hits-1a2b3c4d", 3.25), Event(1.0)]
    path = studio.project.root / "takes" / "walk-001.events.json"
    write_events(path, events, [BedSpan(0.0, 2.0, "rain-1a2b3c4d")])
    assert browser.get("/api/events?name=takes/walk-001.events.json").table == {
        "events": [
            {"time_seconds": 0.5, "level_db": -20.0, "film": "hits-1a2b3c4d", "film_seconds": 3.25},
            {"time_seconds": 1.0},
        ],
        "bed": [{"time_seconds": 0.0, "end_seconds": 2.0, "film": "rain-1a2b3c4d"}],
    }


def test_peaks_are_sent_with_their_length(browser: Browser, animation: str) -> None:
    answer = browser.get(f"/api/peaks?name={animation}&pieces=100")
    assert float(answer.headers["x-seconds"]) == pytest.approx(3, abs=PIECE_SAMPLES / 8000)
    assert 100 <= len(answer.content) // 4 < 400


def test_the_library_is_told_before_and_after_it_is_listed(
    browser: Browser, studio: Studio, add_film
) -> None:
    assert browser.get("/api/library").table == {"films": [], "coupling": None}
    library = Library.create(studio.project.root / "library", 8000)
    frames = np.zeros((30, 64, 64), np.uint8)
    frames[15:] = 200
    add_film(library, "flash", frames=frames)
    told = browser.get("/api/library").table
    assert [(film["film"], film["seconds"], film["excluded"]) for film in told["films"]] == [
        ("flash", 1, False)
    ]
    drawn = browser.get("/api/library/flash/strip")
    assert drawn.status == 200, drawn.content
    strip = cv2.imdecode(np.frombuffer(drawn.content, np.uint8), 0)
    assert strip.shape == (64, 16 * 64)
    assert strip[:, : 7 * 64].max() < 60 < 150 < strip[:, 9 * 64 :].min()
    spectrogram = browser.get("/api/library/flash/spectrogram")
    assert spectrogram.headers["content-type"] == "image/webp"
    assert cv2.imdecode(np.frombuffer(spectrogram.content, np.uint8), 1).shape == (100, 640, 3)
    assert browser.get("/api/library/none/strip").status == 400
    assert browser.get("/api/library/flash/other").status == 404
    job = browser.post("/api/jobs/library", {"action": "exclude", "film": "flash"}).table
    assert job["command"] == "frame2sound library library --exclude=flash"
    inspected = browser.post("/api/jobs/pickle", {"films": ["films/none.mp4"]})
    assert inspected.status == 400


def test_what_the_listing_says_is_told_until_the_films_change(
    browser: Browser, studio: Studio, add_film
) -> None:
    library = Library.create(studio.project.root / "library", 8000)
    add_film(library, "one")
    studio._follow_up(studio.queue.add("pickle", ["pickle"], {}, []))
    job = studio.queue.jobs[-1]
    assert job.command == "frame2sound library library --json"
    job.state = "done"
    output = studio.queue.output_file(job)
    output.parent.mkdir()
    listing = {"films": [{"film": "one", "loudness_lufs": -20.5}], "coupling": {"sentence": "well"}}
    output.write_text(json.dumps(listing))
    told = browser.get("/api/library").table
    assert (told["films"][0]["loudness_lufs"], told["coupling"]) == (-20.5, {"sentence": "well"})
    add_film(library, "two")
    assert browser.get("/api/library").table["coupling"] is None


def test_a_report_is_made_anew_and_runs_no_script_of_its_folder(
    browser: Browser, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = studio.project.root / "comparisons" / "both"
    folder.mkdir()
    (folder / "report.html").write_text("<script>alert(1)</script>")
    assert browser.get("/comparison/both/report.html").status == 400
    (folder / "results.json").write_text('{"soundtracks": []}')
    assert browser.get("/comparison/both/report.html").status == 400
    results = {"stretches": [], "soundtracks": [], "library": "</script><script>alert(2)"}
    (folder / "results.json").write_text(json.dumps(results))
    answer = browser.get("/comparison/both/report.html")
    page, policy = answer.content.decode(), answer.headers["content-security-policy"]
    assert "alert(1)" not in page
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in policy
    assert "frame-ancestors 'self'" in policy
    assert not re.search(r"^(import|export) ", script, re.MULTILINE)
    assert "class SyncedPlayer" in script
    with pytest.raises(StudioError):
        comparison_pages.comparison_page(studio.project, "../takes")


def test_the_page_has_its_files_and_no_others(browser: Browser) -> None:
    page = browser.get("/").content.decode()
    scripts = re.findall(r'(?:src|href)="(/page/[^"]+)"', page)
    assert scripts
    seen = set()
    while scripts:
        path = scripts.pop()
        answer = browser.get(path)
        assert answer.status == 200, path
        seen.add(path)
        imported = re.findall(r'from "\./([^"]+)"', answer.content.decode())
        scripts += [f"/page/{name}" for name in imported if f"/page/{name}" not in seen]
    assert {"/page/synced_player.js", "/page/takes.js", "/page/page.css"} <= seen
    for name in ("../server.py", "main.py", "%2e%2e/server.py", "blind_test.js", ""):
        assert browser.get(f"/page/{name}").status == 404


def test_nothing_is_written_as_markup() -> None:
    """Names of films are text on the page, whatever they hold."""
    folder = Path(peaks.__file__).parent / "static"
    for script in folder.glob("*.js"):
        markup = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\("
        assert not re.search(markup, script.read_text()), script.name


def test_a_take_whose_file_was_deleted_can_be_made_again(
    browser: Browser, studio: Studio, animation: str
) -> None:
    browser.post("/api/jobs/render", {"animation": animation})
    studio.queue.jobs[0].state = "done"
    (gone,) = browser.get("/api/state").table["jobs"]
    assert (gone["state"], gone["error"]) == ("failed", "takes/typing-001.mp4 is no longer there")
    (studio.project.root / "takes" / "typing-001.mp4").write_bytes(b"")
    (kept,) = browser.get("/api/state").table["jobs"]
    assert (kept["state"], kept["outputs"]) == ("done", ["takes/typing-001.mp4"])
    assert browser.post("/api/job/1/again").table["state"] == "waiting"


def test_recipes_come_with_what_they_are_good_for(browser: Browser) -> None:
    choices = browser.get("/api/choices").table
    assert choices["recipes"][0]["name"] == "deep"
    assert all(recipe["about"] for recipe in choices["recipes"][:6])
    units = {control["name"]: control["unit"] for control in choices["controls"]}
    assert (units["loudness"], units["pitch"], units["no-repeat"]) == ("LUFS", "semitones", "s")
