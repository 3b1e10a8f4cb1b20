"""Events are marked in WAV files, tables and MIDI where their attacks are, to the sample."""

from __future__ import annotations

import csv
import struct
from fractions import Fraction
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

from frame2sound import extras
from frame2sound.errors import MissingPackageError, SoundtrackError
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.rendering.events.event_list import Event
from frame2sound.rendering.events.event_units import EventUnits
from frame2sound.rendering.export import midi
from frame2sound.rendering.export.event_log import measure_pitch_hz
from frame2sound.rendering.export.exports import Exports
from frame2sound.rendering.export.markers import DeliveredSound, Marker, place_markers
from frame2sound.rendering.export.wav_cues import add_cues
from frame2sound.rendering.segment import Segment
from frame2sound.sound.waveform import Waveform, find_peaks
from tests.rendering.events.event_films import corpus_of, stroke
from tests.rendering.export.rendering_events import EVENTS, film_of, render_events
from tests.rendering.foretelling import RATE

UNITS = EventUnits.from_corpus(corpus_of(noise=0.003))


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return film_of(tmp_path_factory.mktemp("films"))


def chunks_of(data):
    """Return the chunks of a RIFF file or list in order."""
    chunks = []
    while data:
        size = struct.unpack("<I", data[4:8])[0]
        chunks.append((data[:4], data[8 : 8 + size]))
        data = data[8 + size + size % 2 :]
    return chunks


def cues_of(path):
    """Return the samples and labels of the cue points of a WAV file."""
    data = path.read_bytes()
    assert data[:4] == b"RIFF"
    assert struct.unpack("<I", data[4:8])[0] == len(data) - 8
    chunks = dict(chunks_of(data[12:]))
    if b"cue " not in chunks:
        return []
    (count,) = struct.unpack("<I", chunks[b"cue "][:4])
    points = list(struct.iter_unpack("<II4sIII", chunks[b"cue "][4:]))
    assert len(points) == count
    assert chunks[b"LIST"][:4] == b"adtl"
    labels = {
        struct.unpack("<I", data[:4])[0]: data[4:].rstrip(b"\0").decode()
        for kind, data in chunks_of(chunks[b"LIST"][4:])
        if kind == b"labl"
    }
    return [(at, labels[number]) for number, at, chunk, *_ in points if chunk == b"data"]


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("segment", [Segment(), Segment(Fraction(9, 10), Fraction(13, 3))])
def test_markers_are_at_the_attacks_in_the_delivered_sound(film, tmp_path, segment):
    exports = Exports(markers=tmp_path / "a.csv")
    made = render_events(film, tmp_path / "a.wav", exports=exports, segment=segment, wav=True)
    render_events(film, tmp_path / "b.wav", [], segment=segment, wav=True)
    sound, bed = (soundfile.read(tmp_path / name)[0] for name in ("a.wav", "b.wav"))
    rows, cues = rows_of(exports.markers), cues_of(tmp_path / "a.wav")
    first = float(segment.start_seconds)
    expected = [event for event in EVENTS if event.time_seconds >= first]
    assert len(rows) == len(cues) == len(expected) == (4 if segment.is_whole else 3)
    for number, (row, event, (sample, label)) in enumerate(zip(rows, expected, cues, strict=True)):
        assert label == row["name"] == f"{number + 1} {event.film}"
        assert int(row["sample"]) == sample
        assert float(row["time_seconds"]) == pytest.approx(sample / RATE, abs=1e-6)
        assert float(row["level_db"]) == event.level_db
        assert row["film"] == event.film
        unit = UNITS.find(event.film, float(row["film_seconds"]))
        own, lead = UNITS.sound(unit), UNITS.lead(unit)
        around = (sound - bed)[sample - lead - 60 :][: len(own) + 120]
        assert np.correlate(around, own).argmax() == 60
    assert cues_of(tmp_path / "b.wav") == []
    assert made.seconds == pytest.approx(len(sound) / RATE, abs=1e-9)


def test_markers_at_another_rate_are_at_the_nearest_sample(film, tmp_path):
    render_events(film, tmp_path / "a.wav", wav=True, sample_rate=96_000)
    at = [sample for sample, _ in cues_of(tmp_path / "a.wav")]
    assert at == [round(round(event.time_seconds * RATE) / RATE * 96_000) for event in EVENTS]


def test_cue_points_leave_the_samples_of_a_file_of_odd_length(tmp_path):
    path, sound = tmp_path / "a.wav", np.linspace(-0.5, 0.5, 35)
    soundfile.write(path, sound, 8000, subtype="PCM_24")
    before = soundfile.read(path, dtype="int32")[0]
    marker = Marker("1 ünde\0r" + "夜" * 100, 7, 8000, Event(0.0))
    add_cues(path, [marker])
    np.testing.assert_array_equal(soundfile.read(path, dtype="int32")[0], before)
    ((sample, label),) = cues_of(path)
    assert sample == 7
    assert label == "1 ünder" + "夜" * 64


def sound_of(seconds, rate=48_000):
    return DeliveredSound(
        Path("x"), rate, 1, Fraction(0), Fraction(seconds), rate, Path("y"), Fraction(30)
    )


def test_a_table_runs_no_formula(film, tmp_path):
    events = [Event(0.5, -14.0, "=1+1")]
    corpus = corpus_of({"=1+1": {0.5: stroke(700)}})
    exports = Exports(markers=tmp_path / "a.csv")
    render_events(film, tmp_path / "a.wav", events, corpus=corpus, exports=exports)
    (row,) = rows_of(exports.markers)
    assert row["film"] == "'=1+1"


def notes_of(path):
    """Return the seconds, notes and velocities of the notes of a file, and their lengths."""
    at, begun, notes = 0.0, {}, []
    for message in mido.MidiFile(path):
        at += message.time
        if message.type == "note_on":
            assert message.note not in begun
            begun[message.note] = len(notes)
            notes.append([at, message.note, message.velocity, None])
        elif message.type == "note_off":
            note = notes[begun.pop(message.note)]
            note[3] = at - note[0]
    assert not begun
    return notes


def test_notes_are_on_time_after_ninety_minutes(tmp_path):
    times = np.sort(np.random.default_rng(0).uniform(0, 5400, 3000))
    events = [Event(float(at), -20.0) for at in times]
    markers = place_markers(events, sound_of(5400))
    midi.write_midi(tmp_path / "a.mid", markers, [None] * len(events))
    found = np.array([note[0] for note in notes_of(tmp_path / "a.mid")])
    assert np.abs(found - times).max() < 0.0002


def test_a_note_has_the_pitch_and_the_level_of_its_event(film, tmp_path):
    strokes = {
        "bells": {0.5: stroke(880, decay=0.3)},
        "drums": {0.4: stroke(262, decay=0.3)},
    }
    exports = Exports(midi=tmp_path / "a.mid")
    events = [*EVENTS[:2], Event(1.05, -30.0, "drums")]
    corpus = corpus_of(strokes)
    render_events(film, tmp_path / "a.wav", events, corpus=corpus, exports=exports)
    notes = notes_of(exports.midi)
    # A level is 40 dB lower where a velocity is a tenth.
    velocities = [round(127 * 10 ** (event.level_db / 40)) for event in events]
    assert [note[1:3] for note in notes] == [
        [81, velocities[0]], [60, velocities[1]], [60, velocities[2]]
    ]  # fmt: skip
    np.testing.assert_allclose([note[0] for note in notes], [0.5, 1.0003, 1.05], atol=0.0005)
    np.testing.assert_allclose([note[3] for note in notes], [0.1, 0.0497, 0.1], atol=0.0006)


def test_noise_has_no_pitch_and_gets_the_fixed_note():
    noise = np.random.default_rng(0).normal(0, 0.1, RATE)
    assert measure_pitch_hz(noise, RATE) is None
    assert midi.note_of(None) == midi.DEFAULT_NOTE
    assert measure_pitch_hz(np.zeros(10), RATE) is None
    tone = stroke(523.25, decay=0.5)
    assert measure_pitch_hz(np.stack([tone, tone], axis=1), RATE) == pytest.approx(523.25, rel=2e-3)


def test_a_missing_package_is_told_before_the_work(film, tmp_path, monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=r'pip install "frame2sound\[exports\]"'):
        render_events(film, tmp_path / "a.wav", exports=Exports(midi=tmp_path / "a.mid"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["markers", "midi"])
def test_a_file_that_exists_is_not_replaced(film, tmp_path, name):
    (tmp_path / "mine").write_text("mine")
    exports = Exports(**{name: tmp_path / "mine"})
    with pytest.raises(SoundtrackError, match="mine exists"):
        render_events(film, tmp_path / "a.wav", exports=exports)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    render_events(film, tmp_path / "a.wav", exports=exports, overwrite=True)
    assert (tmp_path / "mine").stat().st_size > 40


def test_the_waveform_is_that_of_the_sound_that_is_written(film, tmp_path):
    segment = Segment(Fraction(9, 10), Fraction(13, 3))
    film_peaks, wav_peaks = tmp_path / "film.dat", tmp_path / "wav.dat"
    render_events(film, tmp_path / "a.mkv", exports=Exports(waveform=film_peaks), segment=segment)
    render_events(film, tmp_path / "a.wav", exports=Exports(waveform=wav_peaks), segment=segment)
    chunks = [chunk.samples for chunk in FilmReader(tmp_path / "a.mkv", 48_000).audio_chunks()]
    sound, rate = soundfile.read(tmp_path / "a.wav", dtype="float32")
    for path, samples, expected_rate in (
        (film_peaks, np.concatenate(chunks), 48_000),
        (wav_peaks, sound, rate),
    ):
        waveform = Waveform.from_bytes(path.read_bytes())
        assert waveform.sample_rate == expected_rate
        assert np.abs(waveform.peaks - find_peaks([samples]).astype(int)).max() <= 1
    with pytest.raises(SoundtrackError, match=r"wav\.dat exists"):
        render_events(film, tmp_path / "b.wav", exports=Exports(waveform=wav_peaks))
