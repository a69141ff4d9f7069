"""Embed perturbed test volumes: perturb, strip, crop and normalise as every volume, then encode."""

import hashlib
import logging
from pathlib import Path

import pandas as pd

from braindino.corpus.columns import REJECTS
from braindino.errors import BadInput
from braindino.files import concat_frames, write_table
from braindino.imaging.strip import brain_of, strip_scans
from braindino.imaging.views import encoder_input
from braindino.robustness.change import Change

COLUMNS = ["encoder", "volume_id", "feature", "patch_mean"]
log = logging.getLogger(__name__)


def mask_files(indices, folders):
    """Map each volume_id of some chunks to the mask that `imaging.brains` wrote."""
    return {
        row.volume_id: Path(folder, row.file.replace(".nii.gz", "_mask.nii.gz"))
        for index, folder in zip(indices, folders, strict=True)
        for row in pd.read_parquet(index).itertuples()
    }


def volumes_in_test(volumes, splits, masks):
    """Select the volumes of a cohort that some split tests.

    Parameters
    ----------
    volumes : DataFrame
        corpus/volumes/<dataset>.parquet.
    splits : DataFrame
        Of all perturbed tasks.
    masks : dict
        volume_id → mask of the clean volumes; those without were rejected as they are.
    """
    tested = set(splits.loc[splits["split"] == "test", "volume_id"]) & set(masks)
    chosen = volumes[volumes["volume_id"].isin(tested)]
    return chosen.sort_values("volume_id").reset_index(drop=True)


def embed_condition(encoders, volumes, condition, protocol, backend, masks=None, seed=0):
    """Perturb volumes and embed them with several frozen encoders.

    Parameters
    ----------
    encoders : dict
        name → braindino.encoders.encoder.Encoder
    volumes : DataFrame
        As `volumes_in_test` returns them.
    condition : str
        E.g. 'gibbs-0.4'.
    protocol : braindino.settings.imaging.Imaging
    backend : braindino.imaging.hdbet.HDBET
        May be None where no volume needs it.
    masks : dict, optional
        volume_id → mask of the clean volume, which is used instead of a new one.
    seed : int

    Returns
    -------
    features : DataFrame
        The features' columns, led by encoder; a row an encoder and volume.
    rejects : DataFrame
        Columns volume_id, stage, reason: a perturbed head may hold no brain for HD-BET.
    """
    change, rows, rejects = Change.of(condition, seed), [], []
    for scan in strip_scans(volumes, protocol, backend, change=change, masks=masks):
        try:
            rows += _vectors(encoders, scan, protocol)
        except BadInput as error:
            log.warning("rejected under %s: %s", condition, error)
            rejects.append((scan.volume.volume_id, f"imaging, {condition}", str(error)))
    return pd.DataFrame(rows, columns=None if rows else COLUMNS), pd.DataFrame(
        rejects, columns=REJECTS
    )


def embed_kept(parts, key, chunk, encoders, volumes, condition, *others):
    """Do as `embed_condition`, chunk by chunk, keeping what an interrupted job has done.

    Parameters
    ----------
    parts : path
        Folder of finished chunks.
    key : str
        What the features depend on besides the volumes.
    chunk : int
        Volumes between two saves.
    """
    made = []
    for start in range(0, len(volumes), chunk):
        some = volumes[start : start + chunk]
        text = "\n".join([key, condition, *some["volume_id"]])
        name = hashlib.sha256(text.encode()).hexdigest()[:16]
        files = [Path(parts, f"{name}.{what}.parquet") for what in ("features", "rejects")]
        if not all(file.is_file() for file in files):
            tables = embed_condition(encoders, some, condition, *others)
            for table, file in zip(tables, files, strict=True):
                write_table(table, file)
        made.append([pd.read_parquet(file) for file in files])
    features, rejects = zip(*made, strict=True) if made else ([], [])
    return concat_frames(features, COLUMNS), concat_frames(rejects, REJECTS)


def _vectors(encoders, scan, protocol):
    """Return a row an encoder of one scan."""
    if scan.fault:
        raise BadInput(scan.fault)
    brain, affine = brain_of(scan, protocol)
    rows = []
    for name, encoder in encoders.items():
        view = encoder_input(brain, affine, encoder.view, protocol)
        out = encoder.read(view[None], [scan.volume.modality])
        vectors = {"feature": out.embedding, "patch_mean": out.patch_mean, **out.layers}
        row = {column: value[0].numpy() for column, value in vectors.items()}
        rows.append({"encoder": name, "volume_id": scan.volume.volume_id} | row)
    return rows
