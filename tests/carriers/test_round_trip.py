"""Sounds go into pictures and come back: exactly, to rounding, and through codecs."""

import io
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image

from frame2sound.carriers.colours import to_rgb
from frame2sound.carriers.layout import PageLayout
from frame2sound.carriers.page_reader import PictureSound
from frame2sound.carriers.page_source import Picture
from frame2sound.carriers.page_writer import draw_pages
from frame2sound.carriers.parameters import Kind
from frame2sound.carriers.scrolling import ColumnCollector, first_column
from frame2sound.carriers.strip import draw_strip
from tests.carriers.sounds import RATE, bells, bytes_of, heard, pages, parameters, snr_db


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("cell", [1, 2])
def test_a_spectrum_in_8_bits_comes_back_to_40_db(channels, cell):
    sound = bells(channels=channels)
    drawn = parameters(sound, cell=cell)
    again, found = heard(bytes_of(page) for page in pages(sound, drawn))
    assert snr_db(sound, again) > 40
    assert found.parameters == drawn
    assert (found.missing, found.repeated, found.levels_changed, found.blur) == (0, 0, False, 0)


def test_pages_join_without_a_seam():
    sound = bells(seconds=3)
    drawn = parameters(sound, columns=60)
    drawn_pages = pages(sound, drawn)
    assert len(drawn_pages) > 3
    again, _ = heard(bytes_of(page) for page in drawn_pages)
    assert snr_db(sound, again) > 40


@pytest.mark.parametrize("channels", [1, 2])
def test_samples_come_back_to_the_bit(channels):
    sound = np.rint(bells(channels=channels) * 2**15).clip(-(2**15), 2**15 - 1) / 2**15
    sound[:3] = np.array([[1 - 2**-15], [-1], [0]])  # the ends of 16 bits
    sound = sound.astype(np.float32)
    drawn = parameters(sound, Kind.SAMPLES, rows=40, columns=256)
    again, _ = heard([np.rint(to_rgb(page) * 257) / 257 for page in pages(sound, drawn)], bits=16)
    np.testing.assert_array_equal(again, sound)


def test_samples_in_8_bits_are_refused():
    sound = bells()
    drawn = parameters(sound, Kind.SAMPLES, rows=80, columns=256)
    with pytest.raises(ValueError, match="samples in 8 bits, expected 16"):
        heard(bytes_of(page) for page in pages(sound, drawn))


def jpeg(page, quality):
    file = io.BytesIO()
    Image.fromarray(bytes_of(page)).save(file, "JPEG", quality=quality, subsampling=2)
    return np.asarray(Image.open(file))


def test_cells_of_2_survive_jpeg():
    sound = bells()
    again, _ = heard(jpeg(page, 95) for page in pages(sound, parameters(sound, cell=2)))
    assert snr_db(sound, again) > 21


def scrolling(sound, **more):
    return parameters(
        sound, Kind.SCROLL, columns=136, hop=55, columns_per_frame=1, fps=Fraction(25), **more
    )


@pytest.fixture(scope="module")
def scroll():
    sound = bells(seconds=1)
    drawn = scrolling(sound)
    return sound, drawn, [bytes_of(page) for page in pages(sound, drawn)]


def test_a_scrolling_film_carries_the_sound(scroll):
    sound, drawn, frames = scroll
    again, found = heard(frames)
    assert snr_db(sound, again) > 40
    assert found.parameters == drawn
    assert found.missing == 0


def test_the_middle_of_a_frame_is_heard_when_it_is_seen(scroll):
    _, drawn, _ = scroll
    for frame in (0, 7, 24):
        middle = first_column(drawn, frame) + drawn.columns // 2
        assert 0 <= frame / 25 - middle * drawn.hop / RATE < drawn.hop / RATE


def test_dropped_and_repeated_frames_cost_less_than_1_db(scroll):
    sound, _, frames = scroll
    whole, _ = heard(frames)
    halved, found = heard(frames[::2])
    assert snr_db(sound, halved) > snr_db(sound, whole) - 1
    assert found.missing == 0
    doubled, found = heard(np.repeat(frames, 2, axis=0))
    np.testing.assert_allclose(doubled, whole, atol=1e-6)
    assert found.repeated == len(frames)


def test_a_long_gap_in_a_scrolling_film_is_silent_and_counted(scroll):
    sound, drawn, frames = scroll
    cut = frames[:4] + frames[-4:]
    again, found = heard(cut)
    shown = {
        first_column(drawn, n) + place for n in (*range(4), *range(22, 26)) for place in range(136)
    }
    lacking = [n for n in range(max(shown)) if n >= 0 and n not in shown]
    assert found.missing == len(lacking)
    assert len(again) == len(sound)


def test_a_gap_in_a_scrolling_film_is_never_held_as_a_whole(scroll):
    sound, drawn, _ = scroll
    long = replace(drawn, samples=60 * RATE)
    shown = next(draw_pages(iter([sound]), drawn))
    frames = []
    for number in (0, 1000):
        draw_strip(shown, PageLayout.of(long), long.on_page(number))
        frames.append(Picture(bytes_of(shown).astype(np.float32)))
    lengths = [spectra.shape[1] for spectra in PictureSound(frames).spectra()]
    assert sum(lengths) == first_column(long, 1000) + long.columns
    assert max(lengths) <= long.columns


def test_pages_that_lack_are_silent_and_those_that_come_again_are_left_out():
    sound = bells(seconds=3)
    drawn = parameters(sound, columns=60)
    images = [bytes_of(page) for page in pages(sound, drawn)]
    whole, _ = heard(images)
    kept = [images[0], images[0], *images[2:]]
    again, found = heard(kept)
    assert (found.missing, found.repeated) == (1, 1)
    page = 60 * drawn.hop
    quiet = slice(page + drawn.n_fft, 2 * page - drawn.n_fft)
    assert not again[quiet].any()
    assert whole[quiet].any()
    np.testing.assert_allclose(
        again[2 * page + drawn.n_fft :], whole[2 * page + drawn.n_fft :], atol=1e-6
    )


def test_grey_levels_alone_have_the_magnitudes():
    sound = bells()
    drawn = parameters(sound, Kind.MAGNITUDE)
    again, _ = heard(np.repeat(page[..., :1], 3, axis=2) for page in pages(sound, drawn))
    from frame2sound.sound.stft import Stft

    stft = Stft(drawn.n_fft, drawn.hop)
    centres = stft.centres(len(sound))
    wanted, got = (stft.magnitude(each[:, 0], centres) for each in (sound, again))
    convergence_db = 20 * np.log10(np.linalg.norm(got - wanted) / np.linalg.norm(wanted))
    assert convergence_db < -18


def test_each_column_is_taken_from_the_frame_that_has_it_most_central(scroll):
    _, drawn, _ = scroll
    collector, runs = ColumnCollector(drawn), []
    frames = [0, 1, 2, 5, 4, 9, 10, 14]  # dropped, and out of order
    for frame in frames:
        runs += collector.add(frame, np.full((1, drawn.columns), frame))
    runs += collector.flush()
    taken = {
        run.first + n: (int(run.cells[0, 0]), run.begin + n)
        for run in runs
        for n in range(run.end - run.begin)
    }
    middle = drawn.columns // 2
    for number, (frame, place) in taken.items():
        nearest = min(abs(number - first_column(drawn, other) - middle) for other in frames)
        assert abs(place - middle) == nearest
        assert first_column(drawn, frame) + place == number
    assert sorted(taken) == list(range(len(taken)))


def without_code(image, drawn):
    """A page from which a tool has wiped the code."""
    layout, wiped = PageLayout.of(drawn), image.copy()
    for lower in (False, True):
        top, left = layout.band(lower)
        wiped[top : top + 16, left : left + 320] = 128
    return wiped


def test_a_page_without_a_code_is_taken_as_the_next_one():
    sound = bells(seconds=3)
    drawn = parameters(sound, columns=60)
    images = [bytes_of(page) for page in pages(sound, drawn)]
    images[1] = without_code(images[1], drawn)
    again, found = heard(images)
    assert snr_db(sound, again) > 30
    assert (found.missing, found.repeated, found.unreadable) == (0, 0, [])


def test_a_page_of_another_sound_is_left_out():
    sound, other = bells(seconds=3), bells(seconds=2, seed=1)
    images, others = (
        [bytes_of(page) for page in pages(each, parameters(each, columns=60))]
        for each in (sound, other)
    )
    again, found = heard([images[0], others[1], *images[1:]])
    assert snr_db(sound, again) > 40
    assert found.unreadable == ["it is of another sound"]
