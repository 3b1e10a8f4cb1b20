"""Notes of one voice: of melodies, glides and repeated notes, and of drawn films."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from frame2sound.film.drawing.demo_films import load_scene
from frame2sound.listening.listener import Listener
from frame2sound.listening.midi_notes import write_notes
from frame2sound.listening.note_scores import note_hits, true_notes
from frame2sound.listening.notes import Note, tuned
from frame2sound.sound.named_scales import parse_scale
from frame2sound.sound.scale import Scale
from tests.listening.signals import melody, tones

RATE = 22050


def notes_of(sound: np.ndarray, rate: int = RATE, block: int = 30_000) -> list[Note]:
    listener = Listener(rate)
    for first in range(0, len(sound), block):
        part = sound[first : first + block].astype(np.float32)
        list(listener.process(part[:, None]))
    list(listener.finish())
    return list(listener.heard().notes)


def test_a_melody_has_its_notes() -> None:
    hertz = [220.0, 261.6, 110.0, 987.8, 2093.0]
    found = notes_of(melody(hertz, 0.3, RATE))
    assert [note.start_seconds for note in found] == pytest.approx(
        [0.3 * number for number in range(5)], abs=0.02
    )
    assert [note.hz for note in found] == pytest.approx(hertz, rel=2e-3)
    assert [note.end_seconds - note.start_seconds for note in found] == pytest.approx(
        [0.3] * 5, abs=0.05
    )


def test_a_note_struck_again_begins_again_and_a_rest_is_none() -> None:
    struck = tones([440], 0.3, RATE) * np.exp(-np.arange(round(0.3 * RATE)) / (0.1 * RATE))
    rest = np.zeros(round(0.4 * RATE))
    starts = [
        note.start_seconds for note in notes_of(np.concatenate([struck, struck, rest, struck]))
    ]
    assert starts == pytest.approx([0, 0.3, 1.0], abs=0.03)


def test_a_glide_is_cut_half_way() -> None:
    time = np.arange(RATE * 2) / RATE
    semitones = 5 * (0.5 - 0.5 * np.cos(np.pi * np.clip((time - 0.9) / 0.2, 0, 1)))
    phase = np.cumsum(300 * 2 ** (semitones / 12)) / RATE
    first, second = notes_of(0.3 * np.sin(2 * np.pi * phase))
    assert second.start_seconds == pytest.approx(1.0, abs=0.03)
    assert (first.hz, second.hz) == pytest.approx((300, 300 * 2 ** (5 / 12)), rel=3e-3)


def test_a_vibrato_is_one_note() -> None:
    time = np.arange(RATE * 2) / RATE
    hz = 400 * 2 ** (0.3 / 12 * np.sin(2 * np.pi * 5.5 * time))
    (note,) = notes_of(0.3 * np.sin(2 * np.pi * np.cumsum(hz) / RATE))
    assert note.hz == pytest.approx(400, rel=5e-3)


def test_the_pitch_of_a_bell_is_its_lowest_partial() -> None:
    time = np.arange(RATE) / RATE
    sound = 0.2 * (np.sin(2 * np.pi * 1500 * time) + 0.6 * np.sin(2 * np.pi * 4140 * time))
    (note,) = notes_of(sound * np.exp(-2 * time))
    assert note.hz == pytest.approx(1500, rel=1e-3)


def test_silence_and_noise_have_no_notes() -> None:
    assert notes_of(np.zeros(RATE)) == []
    assert notes_of(np.full(2 * RATE, -0.2)) == []  # a constant offset is silent
    assert len(notes_of(0.1 * np.random.default_rng(0).standard_normal(2 * RATE))) == 0


@pytest.mark.parametrize(("film", "seed"), [("theremin", 31), ("typing", 32)])
def test_drawn_films_have_the_notes_of_their_truth(film: str, seed: int) -> None:
    scene = load_scene(film, seconds=8, seed=seed, size=(64, 64), sample_rate=RATE)
    found = notes_of(scene.synthesise(0, scene.sample_count))
    truth = true_notes(scene.truth)
    hits = note_hits(truth, found)
    assert len(truth) >= 3 and hits.mean() >= 0.9
    shifted = [Note(note.start_seconds, note.end_seconds, note.hz * 1.07, 0) for note in found]
    assert note_hits(truth, shifted).mean() < 0.3


def test_midi_has_the_notes_and_bends_those_that_are_not_of_12_tet(tmp_path: Path) -> None:
    mido = pytest.importorskip("mido")
    notes = [Note(0.5, 1.0, 452.0, -20.0), Note(1.0, 1.25, 300.0, 0.0)]
    write_notes(tmp_path / "plain.mid", tuned(notes, Scale.equal(12, 440.0)))
    plain = [m for m in mido.MidiFile(tmp_path / "plain.mid") if not m.is_meta]
    assert [(m.type, m.note) for m in plain] == [
        ("note_on", 69),
        ("note_off", 69),
        ("note_on", 62),
        ("note_off", 62),
    ]
    assert np.cumsum([m.time for m in plain]) == pytest.approx([0.5, 1.0, 1.0, 1.25], abs=3e-4)
    assert (plain[0].velocity, plain[2].velocity) == (40, 127)

    scale = parse_scale("19-tet")
    write_notes(tmp_path / "bent.mid", tuned(notes, scale))
    sounding, bend = [], 0
    for message in mido.MidiFile(tmp_path / "bent.mid"):
        bend = message.pitch if message.type == "pitchwheel" else bend
        if message.type == "note_on":
            sounding.append(440 * 2 ** ((message.note - 69 + 2 * bend / 8192) / 12))
    expected = [scale.step_to_hz(scale.hz_to_step(note.hz)) for note in notes]
    assert sounding == pytest.approx(expected, rel=1e-5)
