"""Image sonification: any picture as a spectrogram, as wavetables, and as The vOICe maps it."""
