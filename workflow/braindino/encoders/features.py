"""One frozen pass over every evaluation volume of a cohort, cached for all tasks and heads."""

from functools import partial

import nibabel as nib
import numpy as np
import pandas as pd
from tqdm import tqdm

from braindino.imaging.normalise import axial_slices
from braindino.imaging.pipeline import read_ahead


def extract_features(encoder, files, protocol):
    """Embed the stripped volumes of a cohort.

    Parameters
    ----------
    encoder : braindino.encoders.encoder.SliceEncoder
    files : dict
        volume_id → path of the stripped, cropped volume.
    protocol : braindino.settings.imaging.Imaging

    Returns
    -------
    DataFrame
        Columns volume_id and feature (float32 list), in the order of `files`.
    """
    features = []
    ahead = read_ahead(files.values(), partial(_slices, protocol=protocol))
    for slices in tqdm(ahead, total=len(files), disable=None):
        features.append(encoder.embed(slices).numpy())
    return pd.DataFrame({"volume_id": list(files), "feature": features})


def read_features(paths):
    """Read cached features.

    Parameters
    ----------
    paths : list of path
        Parquet files as `extract_features` tables are written.

    Returns
    -------
    volume_ids : list of str
    features : ndarray [n, dim], float32
    """
    table = pd.concat([pd.read_parquet(path) for path in paths], ignore_index=True)
    return list(table["volume_id"]), np.stack(table["feature"].to_list()).astype(np.float32)


def _slices(path, protocol):
    brain = np.asanyarray(nib.load(path).dataobj)
    return axial_slices(brain, protocol.evaluation_shape, protocol)
