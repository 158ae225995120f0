"""Texts to tracking numbers: taken from carriers, kept as conversations, answered."""
