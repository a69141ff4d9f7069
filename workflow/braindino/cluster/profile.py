"""A Snakemake profile, as Snakemake reads it."""

from pathlib import Path

import yte


def read_profile(folder):
    """Return the values of a profile, its variables filled in.

    Parameters
    ----------
    folder : path
        Holds `config.yaml`.
    """
    with Path(folder, "config.yaml").open() as stream:
        return yte.process_yaml(stream, require_use_yte=True)
