"""Renders a film with events that are known, for tests of what is written beside it."""

from fractions import Fraction

from frame2sound.film.decoding.reader import FilmReader
from frame2sound.rendering.events.event_list import Event
from frame2sound.rendering.export.exports import Exports
from frame2sound.rendering.render import Delivery, Style, render
from frame2sound.rendering.segment import WHOLE
from frame2sound.rendering.style import DEFAULT_CLOUD
from tests.media_files import H264, grey_pictures, make_film
from tests.rendering.events.event_films import corpus_of
from tests.rendering.foretelling import Foreteller

EVENTS = tuple(
    Event(at, level_db, film)
    for at, level_db, film in (
        (0.5, -14.0, "bells"),
        (1.0003, -20.0, "drums"),
        (2.2, -14.0, "bells"),
        (4.1, -26.0, "drums"),
    )
)


def film_of(folder, fps=30, seconds=6):
    frames = grey_pictures([200] * round(seconds * fps))
    return make_film(folder / "film.mp4", frames, fps=Fraction(fps), encoding=H264)


def render_events(film, out, events=EVENTS, *, segment=WHOLE, mode="mosaic", seed=1, stereo="no",
                  corpus=None, exports=None, cloud=DEFAULT_CLOUD, grains="on-time",
                  **delivery):  # fmt: skip
    style = Style(mode, events=tuple(events), seed=seed, stereo=stereo, cloud=cloud, grains=grains)
    return render(
        FilmReader(film),
        Foreteller(),
        out,
        style,
        Delivery(**delivery),
        corpus=corpus_of(noise=0.003) if corpus is None else corpus,
        segment=segment,
        exports=exports or Exports(),
    )
