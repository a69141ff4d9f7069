"""Alignment of the reference encoder with each other one, layer by layer (paper §2.9, §4.6)."""

import numpy as np
import pandas as pd

from braindino.errors import BadInput
from braindino.representation.cka import Features, bootstrap_cka, cka, debiased_cka
from braindino.seeds import derive_rng

LAYERS = ["early", "mid", "late"]
COLUMNS = [
    "cohort", "reference", "encoder", "layer", "cka", "cka_debiased", "ci_low", "ci_high", "n",
    "n_subjects",
]  # fmt: skip
INTERVAL = (0.025, 0.975)


def alignment(layers, reference, subjects, cohort, resamples, seed=0):
    """Compare encoders on the same volumes.

    Parameters
    ----------
    layers : dict
        encoder → layer → ndarray [n, dim].
    reference : str
        Encoder with which the others are compared.
    subjects : sequence of str [n]
        Whose volume each is.
    cohort : str
    resamples : int
    seed : int

    Returns
    -------
    DataFrame
        The contract's columns. The interval is that of `cka` over resampled subjects, all of a
        subject's volumes together; repeated subjects raise it a little where there are few.
    """
    weights = subject_weights(subjects, resamples, derive_rng(seed, cohort, "cka"))
    made = {
        encoder: {layer: Features(values) for layer, values in by_layer.items()}
        for encoder, by_layer in layers.items()
    }
    key = {"cohort": cohort, "reference": reference}
    key |= {"n": len(weights), "n_subjects": len(set(subjects))}
    rows = [
        key | {"encoder": encoder, "layer": layer} | _row(ours, by_layer[layer], weights)
        for encoder, by_layer in made.items()
        if encoder != reference
        for layer, ours in made[reference].items()
        if layer in by_layer
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def subject_weights(subjects, resamples, rng):
    """Draw subjects with replacement: how often each volume is in each resample, [n, resamples]."""
    _, number = np.unique(list(subjects), return_inverse=True)
    count = number.max() + 1
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=resamples)
    return np.ascontiguousarray(drawn.T[number], dtype=float)


def shared_rows(tables, wanted):
    """Bring the features of all encoders into one order.

    Parameters
    ----------
    tables : dict
        encoder → layer → (volume_ids, features).
    wanted : list of str
        volume_ids; those without features, which imaging rejected, are left out.

    Returns
    -------
    volumes : list of str
    layers : dict
        encoder → layer → ndarray [n, dim].

    Raises
    ------
    BadInput
        When fewer than two volumes are left.
    """
    held = [set(ids) for by_layer in tables.values() for ids, _ in by_layer.values()]
    volumes = [name for name in wanted if all(name in ids for ids in held)]
    if len(volumes) < 2:
        raise BadInput(
            f"cka: {len(volumes)} of {len(wanted)} volumes have features of all encoders; "
            "see corpus/rejects.csv."
        )
    layers = {
        encoder: {layer: _pick(*table, volumes) for layer, table in by_layer.items()}
        for encoder, by_layer in tables.items()
    }
    return volumes, layers


def _pick(ids, features, volumes):
    place = dict(zip(ids, range(len(ids)), strict=True))
    return features[[place[name] for name in volumes]]


def _row(first, second, weights):
    low, high = np.nanquantile(bootstrap_cka(first, second, weights), INTERVAL)
    return {
        "cka": cka(first, second),
        "cka_debiased": debiased_cka(first, second),
        "ci_low": float(low),
        "ci_high": float(high),
    }
