"""Robustness: perturbed test volumes, judged by the heads of the clean ones."""
