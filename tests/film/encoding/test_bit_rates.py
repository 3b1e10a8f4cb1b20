"""Lossy codecs get the bit rate of their channels."""

import av
import numpy as np
import pytest

from frame2sound.film.encoding.audio_encoder import AudioEncoder
from frame2sound.film.encoding.containers import AUDIO_CODECS

SECONDS, RATE = 4, 48_000


@pytest.mark.parametrize(
    ("name", "channels", "bits"),
    [("aac", 1, 128_000), ("aac", 2, 224_000), ("opus", 1, 128_000), ("opus", 2, 192_000)],
)
def test_noise_takes_the_bits_of_its_channels(tmp_path, name, channels, bits):
    noise = np.random.default_rng(0).normal(0, 0.1, (SECONDS * RATE, channels)).astype(np.float32)
    path = tmp_path / "noise.mp4"
    with av.open(str(path), "w") as target:
        encoder = AudioEncoder(target, AUDIO_CODECS[name], RATE, channels)
        target.start_encoding()
        encoder.write(noise if channels == 2 else noise[:, 0])
        encoder.close()
    with av.open(str(path)) as written:
        size = sum(packet.size for packet in written.demux(audio=0))
    # Encoders follow the rate over seconds, not in each packet.
    assert 8 * size / SECONDS == pytest.approx(bits, rel=0.1)
