"""Lists of events go out of a rendering and into the next one, which gives the same file."""

from fractions import Fraction

import numpy as np
import pytest
import soundfile

from frame2sound.errors import SoundtrackError
from frame2sound.film.decoding.reader import FilmReader
from frame2sound.rendering.events.event_list import Event, read_events
from frame2sound.rendering.render import Delivery, Style, render
from tests.media_files import H264, grey_pictures, make_film
from tests.rendering.events.event_films import corpus_of
from tests.rendering.foretelling import RATE, Foreteller

EVENTS = tuple(Event(at, -14.0) for at in (0.5, 1.0003, 2.2, 4.1))
TAIL_SECONDS = 1.3
"""How long the filter that removes an offset rings, down to the last bit."""


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    return make_film(
        folder / "film.mp4", grey_pictures([200] * 180), fps=Fraction(30), encoding=H264
    )


def rendered(film, out, events, **delivery):
    """Return the sound of a file, and the events that were written beside it."""
    style = Style("mosaic", events=tuple(events), seed=1)
    corpus, listed = corpus_of(noise=0.003), out.with_suffix(".json")
    delivery = Delivery(wav=True, **delivery)
    result = render(
        FilmReader(film), Foreteller(), out, style, delivery, corpus=corpus, events_out=listed
    )
    assert "events, as given" in result.notes[-1]
    return soundfile.read(out, dtype="int32")[0], read_events(listed)


def test_a_list_that_was_written_gives_the_same_file(film, tmp_path):
    sound, events = rendered(film, tmp_path / "a.wav", EVENTS)
    assert [event.time_seconds for event in events] == [event.time_seconds for event in EVENTS]
    assert all(event.film is not None for event in events)
    again, listed = rendered(film, tmp_path / "b.wav", events)
    np.testing.assert_array_equal(again, sound)
    assert listed == events


@pytest.mark.parametrize("gain_db", [0.0, 12.0])
def test_in_a_file_an_edit_is_local_but_for_the_filters(film, tmp_path, gain_db):
    sound, events = rendered(film, tmp_path / "a.wav", EVENTS, gain_db=gain_db)
    fewer = [events[0], *events[2:]]
    again, _ = rendered(film, tmp_path / "b.wav", fewer, gain_db=gain_db)
    changed = np.flatnonzero(sound != again) / RATE
    assert changed[0] >= 1.0003 - 0.005 - 0.011 * (gain_db > 0)  # the limiter looks ahead
    assert changed[-1] < 1.0003 + 0.6 + TAIL_SECONDS
    # Half a second after the sound, what is left of the filter is the last of 24 bits.
    late = np.abs(sound.astype(np.int64) - again)[round(2.2 * RATE) :]
    assert late.max() <= 256


def test_a_list_that_exists_is_not_replaced(film, tmp_path):
    (tmp_path / "a.json").write_text("mine")
    with pytest.raises(SoundtrackError, match=r"a\.json exists"):
        rendered(film, tmp_path / "a.wav", EVENTS)
    assert not (tmp_path / "a.wav").exists()
    assert (tmp_path / "a.json").read_text() == "mine"
    rendered(film, tmp_path / "a.wav", EVENTS, overwrite=True)
    assert len(read_events(tmp_path / "a.json")) == 4
