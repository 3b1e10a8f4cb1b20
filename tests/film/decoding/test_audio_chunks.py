"""Timed audio becomes one array: gaps are silent, and overlaps are cut."""

import doctest

import numpy as np

from frame2sound.film.decoding import audio_chunks
from frame2sound.film.decoding.audio_chunks import (
    MAX_SILENT_BLOCK,
    AudioChunk,
    GapFiller,
    collect_samples,
    pad_or_trim,
)


def chunk(start, *samples):
    return AudioChunk(start, np.array(samples, np.float32))


def test_gaps_are_silent_and_overlaps_are_cut():
    chunks = [chunk(2, 1, 2, 3), chunk(4, 9, 4), chunk(4, 9), chunk(8, 5)]
    assert collect_samples(chunks).tolist() == [0, 0, 1, 2, 3, 4, 0, 0, 5]


def test_no_chunks_are_no_samples():
    assert collect_samples([]).shape == (0,)
    assert list(GapFiller().process(chunk(7))) == []


def test_reading_stops_once_there_are_enough_samples():
    chunks = iter([chunk(0, 1, 2), chunk(2, 3, 4), chunk(4, 5)])
    assert collect_samples(chunks, stop_sample=3).tolist() == [1, 2, 3, 4]
    assert next(chunks).start_sample == 4


def test_long_gaps_are_filled_block_by_block_with_all_channels():
    filler = GapFiller()
    stereo = AudioChunk(2 * MAX_SILENT_BLOCK + 5, np.ones((3, 2), np.float32))
    blocks = list(filler.process(stereo))
    assert [block.shape for block in blocks] == [
        (MAX_SILENT_BLOCK, 2),
        (MAX_SILENT_BLOCK, 2),
        (5, 2),
        (3, 2),
    ]
    assert filler.sample_count == 2 * MAX_SILENT_BLOCK + 8
    assert not any(block.any() for block in blocks[:3])
    assert [block.shape for block in filler.pad(filler.sample_count + 4)] == [(4,)]


def test_samples_are_padded_or_trimmed_to_a_length():
    samples = np.array([1, 2, 3], np.float32)
    assert pad_or_trim(samples, 2).tolist() == [1, 2]
    assert pad_or_trim(samples, 5).tolist() == [1, 2, 3, 0, 0]


def test_the_examples_in_the_docstrings_hold():
    result = doctest.testmod(audio_chunks)
    assert (result.attempted, result.failed) == (2, 0)
