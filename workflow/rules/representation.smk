"""Representation: what frozen features look like, and how alike those of encoders are."""
