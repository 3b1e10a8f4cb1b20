"""Concatenate pieces of recorded sound that match a prediction."""
