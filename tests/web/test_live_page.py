"""The page of a live drawing: each drawing arrives, and nothing but the page is let in."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from frame2sound.errors import StudioError
from frame2sound.web.live_page import LivePage, open_live_page
from frame2sound.web.security import Access
from tests.web.asking import Browser

STROKES = [("M1 2L3 4Z", "2.5000", "#102030")]


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    (tmp_path / "bells.wav").write_bytes(b"RIFF and more")
    return tmp_path / "bells.wav"


def opened(page: LivePage, access: Access) -> Browser:
    """A browser that has opened the page's address."""
    browser = Browser(page.app, access)
    assert browser.get(f"/?token={access.token}").status == 200
    return browser


def events(content: bytes) -> list[tuple[str, object]]:
    """The kinds and the data of server-sent events."""
    parts = [part.split("\n") for part in content.decode().split("\n\n") if part]
    return [(kind.removeprefix("event: "), json.loads(data[6:])) for kind, data in parts]


def test_drawings_are_sent_as_they_come_and_then_the_end(sound: Path) -> None:
    access = Access(8000)
    page = LivePage(access, "bells", sound)

    def play() -> None:
        page.wait_for_viewer()
        for number in range(3):
            page.show(number / 4, STROKES)
            time.sleep(0.05)
        page.close()

    player = threading.Thread(target=play)
    player.start()
    got = events(opened(page, access).get("/drawing").content)
    player.join()
    assert got[0] == ("about", {"name": "bells", "sound": True})
    assert got[-1] == ("end", {})
    drawings = [data for kind, data in got[1:-1]]
    expected = [{"at": at, "strokes": [list(STROKES[0])]} for at in (0, 0.25, 0.5)]
    assert drawings[-1] == expected[-1]
    assert drawings == [each for each in expected if each in drawings]  # slow ones miss some
    assert page.viewers == 0


def test_a_page_that_is_opened_late_gets_the_latest_drawing_alone() -> None:
    access = Access(8000)
    page = LivePage(access, "sound card")
    for number in range(100):
        page.show(number, STROKES)
    threading.Timer(0.1, page.close).start()
    got = events(opened(page, access).get("/drawing").content)
    assert [kind for kind, _ in got] == ["about", "drawing", "end"]
    assert got[0][1] == {"name": "sound card", "sound": False}
    assert got[1][1]["at"] == 99  # type: ignore[index]


def test_the_page_can_play_the_sound_of_a_file_from_anywhere(sound: Path) -> None:
    access = Access(8000)
    browser = opened(LivePage(access, "bells", sound), access)
    part = browser.get("/sound", range="bytes=5-7")
    assert (part.status, part.content) == (206, b"and")
    assert part.headers["content-type"] == "audio/wav"
    unplayable = LivePage(access, "bells", sound.with_suffix(".aiff"))
    assert opened(unplayable, access).get("/sound").status == 404
    assert opened(LivePage(access, "card"), access).get("/sound").status == 404


def test_only_the_opened_page_is_answered(sound: Path) -> None:
    access = Access(8000, command="frame2sound synaesthesia live")
    browser = opened(LivePage(access, "bells", sound), access)
    assert b"live_drawing.js" in browser.get("/").content
    assert (
        browser.get("/page/live_drawing.js").headers["content-type"].startswith("text/javascript")
    )
    assert browser.get("/page/../live_page.py").status == 404
    for path in ("/", "/drawing", "/sound", "/page/live_drawing.js"):
        assert browser.get(path, host="evil.test:8000").status == 421
        assert browser.get(path, sec_fetch_site="cross-site").status == 403
        refused = Browser(browser.app, access).get(path)
        assert refused.status == 403
        assert b"address that `frame2sound synaesthesia live` has printed" in refused.content


def test_a_port_in_use_is_said() -> None:
    with open_live_page("card", browser=False, on_ready=lambda address: None, port=None) as page:
        port = int(next(iter(page.access.hosts)).rpartition(":")[2])
        with (
            pytest.raises(StudioError, match=f"port {port} is in use; give another `port`"),
            open_live_page("card", browser=False, port=port),
        ):
            pass
