"""Pictures from strangers claim what they like; and sounds are of any kind and length."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile

import frame2sound as f2s
from frame2sound.carriers.layout import PageLayout
from frame2sound.carriers.locate import find_page
from frame2sound.carriers.parameters import Kind
from frame2sound.carriers.sound_input import open_sound
from frame2sound.carriers.strip import draw_strip
from frame2sound.dreaming.sources import load_sources
from frame2sound.errors import CarrierError
from frame2sound.synaesthesia.sounds import mono_sound
from tests.carriers.sounds import RATE, bells, bytes_of, heard, pages, parameters, snr_db


def forged(planes, drawn, **claims):
    """A page whose strip claims something else."""
    again = planes.copy()
    draw_strip(again, PageLayout.of(drawn), replace(drawn, **claims))
    return bytes_of(again)


@pytest.mark.parametrize(
    ("kind", "claims"),
    [
        (Kind.SPECTRUM, {"samples": 1 << 40}),
        (Kind.SAMPLES, {"samples": 1 << 40}),
        (Kind.SPECTRUM, {"page": 1 << 31}),
        (Kind.SAMPLES, {"page": 1 << 31}),
    ],
)
def test_a_claim_of_endless_sound_is_refused_before_it_is_written(kind, claims):
    sound = bells(0.5)
    drawn = parameters(sound, kind, rows=192)
    (page,) = pages(sound, drawn)
    image = forged(page, drawn, **claims)
    bits = 16 if kind is Kind.SAMPLES else 8
    with pytest.raises(ValueError, match=r"\d+ s are missing beside \d+ s that were found"):
        heard([image], bits)


def test_a_claim_of_a_giant_picture_is_refused():
    sound = bells(0.5)
    drawn = parameters(sound)
    (page,) = pages(sound, drawn)
    image = forged(page, drawn, columns=16_000, cell=16)
    with pytest.raises(ValueError, match="expected at most 16384 a side"):
        find_page(image.astype(np.float32))


def test_minutes_that_are_cut_off_are_silence():
    sound = bells(0.5)
    drawn = replace(parameters(sound), samples=60 * RATE)
    (page,) = pages(sound, replace(drawn, samples=len(sound)))
    again, found = heard([forged(page, drawn)])
    assert len(again) == 60 * RATE
    assert not again[RATE:].any()
    assert found.missing > 0


@pytest.mark.parametrize("length", [1, 2, 100])
@pytest.mark.parametrize("carrier", ["samples", "spectrum", "scroll", "magnitude"])
def test_the_shortest_sounds_come_back_as_long(tmp_path, length, carrier):
    soundfile.write(tmp_path / "a.wav", bells(1)[:length], RATE, "PCM_16")
    f2s.to_picture(tmp_path / "a.wav", tmp_path / "a.mkv", carrier=carrier)
    f2s.to_sound(tmp_path / "a.mkv", tmp_path / "b.wav")
    assert soundfile.info(tmp_path / "b.wav").frames == length


@pytest.mark.parametrize("carrier", ["samples", "spectrum", "scroll", "magnitude"])
def test_silence_stays_silent(tmp_path, carrier):
    soundfile.write(tmp_path / "a.wav", np.zeros(RATE // 4), RATE, "PCM_16")
    f2s.to_picture(tmp_path / "a.wav", tmp_path / "a.mkv", carrier=carrier)
    f2s.to_sound(tmp_path / "a.mkv", tmp_path / "b.wav")
    assert not soundfile.read(tmp_path / "b.wav")[0].any()


def test_rounding_to_16_bits_is_told(tmp_path):
    for subtype, notes in (("PCM_16", 0), ("PCM_24", 1), ("FLOAT", 1)):
        soundfile.write(tmp_path / "a.wav", bells(0.2), RATE, subtype)
        made = f2s.to_picture(
            tmp_path / "a.wav", tmp_path / "a.mkv", carrier="samples", overwrite=True
        )
        assert len(made.notes) == notes


def test_suffixes_may_be_in_capitals(tmp_path, real_subprocesses):
    soundfile.write(tmp_path / "a.wav", bells(2), RATE, "PCM_16")
    made = f2s.to_picture(tmp_path / "a.wav", tmp_path / "A.MKV", carrier="samples", size=448)
    assert made.pictures == 1 or f2s.to_sound(tmp_path / "A.MKV", tmp_path / "B.WAV").missing == 0
    with pytest.raises(CarrierError, match=r"expected the name of a \.wav"):
        f2s.to_sound(tmp_path / "A.MKV", tmp_path / "b.mp3")


FULL = np.finfo(np.float32).max


@pytest.mark.parametrize(
    ("sound", "rate", "says"),
    [
        (np.r_[bells(0.1)[:, 0], np.nan], RATE, "holds samples that are not finite, expected"),
        (np.r_[bells(9)[:, 0], -np.inf], RATE, "holds samples that are not finite, expected"),
        (np.full((100, 3), np.inf), RATE, "holds samples that are not finite, expected"),
        (1e20 * bells(0.1), RATE, r"reaches 3\d\d dB of full scale, expected 200 at most"),
        (np.full(900, FULL), RATE, "reaches inf dB of full scale, expected 200 at most"),
        (bells(0.1), 1_000_000, "has 1000000 samples a second, expected 768000 at most"),
    ],
    ids=["nan", "later", "mixed", "loud", "loudest", "fast"],
)
def test_sounds_that_no_picture_holds_are_refused(tmp_path, sound, rate, says):
    soundfile.write(tmp_path / "a.wav", sound, rate, "FLOAT")
    with pytest.raises(CarrierError, match=says):
        f2s.to_picture(tmp_path / "a.wav", tmp_path / "a.png")
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


def test_drawing_and_dreaming_refuse_samples_that_are_not_finite(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.r_[bells(0.1)[:, 0], np.nan], RATE, "FLOAT")
    path, told = tmp_path / "a.wav", r"a\.wav holds samples that are not finite"
    with pytest.raises(f2s.Frame2SoundError, match=told):
        list(mono_sound(open_sound(path)))
    with pytest.raises(f2s.Frame2SoundError, match=told):
        load_sources(path)


def test_a_damaged_sound_is_told_in_a_line(tmp_path):
    soundfile.write(tmp_path / "a.flac", bells(9), RATE)
    stored = bytearray((tmp_path / "a.flac").read_bytes())
    stored[20_000:40_000] = bytes(20_000)
    (tmp_path / "a.flac").write_bytes(stored)
    with pytest.raises(CarrierError, match=r"a\.flac is damaged \(.*\); mend or convert it"):
        f2s.to_picture(tmp_path / "a.flac", tmp_path / "a.png")


def test_a_frame_rate_of_any_digits_scrolls(tmp_path):
    soundfile.write(tmp_path / "a.wav", bells(1), RATE, "PCM_16")
    made = f2s.to_picture(tmp_path / "a.wav", tmp_path / "a.mkv", carrier="scroll", fps=24.123457)
    f2s.to_sound(tmp_path / "a.mkv", tmp_path / "b.wav")
    sound, again = (
        soundfile.read(tmp_path / name, dtype="float32", always_2d=True)[0]
        for name in ("a.wav", "b.wav")
    )
    assert made.pictures == 26
    assert snr_db(sound, again) > 40


@pytest.mark.parametrize(
    "clip", ["hits__270-GT_334.mp4", "drums__042-drum.mp4", "speech-grid__142-lbbc2a.mpg"]
)
def test_real_sound_comes_back(real_films, tmp_path, clip):
    path = real_films / "causes" / clip
    f2s.to_picture(path, tmp_path / "exact.mkv", carrier="samples")
    f2s.to_sound(tmp_path / "exact.mkv", tmp_path / "exact.wav")
    sound = soundfile.read(tmp_path / "exact.wav", dtype="float32", always_2d=True)[0]
    f2s.to_picture(path, tmp_path / "page.png")
    f2s.to_sound(tmp_path / "page.png", tmp_path / "page.wav")
    page = soundfile.read(tmp_path / "page.wav", dtype="float32", always_2d=True)[0]
    assert snr_db(sound, page) > 38


def test_a_film_that_scrolls_by_more_than_a_frame_shows_is_refused(tmp_path):
    soundfile.write(tmp_path / "a.wav", bells(1), RATE, "PCM_16")
    with pytest.raises(CarrierError, match=r"got 0\.2 frames a second, expected at least 0\.403"):
        f2s.to_picture(tmp_path / "a.wav", tmp_path / "a.mkv", carrier="scroll", fps="1/5")
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]
