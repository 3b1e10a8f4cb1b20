"""Projects for editing programs name files that are there, and events at their frames."""

from __future__ import annotations

import shlex
from fractions import Fraction
from pathlib import Path
from urllib.parse import unquote, urlparse

import numpy as np
import opentimelineio as otio
import pytest
import soundfile

from frame2sound.errors import SoundtrackError
from frame2sound.rendering.events.event_list import Event
from frame2sound.rendering.export.exports import Exports
from frame2sound.rendering.export.markers import DeliveredSound, place_markers
from frame2sound.rendering.export.reaper import item_spans, write_reaper
from frame2sound.rendering.export.stems import Stem
from frame2sound.rendering.export.timeline import write_timeline
from frame2sound.rendering.segment import Segment
from tests.rendering.export.rendering_events import EVENTS, film_of, render_events

RATES = {"23.976": Fraction(24000, 1001), "25": Fraction(25), "29.97": Fraction(30000, 1001)}


def file_of(clip):
    return Path(unquote(urlparse(clip.media_reference.target_url).path))


@pytest.mark.parametrize("name", RATES)
def test_markers_are_frame_exact_after_ninety_minutes(tmp_path, name):
    fps, seconds = RATES[name], Fraction(5400)
    sound = DeliveredSound(
        tmp_path / "a.wav", 48_000, 2, Fraction(0), seconds, 22_050, tmp_path / "f.mov", fps
    )
    frames = [*range(0, int(seconds * fps), 997), 1, 2, 3]
    begun = [Event(float(frame / fps), -20.0) for frame in frames]
    late = [Event(float((frame + Fraction(99, 100)) / fps), -20.0) for frame in frames]
    write_timeline(tmp_path / "a.otio", sound, place_markers([*begun, *late], sound))
    read = otio.adapters.read_from_file(str(tmp_path / "a.otio"))
    found = [marker.marked_range.start_time for marker in read.tracks.markers]
    assert [at.to_frames() for at in found] == frames * 2
    assert {at.rate for at in found} == {float(fps)}
    assert otio.opentime.RationalTime.is_smpte_timecode_rate(found[0].rate)
    names = [marker.name for marker in read.tracks.markers]
    assert len(set(names)) == len(frames) * 2


@pytest.mark.parametrize("stems", [False, True])
@pytest.mark.parametrize("name", RATES)
def test_a_timeline_has_picture_and_sound_of_one_length(tmp_path, name, stems):
    fps = RATES[name]
    film = film_of(tmp_path, fps, seconds=3)
    exports = Exports(otio=tmp_path / "a.otio", stems=tmp_path / "stems" if stems else None)
    start = Fraction(8) / fps
    made = render_events(
        film, tmp_path / "ä b.wav", EVENTS[:3], exports=exports, segment=Segment(start)
    )
    read = otio.adapters.read_from_file(str(exports.otio))
    (picture,), sounds = read.video_tracks()[0], read.audio_tracks()
    assert file_of(picture) == film
    assert picture.source_range.start_time == otio.opentime.RationalTime(8, float(fps))
    count = round(3 * fps) - 8
    assert picture.source_range.duration == otio.opentime.RationalTime(count, float(fps))
    expected = ["bells.wav", "drums.wav"] if stems else ["ä b.wav"]
    assert sorted(file_of(track[0]).name for track in sounds) == expected
    for track in sounds:
        assert file_of(track[0]).exists()
        duration = track[0].source_range.duration
        assert duration.rate == made.sample_rate
        assert duration.value == round(Fraction(count) / fps * made.sample_rate)
    at = [marker.marked_range.start_time.to_frames() for marker in read.tracks.markers]
    assert at == [int(Fraction(event.time_seconds) * fps) - 8 for event in EVENTS[:3]]
    (first, *_) = read.tracks.markers
    assert first.name == "1 bells"
    assert first.metadata["frame2sound"]["level_db"] == -14.0


def test_a_film_that_was_written_is_picture_and_sound(tmp_path):
    film = film_of(tmp_path, seconds=2)
    exports = Exports(otio=tmp_path / "a.otio", reaper=tmp_path / "a.rpp")
    render_events(film, tmp_path / "a.mp4", EVENTS[:1], exports=exports, segment=Segment(0, 1))
    read = otio.adapters.read_from_file(str(exports.otio))
    clips = [read.video_tracks()[0][0], read.audio_tracks()[0][0]]
    assert [file_of(clip) for clip in clips] == [tmp_path / "a.mp4"] * 2
    assert clips[0].source_range.start_time.value == 0
    assert clips[0].source_range.duration.to_frames() == 30
    assert '<SOURCE VIDEO\nFILE "a.mp4"\n' in exports.reaper.read_text()


def parsed(path):
    """Return a Reaper project as nested lists: name, properties and nodes."""
    stack = [["", [], []]]
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("<"):
            stack.append([line[1:], [], []])
        elif line == ">":
            node = stack.pop()
            stack[-1][2].append(node)
        else:
            stack[-1][1].append(shlex.split(line))
    ((name, props, nodes),) = stack[0][2]
    assert len(stack) == 1
    return name, props, nodes


def test_a_reaper_project_has_stems_as_items_and_markers(tmp_path):
    film = film_of(tmp_path)
    exports = Exports(reaper=tmp_path / "a.rpp", stems=tmp_path / "stems")
    made = render_events(film, tmp_path / "a.wav", exports=exports)
    name, props, tracks = parsed(exports.reaper)
    assert name == "REAPER_PROJECT"
    assert props[0] == ["SAMPLERATE", str(made.sample_rate), "1", "0"]
    markers = [each for each in props if each[0] == "MARKER"]
    assert [each[1] for each in markers] == ["1", "2", "3", "4"]
    assert [each[3] for each in markers] == ["1 bells", "2 drums", "3 bells", "4 drums"]
    for marker, event in zip(markers, EVENTS, strict=True):
        assert float(marker[2]) == pytest.approx(event.time_seconds, abs=0.5 / made.sample_rate)
    mix, _ = soundfile.read(tmp_path / "a.wav")
    tracks.sort(key=lambda track: track[1])
    assert [fields for _, fields, _ in tracks] == [[["NAME", "bells"]], [["NAME", "drums"]]]
    names, total, snaps = [], np.zeros_like(mix), {}
    for _, _, items in tracks:
        for _, fields, (source,) in items:
            values = {field: rest for field, *rest in fields}
            times = ("POSITION", "LENGTH", "SOFFS", "SNAPOFFS")
            at, length, offset, snap = (float(values[name][0]) * made.sample_rate for name in times)
            assert np.allclose([at, length, offset], np.rint([at, length, offset]), atol=1e-3)
            played, _ = soundfile.read(tmp_path / source[1][0][1])
            begin, stop = round(at), round(at + length)
            total[begin:stop] += played[round(offset) : round(offset + length)]
            assert source[0] == "SOURCE WAVE"
            assert values["FADEIN"] == values["FADEOUT"] == ["1", "0", "0", "1", "0", "0", "0"]
            names += values["NAME"]
            snaps[values["NAME"][0]] = round(at + snap)
    assert np.abs(total - mix).max() < 10 ** (-90 / 20)
    assert names == ["bells", "1 bells", "3 bells", "drums", "2 drums", "4 drums"]
    for marker in markers:
        assert snaps[marker[3]] == round(float(marker[2]) * made.sample_rate)


def test_without_stems_the_sound_is_one_item(tmp_path):
    exports = Exports(reaper=tmp_path / "a.rpp")
    render_events(film_of(tmp_path), tmp_path / "a.wav", exports=exports)
    ((_, _, (item,)),) = parsed(exports.reaper)[2]
    values = {field: rest for field, *rest in item[1]}
    assert (values["POSITION"], values["LENGTH"]) == (["0.000000000"], ["6.000000000"])
    assert item[2][0][1] == [["FILE", "a.wav"]]


def test_parts_of_a_stem_begin_before_attacks_and_are_the_whole():
    sound = DeliveredSound(
        Path("a.wav"), 1000, 1, Fraction(0), Fraction(1), 1000, Path("f"), Fraction(25)
    )
    times = (0.002, 0.3, 0.302, 0.5, 0.5)
    spans = list(item_spans("x", place_markers([Event(at) for at in times], sound), sound))
    found = [(each.name, each.first, each.end, each.snap) for each in spans]
    assert found == [
        ("1 event", 0, 295, 2), ("2 event", 295, 297, 5), ("3 event", 297, 495, 5),
        ("4 event", 495, 1000, 5),
    ]  # fmt: skip


def test_names_of_films_add_nothing_to_a_project(tmp_path):
    evil = 'x" 0 0\n<TRACK\nNAME "y'
    sound = DeliveredSound(
        tmp_path / "a.wav", 8000, 1, Fraction(0), Fraction(1), 8000, tmp_path, Fraction(25)
    )
    markers = place_markers([Event(0.5, -20.0, evil)], sound)
    write_reaper(tmp_path / "a.rpp", sound, markers, [Stem(evil, tmp_path / "b.wav")])
    _, props, tracks = parsed(tmp_path / "a.rpp")
    assert len(props) == 2
    assert len(tracks) == 1
    write_timeline(tmp_path / "a.otio", sound, place_markers([Event(0.5, -20, "\udce9")], sound))
    read = otio.adapters.read_from_file(str(tmp_path / "a.otio"))
    assert read.tracks.markers[0].name == "1 ?"


@pytest.mark.parametrize("name", ["otio", "reaper"])
def test_a_project_that_exists_is_not_replaced(tmp_path, name):
    (tmp_path / "mine").write_text("mine")
    film = film_of(tmp_path, seconds=1)
    with pytest.raises(SoundtrackError, match="mine exists"):
        render_events(film, tmp_path / "a.wav", [], exports=Exports(**{name: tmp_path / "mine"}))
    assert not (tmp_path / "a.wav").exists()
