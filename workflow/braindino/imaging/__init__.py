"""Imaging: skull strip, crop, resample, normalise, sample slices, write shards."""
