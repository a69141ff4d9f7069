"""Pretraining: self-distillation of a vision transformer on brain MRI slices."""
