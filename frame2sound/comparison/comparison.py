"""Running a comparison: every recipe trained with every seed, played, and measured.

Whatever was finished is found again when the same comparison is run again: trained brains,
trainings that were interrupted, and what was measured of each soundtrack.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from frame2sound.brain.brain import Brain
from frame2sound.brain.file import load_brain
from frame2sound.comparison.plan import Entry, Plan
from frame2sound.comparison.players import Player, players
from frame2sound.comparison.records import Record, key_of, measured, read_record, write_record
from frame2sound.comparison.spectrograms import draw_spectrogram
from frame2sound.comparison.stretches import Stretch, stretches
from frame2sound.errors import ComparisonError
from frame2sound.film.excerpts import write_picture, write_sound
from frame2sound.training.checkpoint import checkpoint_path
from frame2sound.training.loop import train
from frame2sound.training.trainer import Report

Show = Callable[[str, float, float | None, str], None]

SHOWN = 6
"""So many stretches of what is held out are kept to be seen and heard."""

MEASURING = 0.02
"""What measuring one stretch is thought to take, where training a brain takes 1."""

ALL = "in all"


@dataclass(frozen=True, eq=False)
class Played:
    """A player, and what was measured of it: one record for each stretch that it could play."""

    player: Player
    records: dict[str, Record]


class Comparison:
    """A comparison in progress.

    Parameters
    ----------
    plan : Plan
    device : str
        As for training.
    show : function
        Is told a task's name, how much is done, of how much, and a note.
    """

    def __init__(self, plan: Plan, device: str = "auto", show: Show = lambda *shown: None) -> None:
        self.plan, self.device, self.show = plan, device, show
        self._done = 0.0

    @cached_property
    def stretches(self) -> list[Stretch]:
        """Return all that is judged.

        Raises
        ------
        ComparisonError
            There is nothing to judge.
        """
        found = list(stretches(self.plan.footage, self.plan.clock))
        if not any(stretch.footage.kind == "held out" for stretch in found):
            raise ComparisonError(
                "what is held out is shorter than a frame, so there is nothing to judge; "
                "pickle a longer film"
            )
        return found

    @cached_property
    def shown(self) -> list[Stretch]:
        """Return which are kept to be heard: some that are held out, and each animation's first."""
        held = [stretch for stretch in self.stretches if stretch.footage.kind == "held out"]
        firsts = [stretch for stretch in held if stretch.number == 1]
        pool = firsts if len(firsts) >= SHOWN else held
        which = np.linspace(0, len(pool) - 1, min(SHOWN, len(pool))).round().astype(int)
        chosen = [pool[number] for number in which]
        return chosen + [
            stretch
            for stretch in self.stretches
            if stretch.footage.kind == "animation" and stretch.number == 1
        ]

    def check(self) -> None:
        """Raise `ComparisonError` if there is nothing to judge."""
        assert self.stretches

    def run(self) -> list[Played]:
        """Train, play and measure what is not there yet; return everybody's records.

        Raises
        ------
        ComparisonError
            A brain in the folder was made in another way.
        Frame2SoundError
            Training, playing or writing failed.
        KeyboardInterrupt
            After the state of a training was saved; what was finished is kept.
        """
        todo = [pair for pair in self._pairs() if not self._trained(*pair)]
        some = [self.plan.seeds * len(self.plan.entries), len(self.stretches)]
        self._total = len(todo) + MEASURING * (some[0] + 6) * some[1]
        for entry, seed in todo:
            self._train(entry, seed)
        for stretch in self.shown:
            self._picture(stretch)
        played = [self._play(player) for player in players(self.plan, self.device)]
        self.show(ALL, self._total, self._total, "")
        return played

    def _pairs(self) -> list[tuple[Entry, int]]:
        return [(entry, seed) for entry in self.plan.entries for seed in range(self.plan.seeds)]

    def _advance(self, by: float, part: float = 0.0) -> None:
        self._done += by
        self.show(ALL, min(self._done + part, self._total), self._total, "")

    def _trained(self, entry: Entry, seed: int) -> bool:
        """Whether a brain is there, whole, and made as it should be."""
        path = self.plan.brain(entry, seed)
        if checkpoint_path(path).exists() or not path.exists():
            return False
        self._check(load_brain(path), entry, seed, path)
        return True

    def _check(self, brain: Brain, entry: Entry, seed: int, path: Path) -> None:
        remedy = "use another --out, or begin anew with --overwrite"
        films = [(film.name, film.card.digest) for film in self.plan.parted.learned.films()]
        learned = [(film["name"], film["digest"]) for film in brain.provenance.get("films", [])]
        for what, got, expected in (
            ("recipe", brain.recipe, entry.recipe),
            ("seed", brain.provenance.get("seed"), seed),
            ("library", sorted(learned), sorted(films)),
        ):
            if got != expected:
                raise ComparisonError(f"{path} was made with another {what}; {remedy}")

    def _train(self, entry: Entry, seed: int) -> None:
        path, name = self.plan.brain(entry, seed), f"{entry.label}, seed {seed}"

        def report(now: Report) -> None:
            held = "" if now.held_out is None else f"  held out {now.held_out:.3f}"
            note = f"epoch {now.epoch}  loss {now.loss:.3f}{held}"
            self.show(name, now.step, now.steps, note)
            self._advance(0.0, now.step / max(now.steps, 1))

        brain = train(
            self.plan.parted.learned,
            entry.recipe,
            path,
            seed=seed,
            device=self.device,
            resume=checkpoint_path(path).exists(),
            report=report,
        )
        self.show(name, 1, 1, f"{brain.provenance['epochs']} epochs")
        self._advance(1.0)

    def _play(self, player: Player) -> Played:
        records = {}
        for stretch in self.stretches:
            if stretch.held.own is not None or player.kind != "control":
                records[stretch.name] = self._record(player, stretch)
            self._advance(MEASURING)
        return Played(player, records)

    def _record(self, player: Player, stretch: Stretch) -> Record:
        """Find what was measured, or play and measure it."""
        path = self.plan.out / "figures" / stretch.name / f"{player.name}.json"
        key = key_of(player.identity, stretch.identity())
        sound, picture = self.media(player, stretch)
        if stretch not in self.shown or (sound.exists() and picture.exists()):
            found = read_record(path, key)
            if found is not None:
                return found
        played = player.play(stretch)
        assert played is not None
        record = measured(played, stretch)
        if stretch in self.shown:
            rate = stretch.clock.sample_rate
            plain = played[stretch.lead_samples :]
            write_sound(plain, rate, sound)
            draw_spectrogram(plain, rate, picture, self._loudest(stretch))
        write_record(record, key, path)
        return record

    def _loudest(self, stretch: Stretch) -> float | None:
        """Return the brightest level in a stretch's spectrograms, if its own sound is known."""
        if stretch not in self._levels and stretch.own is not None:
            own = stretch.own[stretch.lead_samples :]
            path = self.plan.out / "media" / stretch.name / "own.webp"
            self._levels[stretch] = draw_spectrogram(own, stretch.clock.sample_rate, path)
        return self._levels.get(stretch)

    @cached_property
    def _levels(self) -> dict[Stretch, float]:
        return {}

    def media(self, player: Player, stretch: Stretch) -> tuple[Path, Path]:
        """Return where a soundtrack and its spectrogram are, for stretches that are shown."""
        folder = self.plan.out / "media" / stretch.name
        return folder / f"{player.name}.m4a", folder / f"{player.name}.webp"

    def picture(self, stretch: Stretch) -> Path:
        """Return where a shown stretch's picture is."""
        return self.plan.out / "media" / stretch.name / "picture.mp4"

    def _picture(self, stretch: Stretch) -> None:
        path = self.picture(stretch)
        if not path.exists():
            write_picture(stretch.frames()[stretch.run_up :], stretch.clock.fps, path)
