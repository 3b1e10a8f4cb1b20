"""Features equal librosa's, with the same settings."""

from __future__ import annotations

import numpy as np
import pytest

from frame2sound.listening.frame_features import default_window, frame_features

librosa = pytest.importorskip("librosa")


@pytest.mark.parametrize("rate", [22050, 48000])
def test_features_equal_those_of_librosa(rate: int) -> None:
    """Its defaults, but zeros beyond the ends, no tuning, and no floor at 80 dB below the peak."""
    count = rate // 2
    noise = np.random.default_rng(0).standard_normal(count) * np.linspace(0, 0.1, count)
    sound = noise + 0.3 * np.sin(2 * np.pi * 440 * np.arange(count) / rate)
    found, size = frame_features(sound, rate), default_window(rate)
    hop = size // 4
    same = {"sr": rate, "n_fft": size, "hop_length": hop}
    spectrum = np.abs(librosa.stft(sound, n_fft=size, hop_length=hop, pad_mode="constant"))
    mel = librosa.feature.melspectrogram(S=spectrum**2, sr=rate, n_fft=size)
    mel_db = librosa.power_to_db(mel, top_db=None)
    of, framed = librosa.feature, {"frame_length": size, "hop_length": hop}
    expected = {
        "centroid_hz": of.spectral_centroid(S=spectrum, **same)[0],
        "bandwidth_hz": of.spectral_bandwidth(S=spectrum, **same)[0],
        "rolloff_hz": of.spectral_rolloff(S=spectrum, **same)[0],
        "flatness": of.spectral_flatness(S=spectrum)[0],
        "zero_crossing_rate": of.zero_crossing_rate(sound, **framed)[0],
        "level_db": 20 * np.log10(of.rms(y=sound, **framed)[0]),
        "mel_db": mel_db.T,
        "mfcc": of.mfcc(S=mel_db, n_mfcc=20).T,
        "chroma": of.chroma_stft(S=spectrum**2, tuning=0, **same).T,
        "onset_strength_db": librosa.onset.onset_strength(S=mel_db, sr=rate, center=False),
        "seconds": librosa.frames_to_time(np.arange(len(found)), sr=rate, hop_length=hop),
    }
    for name, values in expected.items():
        scale = np.abs(values).max()
        np.testing.assert_allclose(getattr(found, name), values, 1e-4, 1e-6 * scale, err_msg=name)
