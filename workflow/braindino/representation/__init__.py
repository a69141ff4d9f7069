"""Representation: what frozen features look like, and how alike those of two encoders are."""
