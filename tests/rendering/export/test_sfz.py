"""Instruments play the sounds of films at their pitch and level, as an SFZ player hears them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

import frame2sound as f2s
from frame2sound.errors import LibraryError
from frame2sound.library.store import Library
from frame2sound.rendering.events.event_units import EventUnits
from frame2sound.rendering.export import sfz
from frame2sound.rendering.export.key_zones import key_zones
from frame2sound.rendering.export.sfz import InstrumentSize, velocity_layers, write_sfz
from frame2sound.sound.onset_detection import onset_levels_db
from frame2sound.sound.pitch_detection import detect_pitch_hz
from tests.commanding import run
from tests.rendering.events.event_films import corpus_of, sound_with, stroke
from tests.rendering.foretelling import RATE

STROKES = {
    "bells": {
        0.5: stroke(880, 0.3, decay=0.12),
        1.5: stroke(988, 0.1, decay=0.12),
        2.5: stroke(1047, 0.03, decay=0.12),
    },
    "drums": {0.4: stroke(150, 0.2, decay=0.12), 1.4: stroke(180, 0.19, decay=0.12)},
}
SFIZZ_DB = -7.35 + 40 * np.log10(100 / 127)
"""sfizz plays all at its own level, and at that of controller 7, whose default is 100."""


@pytest.fixture(scope="module")
def instrument(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sfz") / "instrument"
    assert write_sfz(folder, corpus_of(STROKES)) == InstrumentSize(sounds=5, tuned=2)
    return folder


def play(synth, key, velocity):
    """Return what is heard of a note: its onset level in dBFS and its pitch in hertz."""
    sound = synth.render_note(key, velocity, 0.1, 0.6).mean(axis=0)
    around = np.concatenate([np.zeros(RATE // 10, np.float32), sound])
    (level,) = onset_levels_db(around, RATE, np.array([0.1]))
    (pitch,) = detect_pitch_hz(sound, RATE, np.array([0.1]))
    return level - SFIZZ_DB, pitch


def test_a_sampler_plays_films_at_their_pitches_and_levels(instrument):
    pysfizz = pytest.importorskip("pysfizz")
    synth = pysfizz.Synth(RATE, 64)
    assert synth.load_sfz_file(instrument / sfz.INSTRUMENT_FILE, quiet=False)
    assert synth.playable_keys == [36, 37]
    units = EventUnits.from_corpus(corpus_of(STROKES))
    bells = units.levels_db[units.units_of("bells")]
    loudest = bells.max()
    for level, hertz in zip(bells, (880, 988, 1047), strict=True):
        velocity = round(127 * 10 ** ((level - loudest) / 40))
        heard, pitch = play(synth, 36, velocity)
        assert heard == pytest.approx(level, abs=0.5)
        assert pitch == pytest.approx(hertz, rel=0.005)
    for velocity in (100, 60, 30):
        heard, _ = play(synth, 36, velocity)
        assert heard == pytest.approx(loudest + 40 * np.log10(velocity / 127), abs=0.3)
    # Two of one level take turns.
    pitches = [play(synth, 37, 120)[1] for _ in range(4)]
    np.testing.assert_allclose(sorted(pitches), [150, 150, 180, 180], rtol=0.005)
    np.testing.assert_allclose(pitches[:2], pitches[2:], rtol=1e-3)


def note_hz(key):
    return 440 * 2 ** ((key - 69) / 12)


@pytest.mark.parametrize(
    ("film", "keys"), [("bells", (69, 76, 81, 82, 83, 84, 90, 94)), ("drums", (44, 50, 54, 60))]
)
def test_pitched_sounds_play_in_tune_on_their_key_and_around_it(instrument, film, keys):
    pysfizz = pytest.importorskip("pysfizz")
    synth = pysfizz.Synth(RATE, 64)
    assert synth.load_sfz_file(instrument / f"{film} tuned.sfz", quiet=False)
    for key in keys:
        _, pitch = play(synth, key, 120)
        assert pitch == pytest.approx(note_hz(key), rel=0.005)
    heard, _ = play(synth, keys[-3], 100)
    units = EventUnits.from_corpus(corpus_of(STROKES))
    loudest = units.levels_db[units.units_of(film)].max()
    assert heard == pytest.approx(loudest + 40 * np.log10(100 / 127), abs=1)
    far = {"bells": range(69, 97), "drums": range(38, 67)}[film]
    assert synth.playable_keys == list(far)


def test_keys_between_two_notes_belong_to_the_nearer():
    units = EventUnits.from_corpus(corpus_of(STROKES))
    zones = key_zones(units, units.units_of("bells"))
    assert [(each.low, each.note, each.high) for each in zones] == [
        (69, 81, 82), (83, 83, 83), (84, 84, 96),
    ]  # fmt: skip
    for zone, hertz in zip(zones, (880, 988, 1047), strict=True):
        (cents,) = zone.cents.values()
        assert cents == pytest.approx(1200 * np.log2(note_hz(zone.note) / hertz), abs=3)


def test_sounds_without_a_pitch_have_no_instrument_in_tune(tmp_path):
    noise = 0.3 * np.random.default_rng(0).normal(size=4000) * np.exp(-np.arange(4000) / 1500)
    corpus = corpus_of({"mixed": {0.5: noise, 1.5: stroke(880, 0.3)}, "noise": {0.5: noise}})
    assert write_sfz(tmp_path / "sfz", corpus) == InstrumentSize(sounds=3, tuned=1)
    assert not (tmp_path / "sfz" / "noise tuned.sfz").exists()
    text = (tmp_path / "sfz" / "mixed tuned.sfz").read_text()
    assert text.count("<region>") == 1
    assert "pitch_keycenter=81" in text
    kit = (tmp_path / "sfz" / sfz.INSTRUMENT_FILE).read_text()
    assert "pitch_keytrack=0" in kit
    assert not re.search("pitch_keycenter|tune=|lokey", kit)


def test_files_are_the_sounds_of_the_films(instrument):
    text = (instrument / sfz.INSTRUMENT_FILE).read_text()
    units = EventUnits.from_corpus(corpus_of(STROKES))
    regions = re.findall(r"offset=(\d+) volume=(\S+) sample=(\S+)", text)
    assert len(regions) == len(units) == 5
    for offset, volume, path in regions:
        unit = int(Path(path).stem)
        sound, rate = soundfile.read(instrument / path)
        own = units.sound(unit)
        assert (rate, len(sound), int(offset)) == (RATE, len(own), units.lead(unit))
        gain = np.dot(sound, own) / np.dot(own, own) * 10 ** (float(volume) / 20)
        np.testing.assert_allclose(sound * 10 ** (float(volume) / 20), own * gain, atol=1e-5)
        film = units.units_of(units.film(unit))
        full = units.levels_db[film].max() - units.levels_db[unit]
        assert 20 * np.log10(gain) == pytest.approx(full, abs=0.01)


def test_layers_have_every_velocity_once_and_sounds_by_level():
    strokes = {at / 2 + 0.25: stroke(400, 0.5 * 10 ** (-at * 1.7 / 20)) for at in range(30)}
    corpus = replace(corpus_of({"one": strokes}, seconds=15.5), pictures={})
    units = EventUnits.from_corpus(corpus)
    layers = velocity_layers(units, units.units_of("one"))
    velocities = [v for each in layers for v in range(each.low, each.high + 1)]
    assert sorted(velocities) == list(range(1, 128))
    for layer in layers[:-1]:
        levels = units.levels_db[list(layer.units)] - layer.full_db
        assert np.ptp(levels) <= sfz.LAYER_DB
        assert round(127 * 10 ** (levels.max() / 40)) <= layer.high + 1
    assert len(layers) > 5


def test_a_loud_sound_is_not_clipped(tmp_path):
    loud = np.zeros(4000)
    loud[:3] = 1.6, -1.5, 1.4
    corpus = corpus_of({"loud": {0.5: loud}, "bells": STROKES["bells"]})
    write_sfz(tmp_path / "sfz", corpus)
    text = (tmp_path / "sfz" / sfz.INSTRUMENT_FILE).read_text()
    (volume,) = re.findall(r"volume=(\S+) sample=samples/loud/", text)
    assert float(volume) == pytest.approx(20 * np.log10(1.6), abs=0.05)


def test_what_cannot_be_an_instrument_is_told(tmp_path, monkeypatch):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a").touch()
    with pytest.raises(LibraryError, match="mine exists already"):
        write_sfz(tmp_path / "mine", corpus_of(STROKES))
    monkeypatch.setattr(sfz, "LAST_KEY", 36)
    with pytest.raises(LibraryError, match="got 2 films for an instrument, expected at most 1"):
        write_sfz(tmp_path / "new", corpus_of(STROKES))
    assert not (tmp_path / "new").exists()


def test_names_of_films_stay_in_the_folder_and_add_nothing(tmp_path):
    evil = "../x\n<region> sample=/etc/passwd"
    write_sfz(tmp_path / "sfz", corpus_of({evil: STROKES["bells"]}))
    text = (tmp_path / "sfz" / sfz.INSTRUMENT_FILE).read_text()
    regions = [line for line in text.splitlines() if not line.startswith("//")]
    assert "passwd" not in "".join(line for line in regions if line.startswith("<group>"))
    for path in re.findall(r"sample=(samples/.*)$", "\n".join(regions), re.MULTILINE):
        assert (tmp_path / "sfz" / path).exists()
    assert [path.name for path in tmp_path.iterdir()] == ["sfz"]


def test_a_library_becomes_an_instrument_from_both_ways(tmp_path, add_film):
    library = Library.create(tmp_path / "library", RATE)
    sound = sound_with(STROKES["bells"], 3.2)
    add_film(library, "bells", 3.2, sound=sound[: round(3.2 * RATE)])
    made = f2s.export_sfz(tmp_path / "library", tmp_path / "a")
    line = f"{tmp_path / 'a' / 'instrument.sfz'}  1 film  3 sounds"
    assert str(made).splitlines() == [line, "  1 film in tune, as FILM tuned.sfz"]
    said = run(tmp_path, "library", "library", "--export-sfz", "b", "--json")
    told = {"instrument": "b/instrument.sfz", "films": 1, "sounds": 3, "tuned": 1}
    assert json.loads(said.stdout) == told
    for path in (tmp_path / "a").rglob("*"):
        if path.is_file():
            same = tmp_path / "b" / path.relative_to(tmp_path / "a")
            assert path.read_bytes() == same.read_bytes()
    said = run(tmp_path, "library", "library", "--export-sfz", "b")
    assert said.stderr == "frame2sound: b exists already; choose another name\n"
    said = run(tmp_path, "library", "library", "--export-sfz", "c", "--verify")
    assert "expected one of them" in said.stderr
