"""The subprocess that writes films may crash, hang or run out of memory: that is one error."""

import resource
import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest

from frame2sound.errors import FilmError
from frame2sound.film import sandbox
from frame2sound.film.decoding.probe import probe_streams
from frame2sound.film.encoding import soundtrack_writer
from frame2sound.film.encoding.containers import AUDIO_CODECS
from frame2sound.film.encoding.soundtrack_writer import write_soundtrack
from tests.media_files import H264, VideoEncoding, grey_pictures, make_film

pytestmark = pytest.mark.usefixtures("real_subprocesses")
RATE = 22_050


@pytest.fixture
def film(tmp_path):
    return make_film(
        tmp_path / "film.mp4", grey_pictures([20, 200] * 25), encoding=H264, fps=Fraction(25)
    )


def write(film, out, sound):
    return write_soundtrack(probe_streams(film), sound, RATE, 1, AUDIO_CODECS["flac"], out)


def chunks(count=4, then=lambda: None):
    for _ in range(count):
        yield np.zeros(RATE // 2, np.float32)
        then()


def children():
    return [child for child in sandbox._CHILDREN if child.process.poll() is None]


def test_a_killed_writer_is_an_error_of_this_film(film, tmp_path):
    def kill():
        for child in children():
            child.process.kill()

    with pytest.raises(FilmError, match=r"film\.mp4: its decoder crashed \(SIGKILL\)"):
        write(film, tmp_path / "out.mkv", chunks(then=kill))
    assert not children()


def test_an_error_in_the_audio_leaves_no_process(film, tmp_path):
    def fail():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write(film, tmp_path / "out.mkv", chunks(then=fail))
    assert not children()


def test_a_writer_that_hangs_is_an_error(film, tmp_path, monkeypatch):
    monkeypatch.setattr(sandbox, "ANSWER_TIMEOUT_SECONDS", 0.0)
    with pytest.raises(FilmError, match="returned nothing for 0 s"):
        write(film, tmp_path / "out.mkv", chunks())
    assert not children()


def test_a_full_disk_is_an_os_error(film, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            noise = np.random.default_rng(0).uniform(-1, 1, 4 * RATE).astype(np.float32)
            write(film, tmp_path / "out.mkv", [noise])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_memory_is_limited_in_the_subprocess():
    program = (
        "from frame2sound.film.limits import Limits\n"
        "from frame2sound.film.sandbox import limit_memory\n"
        "limit_memory(Limits())\n"
        "try:\n    bytearray(5 << 30)\nexcept MemoryError:\n    print('refused')\n"
        "print(len(bytearray(1 << 20)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout == "refused\n1048576\n"


def test_running_out_of_memory_is_an_error_of_the_film(tmp_path):
    failed = sandbox.ErrorAnswer.from_exception(MemoryError(), tmp_path / "film.mp4")
    assert "needs more memory than a film may use" in str(failed.to_exception())


def test_prores_with_alpha_keeps_its_codec_tag(tmp_path):
    """Marked as 422, as encoders mark it by default, an editor would drop its alpha."""
    encoding = VideoEncoding("prores_ks", "yuva444p10le", {"profile": "4444"})
    film = make_film(tmp_path / "film.mov", grey_pictures([20, 200] * 5), encoding=encoding)
    written = write_soundtrack(
        probe_streams(film), chunks(1), RATE, 1, AUDIO_CODECS["pcm"], tmp_path / "out.mov"
    )
    assert not written.notes
    for path in (film, tmp_path / "out.mov"):
        with av.open(str(path)) as container:
            assert container.streams.video[0].codec_context.codec_tag == "ap4h"
    notes = write_soundtrack(
        probe_streams(film), chunks(1), RATE, 1, AUDIO_CODECS["aac"], tmp_path / "out.mp4"
    ).notes
    assert ".mov can" in notes[0]


def test_requests_survive_encoding(film):
    begin = soundtrack_writer._Start(
        probe_streams(film), RATE, 1, AUDIO_CODECS["aac"], film, soundtrack_writer.DEFAULT_LIMITS
    )
    data = sandbox.msgspec.msgpack.encode(begin, enc_hook=sandbox._encode_value)
    assert soundtrack_writer._REQUEST.decode(data) == begin
