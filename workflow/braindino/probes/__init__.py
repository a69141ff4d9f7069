"""Probes: lightweight heads trained on frozen features at six label ratios."""
