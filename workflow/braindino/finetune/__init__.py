"""Full fine-tuning: the encoder trained together with the head (paper §2.7, §4.4)."""
