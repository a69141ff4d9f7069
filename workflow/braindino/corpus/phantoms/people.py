"""Draw the people of a cohort so that a handful of them already span its ages and groups."""

import numpy as np
import pandas as pd


def spread(rng, low, high, count):
    """Draw `count` values that span a range evenly, however few, in random order."""
    return rng.permutation(
        low + (high - low) * (np.arange(count) + rng.random(count)) / max(count, 1)
    )


def alternate(rng, values, count):
    """Draw `count` values, each of `values` as often as any other, in random order."""
    return rng.permutation(np.resize(values, count))


def draw_adults(rng, low, high, count):
    """Draw ages of `low` to `high` years, in quarters, and sexes: columns age and sex."""
    ages = (4 * spread(rng, low, high, count)).round() / 4
    return pd.DataFrame({"age": ages, "sex": alternate(rng, ["F", "M"], count)})
