"""The page on rounds through visual tools says what the rounds printed."""

import json

from benchmarks.visual_round import FIGURES, MEDIA, PAGE, ROUNDS, filled
from frame2sound.carriers.tool import check_command


def test_the_page_shows_each_round_as_it_was_run():
    figures = json.loads(FIGURES.read_text(encoding="utf-8"))
    assert list(figures) and set(figures) == {each.name for each in ROUNDS}
    page = PAGE.read_text(encoding="utf-8")
    assert filled(page, figures) == page
    for each in ROUNDS:
        words = each.words()
        check_command(words[words.index("--through") + 1])
        for suffix in (".webp", ".ogg"):
            assert (MEDIA / f"{each.name}{suffix}").stat().st_size > 1000


def test_pictures_and_sounds_of_the_page_are_small():
    assert sum(path.stat().st_size for path in MEDIA.iterdir()) < 1.5e6
