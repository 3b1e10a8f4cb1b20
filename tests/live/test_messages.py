"""OSC in and out, and MIDI out."""

import socket
import time

import pytest
from pythonosc.osc_bundle import OscBundle
from pythonosc.udp_client import SimpleUDPClient

from frame2sound.errors import MissingPackageError, SoundtrackError
from frame2sound.live.controls import CONTROL_NAMES, Controls
from frame2sound.live.engine import LiveEngine, LiveEvent
from frame2sound.live.messages import (
    MIDI_NOTE,
    MidiSender,
    OscReceiver,
    OscSender,
    parse_address,
    velocity_of,
)
from tests.live.playing import brain, clicks


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition):
    for _ in range(200):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")


def test_every_control_has_an_address_and_nonsense_is_ignored():
    engine, port = LiveEngine(brain(), clicks(), 30), free_port()
    receiver = OscReceiver(engine, str(port), lambda: 480)
    client = SimpleUDPClient("127.0.0.1", port)
    try:
        for name in CONTROL_NAMES:
            about = Controls.__dataclass_fields__[name].metadata
            client.send_message(f"/frame2sound/{name}", float(about["high"]))
        wait_for(lambda: engine.controls.mute == 1)
        for name in CONTROL_NAMES:
            assert (
                getattr(engine.controls, name)
                == Controls.__dataclass_fields__[name].metadata["high"]
            )
        for wrong in ("loud", float("nan"), True, [1.0, 2.0], []):
            client.send_message("/frame2sound/gain", wrong)
        client.send_message("/frame2sound/delete", 1.0)
        client._sock.sendto(b"/frame2sound/gain\0\0\0,f\0\0\1", ("127.0.0.1", port))
        client.send_message("/frame2sound/gain", -1000)
        wait_for(lambda: engine.controls.gain == -60)
        client.send_message("/frame2sound/trigger", -12.0)
        wait_for(lambda: engine.pending > 480)
        with pytest.raises(SoundtrackError, match="a port that is free"):
            OscReceiver(engine, str(port), lambda: 0)
    finally:
        receiver.close()


def test_an_event_is_sent_with_its_time_level_latency_and_delay():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(5)
        sender = OscSender(f"localhost:{listener.getsockname()[1]}", 0.012)
        sender.event(LiveEvent(2.5, -18.0), 0.004)
        bundle = OscBundle(listener.recv(1000))
    (message,) = list(bundle)
    assert message.address == "/frame2sound/event"
    assert list(message) == pytest.approx([2.5, -18.0, 4.0, 12.0])


class Port:
    def __init__(self):
        self.sent, self.is_open = [], True

    def send(self, message):
        self.sent.append((message.type, message.note, message.velocity))

    def close(self):
        self.is_open = False


def test_an_event_is_a_note_that_ends(monkeypatch):
    import mido

    port, asked = Port(), []
    monkeypatch.setattr(
        mido, "open_output", lambda name, **more: asked.append((name, more)) or port
    )
    sender = MidiSender("virtual")
    assert asked == [("frame2sound", {"virtual": True})]
    sender.event(LiveEvent(1.0, -30.0), 0.0)
    sender.tick(1.05)
    assert port.sent == [("note_on", MIDI_NOTE, 64)]
    sender.tick(1.1)
    sender.tick(1.2)
    assert port.sent[1:] == [("note_off", MIDI_NOTE, 0)]
    sender.event(LiveEvent(2.0, 0.0), 0.0)
    sender.event(LiveEvent(2.07, -60.0), 0.0)
    sender.close()
    assert port.sent[2:] == [
        ("note_on", MIDI_NOTE, 127),
        ("note_off", MIDI_NOTE, 0),
        ("note_on", MIDI_NOTE, 1),
        ("note_off", MIDI_NOTE, 0),
    ]
    assert not port.is_open


def test_a_port_that_is_not_there_is_one_line(monkeypatch):
    import mido

    def fail(name, **more):
        raise OSError("unknown port 'nowhere'")

    monkeypatch.setattr(mido, "open_output", fail)
    with pytest.raises(SoundtrackError, match=r"midi_out=nowhere.*unknown port"):
        MidiSender("nowhere")


def test_addresses_and_velocities():
    assert parse_address("osc_in", "0.0.0.0:80") == ("0.0.0.0", 80)
    for wrong in ("", "0", "65536", "a b:1", "host:", "-1", "1.5"):
        with pytest.raises(SoundtrackError, match="HOST:PORT"):
            parse_address("osc_in", wrong)
    assert [velocity_of(level) for level in (24, -120, -6)] == [127, 1, 114]


def test_a_missing_package_is_named_with_what_installs_it(monkeypatch):
    monkeypatch.setattr("frame2sound.extras.find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=r'pythonosc.*pip install "frame2sound\[live\]"'):
        OscSender("9000", 0.01)
