"""Segmentation: encoders inside nnU-Net, which is extended from outside (paper §2.1, §4.3.1)."""
