"""Set up live playing, run it, and report what was counted."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from frame2sound.api.brains import load_brain
from frame2sound.api.live_options import LiveOptions
from frame2sound.api.live_records import LiveResult
from frame2sound.api.parameters import setting_texts
from frame2sound.api.records import plain_values
from frame2sound.atomic import atomic_write, defer_interrupt
from frame2sound.brain.brain import Brain
from frame2sound.brain.corpus import Corpus, CorpusPointer
from frame2sound.brain.pretrained import find_brain
from frame2sound.errors import SoundtrackError
from frame2sound.live.controls import parse_controls
from frame2sound.live.engine import BLOCK_SAMPLES, SAMPLE_RATE, LiveEngine, PlayedEvent
from frame2sound.live.frame_sources import (
    CameraFrames,
    FrameSource,
    LiveFrame,
    ScreenFrames,
    film_frames,
)
from frame2sound.live.live_corpus import LiveCorpus
from frame2sound.live.messages import EventListener, MidiSender, OscReceiver, OscSender
from frame2sound.live.pyo_output import PyoOutput
from frame2sound.live.real_time import raise_other_threads, without_hesitation
from frame2sound.live.recorders import open_recorders
from frame2sound.live.session import CardClock, LiveSession, OfflineClock, Samples
from frame2sound.rendering.events.event_list import Event, write_events
from frame2sound.threads import one_thread_per_operation

if TYPE_CHECKING:
    from frame2sound.library.store import Library
    from frame2sound.progress import ProgressCallback


class Performance:
    """A source, a brain with its corpus, and all that listens."""

    def __init__(
        self,
        film: Path | None,
        brain: Brain | str | PathLike[str],
        corpus: Library | Corpus | str | PathLike[str] | None,
        options: LiveOptions,
    ) -> None:
        self.options = options
        controls = parse_controls(setting_texts(options.controls))
        self.brain_name = brain.recipe.name if isinstance(brain, Brain) else Path(brain).stem
        self.brain = brain if isinstance(brain, Brain) else load_brain(find_brain(Path(brain)))
        self.source = self._open_source(film)
        live_corpus = LiveCorpus(self._corpus(corpus), self.brain, SAMPLE_RATE, options.seed)
        self.engine = LiveEngine(
            self.brain,
            live_corpus,
            self.source.fps,
            delay_seconds=options.delay_ms / 1e3,
            controls=controls,
            seed=options.seed,
        )
        self.events: list[Event] = []
        self._last_report = 0.0

    def run(self, on_progress: ProgressCallback) -> LiveResult:
        """Play, and return what was counted; files appear at the end."""
        options, engine = self.options, self.engine
        with ExitStack() as ending, ExitStack() as stack:
            stack.enter_context(one_thread_per_operation())
            recorders = stack.enter_context(
                open_recorders(
                    options.record, options.record_picture, SAMPLE_RATE, self.source.fps,
                    overwrite=options.overwrite,
                )
            )  # fmt: skip
            listeners = [stack.enter_context(_closing(each)) for each in self._listeners()]

            def on_block(block: Samples, first_sample: int, seconds: float) -> None:
                if recorders.sound is not None:
                    recorders.sound.add(block)
                session.on_block(first_sample, len(block), seconds)

            def on_frame(frame: LiveFrame, sample: int, played: PlayedEvent | None) -> None:
                if recorders.pictures is not None and frame.full is not None:
                    recorders.pictures.add(frame.full, sample)
                if session.counts.frames == 1 and not options.offline:
                    raise_other_threads()
                self._keep(played)
                self._report(on_progress, session, output)

            limit = math.inf if options.max_seconds is None else options.max_seconds
            session = LiveSession(engine, self.source, listeners, on_frame, limit)
            output = PyoOutput(engine.read, SAMPLE_RATE, BLOCK_SAMPLES, on_block)
            started = time.perf_counter(), time.process_time()
            self._play(session, output, on_block, stack)
            elapsed, cpu = time.perf_counter() - started[0], time.process_time() - started[1]
            if self.source.failure is not None and not session.counts.frames:
                raise self.source.failure
            ending.enter_context(defer_interrupt())  # what was heard is kept
        result = self._result(session, output, 100 * cpu / max(elapsed, 1e-9))
        return self._write(result, recorders.failures)

    def _play(
        self,
        session: LiveSession,
        output: PyoOutput,
        on_block: Callable[[Samples, int, float], None],
        stack: ExitStack,
    ) -> None:
        offline = OfflineClock(self.engine, on_block)
        clock: OfflineClock | CardClock = offline
        if not self.options.offline:
            stack.enter_context(without_hesitation())
            stack.enter_context(output)
            output.start(self.options.audio)
            clock = CardClock(output)
        if self.options.osc_in is not None:
            receiver = OscReceiver(self.engine, self.options.osc_in, clock.arrival_sample)
            stack.enter_context(_closing(receiver))
        session.run(clock)
        session.drain(clock)
        output.close()

    def _open_source(self, film: Path | None) -> FrameSource:
        options, colour = self.options, self.brain.colour
        if film is not None:
            return film_frames(film, colour=colour, is_loop=options.loop)
        if options.camera is not None:
            return CameraFrames(options.camera, colour=colour, fps=options.fps)
        assert options.screen is not None
        return ScreenFrames(options.screen, colour=colour, fps=options.fps or 30.0)

    def _corpus(self, corpus: Library | Corpus | str | PathLike[str] | None) -> Corpus:
        found: Corpus | CorpusPointer | None = self.brain.corpus
        if isinstance(corpus, Corpus):
            return corpus
        if corpus is not None:
            from frame2sound.api.library import open_library
            from frame2sound.library.corpus import read_corpus

            loudness = self.brain.recipe.training.loudness
            return read_corpus(open_library(corpus), self.brain.clock, loudness=loudness)
        if isinstance(found, CorpusPointer):
            from frame2sound.library.corpus import load_corpus

            found = load_corpus(found, self.brain.clock)
        if found is None:
            raise SoundtrackError(
                "the brain has no sound of its films to play; give a library as `corpus`, or train "
                "it with `corpus` carry"
            )
        return found

    def _listeners(self) -> Iterator[EventListener]:
        """Yield what is told of events: MIDI and OSC leave before the sound is made."""
        options = self.options
        if options.midi_out is not None:
            yield MidiSender(options.midi_out)
        if options.osc_out is not None:
            yield OscSender(options.osc_out, self.engine.delay / SAMPLE_RATE)

    def _keep(self, played: PlayedEvent | None) -> None:
        if played is not None and self.options.events_out is not None:
            seconds = played.onset_sample / SAMPLE_RATE
            self.events.append(
                Event(seconds, played.level_db, played.film, round(played.film_seconds, 6))
            )

    def _report(
        self, on_progress: ProgressCallback, session: LiveSession, output: PyoOutput
    ) -> None:
        """Show the delay and the dropouts, a few times a second."""
        now = time.perf_counter()
        if now - self._last_report < 0.25:
            return
        self._last_report = now
        note = (
            f"{session.counts.events} events, known after "
            f"{session.event_latency.percentile_ms(99):.1f} ms, {output.dropouts} dropouts"
        )
        on_progress(self.source.name, self.engine.position / SAMPLE_RATE, None, note)

    def _result(self, session: LiveSession, output: PyoOutput, cpu_percent: float) -> LiveResult:
        engine, counts, failure = self.engine, session.counts, self.source.failure
        return LiveResult(
            source=self.source.name,
            brain=self.brain_name,
            audio="offline" if self.options.offline else output.audio,
            seconds=engine.position / SAMPLE_RATE,
            sample_rate=SAMPLE_RATE,
            block_samples=BLOCK_SAMPLES,
            delay_ms=1e3 * engine.delay / SAMPLE_RATE,
            frames=counts.frames,
            skipped_frames=self.source.skipped,
            events=counts.events,
            late_events=counts.late_events,
            dropouts=output.dropouts,
            clipped_blocks=engine.clipped_blocks,
            event_latency=session.event_latency.summary(),
            frame_time=session.frame_time.summary(),
            sound_delay=session.sound_delay.summary(),
            cpu_percent=round(cpu_percent, 1),
            notes=() if failure is None else (f"it ended early: {failure}",),
        )

    def _write(self, result: LiveResult, failures: dict[str, str]) -> LiveResult:
        """Write events and report, and return the result; raise if any output has failed."""
        outputs = self.options.outputs
        for name, write in (("events_out", self._write_events), ("report", self._write_report)):
            written = tuple(path for each, path in outputs.items() if each not in failures)
            told = (*result.notes, *failures.values())
            try:
                write(replace(result, recorded=written, notes=told))
            except SoundtrackError as error:
                failures[name] = str(error)
        kept = [path for name, path in outputs.items() if name not in failures]
        if failures:
            all_kept = f"kept {', '.join(map(str, kept))}" if kept else "nothing else was written"
            raise SoundtrackError("; ".join([*failures.values(), all_kept]))
        return replace(result, recorded=tuple(kept))

    def _write_events(self, result: LiveResult) -> None:
        if self.options.events_out is not None:
            write_events(self.options.events_out, self.events, overwrite=self.options.overwrite)

    def _write_report(self, result: LiveResult) -> None:
        path = self.options.report
        if path is not None:
            text = json.dumps(plain_values(result.to_dict()), indent=1) + "\n"
            with atomic_write(path, SoundtrackError, overwrite=self.options.overwrite) as partial:
                partial.write_text(text, encoding="utf-8")


@contextmanager
def _closing(thing: EventListener | OscReceiver) -> Iterator[EventListener]:
    try:
        yield thing  # type: ignore[misc]
    finally:
        thing.close()
