"""Write what other programs read beside a soundtrack: markers, MIDI, stems and projects."""
