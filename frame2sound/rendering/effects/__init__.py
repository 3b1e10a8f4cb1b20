"""Effects on a soundtrack: a chain of them is read from a line of text or a TOML file."""

from frame2sound.rendering.effects.chain import EffectChain, load_chain, parse_chain

__all__ = ["EffectChain", "load_chain", "parse_chain"]
