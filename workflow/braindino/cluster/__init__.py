"""Clusters: what SLURM says, what jobs ask of it, what they took."""
