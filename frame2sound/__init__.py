"""Learn what films sound like; play that sound to pictures never seen.

The film flows one way through the package: ``film`` (reading), ``library`` (pairs on disk),
``brain`` and ``training``, ``rendering`` (soundtracks), ``evaluation``, ``comparison``.
"""

import os

# Threads that wait for each other wide awake starve themselves where others work, too; fast asleep,
# they take twice the time where nobody does. Read by GNU's OpenMP, which PyTorch brings on Linux.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

# Without it, MKL rounds products otherwise where an array begins at another place in memory, on old
# processors and those of other makers than Intel: one brain then gives other last digits each time.
# Read when PyTorch first multiplies; it costs nothing that could be measured.
os.environ.setdefault("MKL_CBWR", "AUTO")

__version__ = "0.2.0"
