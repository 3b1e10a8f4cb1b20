"""Learn what films sound like; play that sound to pictures never seen.

The film flows one way through the package: ``film`` (reading), ``library`` (pairs on disk),
``brain`` and ``training``, ``rendering`` (soundtracks), ``evaluation``.
"""

__version__ = "0.1.0"
