"""What the ear gets of visual work on pictures of sound."""

import sys
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

import frame2sound as f2s
from frame2sound.api.parameters import ParameterError
from frame2sound.carriers.filtering import fit_output
from frame2sound.carriers.filters.blur import blur
from frame2sound.carriers.filters.cells import Cells, SpectraReader
from frame2sound.carriers.filters.mirror import mirror
from frame2sound.carriers.filters.morph import morph
from frame2sound.carriers.filters.stretch import stretch
from frame2sound.carriers.filters.transpose import shift_rows, transpose
from frame2sound.carriers.page_writer import draw_spectra
from frame2sound.carriers.parameters import Kind
from frame2sound.carriers.picture_files import parameters_beside, read_pictures
from frame2sound.carriers.spectrum_points import SILENT_LEVEL
from frame2sound.cli import app
from frame2sound.errors import CarrierError
from frame2sound.sound.stft import Stft
from tests.carriers.sounds import RATE, bells, bytes_of, heard, parameters, snr_db


def tone(hertz, seconds=1.0):
    time = np.arange(round(seconds * RATE)) / RATE
    return (0.3 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)[:, None]


def cells_of(sound, folder, kind=Kind.SPECTRUM, name="cells"):
    """The cells of the pictures of a sound, in which nothing is rounded."""
    more = {"columns": 136, "columns_per_frame": 1, "fps": Fraction(25)}
    drawn = parameters(sound, kind, **more if kind is Kind.SCROLL else {})
    stft = Stft(drawn.n_fft, drawn.hop)
    centres = stft.centres(len(sound))
    spectra = np.stack([stft.analyse(channel, centres)[:, : drawn.rows] for channel in sound.T])
    if kind is Kind.MAGNITUDE:
        spectra = np.abs(spectra)
    return Cells(folder / name, drawn, iter(np.array_split(spectra, 3, axis=1)))


def columns_of(made):
    return np.concatenate(list(made.blocks), axis=1)


def sound_of(made):
    """The sound of filtered cells, drawn in 8 bits and read."""
    read = SpectraReader(made.blocks, made.parameters).read
    return heard(bytes_of(page) for page in draw_spectra(read, made.parameters))[0]


def write(path, sound, **options):
    """The picture of a sound."""
    soundfile.write(path.with_suffix(".wav"), sound, RATE, "PCM_16")
    f2s.to_picture(path.with_suffix(".wav"), path, **options)
    return path


def purity_db(sound, hertz):
    """The energy of the middle of a sound over what is left of it without a sine."""
    middle = sound[len(sound) // 4 : -len(sound) // 4, 0]
    turns = 2 * np.pi * hertz * np.arange(len(middle)) / RATE
    waves = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    left = middle - waves @ np.linalg.lstsq(waves, middle, rcond=None)[0]
    return 10 * np.log10(np.sum(middle**2) / np.sum(left**2))


def level_db(sound):
    middle = sound[len(sound) // 4 : -len(sound) // 4]
    return 10 * np.log10(np.mean(middle**2))


@pytest.mark.parametrize(
    ("kind", "apply", "hertz", "seconds"),
    [
        (Kind.SPECTRUM, lambda cells: stretch(cells, 2), 440, 2),
        (Kind.SPECTRUM, lambda cells: stretch(cells, 0.6), 440, 0.6),
        (Kind.SCROLL, lambda cells: stretch(cells, 1.5), 440, 1.5),
        (Kind.SPECTRUM, lambda cells: transpose(cells, 12), 880, 1),
        (Kind.SPECTRUM, lambda cells: transpose(cells, -7), 440 * 2 ** (-7 / 12), 1),
        (Kind.SPECTRUM, lambda cells: shift_rows(cells, 4), 440 + 4 * RATE / 384, 1),
        (Kind.SPECTRUM, lambda cells: shift_rows(cells, -3), 440 - 3 * RATE / 384, 1),
    ],
    ids=["twice", "shorter", "scroll", "octave", "fifth", "up", "down"],
)
def test_a_sine_stays_one_of_the_stated_pitch_length_and_level(
    tmp_path, kind, apply, hertz, seconds
):
    sound = tone(440)
    made = sound_of(apply(cells_of(sound, tmp_path, kind)))
    assert len(made) == round(seconds * RATE)
    assert purity_db(made, hertz) > 30  # over this time, 1 Hz beside it is below 6 dB
    assert level_db(made) == pytest.approx(level_db(sound), abs=0.5)


def test_magnitudes_alone_are_transposed_between_rows(tmp_path):
    """500 Hz are row 24 of 20.8 Hz; three semitones up are row 28.54."""
    made = columns_of(transpose(cells_of(tone(500), tmp_path, Kind.MAGNITUDE), 3))
    (levels,) = np.log(np.abs(made[:, 30]) + 1e-9)
    peak = int(np.argmax(levels))
    before, here, after = levels[peak - 1 : peak + 2]
    tip = peak + (before - after) / 2 / (before - 2 * here + after)
    assert tip == pytest.approx(24 * 2**0.25, abs=0.05)
    assert columns_of(stretch(cells_of(tone(500), tmp_path, Kind.MAGNITUDE), 2)).shape[1] == 169


def test_a_chord_is_transposed_tone_by_tone(tmp_path):
    sound = (tone(500) + tone(800)) / 2
    made = sound_of(transpose(cells_of(sound, tmp_path), 7))
    ratio = 2 ** (7 / 12)
    spectrum = np.abs(np.fft.rfft(made[:, 0] * np.hanning(RATE)))
    loud = np.flatnonzero(spectrum > spectrum.max() / 4)
    near = [min(abs(hertz - ratio * tone) for tone in (500, 800)) for hertz in loud]
    assert max(near) < 2


@pytest.mark.parametrize(
    "apply",
    [
        lambda cells: stretch(cells, 1),
        lambda cells: transpose(cells, 0),
        lambda cells: shift_rows(cells, 0),
        lambda cells: morph(cells, cells, 0.3),
    ],
    ids=["stretch", "transpose", "shift", "morph"],
)
def test_filters_that_do_nothing_change_no_cell(tmp_path, apply):
    cells = cells_of(bells(1, channels=2), tmp_path)
    made, given = columns_of(apply(cells)), cells.read(0, cells.total)
    is_drawn = cells.scale.shares(np.abs(given)) > SILENT_LEVEL
    np.testing.assert_allclose(made[is_drawn], given[is_drawn], rtol=1e-3)
    assert np.abs(made[~is_drawn]).max() <= np.abs(given[~is_drawn]).max() * 1.001


@pytest.mark.parametrize("rows", [20, -20, 300, -300])
def test_rows_that_are_shifted_over_an_edge_are_gone(tmp_path, rows):
    cells = cells_of(tone(3900) + tone(100), tmp_path)
    given, made = (
        np.abs(columns).mean(axis=(0, 1))
        for columns in (cells.read(0, cells.total), columns_of(shift_rows(cells, rows)))
    )
    wanted = [given[row - rows] if 0 <= row - rows < 192 else 0 for row in range(192)]
    np.testing.assert_allclose(made, wanted, rtol=1e-5)


@pytest.mark.parametrize("extra", [0, 1, 50, 95])
def test_mirroring_with_conjugation_is_reversal(tmp_path, extra):
    sound = bells(1, channels=2)[: 60 * 96 + 1 + extra]
    again = sound_of(mirror(cells_of(sound, tmp_path)))
    late = len(again) - len(sound)
    assert late == -extra % 96  # the last sample is then a whole number of hops after the first
    assert snr_db(sound[::-1], again[late:]) > 40
    assert np.abs(again[:late]).max(initial=0) < 0.01


def test_mirrored_twice_is_the_picture_again(tmp_path):
    cells = cells_of(bells(1), tmp_path)
    once = mirror(cells)
    twice = mirror(Cells(tmp_path / "again", once.parameters, once.blocks))
    shown = cells.total - 2  # the others hear less than the last hop
    np.testing.assert_allclose(columns_of(twice)[:, :shown], cells.read(0, shown), atol=1e-6)


def test_mirrored_grey_levels_are_the_levels_in_reverse(tmp_path):
    cells = cells_of(bells(1), tmp_path, Kind.MAGNITUDE)
    made, last = columns_of(mirror(cells)), -(-(RATE - 1) // 96)
    np.testing.assert_array_equal(made[:, : last + 1], cells.read(0, last + 1)[:, ::-1])
    np.testing.assert_array_equal(made[:, last + 1], cells.read(0, 1)[:, 0])


def test_a_bell_that_is_stretched_rings_as_much_longer(tmp_path):
    sound = (np.exp(-10 * np.arange(RATE) / RATE)[:, None] * tone(700)).astype(np.float32)
    made = sound_of(stretch(cells_of(sound, tmp_path), 2))
    levels = np.log([np.sqrt(np.mean(made[n * 1600 :][:1600] ** 2)) for n in (1, 2, 3)])
    np.testing.assert_allclose(-np.diff(levels), 10 * 0.2 / 2, rtol=0.05)


@pytest.mark.parametrize("weight", [0, 1])
def test_a_morph_begins_with_one_picture_and_ends_with_the_other(tmp_path, weight):
    sounds = bells(1), bells(0.6, seed=1)
    one, two = (cells_of(sound, tmp_path, name=str(n)) for n, sound in enumerate(sounds))
    made = sound_of(morph(one, two, weight))
    sound = np.pad(sounds[weight], ((0, RATE - len(sounds[weight])), (0, 0)))
    assert snr_db(sound, made) > 38  # as long as the longer


def test_a_morph_half_way_has_the_geometric_mean_and_the_phase_of_the_louder(tmp_path):
    one, two = (cells_of(tone(500) * n, tmp_path, name=str(n)) for n in (0.25, -1))
    made = sound_of(morph(one, two, 0.5))
    assert level_db(made) == pytest.approx(level_db(tone(500) / 2), abs=0.2)
    assert snr_db(-tone(500)[2000:6000] / 2, made[2000:6000]) > 30


def test_what_one_picture_lacks_fades_in_dB(tmp_path):  # noqa: N802
    sound = tone(500)
    silent = Cells(tmp_path / "none", parameters(sound), iter([]))
    made = sound_of(morph(cells_of(sound, tmp_path), silent, 0.25))
    assert level_db(made) == pytest.approx(level_db(sound) - 0.25 * 80, abs=0.5)


def test_pictures_that_do_not_fit_are_not_morphed(tmp_path):
    mono, stereo = (cells_of(bells(0.3, channels=n), tmp_path, name=str(n)) for n in (1, 2))
    grey = cells_of(bells(0.3), tmp_path, Kind.MAGNITUDE, "grey")
    with pytest.raises(ValueError, match="channels of 1 and 2, expected the same"):
        morph(mono, stereo, 0.5)
    with pytest.raises(ValueError, match="kind of spectrum and magnitude"):
        morph(mono, grey, 0.5)


def test_a_blur_spreads_a_click_evenly(tmp_path):
    click = np.zeros((RATE, 1), np.float32)
    click[RATE // 2] = 0.9
    widths = []
    for width in (1, 3):
        made = sound_of(blur(cells_of(click, tmp_path), width))
        time = (np.arange(RATE) - RATE // 2) / RATE
        energy = made[:, 0] ** 2 / np.sum(made**2)
        centre = np.sum(energy * time)
        assert abs(centre) < 0.005
        widths.append(np.sqrt(np.sum(energy * (time - centre) ** 2)))
    assert widths[0] < 0.003 < 0.01 < widths[1] < 0.04


def test_a_blur_leaves_noise_noise(tmp_path):
    noise = np.random.default_rng(0).normal(0, 0.1, (8 * RATE, 1)).astype(np.float32)
    cells = cells_of(noise, tmp_path)
    made = sound_of(blur(cells, 1))
    assert np.mean(made**4) / np.mean(made**2) ** 2 == pytest.approx(3, abs=0.1)  # not pulses
    assert -4 < level_db(made) - level_db(noise) < -1
    columns, drawn = columns_of(blur(cells, 1)), cells.parameters
    again = Stft(drawn.n_fft, drawn.hop).analyse(made[:, 0], np.arange(cells.total) * drawn.hop)
    missed = np.abs(np.abs(again[:, :192]) - np.abs(columns[0])) ** 2
    seam = missed[505:520].mean() / missed[100:400].mean()
    assert seam < 1.5  # blocks of 512 columns join


def test_a_blur_is_that_of_the_luma(tmp_path):
    from scipy.ndimage import gaussian_filter

    cells = cells_of(bells(1), tmp_path)
    shares = cells.scale.shares(np.abs(cells.read(0, cells.total)[0]))
    silent = ((40, 0), (0, 0))
    wanted = gaussian_filter(np.pad(shares, silent), 1.5, mode="nearest")[40:]
    made = cells.scale.shares(np.abs(columns_of(blur(cells, 1.5))[0]))
    np.testing.assert_allclose(made[:-10], wanted[:-10], atol=SILENT_LEVEL)


def test_a_folder_becomes_a_film_and_a_film_one_picture(tmp_path):
    sound = bells(2)
    soundfile.write(tmp_path / "a.wav", sound, RATE, "PCM_16")
    f2s.to_picture(tmp_path / "a.wav", tmp_path / "pages", size=448, cell=2)
    made = f2s.filter_picture(tmp_path / "pages", tmp_path / "film.mkv", mirror=True)
    assert made.pictures == 2
    made = f2s.filter_picture(tmp_path / "film.mkv", tmp_path / "whole.png", mirror=True)
    assert made.pictures == 1
    (page,) = read_pictures(tmp_path / "whole.png")
    again, found = heard([page.rgb])
    assert snr_db(sound, again[: len(sound)]) > 34
    assert not found.levels_changed
    beside = parameters_beside(tmp_path / "whole.png")
    assert beside == found.parameters
    assert beside.samples == round(made.seconds * RATE)
    assert not list(tmp_path.glob(".filter-*"))


def test_a_filter_is_a_tool_for_the_whole_round(tmp_path):
    soundfile.write(tmp_path / "a.wav", tone(440, 0.5), RATE, "PCM_16")
    words = f"{sys.executable} -m frame2sound filter-picture {{in}} -o {{out}} --stretch 2"
    made = f2s.send_through(tmp_path / "a.wav", tmp_path / "slow", words, size=448, cell=4)
    assert soundfile.info(made.sound).frames == RATE
    assert parameters_beside(tmp_path / "slow").samples == RATE


def test_the_command_says_what_it_made_and_found(tmp_path):
    import cv2

    path, out = write(tmp_path / "given.png", bells(0.5)), tmp_path / "made.png"
    cv2.imwrite(str(path), (255 * (cv2.imread(str(path)) / 255) ** 1.2).round())
    made = CliRunner().invoke(app, ["filter-picture", str(path), "-o", str(out), "--mirror"])
    assert made.exit_code == 0, made.output
    assert f"{out}  1 picture of " in made.stdout
    assert "note: levels or hues had changed and were put right" in made.stdout


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "got none, expected one of"),
        ({"blur": 1, "mirror": True}, "got blur and mirror, expected one of"),
        ({"stretch": 0}, "got stretch 0, expected 0.05 to 20"),
        ({"transpose": 61}, "-60 to 60"),
        ({"morph": "b.png", "weight": 1.5}, "got weight 1.5"),
        ({"mirror": True, "crf": 52}, "got crf 52"),
    ],
)
def test_filters_out_of_range_are_refused(tmp_path, options, says):
    with pytest.raises(ParameterError, match=says):
        f2s.filter_picture(tmp_path / "a.png", tmp_path / "b.png", **options)


def test_what_cannot_be_filtered_is_refused(tmp_path):
    exact = write(tmp_path / "exact.png", bells(0.2), carrier="samples")
    page = write(tmp_path / "page.png", bells(0.2))
    before = sorted(tmp_path.iterdir())
    for path, out, options, says in (
        (exact, "made.png", {"mirror": True}, "samples, which have no frequencies"),
        (tmp_path / "none.png", "made.png", {"mirror": True}, "does not exist"),
        (page, "made.mp4", {"mirror": True}, "cannot hold FFV1"),
        (page, "page.png", {"mirror": True}, "exists already"),
    ):
        with pytest.raises(CarrierError, match=says):
            f2s.filter_picture(path, tmp_path / out, **options)
    assert sorted(tmp_path.iterdir()) == before


def test_a_stretch_too_long_for_one_picture_is_told(tmp_path):
    drawn = replace(parameters(tone(440)), samples=90 * 48_000, sample_rate=48_000)
    with pytest.raises(CarrierError, match="90 s are too long for one picture, expected 16384"):
        fit_output(drawn, tmp_path / "made.png")
    assert fit_output(drawn, tmp_path / "made.mkv") == drawn
