"""Messages in and out of live playing: OSC over UDP, and MIDI notes."""

from __future__ import annotations

import math
import re
from contextlib import suppress
from threading import Thread
from typing import Any, Protocol

from frame2sound.errors import SoundtrackError
from frame2sound.extras import import_extra
from frame2sound.live.controls import CONTROL_NAMES
from frame2sound.live.engine import LiveEngine, LiveEvent

ROOT = "/frame2sound"
"""The first part of every OSC address."""

LOOPBACK = "127.0.0.1"
"""Without a host, messages come from and go to this machine alone."""

MIDI_NOTE, MIDI_FLOOR_DB, NOTE_SECONDS = 60, -60.0, 0.1
"""The note of events, the level of velocity 1, and how long a note is held."""

_ADDRESS = re.compile(r"(?:(?P<host>[\w.-]{1,253}):)?(?P<port>\d{1,5})")


class EventListener(Protocol):
    """Is told of events before they sound."""

    def event(self, event: LiveEvent, latency_seconds: float) -> None:
        """Take in an event, and how long ago its frame arrived."""

    def tick(self, seconds: float) -> None:
        """Take in the time, with each frame."""

    def close(self) -> None:
        """End."""


def parse_address(parameter: str, text: str) -> tuple[str, int]:
    """Return the host and the port of ``[HOST:]PORT``.

    >>> parse_address("osc_out", "9001"), parse_address("osc_out", "10.0.0.2:9001")
    (('127.0.0.1', 9001), ('10.0.0.2', 9001))

    Raises
    ------
    SoundtrackError
        It has another form.
    """
    match = _ADDRESS.fullmatch(text.strip())
    if match is None or not 1 <= int(match["port"]) <= 65535:
        raise SoundtrackError(
            f"got `{parameter}={text}`, expected PORT or HOST:PORT, the port from 1 to 65535"
        )
    return match["host"] or LOOPBACK, int(match["port"])


class OscReceiver:
    """Sets the controls of an engine by OSC, in a thread of its own.

    Each control has the address ``/frame2sound/NAME`` and takes one number. Other messages, and
    what is no number, are ignored.

    Raises
    ------
    SoundtrackError
        The port is in use.
    MissingPackageError
        python-osc is not installed.
    """

    def __init__(self, engine: LiveEngine, address: str, now: Any) -> None:
        server = import_extra("pythonosc.osc_server", "live", "`osc_in`")
        dispatcher = import_extra("pythonosc.dispatcher", "live", "`osc_in`").Dispatcher()
        self._engine, self._now = engine, now
        for name in CONTROL_NAMES:
            dispatcher.map(f"{ROOT}/{name}", self._set)
        dispatcher.map(f"{ROOT}/trigger", self._trigger)
        host, port = parse_address("osc_in", address)
        try:
            self._server = server.BlockingOSCUDPServer((host, port), dispatcher)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise SoundtrackError(
                f"got `osc_in={address}`, expected a port that is free ({reason}); choose another"
            ) from error
        self._server.handle_error = _ignore
        self._thread = Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _set(self, address: str, *values: Any) -> None:
        value = _number(values)
        if value is not None:
            self._engine.set_control(address.rpartition("/")[2], value)

    def _trigger(self, address: str, *values: Any) -> None:
        level_db = _number(values)
        self._engine.trigger(-20.0 if level_db is None else level_db, self._now())


class OscSender:
    """Sends each event as an OSC bundle.

    ``/frame2sound/event`` has the seconds since the start, the level in dBFS, the latency from the
    frame's arrival to this message in ms, and the delay until it sounds in ms.

    Raises
    ------
    SoundtrackError
        There is no such host.
    MissingPackageError
        python-osc is not installed.
    """

    def __init__(self, address: str, delay_seconds: float) -> None:
        client = import_extra("pythonosc.udp_client", "live", "`osc_out`")
        self._bundles = import_extra("pythonosc.osc_bundle_builder", "live", "`osc_out`")
        self._messages = import_extra("pythonosc.osc_message_builder", "live", "`osc_out`")
        self._delay_seconds = delay_seconds
        host, port = parse_address("osc_out", address)
        try:
            self._client = client.UDPClient(host, port)
        except OSError as error:
            raise SoundtrackError(
                f"got `osc_out={address}`, expected a host that can be reached; check its name"
            ) from error

    def event(self, event: LiveEvent, latency_seconds: float) -> None:
        """Send an event."""
        numbers = (event.time_seconds, event.level_db, 1e3 * latency_seconds,
                   1e3 * self._delay_seconds)  # fmt: skip
        self._send("event", numbers)

    def tick(self, seconds: float) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing: what was sent is sent."""

    def _send(self, name: str, numbers: tuple[float, ...]) -> None:
        message = self._messages.OscMessageBuilder(f"{ROOT}/{name}")
        for number in numbers:
            message.add_arg(float(number), "f")
        bundle = self._bundles.OscBundleBuilder(self._bundles.IMMEDIATELY)
        bundle.add_content(message.build())
        with suppress(OSError):  # nobody listens
            self._client.send(bundle.build())


class MidiSender:
    """Plays a note for each event, its velocity by the level.

    Parameters
    ----------
    name : str
        The port, or ``virtual`` for a new one, to which other programs connect.

    Raises
    ------
    SoundtrackError
        There is no such port.
    MissingPackageError
        mido or python-rtmidi is not installed.
    """

    def __init__(self, name: str) -> None:
        self._mido = import_extra("mido", "live", "`midi_out`")
        self._sounds_until: float | None = None
        try:
            self._port = self._open(name)
        except (OSError, ImportError, RuntimeError, SystemError) as error:
            reason = " ".join(str(error).split())
            raise SoundtrackError(
                f"got `midi_out={name}`, expected a MIDI port of this machine ({reason}); connect "
                "one, or leave it out"
            ) from error

    def _open(self, name: str) -> Any:
        from frame2sound.live.pyo_server import quiet_stderr

        with quiet_stderr():
            if name == "virtual":
                return self._mido.open_output("frame2sound", virtual=True)
            return self._mido.open_output(name)

    def event(self, event: LiveEvent, latency_seconds: float) -> None:
        """Send the note of an event; one that still sounds ends before."""
        self._end_note()
        self._send("note_on", velocity_of(event.level_db))
        self._sounds_until = event.time_seconds + NOTE_SECONDS

    def tick(self, seconds: float) -> None:
        """End a note that has been held long enough."""
        if self._sounds_until is not None and seconds >= self._sounds_until:
            self._end_note()

    def close(self) -> None:
        """End the last note, and close the port."""
        self._end_note()
        self._port.close()

    def _end_note(self) -> None:
        if self._sounds_until is not None:
            self._sounds_until = None
            self._send("note_off", 0)

    def _send(self, kind: str, velocity: int) -> None:
        self._port.send(self._mido.Message(kind, note=MIDI_NOTE, velocity=velocity))


def velocity_of(level_db: float) -> int:
    """Return the MIDI velocity of a level: 127 at full scale, 1 from -60 dBFS down.

    >>> velocity_of(0), velocity_of(-30), velocity_of(-90)
    (127, 64, 1)
    """
    return max(1, min(127, round(127 - 126 * level_db / MIDI_FLOOR_DB)))


def _number(values: tuple[Any, ...]) -> float | None:
    """Return the number of a message that is one."""
    if len(values) != 1 or isinstance(values[0], bool) or not isinstance(values[0], int | float):
        return None
    number = float(values[0])
    return number if math.isfinite(number) else None


def _ignore(request: object, address: object) -> None:
    """Ignore a message that cannot be read."""
