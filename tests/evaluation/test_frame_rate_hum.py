"""Hum at the frame rate: signals that hum by a known height, and signals that do not."""

from fractions import Fraction

import numpy as np
import pytest

from frame2sound.evaluation.frame_rate_hum import frame_rate_hum, line_comb_db, tremolo_comb_db

RATE, FPS, FRAMES = 48000, Fraction(30), 300
BLOCK = RATE // 30
NTSC_FILM = Fraction(24000, 1001)


def hann(length):
    return np.hanning(length + 1)[:-1]


def overlapped(window, fold, same=False, dull=False, seed=0):
    """Blocks of noise, one per frame, with windows that last ``fold`` frames."""
    rng, length = np.random.default_rng(seed), fold * BLOCK

    def block():
        noise = 0.1 * rng.standard_normal(length + 399)
        return np.convolve(noise, hann(400) / 14, "valid") if dull else noise[:length]

    sound, current = np.zeros((FRAMES + fold) * BLOCK), block()
    for frame in range(FRAMES):
        current = current if same else block()
        sound[frame * BLOCK :][:length] += window(length) * current
    return sound[length:-length]


def noise(seconds=10, rate=22050, seed=0):
    return 0.1 * np.random.default_rng(seed).standard_normal(round(seconds * rate))


def reed(hertz, seconds=8, overtones=12):
    t = np.arange(seconds * RATE) / RATE
    return 0.1 * sum(np.sin(2 * np.pi * hertz * k * t) / k for k in range(1, overtones + 1))


@pytest.mark.parametrize(("window", "fold"), [(np.ones, 1), (hann, 2)])
def test_a_repeated_block_has_lines_with_any_window(window, fold):
    # On bins 1.5 times wide, all power of 60 in one, over a floor 20 dB below the mean.
    assert line_comb_db(overlapped(window, fold, same=True), RATE, FPS) == pytest.approx(36, abs=1)


@pytest.mark.parametrize(
    ("window", "fold", "expected"),
    [(np.ones, 1, 1), (hann, 2, 28), (lambda n: hann(n) ** 0.5, 2, 1.5), (hann, 4, 1.5)],
)
def test_independent_blocks_have_tremolo_if_window_powers_do_not_add_to_one(window, fold, expected):
    found = frame_rate_hum(overlapped(window, fold), RATE, FPS)
    assert found.tremolo_db == pytest.approx(expected, abs=2.5)  # chance, of 10 s
    assert found.line_db < 2


def test_joints_of_low_pass_noise_have_tremolo_in_high_bands_only():
    found = frame_rate_hum(overlapped(np.ones, 1, dull=True), RATE, FPS)
    assert found.tremolo["whole"] < 3
    assert found.tremolo["6000-16000 Hz"] > 9
    assert found.tremolo_db == max(found.tremolo.values())


@pytest.mark.parametrize("fps", [FPS, NTSC_FILM, Fraction(25), Fraction(60), Fraction(12)])
def test_noise_does_not_hum(fps):
    found = frame_rate_hum(noise(20), 22050, fps)
    assert abs(found.line_db) < 1.5
    assert 0 < found.tremolo_db < 3.5  # the worst of 15 that scatter by 1 dB


@pytest.mark.parametrize("hertz", [90, 120, 150, 240, 441.3])
def test_a_steady_note_does_not_hum_even_on_multiples_of_the_frame_rate(hertz):
    found = frame_rate_hum(reed(hertz), RATE, FPS)
    assert abs(found.line_db) < 1
    assert found.tremolo_db < 1


def test_a_note_at_the_frame_rate_hums():
    assert line_comb_db(reed(30, overtones=60), RATE, FPS) > 30


@pytest.mark.parametrize("rate", [22050, 44100, 48000])
def test_pulses_at_24000_1001_are_found_at_every_rate_and_not_at_24(rate):
    pulses = np.zeros(20 * rate)
    pulses[np.round(np.arange(479) * rate / float(NTSC_FILM)).astype(int)] = 0.5
    assert line_comb_db(pulses, rate, NTSC_FILM) > 25
    assert tremolo_comb_db(pulses, rate, NTSC_FILM) > 25
    assert line_comb_db(pulses, rate, Fraction(20)) < 3


def test_the_height_of_tremolo_grows_with_its_depth():
    t = np.arange(20 * 22050) / 22050
    heights = [
        tremolo_comb_db(noise(20) * (1 + depth * np.cos(2 * np.pi * 30 * t)), 22050, FPS)
        for depth in (0.002, 0.1, 0.3)
    ]
    assert heights[0] < 4 < heights[1] < heights[2]
    assert heights[2] - heights[1] == pytest.approx(20 * np.log10(3), abs=1.5)


def test_the_height_does_not_depend_on_the_level():
    sound = overlapped(hann, 2)
    assert tremolo_comb_db(sound / 30, RATE, FPS) == pytest.approx(
        tremolo_comb_db(sound, RATE, FPS), abs=0.01
    )


def test_short_or_silent_sounds_cannot_be_measured():
    assert frame_rate_hum(noise(4), 22050, FPS) is None
    assert frame_rate_hum(noise(5), 22050, FPS).line_db == pytest.approx(0, abs=1.5)
    assert frame_rate_hum(np.zeros(10 * 22050), 22050, FPS) is None
    assert line_comb_db(np.zeros(0), 22050, FPS) is tremolo_comb_db(np.zeros(0), 22050, FPS) is None


@pytest.mark.parametrize("fps", [Fraction(0), Fraction(-1), Fraction(8000)])
def test_impossible_frame_rates_are_refused(fps):
    with pytest.raises(ValueError, match="expected 0 < fps"):
        frame_rate_hum(noise(5), 22050, fps)
