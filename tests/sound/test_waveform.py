"""Peaks of sounds, and the file format that players read."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from frame2sound.sound.waveform import PIECE_SAMPLES, Waveform, WaveformRecorder, find_peaks


def test_peaks_are_the_extremes_of_each_piece_at_each_zoom() -> None:
    rng = np.random.default_rng(0)
    sound = rng.uniform(-1.2, 1.2, (PIECE_SAMPLES * 1000 + 77, 2)).astype(np.float32)
    cuts = np.sort(rng.integers(0, len(sound), 40))
    blocks = [part for part in np.split(sound, cuts) if len(part)]
    waveform = Waveform(48_000, find_peaks(blocks))
    values = np.rint(np.clip(sound, -1, 1) * 32767)
    for zoom, wanted in enumerate([900, 240, 62, 15]):
        size = PIECE_SAMPLES * 4**zoom
        pieces = [values[at : at + size] for at in range(0, len(values), size)]
        expected = [(piece.min(), piece.max()) for piece in pieces]
        assert np.array_equal(waveform.zoomed(wanted), expected)
    assert waveform.seconds == 1001 * PIECE_SAMPLES / 48_000
    assert [len(waveform.zoomed(count)) for count in (1, 250, 251, 5000)] == [1, 251, 1001, 1001]


def test_a_sound_passes_as_it_is_and_the_last_one_counts() -> None:
    first, second = np.ones(300, np.float32), np.full((100, 1), -0.5, np.float32)
    recorder = WaveformRecorder()
    assert [chunk is first for chunk in recorder.tee([first])] == [True]
    assert recorder.peaks.tolist() == [[32767, 32767]] * 3
    assert [chunk is second for chunk in recorder.tee([second])] == [True]
    assert recorder.peaks.tolist() == [[-16384, -16384]]
    assert find_peaks([]).shape == (0, 2)


def test_the_file_is_as_audiowaveform_writes_it() -> None:
    waveform = Waveform(44_100, np.array([[-3, 5], [-32767, 32767]], np.int16))
    content = waveform.to_bytes()
    assert struct.unpack("<iIiiIi4h", content) == (2, 0, 44_100, 128, 2, 1, -3, 5, -32767, 32767)
    read = Waveform.from_bytes(content)
    assert read.sample_rate == 44_100
    assert np.array_equal(read.peaks, waveform.peaks)
    eight_bits = struct.pack("<iIiiIi4h", 2, 1, 44_100, 128, 2, 1, 0, 0, 0, 0)
    endless = struct.pack("<iIiiIi", 2, 0, 44_100, 128, 2**31, 1)
    for broken in (content[:-1], content[:-4], content[:20], b"", eight_bits, endless):
        with pytest.raises(ValueError, match=r"expected|buffer size"):
            Waveform.from_bytes(broken)
