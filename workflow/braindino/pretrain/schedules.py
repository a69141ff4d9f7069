"""What changes with the iteration: learning rate and teacher temperature."""

import math

# Assumed (reference DINOv3 recipe): the base rate is multiplied by 4 · √(batch / 1024).
SCALING_FACTOR, SCALING_BATCH = 4.0, 1024


def peak_rate(settings):
    """Return the learning rate at the end of the warm-up, scaled to the batch."""
    if settings.lr_scaling == "none":
        return settings.learning_rate
    return settings.learning_rate * SCALING_FACTOR * math.sqrt(settings.batch / SCALING_BATCH)


def learning_rate(settings, iteration):
    """Return the rate of an iteration (from 0): linear warm-up, then half a cosine (§4.2)."""
    peak, final = peak_rate(settings), settings.final_learning_rate
    if iteration < settings.warmup:
        return peak * (iteration + 1) / settings.warmup
    progress = (iteration - settings.warmup) / (settings.iterations - settings.warmup)
    return final + (peak - final) * (1 + math.cos(math.pi * progress)) / 2


def teacher_temperature(objective, iteration):
    """Return the teacher's temperature of an iteration: linear warm-up, then constant."""
    start, end = objective.teacher_temperature
    progress = min(1.0, iteration / objective.teacher_warmup) if objective.teacher_warmup else 1.0
    return start + (end - start) * progress
