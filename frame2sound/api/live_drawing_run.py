"""Set up drawing live, run it, and report what was counted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from frame2sound.api.live_drawing_options import LiveDrawingOptions
from frame2sound.api.live_drawing_records import LiveDrawingResult
from frame2sound.api.records import plain_values
from frame2sound.atomic import atomic_folder, atomic_write, defer_interrupt
from frame2sound.carriers.sound_input import open_sound
from frame2sound.errors import SynaesthesiaError
from frame2sound.live.pyo_input import PyoInput
from frame2sound.live.real_time import without_hesitation
from frame2sound.live.system_clock import SystemClock
from frame2sound.progress import ProgressCallback
from frame2sound.synaesthesia.live_drawing import Listener, LiveDrawing, LiveStrokes
from frame2sound.synaesthesia.live_windows import (
    HALF_WINDOW,
    LiveWindow,
    NoClock,
    card_windows,
    file_windows,
)
from frame2sound.synaesthesia.moving_drawing import MovingDrawing
from frame2sound.synaesthesia.svg_writer import stroke_paths, stroke_svg
from frame2sound.threads import one_thread_per_operation

CARD = "sound card"

REPORT_SECONDS = 0.25
"""How often progress is reported."""


def run_live_drawing(
    options: LiveDrawingOptions,
    drawing: MovingDrawing,
    voices: int,
    on_drawing: Listener | None,
    on_progress: ProgressCallback,
) -> LiveDrawingResult:
    """Draw until it ends, and return what was counted; files appear at the end."""
    with ExitStack() as stack:
        stack.enter_context(one_thread_per_operation())
        source = _Source(options, stack)
        listeners = list(_outputs(options, source, stack))
        listeners += [] if on_drawing is None else [on_drawing]
        session = LiveDrawing(drawing, options.fps, listeners)
        listeners.append(_reporter(session, source.name, on_progress))
        stroke_paths(drawing.warm_up())
        stack.enter_context(without_hesitation())
        started = time.perf_counter(), time.process_time()
        with suppress(KeyboardInterrupt):  # the way in which listening without end does end
            source.wait()
            started = time.perf_counter(), time.process_time()
            session.run(source.windows(), options.max_seconds)
        elapsed, cpu = time.perf_counter() - started[0], time.process_time() - started[1]
    result = _result(options, source, session, voices, 100 * cpu / max(elapsed, 1e-9))
    _write_report(options, result)
    return result


class _Source:
    """What is drawn: a file, or what comes into the sound card."""

    def __init__(self, options: LiveDrawingOptions, stack: ExitStack) -> None:
        self._fps, self._offline = options.fps, options.offline
        self._sound = self._card = None
        if options.sound is None:
            self._card = stack.enter_context(PyoInput(options.audio))
            self.name, self.audio = CARD, self._card.audio
        else:
            self._sound = open_sound(options.sound)
            self.name = options.sound.name
            self.audio = "offline" if self._offline else "file"
        self.wait: Callable[[], object] = lambda: None
        """Waits until the sound may begin."""

    @property
    def lost_samples(self) -> int:
        return 0 if self._card is None else self._card.lost_samples

    def windows(self) -> Iterator[LiveWindow]:
        """Yield the windows as they come."""
        if self._card is not None:
            self._card.forget()
            yield from card_windows(self._card, self._fps)
        if self._sound is not None:
            clock = NoClock() if self._offline else SystemClock()
            yield from file_windows(self._sound, self._fps, clock)


def _outputs(options: LiveDrawingOptions, source: _Source, stack: ExitStack) -> Iterator[Listener]:
    """Yield what shows and what keeps drawings."""
    if not options.offline:
        from frame2sound.web.live_page import open_live_page

        page = stack.enter_context(
            open_live_page(
                source.name,
                options.sound,
                port=options.port,
                browser=options.browser,
                on_ready=options.on_ready,
            )
        )
        if options.sound is not None:
            source.wait = page.wait_for_viewer
        yield lambda drawn: page.show(float(drawn.middle_seconds), stroke_paths(drawn.strokes))
    if options.record is not None:
        yield stack.enter_context(_recorder(options.record))


@contextmanager
def _recorder(folder: Path) -> Iterator[Listener]:
    """Yield what writes an SVG a frame into a new folder, which appears at the end."""
    with atomic_folder(folder, SynaesthesiaError) as partial:

        def record(drawn: LiveStrokes) -> None:
            text = stroke_svg(drawn.strokes)
            with defer_interrupt():
                (partial / f"{drawn.frame:06d}.svg").write_text(text, "utf-8")

        yield record


def _reporter(session: LiveDrawing, name: str, on_progress: ProgressCallback) -> Listener:
    """Return what shows progress, a few times a second."""
    last = 0.0

    def report(drawn: LiveStrokes) -> None:
        nonlocal last
        if (now := time.perf_counter()) - last < REPORT_SECONDS:
            return
        last = now
        note = f"{session.computing.percentile_ms(99):.1f} ms a drawing, {session.skipped} skipped"
        on_progress(name, float(drawn.end_seconds), None, note)

    return report


def _result(
    options: LiveDrawingOptions,
    source: _Source,
    session: LiveDrawing,
    voices: int,
    cpu_percent: float,
) -> LiveDrawingResult:
    return LiveDrawingResult(
        source=source.name,
        audio=source.audio,
        seconds=session.seconds,
        fps=float(options.fps),
        strokes=voices,
        frames=session.frames,
        skipped_frames=session.skipped,
        lost_samples=source.lost_samples,
        delay_ms=1e3 * float(HALF_WINDOW),
        computing=session.computing.summary(),
        processor=session.processor.summary(),
        drawing_delay=session.delay.summary(),
        cpu_percent=round(cpu_percent, 1),
        recorded=options.outputs,
    )


def _write_report(options: LiveDrawingOptions, result: LiveDrawingResult) -> None:
    if options.report is not None:
        text = json.dumps(plain_values(result.to_dict()), indent=1) + "\n"
        with atomic_write(
            options.report, SynaesthesiaError, overwrite=options.overwrite
        ) as partial:
            partial.write_text(text, "utf-8")
