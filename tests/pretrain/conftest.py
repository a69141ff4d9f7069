"""A recipe of seconds, and shards of two made-up cohorts."""

from zlib import crc32

import numpy as np
import pandas as pd
import pytest

from braindino.settings.pretrain import Recipe

SIDE = 48


def write_shard(path, dataset, volumes, slices, seed=0):
    """Write a shard of random slices and its table; return the array's path."""
    rng = np.random.default_rng(seed)
    rows = [
        (f"{dataset}/sub-{v}/-/T1w", dataset, f"sub-{v}", "T1w", s)
        for v in range(volumes)
        for s in range(slices)
    ]
    table = pd.DataFrame(
        rows, columns=["volume_id", "dataset", "subject", "modality", "slice_index"]
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = rng.normal(size=(len(rows), SIDE, SIDE)).astype(np.float16)
    table = table.assign(row=range(len(table)), crc32=[crc32(part) for part in pixels])
    table.to_parquet(path.with_suffix(".parquet"), index=False)
    np.save(path, pixels)
    return path


@pytest.fixture(name="write_shard")
def shard_writer():
    return write_shard


@pytest.fixture
def shards(tmp_path):
    folder = tmp_path / "shards"
    return [
        write_shard(folder / "a" / "0.npy", "a", 2, 3, seed=1),
        write_shard(folder / "a" / "1.npy", "a", 0, 0),
        write_shard(folder / "b" / "0.npy", "b", 1, 5, seed=2),
    ]


@pytest.fixture
def recipe():
    return Recipe.model_validate(
        {
            "name": "toy",
            "title": "Toy",
            "model": {
                "architecture": "vit_small_patch16_dinov3",
                "arguments": {"embed_dim": 48, "depth": 2, "num_heads": 3},
                "head_hidden": 32,
                "head_bottleneck": 16,
                "prototypes": 24,
            },
            "views": {"global_sizes": [48], "local_sizes": [32], "local_crops": 2},
            "objective": {"teacher_warmup": 4},
            "optimisation": {
                "iterations": 6,
                "batch": 4,
                "learning_rate": 1e-3,
                "lr_scaling": "none",
                "warmup": 2,
                "freeze_last_layer": 1,
            },
            "log_every": 2,
            "checkpoint_every": 3,
            "keep_checkpoints": 2,
        }
    )
