"""Spectra a frame become the sound they were taken from: its pitch, its level, its attacks."""

from fractions import Fraction
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import torch

from frame2sound.brain.config import LogMag, StftBoth
from frame2sound.brain.spectra import LogMagnitudes, PolarSpectra
from frame2sound.clock import Clock
from frame2sound.evaluation.frame_rate_hum import line_comb_db
from frame2sound.rendering.spectral.spectral_overlap_add import (
    ONSET_CROSSFADE_SECONDS,
    ComplexOverlapAdd,
    MagnitudeOverlapAdd,
)
from frame2sound.sound.phase.phase_vocoder import PhaseVocoder
from frame2sound.sound.phase.random_phase import RandomPhase
from frame2sound.sound.stft import Stft

RATE = 22050
EDGE = round(ONSET_CROSSFADE_SECONDS * RATE)
STFT = Stft(1024, 256)


def target_at(fps, windows_per_frame=4, kind=LogMagnitudes, recipe=LogMag):
    clock = Clock(Fraction(fps), RATE)
    return kind(recipe(window_length=1024, windows_per_frame=windows_per_frame), clock, scale=0.05)


def heard(target, sound, frames):
    """Return the spectra that a perfect brain predicts for a sound: (frames, windows, bins)."""
    starts = target.clock.sample_bounds(frames)[:-1]
    padded = np.pad(sound, (target.n_fft, target.excerpt_length)).astype(np.float32)
    begins = starts - target.lead_samples + target.n_fft
    excerpts = np.stack([padded[at : at + target.excerpt_length] for at in begins])
    return target.transform(torch.from_numpy(excerpts)).numpy()


def joined(machine, spectra, bounds, sizes=()):
    """Feed spectra in batches of the given sizes, and the rest at once."""
    marks = np.unique(np.clip(np.cumsum([0, *sizes, len(spectra)]), 0, len(spectra)))
    pieces = [
        machine.process(spectra[first:last], bounds[first : last + 1])
        for first, last in pairwise(marks)
    ]
    return np.concatenate([*pieces, machine.flush()])


def sounded(sound, fps="30", sizes=(), windows_per_frame=4, phase=PhaseVocoder):
    """A sound's magnitudes a frame, made sound again."""
    target = target_at(fps, windows_per_frame)
    frames = int(len(sound) / RATE * Fraction(fps))
    bounds = target.clock.sample_bounds(frames)
    magnitudes = np.abs(heard(target, sound, frames))
    made = joined(MagnitudeOverlapAdd(target, STFT, phase(STFT)), magnitudes, bounds, sizes)
    assert made.dtype == np.float32
    assert len(made) == bounds[-1]
    return made


def tone(hz, seconds):
    time = np.arange(round(seconds * RATE)) / RATE
    return sum(0.2 / k * np.sin(2 * np.pi * hz * k * time + k) for k in (1, 2, 3))


def white(seconds, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, round(seconds * RATE))


def middle(sound):
    return sound[RATE // 2 : -RATE // 2]


def level_db(sound):
    return 10 * np.log10(np.mean(np.square(middle(sound), dtype=np.float64)))


def pitch_hz(sound, near):
    part = middle(sound) * np.hanning(len(middle(sound)))
    power = np.abs(np.fft.rfft(part, 8 * len(part)))
    hertz = np.fft.rfftfreq(8 * len(part), 1 / RATE)
    window = np.abs(hertz - near) < 0.1 * near
    return hertz[window][np.argmax(power[window])]


@cache
def held(fps, hz=440.0):
    return sounded(tone(hz, 6), fps)


@pytest.mark.parametrize("fps", ["24", "30", "30000/1001", "120", "1"])
@pytest.mark.parametrize("hz", [220.0, 440.0])
def test_a_steady_tone_keeps_its_pitch_and_level(fps, hz):
    made = held(fps, hz)
    assert abs(1200 * np.log2(pitch_hz(made, hz) / hz)) < 2
    # At 1 fps the windows stand 250 ms apart; a steady tone is the same between them.
    assert level_db(made) == pytest.approx(level_db(tone(hz, 6)), abs=0.5)


@pytest.mark.parametrize("fps", ["24", "30", "30000/1001"])
def test_a_steady_tone_does_not_hum_with_the_frame_rate(fps):
    assert line_comb_db(held(fps), RATE, Fraction(fps)) < 1


def test_a_tone_whose_frames_know_nothing_of_each_other_hums():
    # The same measure on the same spectra, hard cut: the sound of frames without a join.
    target = target_at("30")
    bounds = target.clock.sample_bounds(180)
    blocks = STFT.inverse_blocks(
        np.abs(heard(target, tone(440, 6), 180)[:, 2]).astype(np.complex64)
    )
    cut = np.concatenate(
        [block[144 : 144 + n] for block, n in zip(blocks, np.diff(bounds), strict=True)]
    )
    assert line_comb_db(cut, RATE, Fraction(30)) > 10


@pytest.mark.parametrize("fps", ["24", "30", "120"])
@pytest.mark.parametrize("phase", [PhaseVocoder, RandomPhase])
def test_smooth_noise_keeps_its_level(fps, phase):
    # What a brain gives that knows noise but not its chances: the same mean in every window.
    target, frames = target_at(fps), 6 * int(fps)
    mean = np.abs(heard(target, white(6), frames))[20:-20].mean(axis=(0, 1))
    magnitudes = np.tile(mean, (frames, 4, 1)).astype(np.float32)
    made = joined(
        MagnitudeOverlapAdd(target, STFT, phase(STFT)),
        magnitudes,
        target.clock.sample_bounds(frames),
    )
    assert level_db(made) == pytest.approx(level_db(white(6)), abs=0.3)


@pytest.mark.parametrize("fps", ["24", "30", "120"])
@pytest.mark.parametrize("phase", [PhaseVocoder, RandomPhase])
def test_rough_noise_loses_a_little_of_its_level(fps, phase):
    made = sounded(white(6), fps, phase=phase)
    # A geometric mean of many windows of noise is 2.5 dB below its power; phases know of most.
    assert level_db(made) == pytest.approx(level_db(white(6)), abs=1.3)


def struck(at, seconds=2):
    """A click that rings for a few milliseconds: noise that falls by 60 dB in 30 ms."""
    sound = np.zeros(round(seconds * RATE))
    fall = np.exp(-np.arange(RATE // 10) / RATE * np.log(1000) / 0.03)
    sound[at : at + len(fall)] = 0.8 * white(1, seed=5)[: len(fall)] * 10 * fall
    sound[at] = 0.9
    return sound


@pytest.mark.parametrize(
    ("kind", "fps"),
    [("click", "30"), ("click", "30000/1001"), ("struck", "24"), ("struck", "30")],
)
@pytest.mark.parametrize("number", [10, 23])
def test_what_begins_with_a_frame_begins_on_time(kind, fps, number):
    at = Clock(Fraction(fps), RATE).start_sample(number)
    sound = struck(at) if kind == "struck" else np.zeros(2 * RATE)
    sound[at] = 0.9
    made = np.abs(sounded(sound, fps))
    loudest = made.max()
    assert loudest > 0.1
    # Before its frame there is but what the faint end of the last window heard of it.
    assert made[:at].max() < 0.01 * loudest
    onset = np.flatnonzero(made > loudest / 3)[0]
    assert 0 <= onset - at <= EDGE


@pytest.mark.parametrize("kind", ["tone", "noise", "struck"])
@pytest.mark.parametrize("sizes", [(1,) * 60, (7, 1, 20, 3), (59,)])
def test_batches_of_any_size_give_the_same(kind, sizes):
    sound = {"tone": tone(330, 2), "noise": white(2), "struck": struck(735 * 20)}[kind]
    whole = sounded(sound)
    np.testing.assert_allclose(sounded(sound, sizes=sizes), whole, atol=1e-6)


@pytest.mark.parametrize("fps", ["30", "120", "1"])
def test_silence_is_exactly_silent(fps):
    assert not sounded(np.zeros(3 * RATE), fps).any()


def test_silence_between_sounds_is_silent():
    sound = tone(440, 4)
    sound[RATE : 3 * RATE] = 0
    made = sounded(sound)
    # A window's half after the end, and until a frame before the next begins.
    assert np.abs(made[RATE + 1024 : 3 * RATE - 1024]).max() < 1e-6


def test_no_frames_give_no_sound():
    machine = MagnitudeOverlapAdd(target_at("30"), STFT, PhaseVocoder(STFT))
    assert len(machine.flush()) == 0


def states(*machines):
    """The bytes of all arrays that machines keep."""
    return sum(
        value.nbytes
        for machine in machines
        for value in vars(machine).values()
        if isinstance(value, np.ndarray)
    )


def fed(machine, spectra, frames, clock):
    """Feed the same spectra over and over; the most bytes kept, and the samples given."""
    kept, given = 0, 0
    for first in range(0, frames, len(spectra)):
        given += len(machine.process(spectra, clock.sample_bounds(len(spectra), first)))
        kept = max(kept, states(machine, machine._overlap_adder))
    return kept, given + len(machine.flush())


@pytest.mark.parametrize("events", [False, True])
def test_ten_minutes_keep_no_more_than_one(events):
    target, frames = target_at("30"), 18_000
    magnitudes = np.abs(np.random.default_rng(0).normal(0, 0.1, (100, 4, 513))).astype(np.float32)
    if events:
        magnitudes[::10] *= 100
    short, _ = fed(
        MagnitudeOverlapAdd(target, STFT, RandomPhase(STFT)), magnitudes, 1800, target.clock
    )
    long, given = fed(
        MagnitudeOverlapAdd(target, STFT, RandomPhase(STFT)), magnitudes, frames, target.clock
    )
    assert given == 600 * RATE
    assert long <= 1.1 * short


@pytest.mark.parametrize("fps", ["24", "30", "30000/1001", "120"])
@pytest.mark.parametrize("window", ["hann", "hamming"])
def test_complex_spectra_give_their_sound_back(fps, window):
    recipe = StftBoth(window_length=1024, window=window, windows_per_frame=4)
    target = PolarSpectra(recipe, Clock(Fraction(fps), RATE))
    sound = white(2)
    frames = int(2 * Fraction(fps))
    bounds = target.clock.sample_bounds(frames)
    starts = bounds[:-1] - target.lead_samples + 1024
    padded = np.pad(sound, (1024, target.excerpt_length + 1024)).astype(np.float32)
    excerpts = torch.from_numpy(
        np.stack([padded[at : at + target.excerpt_length] for at in starts])
    )
    spectra = target.decode(target.encode(excerpts))
    made = joined(ComplexOverlapAdd(target, Stft(1024, 256, window)), spectra, bounds)
    assert len(made) == bounds[-1]
    # Phases are kept in single precision, as half turns.
    np.testing.assert_allclose(made, sound[: bounds[-1]], atol=2e-5)
    again = joined(ComplexOverlapAdd(target, Stft(1024, 256, window)), spectra, bounds, (1, 5, 2))
    np.testing.assert_allclose(again, made, atol=1e-6)


@pytest.mark.parametrize("fps", ["24", "30"])
def test_what_swells_out_of_silence_is_not_heard_in_it(fps):
    target = target_at(fps)
    bounds = target.clock.sample_bounds(50)
    first = bounds[20]
    time = np.maximum(np.arange(bounds[-1]) - first, 0) / RATE
    swell = 0.3 * np.minimum(time / 0.5, 1) * np.sin(2 * np.pi * 440 * time)
    magnitudes = np.abs(heard(target, swell, 50))
    magnitudes[:20] = 0
    made = joined(MagnitudeOverlapAdd(target, STFT, PhaseVocoder(STFT)), magnitudes, bounds)
    assert np.abs(made[first + RATE // 2 :]).max() > 0.2
    # Silent are the last 23 ms of the black; 5 ms before them the window has hardly begun.
    assert not made[first - 512 : first].any()
    assert np.abs(made[:first]).max() < 1e-4  # -80 dBFS
