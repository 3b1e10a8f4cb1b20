"""Spectra of waveforms that a network predicts, by which losses judge them, in PyTorch."""

from __future__ import annotations

import torch


def magnitudes(sound: torch.Tensor, n_fft: int, hop: int, floor: float) -> torch.Tensor:
    """Return the magnitudes of `spectra`, with ``floor`` added in power."""
    return torch.sqrt(spectra(sound, n_fft, hop).abs().square() + floor**2)


def spectra(sound: torch.Tensor, n_fft: int, hop: int) -> torch.Tensor:
    """Return complex spectra ``(n, bins, frames)`` of waveforms ``(n, length)``.

    Windows are centred on every ``hop``-th sample from the first on; beyond both ends the waveform
    is padded with zeros, so that every sample enters.
    """
    window = torch.hann_window(n_fft, device=sound.device)
    return torch.stft(sound, n_fft, hop, window=window, pad_mode="constant", return_complex=True)
