"""Learn what films sound like; play that sound to pictures never seen.

The film flows one way through the package: ``film`` (reading), ``library`` (pairs on disk),
``brain`` and ``training``, ``rendering`` (soundtracks), ``evaluation``, ``comparison``.
"""

import os

# On loaded cores, threads that wait for each other awake cost training six times its time.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"
