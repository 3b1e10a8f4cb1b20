"""What tests of phase share: sounds, and the way from magnitudes to sound."""

import numpy as np

from frame2sound.sound.stft import InverseStft, Stft

RATE = 22050
STFT = Stft(1024, 256)
SECONDS = 6
SAMPLES = SECONDS * RATE
CENTRES = STFT.centres(SAMPLES)
CALM = np.zeros(len(CENTRES), bool)
MIDDLE = slice(RATE // 2, -RATE // 2)


def white(seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, SAMPLES).astype(np.float32)


def held_tone(hz=440.0):
    time = np.arange(SAMPLES) / RATE
    return sum(0.3 / k * np.sin(2 * np.pi * hz * k * time + k) for k in range(1, 9)).astype("f4")


def glide():
    turns = np.cumsum(200 + 200 * np.arange(SAMPLES) / RATE) / RATE
    return (0.3 * np.sin(2 * np.pi * turns) + 0.03 * white()).astype(np.float32)


def magnitude(sound, stft=STFT):
    return stft.magnitude(sound, stft.centres(SAMPLES)).astype(np.float32)


def smooth_noise():
    """The mean magnitude of the white noise, at every hop."""
    noise = magnitude(white())
    return np.tile(noise[4:-8].mean(), noise.shape).astype(np.float32)


def sounded(strategy, magnitudes, onset=None, size=None, stft=STFT):
    onset = np.zeros(len(magnitudes), bool) if onset is None else onset
    size = size or len(magnitudes)
    machine = InverseStft(stft)
    pieces = [
        machine.process(strategy.reconstruct(magnitudes[i : i + size], onset[i : i + size]))
        for i in range(0, len(magnitudes), size)
    ]
    return np.concatenate([*pieces, machine.flush()])[:SAMPLES]


def level_db(sound):
    return 10 * np.log10(np.mean(sound[MIDDLE].astype(float) ** 2))


def convergence_db(sound, wanted, stft=STFT):
    made = magnitude(sound, stft)[8:-12]
    wanted = wanted[8:-12]
    return 20 * np.log10(np.linalg.norm(made - wanted) / np.linalg.norm(wanted))
