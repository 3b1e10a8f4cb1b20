"""Events are added to a bed at exact samples; to edit one changes its own sound alone."""

from dataclasses import replace

import numpy as np
import pytest

from frame2sound.brain.corpus import CorpusPointer
from frame2sound.errors import BrainError, SoundtrackError
from frame2sound.rendering.events.event_list import Event, read_events, write_events
from frame2sound.rendering.events.event_units import EventUnits
from frame2sound.rendering.frame_curves import FrameCurves
from frame2sound.rendering.granular.cloud import Cloud
from frame2sound.rendering.mosaic.mosaic_settings import MosaicSettings
from frame2sound.rendering.style import Style
from frame2sound.sound.onset_detection import detect_onsets, onset_levels_db
from tests.rendering.events.curves import curves_of, strength_at
from tests.rendering.events.event_films import LEFT, RIGHT, corpus_of, decibels, play
from tests.rendering.foretelling import KINDS, RATE, Foreteller

MOSAIC, FRAMES = Style("mosaic"), 120
MODES = {
    "overlap-add": Style("overlap-add"),
    "granular": Style("granular"),
    "wandering": Style("granular", cloud=Cloud(jitter=0.01, spread=1)),
    "mosaic": MOSAIC,
}
UNITS = EventUnits.from_corpus(corpus_of())


def looking(*pictures):
    """Return the appearance of frames that show pictures for equally many frames each."""
    seen = [np.float32(picture).ravel() / 255 for picture in pictures]
    return np.repeat(seen, FRAMES // len(pictures), axis=0)


def curves_with(frames, **settings):
    return curves_of(strength_at(frames, FRAMES), **{"appearance": looking(LEFT)} | settings)


def onset_sample(seconds):
    return round(seconds * RATE)


def extent(event):
    """Return the first sample of an event's unit, and the one after the last."""
    unit = UNITS.find(event.film, event.film_seconds)
    begin = onset_sample(event.time_seconds) - UNITS.lead(unit)
    return begin, begin + len(UNITS.sound(unit))


@pytest.mark.parametrize("batch", [None, 1, 7])
def test_a_unit_is_added_at_the_exact_sample_and_level(batch):
    log = []
    curves = curves_with([30], lead=0.0137, level_db=-18.0)
    sound, _ = play(MOSAIC, Foreteller(), curves, corpus_of(), log=log, batch=batch)
    (event,) = log
    assert event.time_seconds == pytest.approx(1 - 0.0137, abs=1e-12)
    assert (event.level_db, event.film) == (-18.0, "bells")
    unit = UNITS.find(event.film, event.film_seconds)
    own = UNITS.sound(unit) * 10 ** ((-18 - UNITS.levels_db[unit]) / 20)
    begin, end = extent(event)
    np.testing.assert_array_equal(sound[begin:end], own.astype(np.float32))
    assert not sound[:begin].any()
    assert not sound[end:].any()
    assert len(sound) == FRAMES * RATE // 30


@pytest.mark.parametrize("name", MODES)
@pytest.mark.parametrize("kind", ["log-mag", "mel"])
@pytest.mark.parametrize("stereo", ["no", "place"])
def test_every_mode_gives_events_their_time_and_level(name, kind, stereo):
    style = replace(MODES[name], stereo=stereo)
    curves = curves_with([20, 60, 90], level_db=[-16.0] * 40 + [-22.0] * 80)
    sound, renderer = play(style, Foreteller(kind), curves, corpus_of())
    mono = sound.mean(axis=1) * np.sqrt(2) if sound.ndim == 2 else sound
    onsets = detect_onsets(mono, RATE)
    np.testing.assert_allclose(onsets, [20 / 30, 2, 3], atol=0.012)
    if name != "wandering":
        levels = onset_levels_db(mono, RATE, np.array([20 / 30, 2, 3]))
        np.testing.assert_allclose(levels, [-16, -22, -22], atol=2.5)
    assert "3 events, by the motion of the picture" in renderer.summary


@pytest.mark.parametrize("name", MODES)
def test_batches_of_any_size_give_the_same(name):
    random = np.random.default_rng(0)
    curves = curves_of(
        random.exponential(0.6, FRAMES),
        lead=random.uniform(0, 0.2, FRAMES),
        level_db=random.uniform(-40, -12, FRAMES),
        bed_db=random.uniform(-60, -30, FRAMES),
        appearance=looking(LEFT, RIGHT),
    )
    lists, style = [], MODES[name]
    sounds = [
        play(style, Foreteller(), curves, corpus_of(noise=0.001), batch=batch,
             log=lists.append([]) or lists[-1])[0]
        for batch in (None, 1, 13, 64)
    ]  # fmt: skip
    assert len(lists[0]) > 5
    for sound, events in zip(sounds[1:], lists[1:], strict=True):
        # Sums of grains round differently in batches of another size.
        np.testing.assert_allclose(sound, sounds[0], atol=1e-6 * (style.mode == "granular"), rtol=0)
        assert events == lists[0]


def test_events_in_one_scene_sound_of_the_film_that_looks_like_it():
    log = []
    curves = curves_with([20, 40, 80, 100], appearance=looking(LEFT, RIGHT))
    play(MOSAIC, Foreteller(), curves, corpus_of(), log=log)
    assert [event.film for event in log] == ["bells", "bells", "drums", "drums"]


def test_sensitivity_decides_how_many_there_are():
    strength = np.zeros(FRAMES)
    strength[[20, 50, 80]] = 0.5, 1.5, 3.9
    for sensitivity, count in ((0.0, 0), (0.25, 1), (0.5, 2), (0.8, 3)):
        log = []
        style = replace(MOSAIC, sensitivity=sensitivity)
        play(style, Foreteller(), curves_of(strength), corpus_of(), log=log)
        assert len(log) == count


BED = {"bed_db": -40.0, "appearance": looking(LEFT, RIGHT)}


def drawn_events(corpus):
    log = []
    curves = curves_with([15, 40, 43, 70, 100], lead=0.004, **BED)
    sound, _ = play(MOSAIC, Foreteller(), curves, corpus, log=log)
    return curves, log, sound


def given(events, curves, corpus, style=MOSAIC):
    return play(replace(style, events=tuple(events)), Foreteller(), curves, corpus)[0]


def test_a_list_that_was_written_gives_the_same_sound(tmp_path):
    corpus = corpus_of(noise=0.003)
    curves, log, sound = drawn_events(corpus)
    assert len(log) == 5
    write_events(tmp_path / "events.json", log)
    again = given(read_events(tmp_path / "events.json"), curves, corpus)
    np.testing.assert_array_equal(again, sound)


@pytest.mark.parametrize("name", MODES)
def test_a_list_that_was_written_gives_the_same_sound_in_every_mode(tmp_path, name):
    log, corpus, curves = [], corpus_of(noise=0.003), curves_with([15, 40, 70], **BED)
    sound, _ = play(MODES[name], Foreteller(), curves, corpus, log=log)
    write_events(tmp_path / "events.json", log)
    again = given(read_events(tmp_path / "events.json"), curves, corpus, MODES[name])
    np.testing.assert_array_equal(again, sound)


def edited(events, edit):
    if edit == "moved":
        return [*events[:2], replace_event(events[2], time_seconds=2.9), *events[3:]]
    if edit == "deleted":
        return events[:2] + events[3:]
    if edit == "louder":
        return [*events[:2], replace_event(events[2], level_db=-12.0), *events[3:]]
    return sorted([*events, Event(2.01, -20.0)], key=lambda event: event.time_seconds)


def replace_event(event, **changes):
    parts = {name: getattr(event, name) for name in Event.__struct_fields__}
    return Event(**parts | changes)


def test_from_a_time_on_the_events_of_the_brain_follow_a_list():
    corpus = corpus_of(noise=0.003)
    curves, log, sound = drawn_events(corpus)
    until = log[3].time_seconds
    first = [replace_event(log[0], level_db=-30.0), log[2], Event(until + 0.2, -20.0)]
    style = replace(MOSAIC, events=tuple(first), events_until=until)
    for batch in (7, FRAMES):
        played = []
        both, renderer = play(style, Foreteller(), curves, corpus, batch=batch, log=played)
        assert played == [*first[:2], *log[3:]]
        start = round((until - 0.02) * renderer.sample_rate)
        np.testing.assert_array_equal(both[start:], sound[start:])
        assert not np.array_equal(both[:start], sound[:start])
        assert f"as given until {until:g} s, then by the motion" in renderer.summary


@pytest.mark.parametrize("edit", ["moved", "deleted", "added", "louder"])
def test_to_edit_one_event_changes_its_own_samples_alone(edit):
    corpus = corpus_of(noise=0.003)
    curves, log, sound = drawn_events(corpus)
    after, played = edited(log, edit), []
    style = replace(MOSAIC, events=tuple(after))
    again, _ = play(style, Foreteller(), curves, corpus, log=played)
    units = EventUnits.from_corpus(corpus)
    may_change = np.zeros(len(sound), np.bool_)
    for event in [e for e in log if e not in played] + [e for e in played if e not in log]:
        unit = units.find(event.film, event.film_seconds)
        begin = onset_sample(event.time_seconds) - units.lead(unit)
        may_change[max(begin, 0) : begin + len(units.sound(unit))] = True
    assert 0 < may_change.mean() < 0.5
    assert (again != sound)[may_change].mean() > 0.5
    np.testing.assert_array_equal(again[~may_change], sound[~may_change])


def test_an_added_event_is_as_loud_as_the_median_of_the_others():
    curves, levels = curves_with([], **BED), (-30.0, -18.0, -26.0)
    events = [Event(0.5 + i, level, "drums", 1.4) for i, level in enumerate(levels)]
    played = []
    play(
        replace(MOSAIC, events=(*events, Event(3.5))), Foreteller(), curves, corpus_of(), log=played
    )
    assert played[:3] == events
    assert (played[3].level_db, played[3].film) == (-26.0, "drums")  # what the picture shows


def test_events_after_the_end_are_told():
    curves = curves_with([])
    events = (Event(1.0, -20.0), Event(4.0, -20.0), Event(9.0, -20.0))
    _, renderer = play(replace(MOSAIC, events=events), Foreteller(), curves, corpus_of())
    assert renderer.summary.endswith("; 1 event, as given (2 more begin after the end)")


@pytest.mark.parametrize("kind", KINDS)
def test_events_are_played_over_the_usual_soundtrack_where_the_brain_places_none(kind):
    brain = Foreteller(kind)
    usual, renderer = play(MOSAIC, brain, None, brain.corpus, frames=60)
    assert "event" not in renderer.summary
    units = EventUnits.from_corpus(brain.corpus)
    events = (Event(1.0, -16.0, "known", units.film_seconds(1)),)
    style = replace(MOSAIC, events=events)
    sound, renderer = play(style, brain, None, brain.corpus, frames=60)
    assert "1 event, as given" in renderer.summary
    own = units.sound(1) * 10 ** ((-16 - units.levels_db[1]) / 20)
    begin = RATE - units.lead(1)
    added = (sound - usual)[begin : begin + len(own)]
    np.testing.assert_allclose(added, own, atol=1e-6)
    assert (sound == usual)[:begin].all()
    assert (sound == usual)[begin + len(own) :].all()


@pytest.mark.parametrize("name", MODES)
@pytest.mark.parametrize("kind", KINDS)
def test_without_curves_everything_is_as_before(name, kind):
    brain = Foreteller(kind)
    sound, renderer = play(MODES[name], brain, None, brain.corpus, frames=60)
    plain = MODES[name].build_renderer(brain, brain.corpus).plain
    brain._seen = 0
    bounds = brain.clock.sample_bounds(60)
    pictures = np.full((60, 64, 64), 255, np.uint8)
    seen = FrameCurves.from_frames(pictures)
    alone = np.concatenate([plain.process(brain.predict(pictures), bounds, seen), plain.flush()])
    np.testing.assert_array_equal(sound, alone)
    assert "event" not in renderer.summary


@pytest.mark.parametrize("name", ["overlap-add", "granular"])
def test_without_a_corpus_events_have_the_spectrum_that_is_predicted(name):
    time = np.arange(4 * RATE) / RATE
    brain = Foreteller(sound=np.float32(1e-3 * np.sin(2 * np.pi * 1200 * time)))
    log, curves = [], curves_with([30, 75], level_db=-18.0)
    sound, _ = play(MODES[name], brain, curves, None, log=log)
    assert log == [Event(1.0, -18.0), Event(2.5, -18.0)]
    np.testing.assert_allclose(detect_onsets(sound, RATE), [1.0, 2.5], atol=0.012)
    levels = onset_levels_db(sound, RATE, np.array([1.0, 2.5]))
    np.testing.assert_allclose(levels, -18, atol=2.5)
    tone = sound[onset_sample(1.02) : onset_sample(1.2)]
    peak = np.abs(np.fft.rfft(tone * np.hanning(len(tone)))).argmax() * RATE / len(tone)
    assert peak == pytest.approx(1200, abs=30)
    parts = [decibels(sound[onset_sample(1 + at) :][:1000]) for at in (0.1, 0.3)]
    assert parts[0] - parts[1] == pytest.approx(20, abs=4)  # 60 dB in 0.6 s


def test_an_event_sounds_even_where_the_brain_predicts_silence():
    brain = Foreteller(sound=np.zeros(4 * RATE, np.float32))
    sound, _ = play(MODES["overlap-add"], brain, curves_with([30], level_db=-18.0), None)
    assert onset_levels_db(sound, RATE, np.array([1.0])) == pytest.approx(-18, abs=0.5)
    assert np.abs(sound[: RATE - 100]).max() < 1e-6


@pytest.mark.parametrize("name", MODES)
def test_the_bed_has_the_level_that_is_predicted(name):
    bed_db = np.repeat([-30.0, -45.0, -90.0], FRAMES // 3)
    for brain in (Foreteller(), Foreteller(sound=np.zeros(4 * RATE, np.float32))):
        curves = curves_of(np.zeros(FRAMES), bed_db=bed_db)
        sound, _ = play(MODES[name], brain, curves, corpus_of(noise=0.01))
        thirds = [sound[at * RATE // 3 + 3000 : (at + 4) * RATE // 3 - 3000] for at in (0, 4, 8)]
        if name == "wandering":
            thirds = [third * np.sqrt(2) for third in thirds]
        levels = [decibels(third) for third in thirds]
        assert levels[0] == pytest.approx(-30, abs=2)
        assert levels[1] == pytest.approx(-45, abs=2)
        assert levels[2] < -120


def test_the_bed_is_made_of_frames_without_attacks():
    corpus = corpus_of(noise=0.01)
    curves = curves_of(np.zeros(FRAMES), bed_db=-30.0, appearance=looking(LEFT))
    sound, _ = play(MOSAIC, Foreteller(), curves, corpus)
    assert (detect_onsets(sound, RATE) < 0.05).all()
    assert np.abs(sound).max() < 6 * 10 ** (-30 / 20)


def test_options_that_need_events_are_refused_where_the_brain_places_none():
    brain = Foreteller()
    with pytest.raises(SoundtrackError, match=r"`sensitivity` does nothing: .*give .* `events`"):
        play(replace(MOSAIC, sensitivity=0.7), brain, None, brain.corpus, frames=9)
    with pytest.raises(SoundtrackError, match=r"`midi` does nothing: .*places no events"):
        play(MOSAIC, brain, None, brain.corpus, frames=9, needed_by=("`midi`",))
    with pytest.raises(SoundtrackError, match=r"without the sound of films"):
        style = Style("overlap-add", events=(Event(0.1, -20.0),))
        play(style, Foreteller("pcm"), None, None, frames=9)


def test_settings_of_events_are_checked():
    with pytest.raises(SoundtrackError, match=r"got `sensitivity` 1\.5, expected 0 to 1"):
        Style(sensitivity=1.5)
    with pytest.raises(SoundtrackError, match=r"got `sensitivity` nan, expected 0 to 1"):
        Style(sensitivity=float("nan"))
    with pytest.raises(SoundtrackError, match=r"`sensitivity` does nothing with `events`"):
        Style(sensitivity=0.6, events=())
    with pytest.raises(SoundtrackError, match=r"`events_until` does nothing without `events`"):
        Style(events_until=2.0)
    assert Style(sensitivity=0.6, events=(), events_until=2.0).events_until == 2.0


def test_a_library_that_is_gone_leaves_events_to_the_prediction_but_in_a_mosaic():
    curves, pointer = curves_with([30], level_db=-18.0), CorpusPointer("gone", {})
    sound, renderer = play(Style("overlap-add"), Foreteller(), curves, pointer)
    assert onset_levels_db(sound, RATE, np.array([1.0])) == pytest.approx(-18, abs=1)
    assert "; events do not have the films' own sound: the brain's corpus" in renderer.summary
    with pytest.raises(BrainError, match="does not exist"):
        play(MOSAIC, Foreteller(), curves, pointer)


def test_settings_of_the_mosaic_hold_for_events():
    log, curves = [], curves_with([10, 20, 30, 40, 50], level_db=-13.0)
    settings = MosaicSettings(no_repeat_seconds=1.0, films=("bells",), follow_loudness=0.0)
    sound, _ = play(replace(MOSAIC, mosaic=settings), Foreteller(), curves, corpus_of(), log=log)
    assert {event.film for event in log} == {"bells"}
    assert len({event.film_seconds for event in log[:3]}) == 3
    own = {
        event.film_seconds: UNITS.levels_db[UNITS.find("bells", event.film_seconds)]
        for event in log
    }
    for event in log[:3]:
        (level,) = onset_levels_db(sound, RATE, np.array([event.time_seconds]))
        assert level == pytest.approx(own[event.film_seconds], abs=0.7)
