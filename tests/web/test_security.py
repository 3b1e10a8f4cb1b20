"""Nothing is let in but the page of the printed address, and nothing let out but the project."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

import pytest

from frame2sound.errors import StudioError
from frame2sound.web.project import Project, safe_title
from frame2sound.web.security import Access
from frame2sound.web.studio import Studio
from tests.web.asking import Browser

EVIL_NAME = "<img src=x onerror=alert(1)>.mp4"


def test_the_token_is_spent_when_it_is_used(browser: Browser) -> None:
    new_addresses: list[str] = []
    access, own = browser.access, browser.cookie
    access.on_spent = new_addresses.append
    assert browser.get(f"/?token={access.spent_token}").status == 200  # its own browser
    browser.cookie = ""
    assert browser.get(f"/?token={access.spent_token}").status == 403
    assert new_addresses == [access.address] * 2
    assert browser.get("/?token=wrong").status == 403
    assert len(new_addresses) == 2
    assert browser.get(f"/?token={access.token}").status == 200
    assert browser.cookie == own
    assert (
        "HttpOnly; Path=/; SameSite=strict"
        in browser.get(f"/?token={access.token}").headers["set-cookie"]
    )


def test_without_the_cookie_nothing_is_answered(browser: Browser) -> None:
    assert browser.get("/api/state").status == 200
    for cookie in ("", "frame2sound-8000=guess", "frame2sound-8001=" + browser.cookie, "\x00;=;"):
        browser.cookie = cookie
        for path in ("/", "/api/state", "/page/main.js", "/media/takes/x.mp4"):
            assert browser.get(path).status == 403


@pytest.mark.parametrize(
    "other",
    [
        "a[b]=1",
        'x={"a": 1}',
        "user=John Smith",
        "bare",
        "csrf@x=1",
        "\xe9=\xe9",
        '="',
        "x=\x00",
        ";;",
    ],
)
def test_a_cookie_of_another_program_locks_nobody_out(browser: Browser, other: str) -> None:
    own = browser.cookie
    for cookie in (f"{other}; {own}", f"{own}; {other}"):
        browser.cookie = cookie
        assert browser.get("/api/state").status == 200
    browser.cookie = f"{other}; frame2sound-8000=guess\xe9"
    assert browser.get("/api/state").status == 403


@pytest.mark.parametrize(
    "host", ["evil.test:8000", "127.0.0.1", "127.0.0.1:8001", "", "[::1]:8000"]
)
def test_another_host_is_refused(browser: Browser, host: str) -> None:
    assert browser.get("/api/state", host=host).status == 421
    assert browser.get(f"/?token={browser.access.token}", host=host).status == 421
    assert browser.get("/api/state", host="localhost:8000").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.test"},
        {"origin": "null"},
        {"origin": "127.0.0.1:8000"},
        {"origin": "http://http://127.0.0.1:8000"},
        {"origin": "http://127.0.0.1:8001"},
        {"origin": "https://127.0.0.1:8000.evil.test"},
        {"origin": ""},
        {"x_frame2sound": ""},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
)
def test_a_page_of_another_origin_changes_nothing(
    browser: Browser, headers: dict[str, str]
) -> None:
    path = "/api/upload?part=films&name=a.mp4"
    assert browser.post(path, content=b"film", **headers).status == 403
    assert browser.get("/api/state").table["films"] == []
    assert browser.post(path, content=b"film").table == {"name": "films/a.mp4"}


def test_every_answer_says_what_the_page_may_load(browser: Browser) -> None:
    for path in ("/", "/api/state", "/no/such/page", "/media/takes/none.mp4"):
        headers = browser.get(path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "name",
    [
        "takes/../../secret.txt",
        "../secret.txt",
        "takes/%2e%2e/secret",
        "/etc/passwd",
        "takes//etc/passwd",
        "takes/link.txt",
        "takes/folder/secret.txt",
        "takes/pipe",
        ".studio/jobs.json",
        "takes/.hidden",
        "takes",
        "takes/\0",
        "takes\\..\\secret",
        "other/file",
    ],
)
def test_no_file_is_sent_from_elsewhere(
    browser: Browser, studio: Studio, tmp_path: Path, name: str
) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    takes = studio.project.root / "takes"
    (takes / "link.txt").symlink_to(tmp_path / "secret.txt")
    (takes / "folder").symlink_to(tmp_path)
    (takes / ".hidden").write_text("secret")
    os.mkfifo(takes / "pipe")
    answer = browser.get(f"/media/{name}")
    assert answer.status in (400, 404)
    assert b"secret\n" not in answer.content
    assert answer.content != b"secret"
    assert browser.get(f"/api/events?name={name}").status == 400
    assert browser.get(f"/api/peaks?name={name}").status == 400


def test_a_page_among_the_files_is_downloaded_and_not_shown(
    browser: Browser, studio: Studio
) -> None:
    for name in ("page.html", "picture.svg", "script.js"):
        (studio.project.root / "takes" / name).write_text("<script>alert(1)</script>")
        headers = browser.get(f"/media/takes/{name}").headers
        assert headers["content-type"] == "application/octet-stream"
        assert headers["content-disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        (EVIL_NAME, EVIL_NAME),
        ("../../up.mp4", "_.._up.mp4"),
        ("--overwrite.mp4", "overwrite.mp4"),
        (".hidden.mp4", "hidden.mp4"),
        ("a\nb\x1b[31m.mp4", "a_b_[31m.mp4"),
        ("walk%03d.png", "walk_03d.png"),
        ("", "unnamed"),
        ("n" * 300 + ".mp4", "n" * 120 + ".mp4"),
    ],
)
def test_an_upload_stays_in_its_folder_under_a_name_that_is_only_a_name(
    browser: Browser, studio: Studio, name: str, kept: str
) -> None:
    path = f"/api/upload?part=films&name={quote(name)}"
    assert browser.post(path, content=b"1").table == {"name": f"films/{kept}"}
    assert [each.name for each in (studio.project.root / "films").iterdir()] == [kept]
    assert safe_title(kept) == kept
    again = browser.post(path, content=b"2").table["name"]
    assert again != f"films/{kept}"
    assert (studio.project.root / "films" / kept).read_bytes() == b"1"


@pytest.mark.parametrize("link", ["animations", "animations/pictures"])
def test_an_upload_is_not_written_through_a_link(
    browser: Browser, studio: Studio, tmp_path: Path, link: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    if link == "animations":
        (studio.project.root / link).rmdir()
    (studio.project.root / link).symlink_to(elsewhere)
    path = "/api/upload?part=animations&folder=pictures&name=1.png"
    answer = browser.post(path, content=b"picture")
    assert answer.status == 400
    assert answer.table["error"].startswith(f"{link} is a link; the studio follows none;")
    assert list(elsewhere.iterdir()) == []


def test_a_film_named_as_a_tag_is_an_argument_of_the_command_as_it_is(
    browser: Browser, studio: Studio
) -> None:
    (studio.project.root / "animations" / EVIL_NAME).write_bytes(b"")
    job = browser.post("/api/jobs/render", {"animation": f"animations/{EVIL_NAME}"}).table
    assert job["command"].startswith(f"frame2sound render 'animations/{EVIL_NAME}' ")
    assert studio.queue.jobs[0].words[1] == f"animations/{EVIL_NAME}"


def test_an_upload_over_the_limit_leaves_nothing(browser: Browser, studio: Studio) -> None:
    path, content = "/api/upload?part=films&name=a.mp4", bytes(500_001)
    refused = browser.post(path, content=content)
    assert (refused.status, b"over the limit of 0 MB" in refused.content) == (413, True)
    assert browser.post(path, content=b"few", content_length="9000000").status == 413
    assert browser.post(path, content=b"few", content_length="9").status == 400
    assert list((studio.project.root / "films").iterdir()) == []


@pytest.mark.parametrize(
    ("path", "table"),
    [
        ("render", {"animation": "films/a.mp4"}),
        ("render", {"animation": "animations/none.mp4"}),
        ("render", {"animation": "animations/typing.mp4", "brain": "/etc/passwd"}),
        ("render", {"animation": "animations/typing.mp4", "brain": "brains/../x"}),
        ("render", {"animation": "animations/typing.mp4", "out": "/tmp/x"}),
        ("render", {"animation": "animations/typing.mp4", "controls": {"phase-from": 1}}),
        ("render", {"animation": "animations/typing.mp4", "controls": {"gain": "1 --out=/tmp/x"}}),
        ("render", {"animation": "animations/typing.mp4", "controls": {"gain": 1e9}}),
        ("pickle", {"films": ["animations/typing.mp4"]}),
        ("pickle", {"films": ["http://evil.test/a.mp4"]}),
        ("train", {"name": "../x"}),
        ("compare", {"name": "x", "recipes": ["/etc/passwd"]}),
        ("library", {"action": "delete", "film": "../films"}),
        ("render", []),
    ],
)
def test_a_request_names_nothing_but_what_the_project_has(
    browser: Browser, studio: Studio, animation: str, path: str, table: object
) -> None:
    (studio.project.root / "library").mkdir()
    answer = browser.post(f"/api/jobs/{path}", table)
    assert answer.status == 400
    assert answer.table["error"]
    assert studio.queue.jobs == []


def test_texts_cannot_become_options(browser: Browser, studio: Studio, animation: str) -> None:
    table = {"animation": animation, "scale": "--out=/tmp/x", "effects": "-o /tmp/x"}
    browser.post("/api/jobs/render", table)
    words = studio.queue.jobs[0].words
    assert "--scale=--out=/tmp/x" in words
    assert "--effects=-o /tmp/x" in words
    assert [word for word in words if word.startswith("--out")] == ["--out=takes/typing-001.mp4"]


def test_a_folder_that_is_a_link_is_no_part_of_the_project(tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project")
    (project.root / "takes").rmdir()
    (project.root / "takes").symlink_to(tmp_path)
    (tmp_path / "secret.mp4").write_bytes(b"")
    with pytest.raises(StudioError, match=r"there is no 'takes/secret\.mp4' in this project"):
        project.file("takes/secret.mp4")


def test_tokens_are_new_for_each_studio() -> None:
    assert len({Access(1).token for _ in range(3)} | {Access(1).session for _ in range(3)}) == 6


@pytest.mark.parametrize(
    "headers",
    [
        {"upgrade": "websocket", "connection": "Upgrade", "sec_websocket_version": "13"},
        {"accept": "text/event-stream"},
        {"access_control_request_method": "POST"},
    ],
)
def test_no_stream_and_no_preflight_is_answered_to_another_origin(
    browser: Browser, headers: dict[str, str]
) -> None:
    for method in ("GET", "HEAD", "OPTIONS"):
        answer = browser.ask(method, "/api/state", {"origin": "http://evil.test", **headers})
        assert answer.status == 403
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("bytes=0-0", 206),
        ("bytes=-1", 206),
        ("bytes=0-999999999999999999999", 206),
        ("bytes=100-", 416),
        ("bytes=5-2", 400),
        ("bytes=abc", 400),
        ("bytes=0-" + "9" * 5000, 400),
        ("bytes=" + "0-0," * 3000 + "1-1", 200),
    ],
)
def test_odd_ranges_are_answered_with_no_more_than_the_file(
    browser: Browser, studio: Studio, asked: str, status: int
) -> None:
    (studio.project.root / "takes" / "a.wav").write_bytes(bytes(100))
    answer = browser.get("/media/takes/a.wav", range=asked)
    assert answer.status == status
    assert len(answer.content) <= 100


def test_names_of_files_cannot_add_headers_or_break_the_page(
    browser: Browser, studio: Studio
) -> None:
    animations = studio.project.root / "animations"
    for name in (b'a"; x=".wav', b"a\r\nX-Evil: 1.wav", b"caf\xe9.mp4"):
        Path(os.fsdecode(os.fsencode(animations) + b"/" + name)).write_bytes(b"1")
    assert browser.get("/api/state").table["animations"] == ['animations/a"; x=".wav']
    sent = quote('a"; x=".wav')
    headers = browser.get(f"/media/animations/{sent}?download=1").headers
    assert headers["content-disposition"] == "attachment; filename*=utf-8''a%22%3B%20x%3D%22.wav"
    assert "x-evil" not in browser.get("/media/animations/a\r\nX-Evil: 1.wav").headers


def test_numbers_and_names_of_any_length_are_no_bug(browser: Browser) -> None:
    for path in (f"job/{'9' * 5000}/stop", "job/-1/stop", "job/\u0661/stop", "job/1/stop"):
        assert browser.post(f"/api/{path}").status in (400, 404)
    for path in ("/media/takes/" + "a" * 5000, "/api/library/" + "a" * 5000 + "/strip"):
        assert browser.get(path).status in (400, 404)
    deep, long = b"[" * 100_000, b'{"name":"' + b"a" * 17_000_000 + b'"}'
    assert browser.post("/api/jobs/train", content=deep).status == 400
    assert browser.post("/api/jobs/train", content=long).status == 413
