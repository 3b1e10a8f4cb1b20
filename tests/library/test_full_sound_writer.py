"""Writing the full sound while a film is decoded: bounded memory, and errors of the disk."""

import errno
from pathlib import Path

import numpy as np
import pytest
import soundfile

from frame2sound.film.decoding.audio_chunks import AudioChunk
from frame2sound.library.card import FullSoundFormat
from frame2sound.library.full_sound import FullSound
from frame2sound.library.full_sound_writer import MAX_HELD_SECONDS, FullSoundWriter

RATE = 1000


def ramp(begin, end):
    return (np.arange(begin, end) % 2000 / 4096).astype(np.float32)


def chunks(end, step=250):
    return [AudioChunk(at, ramp(at, at + step), full=True) for at in range(0, end, step)]


@pytest.mark.parametrize("kept", [1, 249, 250, 5000, 39_999, 40_000, 40_001, 60_000])
def test_however_late_frames_come_the_file_is_as_long_as_the_picture(tmp_path, kept):
    path = tmp_path / "full_sound.flac"
    with FullSoundWriter(path, RATE, 1) as writer:
        for chunk in chunks(40_000):
            writer.write(chunk)
        assert writer._held_samples <= MAX_HELD_SECONDS * RATE
        written = writer.finish(kept)
    assert written == FullSoundFormat(RATE, 1, kept)
    assert soundfile.info(path).frames == kept
    expected = np.concatenate([ramp(0, min(kept, 40_000)), np.zeros(max(kept - 40_000, 0))])
    np.testing.assert_array_equal(FullSound(path, written).read(0, kept)[:, 0], expected)
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_held_of_what_the_picture_covers(tmp_path):
    with FullSoundWriter(tmp_path / "full_sound.flac", RATE, 1) as writer:
        for chunk in chunks(20_000):
            writer.write(chunk)
            assert writer._held_samples <= 250 + 100
            writer.advance(chunk.start_sample + 150)
        writer.advance(3)  # earlier than before: changes nothing
        assert writer.finish(20_000).samples == 20_000


def test_a_long_gap_needs_no_memory(tmp_path):
    path = tmp_path / "full_sound.flac"
    with FullSoundWriter(path, RATE, 2) as writer:
        writer.write(AudioChunk(10_000_000, np.full((5, 2), 0.5, np.float32), full=True))
        assert writer._held_samples <= MAX_HELD_SECONDS * RATE
        written = writer.finish(10_000_005)
    full = FullSound(path, written)
    assert not full.read(9_999_000, 10_000_000).any()
    np.testing.assert_array_equal(full.read(10_000_000, 10_000_005), np.full((5, 2), 0.5))


def test_a_film_without_a_single_sample_has_no_file(tmp_path):
    with FullSoundWriter(tmp_path / "full_sound.flac", RATE, 2) as writer:
        assert writer.finish(0) is None
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_an_error_of_the_system():
    noise = np.random.default_rng(1).uniform(-1, 1, 20_000).astype(np.float32)
    with (
        pytest.raises(OSError, match="No space left") as caught,
        FullSoundWriter(Path("/dev/full"), RATE, 1) as writer,
    ):
        writer.write(AudioChunk(0, noise, full=True))
        writer.finish(20_000)
    assert caught.value.errno == errno.ENOSPC
