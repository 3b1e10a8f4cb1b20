"""Pictures of all kinds as files of sound; and what is refused."""

import gc
import struct
import zlib

import numpy as np
import pytest
import soundfile
from PIL import Image
from typer.testing import CliRunner

import frame2sound as f2s
from frame2sound.cli import app
from frame2sound.errors import SonificationError
from frame2sound.sonification import conversion
from frame2sound.sonification.picture_process import GreyPicture, decode_grey
from frame2sound.sonification.pictures import Appearance
from frame2sound.sonification.scanning import Scan
from tests.sonification.scanned import amplitude_at, strongest_hz

LINE = np.zeros((40, 60), np.uint8)
LINE[10] = 255
LINE_HZ = 12_000 - 10 * 11_900 / 39


def save(path, picture, **more):
    Image.fromarray(picture).save(path, **more)
    return path


def heard(path, out, **options):
    made = f2s.sonify(path, out, overwrite=True, **options)
    return made, soundfile.read(out)[0]


def test_dark_ink_on_transparent_paper_sounds_as_light_on_black(tmp_path):
    ink = np.zeros((40, 60, 4), np.uint8)
    ink[10, :, 3] = 255
    made, sound = heard(save(tmp_path / "a.png", ink), tmp_path / "a.wav", seconds=1)
    assert strongest_hz(sound, 44_100) == pytest.approx(LINE_HZ, rel=1e-3)
    assert made.notes == (
        "what is transparent is white",
        "the border is bright, so dark ink sounds",
    )
    assert (made.row_count, made.seconds, np.abs(sound).max()) == (
        40,
        1,
        pytest.approx(0.891, abs=1e-3),
    )
    peak = 20 * np.log10(amplitude_at(sound, LINE_HZ, 44_100))
    assert made.white_db == pytest.approx(peak, abs=0.01)
    assert (
        str(made)
        .splitlines()[0]
        .endswith("a.wav  1.000 s  44100 Hz  from 1 picture  spectrogram of 40 rows")
    )


def test_each_picture_of_an_animation_sounds_as_long_as_it_is_shown(tmp_path):
    other = np.roll(LINE, 20, axis=0)
    more = {"save_all": True, "append_images": [Image.fromarray(other)], "duration": [200, 300]}
    path = save(tmp_path / "a.gif", LINE, **more)
    made, sound = heard(path, tmp_path / "a.wav", stereo=True, ink="bright")
    assert (made.pictures, made.channels, sound.shape) == (2, 2, (22_050, 2))
    left = sound.sum(axis=1)
    assert strongest_hz(left[:8000], 44_100) == pytest.approx(LINE_HZ, rel=1e-3)
    assert strongest_hz(left[9500:], 44_100) == pytest.approx(12_000 - 30 * 11_900 / 39, rel=1e-3)
    for begin, end in ((0, 8820), (8820, 22_050)):
        ninth = (end - begin) // 9
        for part, share in ((begin + ninth // 2, 1 / 9), (end - ninth * 3 // 2, 8 / 9)):
            powers = np.square(sound[part : part + ninth]).mean(axis=0)
            assert powers[0] / powers.sum() == pytest.approx(
                np.cos(share * np.pi / 2) ** 2, abs=0.03
            )


@pytest.mark.parametrize("mapping", ["spectrogram", "voice"])
@pytest.mark.parametrize("stereo", [False, True])
def test_pictures_that_have_sounded_are_not_kept(tmp_path, mapping, stereo):
    more = {"save_all": True, "append_images": [Image.fromarray(LINE + n) for n in range(1, 20)]}
    path = save(tmp_path / "a.gif", LINE, duration=1000, **more)
    kept = []

    def count(*_):
        kept.append(sum(type(each) is Scan for each in gc.get_objects()))

    f2s.sonify(path, tmp_path / "a.wav", mapping=mapping, stereo=stereo, progress=count)
    assert kept
    assert max(kept) <= 4


@pytest.mark.parametrize(("timbre", "seconds"), [("noise", 0.012), ("grains", 0.016)])
def test_the_shortest_noise_and_grains_sound(tmp_path, timbre, seconds):
    path = save(tmp_path / "a.png", LINE)
    _, sound = heard(path, tmp_path / "a.wav", timbre=timbre, seconds=seconds)
    assert np.abs(sound).max() == pytest.approx(0.891, abs=1e-3)


@pytest.mark.parametrize("mapping", ["voice", "wavetable"])
def test_low_and_high_frequencies_do_not_limit_the_rate_of_other_mappings(tmp_path, mapping):
    path = save(tmp_path / "a.png", LINE)
    made, sound = heard(path, tmp_path / "a.wav", mapping=mapping, sample_rate=12_000, seconds=0.1)
    assert (made.sample_rate, len(sound)) == (12_000, 1200)


def test_the_voice_goes_on_scanning_while_a_film_changes(tmp_path):
    bright = np.full((64, 64), 255, np.uint8)
    black = np.zeros_like(bright)
    frames = [Image.fromarray(each) for each in (black, bright, black)]
    path = tmp_path / "a.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=[100, 200, 100])
    made, sound = heard(path, tmp_path / "a.wav", mapping="voice", ink="bright")
    assert (made.pictures, len(sound)) == (3, 17_640)
    sounding = np.flatnonzero(sound) / 44_100
    assert sounding[0] == pytest.approx(0.1, abs=0.004)
    assert sounding[-1] == pytest.approx(0.3, abs=0.004)


def test_a_wavetable_is_played_and_written(tmp_path):
    wave = np.uint8(127 + 100 * np.sin(2 * np.pi * np.arange(64) / 64))
    path = save(tmp_path / "a.png", np.tile(wave, (3, 1)))
    words = [
        "sonify",
        str(path),
        "-o",
        str(tmp_path / "a.wav"),
        "--as",
        "wavetable",
        "--pitch",
        "A2",
    ]
    shown = CliRunner().invoke(app, [*words, "--seconds", "1", "--tables", str(tmp_path / "t.wav")])
    assert shown.exit_code == 0, shown.output
    assert strongest_hz(soundfile.read(tmp_path / "a.wav")[0], 44_100) == pytest.approx(
        110, rel=1e-3
    )
    assert soundfile.info(tmp_path / "t.wav").frames == 3 * 2048


@pytest.mark.parametrize("level", [0, 255])
def test_paper_alone_is_exact_silence_and_is_told(tmp_path, level):
    path = save(tmp_path / "a.png", np.full((1, 1), level, np.uint8))
    made, sound = heard(path, tmp_path / "a.wav", seconds="0.25")
    assert (len(sound), made.row_count) == (11_025, 1)
    assert not sound.any()
    assert made.notes[-1] == "nothing sounds: all of the picture is paper"


def giant(path):
    """A PNG that claims to have a hundred million pixels."""
    head = struct.pack(">IIBBBBB", 10_000, 10_000, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    ))  # fmt: skip


def text(path):
    path.write_text("a drawing")


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (text, r"a\.png is not readable as a picture or film"),
        (giant, r"a\.png"),
        (lambda path: path.mkdir(), r"a\.png is a folder; expected a picture or a film"),
        (lambda path: None, r"a\.png does not exist; expected a picture or a film"),
        (
            lambda path: save(path, np.zeros((3, 2), np.uint8)),
            "2 pixels wide, expected at least 3 for a waveform",
        ),
    ],
)
def test_what_is_no_picture_is_refused_and_nothing_is_written(tmp_path, make, what):
    make(tmp_path / "a.png")
    with pytest.raises(SonificationError, match=what):
        f2s.sonify(tmp_path / "a.png", tmp_path / "a.wav", mapping="wavetable")
    assert [path.name for path in tmp_path.iterdir() if path.name != "a.png"] == []


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--low", "0"], "got --low 0 and --high 12000, expected them above 0, rising"),
        (["--high", "30000"], "below half the sample rate, 22050 Hz"),
        (["--range", "0"], "got --range 0, expected above 0, 144 dB at most"),
        (["--rows", "5000"], "got --rows 5000, expected 1 to 4096"),
        (["--seconds", "0"], "got --seconds 0, expected 0.01 to 14400"),
        (["--seconds", "soon"], "expected seconds, 0 or more, as 12.5"),
        (["--sample-rate", "100"], "got --sample-rate 100, expected 8000 to 192000 Hz"),
        (["--scale", "D nonsense"], "got scale 'D nonsense'"),
        (["--pitch", "H2"], "got 'H2', expected a note such as"),
        (["--tables", "t.wav"], "of the mapping wavetable; choose that --as"),
        (["--as", "wavetable", "--tables", "{out}"], "for --out and for --tables, expected two"),
        (["--as", "wavetable", "--stereo"], "--stereo is of the mapping spectrogram or voice"),
        (["--as", "voice", "--timbre", "noise"], "choose that --as, or leave out --timbre"),
        (["--as", "voice", "--rows", "10"], "--rows is of the mapping spectrogram or wavetable"),
        (["--as", "wavetable", "--low", "50"], "--low is of the mapping spectrogram; choose"),
        (["--pitch", "A3"], "--pitch is of the mapping wavetable; choose that --as"),
        (["--scale", "D minor", "--rows", "9"], "--scale has a row for each of its tones"),
        (["--as", "voice", "--sample-rate", "10000"], "expected more than 10000 Hz for the"),
        (["--timbre", "noise", "--seconds", "0.011"], "for 0.011 s, expected more than 0.0115 s"),
        (["--timbre", "grains", "--seconds", "0.014"], "for 0.014 s, expected more than 0.015 s"),
        (["--scale", "hz 50"], "the scale has 0 tones from 100 to 12000 Hz"),
        (["--as", "film"], "got --as film, expected spectrogram, wavetable or voice"),
    ],
)
def test_wrong_options_are_told_in_a_line(tmp_path, words, what):
    save(tmp_path / "a.png", LINE)
    wav = str(tmp_path / "a.wav")
    out = ["-o", wav, *(word.replace("{out}", wav) for word in words)]
    shown = CliRunner().invoke(app, ["sonify", str(tmp_path / "a.png"), *out])
    assert shown.exit_code in (1, 2)
    assert what in " ".join(shown.output.split())
    assert not (tmp_path / "a.wav").exists()


def test_outputs_are_wav_and_are_not_replaced_unasked(tmp_path):
    path = save(tmp_path / "a.png", LINE)
    with pytest.raises(SonificationError, match=r"a\.mp3, expected the name of a \.wav"):
        f2s.sonify(path, tmp_path / "a.mp3")
    (tmp_path / "a.wav").write_text("mine")
    with pytest.raises(SonificationError, match="exists"):
        f2s.sonify(path, tmp_path / "a.wav")
    assert (tmp_path / "a.wav").read_text() == "mine"


def grey(levels, alpha=255):
    levels = np.array(levels, np.uint8)
    return GreyPicture(0, 1, levels, np.broadcast_to(np.uint8(alpha), levels.shape))


@pytest.mark.parametrize(
    ("picture", "ink", "paper", "expected"),
    [
        (grey([[0, 255]]), "bright", "auto", [0, 1]),
        (grey([[0, 255]]), "dark", "auto", [1, 0]),
        (grey([[0, 51, 0]] * 3), "auto", "auto", [0, 0.2, 0]),
        (grey([[255, 51, 255]] * 3), "auto", "auto", [0, 0.8, 0]),
        (grey([[0, 51]], [[0, 255]]), "bright", "black", [0, 0.2]),
        (grey([[0, 51]], [[0, 255]]), "bright", "white", [1, 0.2]),
        (grey([[0, 204]], [[0, 255]]), "bright", "auto", [0, 0.8]),
        (grey([[0, 51]], [[0, 255]]), "dark", "auto", [0, 0.8]),
        (grey([[0, 0]], 0), "auto", "auto", [0, 0]),
    ],
)
def test_ink_and_paper(picture, ink, paper, expected):
    found = Appearance.of(picture, ink, paper).brightness(picture)
    assert found[0] == pytest.approx(expected, abs=1e-6)


def test_pictures_are_upright_and_averaged_down_in_grey(tmp_path):
    picture = np.zeros((40, 64, 3), np.uint8)
    picture[:, :32] = (255, 0, 0)
    turned_right = Image.Exif()
    turned_right[0x112] = 6
    path = save(tmp_path / "a.jpg", picture, exif=turned_right, quality=95, subsampling=0)
    (shown,) = decode_grey(path, 16, 8)
    assert shown.grey.shape == shown.alpha.shape == (16, 8)
    assert shown.grey[:8] == pytest.approx(76, abs=1)
    assert shown.grey[8:] == pytest.approx(0, abs=1)


def test_to_sound_says_that_sonify_plays_any_picture(tmp_path):
    with pytest.raises(f2s.Frame2SoundError, match="frame2sound sonify plays any picture"):
        f2s.to_sound(save(tmp_path / "a.png", LINE), tmp_path / "a.wav")


def test_a_film_that_sounds_for_more_than_four_hours_is_refused_at_once(tmp_path, monkeypatch):
    more = {"save_all": True, "append_images": [Image.fromarray(255 - LINE)], "duration": 100}
    film = save(tmp_path / "a.gif", LINE, **more)
    monkeypatch.setattr(conversion, "MAX_SECONDS", 3)
    f2s.sonify(film, tmp_path / "a.wav", seconds=1.5)
    told = "sounds for more than 3 s, the longest; give fewer `seconds` a picture"
    with pytest.raises(SonificationError, match=told):
        f2s.sonify(film, tmp_path / "b.wav", seconds=1.51)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.gif", "a.wav"]
