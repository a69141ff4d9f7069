"""One frozen pass over every evaluation volume of a cohort, cached for all tasks and heads."""

import hashlib
import logging
import shutil
from functools import partial
from itertools import islice
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from braindino.errors import BadInput
from braindino.files import write_table
from braindino.imaging.pipeline import read_ahead
from braindino.imaging.planes import turn
from braindino.imaging.views import encoder_input

POOLS = {"cls": "feature", "patch": "patch_mean", "early": "early", "mid": "mid", "late": "late"}
log = logging.getLogger(__name__)


def extract_features(encoder, files, protocol, parts, key="", chunk=64, plane="axial", workers=1):
    """Embed the stripped volumes of a cohort; what an interrupted job has done is kept.

    Parameters
    ----------
    encoder : braindino.encoders.encoder.Encoder
    files : dict
        volume_id → path of the stripped, cropped volume.
    protocol : braindino.settings.imaging.Imaging
    parts : path
        Folder of finished chunks while the job is unfinished; removed by `finish`.
    key : str
        What the features depend on besides the volumes; a part of another key is not used.
    chunk : int
        Volumes between two saves.
    plane : {'axial', 'coronal', 'sagittal'}
        Of the slices; others than axial are for 2-D encoders.
    workers : int
        Threads that read and normalise volumes ahead of the network.

    Returns
    -------
    DataFrame
        Columns volume_id, feature, patch_mean and, where the encoder has layers, early, mid and
        late (float32 lists), in the order of `files`.
    """
    names = list(files)
    chunks = [names[i : i + chunk] for i in range(0, len(names), chunk)]
    tables = [Path(parts, f"{_digest(key, ids, files)}.parquet") for ids in chunks]
    waiting = [ids for ids, table in zip(chunks, tables, strict=True) if not table.is_file()]
    read = partial(_read, view=encoder.view, protocol=protocol, plane=plane)
    ahead = read_ahead([files[n] for ids in waiting for n in ids], read, workers)
    left = sum(map(len, waiting))
    with tqdm(total=len(names), initial=len(names) - left, unit="volume", disable=None) as bar:
        for ids, table in zip(chunks, tables, strict=True):
            if ids in waiting:
                write_table(_embed(encoder, ids, ahead, bar), table)
    encoder.assert_frozen()
    log.info("%d volumes: %d encoder passes, the rest kept before", len(names), left)
    return pd.concat(map(pd.read_parquet, tables), ignore_index=True) if tables else _empty()


def finish(table, path, parts):
    """Write a cohort's features, and remove the parts from which they were put together."""
    write_table(table, path)
    shutil.rmtree(parts, ignore_errors=True)


def read_features(paths, pool="cls"):
    """Read cached features.

    Parameters
    ----------
    paths : list of path
        Parquet files as `extract_features` tables are written.
    pool : {"cls", "patch", "early", "mid", "late"}
        cls: the encoder's embedding; patch: its mean patch token over the configured axial range;
        the others: the embedding's like at a depth, for CKA.

    Returns
    -------
    volume_ids : list of str
    features : ndarray [n, dim], float32

    Raises
    ------
    BadInput
        When the encoder has no such layers.
    """
    column = POOLS[pool]
    try:
        tables = [pd.read_parquet(path, columns=["volume_id", column]) for path in paths]
    except ValueError as error:
        raise BadInput(f"{paths[0]}: its encoder has no '{pool}' layer.") from error
    table = pd.concat(tables, ignore_index=True)
    return list(table["volume_id"]), np.stack(table[column].to_list()).astype(np.float32)


def _embed(encoder, ids, ahead, bar):
    """Take the volumes of a chunk from the readers, and embed them in groups."""
    columns, done = {}, 0
    while done < len(ids):
        volumes = [next(ahead)]
        volumes += islice(ahead, min(encoder.group(volumes[0].shape), len(ids) - done) - 1)
        modalities = [name.rsplit("/", 1)[-1] for name in ids[done : done + len(volumes)]]
        out = encoder.read(torch.stack(volumes), modalities)
        values = {"feature": out.embedding, "patch_mean": out.patch_mean, **out.layers}
        for column, value in values.items():
            columns.setdefault(column, []).extend(value.numpy())
        done += len(volumes)
        bar.update(len(volumes))
    return pd.DataFrame({"volume_id": ids, **columns})


def _read(path, view, protocol, plane):
    image = nib.load(path)
    return encoder_input(turn(np.asanyarray(image.dataobj), plane), image.affine, view, protocol)


def _digest(key, ids, files):
    """Name a chunk by its volumes, the state of their files, and what else it depends on."""
    states = [(name, Path(files[name]).stat()) for name in ids]
    text = "\n".join(f"{name} {s.st_size} {s.st_mtime_ns}" for name, s in states)
    return hashlib.sha256(f"{key}\n{text}".encode()).hexdigest()[:16]


def _empty():
    return pd.DataFrame(columns=["volume_id", "feature", "patch_mean"])
