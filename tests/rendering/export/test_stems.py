"""Stems, one for each film, add up to the soundtrack, whatever was done to it."""

from __future__ import annotations

import json
from fractions import Fraction

import msgspec
import numpy as np
import pytest
import soundfile

import frame2sound as f2s
from frame2sound.brain.corpus import Corpus, Piece
from frame2sound.errors import SoundtrackError
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.rendering.effects import parse_chain
from frame2sound.rendering.effects.kinds import EFFECTS
from frame2sound.rendering.events.event_list import Event
from frame2sound.rendering.events.event_units import EventUnits
from frame2sound.rendering.export.exports import Exports
from frame2sound.rendering.granular.cloud import parse_cloud
from frame2sound.rendering.render import render
from frame2sound.rendering.segment import Segment
from frame2sound.safe_names import safe_file_names
from tests.media_files import H264, Audio, grey_pictures, make_film
from tests.rendering.events.event_films import corpus_of
from tests.rendering.export import rendering_events
from tests.rendering.export.rendering_events import EVENTS, film_of, render_events
from tests.rendering.export.test_markers import cues_of
from tests.rendering.foretelling import RATE, Foreteller
from tests.rendering.simple_brains import BrightNoise


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return film_of(tmp_path_factory.mktemp("films"))


def stereo_corpus():
    """The films of strokes in noise, in stereo at another rate than the brain's."""
    plain, rate = corpus_of(noise=0.003), 2 * RATE
    sides = {"bells": (1.0, 0.3), "drums": (0.2, 1.0)}
    pieces = []
    for piece in plain.pieces:
        mono = np.repeat(piece.samples, 2)
        pieces.append(Piece(piece.film, 0, np.float32(np.outer(mono, sides[piece.film]))))
    return Corpus(plain.clock, tuple(pieces), plain.pictures, sample_rate=rate)


def stems_of(folder):
    """Return the sounds of stems by name, and their sample rate."""
    table = json.loads((folder / "stems.json").read_text())
    files = {stem["name"]: folder / stem["file"] for stem in table["stems"]}
    assert {path.name for path in files.values()} | {"stems.json"} == {
        path.name for path in folder.iterdir()
    }
    return {name: soundfile.read(path)[0] for name, path in files.items()}


def assert_they_add_up(mix_path, folder, tolerance=10 ** (-90 / 20)):
    mix, stems = soundfile.read(mix_path)[0], stems_of(folder)
    assert all(stem.shape == mix.shape for stem in stems.values())
    assert np.abs(sum(stems.values()) - mix).max() < tolerance
    return mix, stems


CASES = {
    "as it is": {},
    "limited": {"gain_db": 20.0},
    "loud": {"loudness_lufs": -14.0, "fade_in_seconds": 0.3, "fade_out_seconds": 1},
    "part": {"segment": Segment(Fraction(9, 10), Fraction(13, 3))},
    "loud part": {"segment": Segment(Fraction(9, 10), Fraction(13, 3)), "loudness_lufs": -12.0},
    "another rate": {"sample_rate": 44_100, "gain_db": 12.0},
    "placed": {"stereo": "place", "gain_db": 6.0},
    "spectra": {"mode": "overlap-add", "gain_db": 6.0},
    "grains": {"mode": "granular"},
    "scattered grains": {
        "mode": "granular",
        "cloud": parse_cloud(
            ["density=300", "jitter=0.02", "pitch=-12..12@loudness", "pan=-1..1@motion"]
        ),
    },
    "placed grains": {"mode": "granular", "stereo": "place", "gain_db": 30.0},
    "late grains": {"mode": "granular", "grains": "hindle", "stereo": "place"},
    "grains of a part": {"mode": "granular", "segment": Segment(Fraction(9, 10), Fraction(13, 3))},
}


@pytest.mark.parametrize("name", CASES)
def test_stems_add_up_to_the_soundtrack(film, tmp_path, name):
    exports = Exports(stems=tmp_path / "stems")
    render_events(film, tmp_path / "a.wav", exports=exports, wav=True, **CASES[name])
    render_events(film, tmp_path / "b.wav", wav=True, **CASES[name])
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    mix, stems = assert_they_add_up(tmp_path / "a.wav", tmp_path / "stems")
    predicted = {"no film"} if "mode" in CASES[name] else set()
    assert set(stems) == {"bells", "drums", *predicted}
    if name == "limited":
        assert np.abs(mix).max() > 0.8


class EqualLoudness(Foreteller):
    """A brain whose mosaics in stereo are as loud as in mono."""

    learns_equal_loudness = True


@pytest.mark.parametrize("brain", [Foreteller, EqualLoudness])
@pytest.mark.parametrize("stereo", ["no", "place"])
def test_stems_of_films_in_stereo_add_up(film, tmp_path, stereo, brain, monkeypatch):
    monkeypatch.setattr(rendering_events, "Foreteller", brain)
    exports = Exports(stems=tmp_path / "stems")
    options = {"corpus": stereo_corpus(), "exports": exports, "gain_db": 9.0, "stereo": stereo}
    render_events(film, tmp_path / "a.wav", **options)
    mix, stems = assert_they_add_up(tmp_path / "a.wav", tmp_path / "stems")
    assert mix.shape[1] == 2
    assert set(stems) == {"bells", "drums"}


def test_a_stem_has_the_sound_of_its_film_alone(film, tmp_path):
    exports = Exports(stems=tmp_path / "stems")
    events = [Event(1.0, -14.0, "bells"), Event(3.0, -14.0, "drums", 0.4)]
    render_events(film, tmp_path / "a.wav", events, exports=exports)
    render_events(film, tmp_path / "b.wav", events[:1], exports=Exports(stems=tmp_path / "fewer"))
    stems, fewer = stems_of(tmp_path / "stems"), stems_of(tmp_path / "fewer")
    np.testing.assert_array_equal(stems["bells"], fewer["bells"])
    units = EventUnits.from_corpus(corpus_of(noise=0.003))
    unit = units.find("drums", 0.4)
    own = units.sound(unit) * 10 ** ((-14 - units.levels_db[unit]) / 20)
    begin = 3 * RATE - units.lead(unit)
    drum = stems["drums"] - fewer["drums"]
    assert not drum[:begin].any()
    # The filter that removes an offset turns the tone of 150 Hz by a few degrees.
    np.testing.assert_allclose(drum[begin:][: len(own)], own, atol=0.1 * own.max())


def test_a_stem_of_grains_has_the_grains_of_its_film_alone(film, tmp_path):
    events, bell = [Event(1.0, -14.0, "bells"), Event(3.0, -8.0, "drums")], {"mode": "granular"}
    for name, played in (("both", events), ("bell", events[:1])):
        exports = Exports(stems=tmp_path / name)
        render_events(film, tmp_path / f"{name}.wav", played, exports=exports, **bell)
    both, bell = stems_of(tmp_path / "both"), stems_of(tmp_path / "bell")
    np.testing.assert_allclose(both["bells"], bell["bells"], atol=1e-4)
    assert np.abs(both["bells"][RATE : RATE + 2000]).max() > 0.05
    assert not both["bells"][: RATE // 2].any()
    assert not both["drums"][: 5 * RATE // 2].any()
    assert np.abs(both["drums"][3 * RATE : 3 * RATE + 2000]).max() > 0.05


def test_stems_have_the_cue_points_of_their_film(film, tmp_path):
    exports = Exports(stems=tmp_path / "stems")
    render_events(film, tmp_path / "a.wav", exports=exports)
    whole = cues_of(tmp_path / "a.wav")
    assert cues_of(tmp_path / "stems" / "bells.wav") == [whole[0], whole[2]]
    assert cues_of(tmp_path / "stems" / "drums.wav") == [whole[1], whole[3]]


@pytest.mark.parametrize("channels", [1, 2])
def test_the_films_own_sound_is_a_stem(tmp_path, channels):
    own = np.random.default_rng(0).normal(0, 2000, (channels, 48_000 * 3)).astype(np.int16)
    animation = make_film(
        tmp_path / "film.mov", grey_pictures([200] * 90), fps=Fraction(30), encoding=H264,
        audio=Audio(own, layout="mono" if channels == 1 else "stereo"),
    )  # fmt: skip
    exports = Exports(stems=tmp_path / "stems")
    options = {"keep_original_db": -3.0, "gain_db": 15.0, "exports": exports}
    render_events(animation, tmp_path / "a.wav", EVENTS[:3], **options)
    mix, stems = assert_they_add_up(tmp_path / "a.wav", tmp_path / "stems")
    assert set(stems) == {"bells", "drums", "original"}
    assert np.ndim(mix) == channels
    level = np.sqrt(np.mean(own.astype(float) ** 2)) / 32768 * 10 ** (-3 / 20)
    assert np.sqrt(np.mean(stems["original"] ** 2)) == pytest.approx(level, rel=0.35)


def test_stems_of_a_film_with_lossy_sound_add_up_before_the_codec(film, tmp_path):
    for name, exports in (("a.mp4", Exports(stems=tmp_path / "stems")), ("a.mkv", Exports())):
        render(FilmReader(film), BrightNoise(), tmp_path / name, exports=exports)
    stems = sum(stems_of(tmp_path / "stems").values())
    decoded, _ = soundfile.read(_wav_of(tmp_path / "a.mkv"))
    loud = np.abs(decoded) > 0.1
    gain = np.median(stems[loud] / decoded[loud])
    assert 0.5 < gain < 0.999  # the room for what the codec adds
    assert np.abs(stems - gain * decoded).max() < 1e-4


def _wav_of(path):
    out = path.with_suffix(".wav")
    chunks = list(FilmReader(path, 48_000).audio_chunks())
    soundfile.write(out, np.concatenate([chunk.samples for chunk in chunks]), 48_000, "FLOAT")
    return out


def test_a_folder_is_replaced_only_if_it_holds_stems(film, tmp_path):
    folder = tmp_path / "stems"
    exports = Exports(stems=folder)
    render_events(film, tmp_path / "a.wav", exports=exports)
    with pytest.raises(SoundtrackError, match=r"stems exists already"):
        render_events(film, tmp_path / "b.wav", exports=exports)
    first = (folder / "bells.wav").read_bytes()
    options = {"exports": exports, "overwrite": True}
    render_events(film, tmp_path / "a.wav", **options)
    assert (folder / "bells.wav").read_bytes() == first
    render_events(film, tmp_path / "a.wav", [], mode="granular", **options)
    assert sorted(path.name for path in folder.iterdir()) == ["no film.wav", "stems.json"]
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(SoundtrackError, match=r"holds other files than stems, such as mine\.txt"):
        render_events(film, tmp_path / "a.wav", **options)
    assert (folder / "mine.txt").read_text() == "mine"


def test_nothing_else_is_put_into_the_folder_of_stems(film, tmp_path):
    exports = Exports(stems=tmp_path / "stems")
    with pytest.raises(SoundtrackError, match=r"got `out` .*a\.wav in the folder for `stems`"):
        render_events(film, tmp_path / "stems" / "a.wav", exports=exports)
    exports = Exports(stems=tmp_path / "stems", markers=tmp_path / "stems" / "b" / "a.csv")
    with pytest.raises(SoundtrackError, match="got `markers` "):
        render_events(film, tmp_path / "a.wav", exports=exports)
    assert list(tmp_path.iterdir()) == []


def test_names_of_films_lead_nowhere_else():
    names = ["../../etc/passwd", "a", "A", "..", "a:b\0", "夜" * 300]
    files = safe_file_names(names, ".wav")
    assert files[:5] == ["_.._etc_passwd.wav", "a.wav", "A 2.wav", "film.wav", "a_b_.wav"]
    assert len(files[5].encode()) <= 255
    assert not any("/" in file for file in files)


@pytest.mark.parametrize("effect", EFFECTS)
def test_effects_are_additive_or_refused(film, tmp_path, effect):
    random, settings = np.random.default_rng(0), dict.fromkeys(("hz", "db"), 30)
    settings |= {"ratio": 1.5, "semitones": 3, "of": "original"}
    given = {name: settings[name] for name in required_settings(EFFECTS[effect])}
    text = " ".join([effect, *(f"{name}={value}" for name, value in given.items())])
    chain, sounds = parse_chain(text), random.normal(0, 0.1, (2, RATE, 2)).astype(np.float32)
    mixed, *apart = (
        np.concatenate(list(chain.apply([sound], RATE, 2, tmp_path)))
        for sound in (sounds.sum(axis=0), *sounds)
    )
    difference = np.abs(mixed - sum(apart)).max()
    if EFFECTS[effect].is_additive:
        assert difference < (1e-2 if effect == "peak" else 10 ** (-90 / 20)) * np.abs(mixed).max()
        return
    assert difference > 0.1 * np.abs(mixed).max()
    with pytest.raises(SoundtrackError, match=f"got `stems` and the effect {effect}, expected"):
        f2s.render(film, stems=tmp_path / "stems", effects=f"gain db=-3, {text}")


def required_settings(effect):
    return [each.name for each in msgspec.structs.fields(effect) if each.required]


@pytest.mark.parametrize("stereo", ["no", "place"])
def test_each_stem_has_the_effects(film, tmp_path, stereo):
    text = "peak hz=50 db=12, reverb room=0.9, reverse, low-pass hz=3000, delay"
    effects, spots = parse_chain(text), ("dry", "wet")
    for name, chain in zip(spots, (None, effects), strict=True):
        exports = Exports(stems=tmp_path / name)
        options = {"exports": exports, "effects": chain, "stereo": stereo, "gain_db": -12.0}
        render_events(film, tmp_path / f"{name}.wav", wav=True, **options)
    assert_they_add_up(tmp_path / "wet.wav", tmp_path / "wet", 10 ** (-110 / 20))
    dry, wet = (stems_of(tmp_path / name) for name in spots)
    assert set(dry) == set(wet) == {"bells", "drums"}
    for film_name, sound in dry.items():
        channels = np.ndim(sound)
        expected = effects.apply([np.float32(sound)], RATE, channels, tmp_path)
        np.testing.assert_allclose(wet[film_name], np.concatenate(list(expected)), atol=1e-4)


def test_effects_turn_the_stems_of_a_loud_part_down_together(film, tmp_path):
    exports, segment = Exports(stems=tmp_path / "a"), Segment(Fraction(9, 10), Fraction(13, 3))
    options = {"exports": exports, "effects": parse_chain("delay feedback=0.9"), "segment": segment}
    render_events(film, tmp_path / "a.wav", loudness_lufs=-10.0, sample_rate=44_100, **options)
    mix, _ = assert_they_add_up(tmp_path / "a.wav", tmp_path / "a")
    assert np.abs(mix).max() > 0.8
