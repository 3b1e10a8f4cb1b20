"""A subprocess decodes the same as this process, and its crash is an error of one film."""

import io
import os
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from frame2sound.errors import DamagedFilmError, FilmError
from frame2sound.film import sandbox
from frame2sound.film.decoding import subprocess_reader
from frame2sound.film.decoding.audio_chunks import AudioChunk
from frame2sound.film.decoding.options import DecodeOptions
from frame2sound.film.decoding.reader import FilmReader, Frame
from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader
from frame2sound.film.limits import Limits
from tests.hang_guard import fail_if_hung
from tests.media_files import Audio, VideoEncoding, make_film

pytestmark = pytest.mark.usefixtures("real_subprocesses")
FFV1 = VideoEncoding("ffv1", "bgr0")


@pytest.fixture
def film(tmp_path):
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (100, 64, 64, 3), np.uint8)
    tone = (0.4 * np.sin(np.arange(4 * 48_000) / 20)).astype(np.float32)
    audio = Audio((tone * 32767).astype(np.int16))
    return make_film(tmp_path / "film.mkv", pictures, fps=Fraction(25), encoding=FFV1, audio=audio)


def content(array):
    return array.shape, array.dtype, array.tobytes()


def plain(events):
    return [
        (event.start_seconds, event.end_seconds, *content(event.picture))
        if isinstance(event, Frame)
        else (event.start_sample, *content(event.samples))
        for event in events
    ]


def test_a_subprocess_decodes_the_same(film):
    inside, outside = (kind(film, 22050, channels=2) for kind in (SubprocessFilmReader, FilmReader))
    assert inside.streams == outside.streams
    assert plain(inside.frames(colour=True)) == plain(outside.frames(colour=True))
    assert plain(inside.audio_chunks()) == plain(outside.audio_chunks())
    # Which kind comes when is nobody's business; which comes after which of its kind is.
    for kind in (Frame, AudioChunk):
        found = [
            plain(event for event in reader if isinstance(event, kind))
            for reader in (inside, outside)
        ]
        assert found[0] == found[1]
        assert found[0]
    assert inside.notes == outside.notes


def test_a_subprocess_raises_the_same_errors(tmp_path, film):
    bad = tmp_path / "bad.mkv"
    bad.write_bytes(b"no film at all")
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(film.read_bytes()[: film.stat().st_size * 2 // 3])

    def read(kind, path, **how):
        return list(kind(path, options=DecodeOptions(**how)))

    for path, kind, how in (
        (bad, FilmError, {}),
        (tmp_path / "none.mkv", FilmError, {}),
        (cut, DamagedFilmError, {}),
        (film, FilmError, {"video_stream": 3}),
        (film, FilmError, {"limits": Limits(max_megapixels=1e-3)}),
    ):
        errors = []
        for reader in (SubprocessFilmReader, FilmReader):
            with pytest.raises(kind) as error:
                read(reader, path, **how)
            errors.append((type(error.value), str(error.value)))
        assert errors[0] == errors[1]


def test_a_subprocess_returns_notes_of_damage(tmp_path, film):
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(film.read_bytes()[: film.stat().st_size * 2 // 3])
    reader = SubprocessFilmReader(cut, options=DecodeOptions(allow_damaged=True))
    assert len(list(reader)) > 10
    assert "damaged" in reader.notes[-1]


def test_unexpected_errors_are_sent_to_the_parent(film, monkeypatch):
    def fail(*how, **more):
        raise KeyError("unexpected")

    monkeypatch.setattr(subprocess_reader, "FilmReader", fail)
    requests, answers = io.BytesIO(), io.BytesIO()
    sandbox.write_message(requests, SubprocessFilmReader(film)._open_request)
    requests.seek(0)
    subprocess_reader._Worker(sandbox.ParentConnection(requests, answers)).run()
    answers.seek(0)
    message = sandbox.read_message(answers, subprocess_reader._ANSWER).message
    assert (
        message == f"{film}: {sandbox.UNEXPECTED_ERROR} (KeyError: 'unexpected'); please report it"
    )


def process_id(reader):
    return reader._child.process.pid


def test_a_crash_is_an_error_of_this_film_alone(film):
    reader = SubprocessFilmReader(film)
    os.kill(process_id(reader), signal.SIGSEGV)
    with pytest.raises(FilmError, match=r"film\.mkv: its decoder crashed \(SIGSEGV\)"):
        list(reader)
    assert len(list(reader)) == 100  # a new subprocess reads it


def test_a_decoder_that_hangs_is_an_error(film, monkeypatch):
    reader = SubprocessFilmReader(film)
    os.kill(process_id(reader), signal.SIGSTOP)
    monkeypatch.setattr(sandbox, "ANSWER_TIMEOUT_SECONDS", 0.2)
    with pytest.raises(FilmError, match="returned nothing for 0 s"):
        list(reader)


def test_dropped_readers_leave_no_process(film):
    reader = SubprocessFilmReader(film)
    events = iter(reader)
    next(events)
    first = SubprocessFilmReader(film)
    processes = [process_id(first)]
    del first
    events.close()
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_killing_all_children_ends_reading(film):
    reader = SubprocessFilmReader(film)
    sandbox.kill_children()
    with pytest.raises(FilmError, match="crashed"):
        list(reader)


KILLED = """
import sys, time
from pathlib import Path
from frame2sound.film.decoding.subprocess_reader import SubprocessFilmReader
reader = SubprocessFilmReader(Path(sys.argv[1]))
events = iter(reader)
next(events)
print(reader.__dict__["streams"].fps, flush=True)
time.sleep(60)
"""


def test_a_subprocess_ends_when_its_parent_is_killed(film):
    command = [sys.executable, "-c", KILLED, str(film)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout.readline() == "25\n"
        children = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(parent.pid)], capture_output=True, text=True
        ).stdout.split()
        parent.kill()
        parent.communicate()
    assert children
    with fail_if_hung():
        while any(Path("/proc", child).exists() for child in children):
            time.sleep(0.05)


def test_a_truncated_message_is_none(tmp_path):
    path = tmp_path / "pipe"
    with path.open("wb") as pipe:
        sandbox.write_message(pipe, subprocess_reader._Audio(7, np.ones(3, np.float32).tobytes()))
    whole = path.read_bytes()
    for length in (0, 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with path.open("rb") as pipe:
            assert sandbox.read_message(pipe, subprocess_reader._ANSWER) is None
    path.write_bytes(whole)
    with path.open("rb") as pipe:
        assert sandbox.read_message(pipe, subprocess_reader._ANSWER).start_sample == 7


SENDS_TWO_ANSWERS_AT_ONCE = """
import io, os, sys
from frame2sound.film import sandbox
from frame2sound.film.decoding import subprocess_reader
answers = io.BytesIO()
for start in (7, 8):
    sandbox.write_message(answers, subprocess_reader._Audio(start, bytes(40)))
os.write(1, answers.getvalue())
sys.stdin.read()
"""


def test_answers_that_arrive_together_are_all_received(tmp_path, monkeypatch):
    (tmp_path / "sends_two_answers.py").write_text(SENDS_TWO_ANSWERS_AT_ONCE)
    monkeypatch.syspath_prepend(tmp_path)
    child = sandbox.ChildProcess("sends_two_answers", tmp_path, subprocess_reader._ANSWER)
    assert child.receive_answer().start_sample == 7
    monkeypatch.setattr(sandbox, "ANSWER_TIMEOUT_SECONDS", 0)  # the second is already there
    assert child.receive_answer().start_sample == 8
    child.close()


class ShortReads(io.BytesIO):
    """Returns at most 1000 bytes a read, as an unbuffered pipe may."""

    def read(self, size):
        return super().read(min(size, 1000))


def test_a_message_that_arrives_in_parts_is_complete():
    pipe = ShortReads()
    sandbox.write_message(pipe, subprocess_reader._Audio(7, bytes(200_000)))
    pipe.seek(0)
    answer = sandbox.read_message(pipe, subprocess_reader._ANSWER)
    assert (answer.start_sample, len(answer.samples)) == (7, 200_000)
