"""How much a run writes: bytes and files, for a group's quota."""

import math
from typing import NamedTuple

# Of 30 real scans: the stripped, cropped volume and its mask, compressed.
BRAIN_BYTES = 2_200_000
BRAIN_FILES = 2
# Beside the volumes or the slices of a chunk: index, rejects, thumbnails; log and benchmark.
CHUNK_FILES = 5
# An embedding, a mean patch token and three depths, float32, of 768 units.
FEATURE_BYTES = 5 * 768 * 4


class Stored(NamedTuple):
    """What a stage leaves on the disk."""

    stage: str
    bytes: int
    files: int


def storage(plan, imaging, encoders, costs, keep):
    """Estimate what a run writes.

    Parameters
    ----------
    plan : braindino.settings.plan.Plan
        Says the number of volumes.
    imaging : braindino.settings.imaging.Imaging
    encoders : int
        Number of encoders.
    costs : list of braindino.pretrain.cost.Cost
        Of every recipe.
    keep : list of int
        Checkpoints that each of them keeps.

    Returns
    -------
    list of Stored
    """
    chunks = math.ceil(plan.volumes / imaging.volumes_per_chunk)
    checkpoints = sum(c.checkpoint_bytes * k for c, k in zip(costs, keep, strict=True))
    return [
        Stored(
            "brains", plan.volumes * BRAIN_BYTES, plan.volumes * BRAIN_FILES + chunks * CHUNK_FILES
        ),
        Stored("shards", costs[0].shard_bytes, chunks * CHUNK_FILES),
        Stored("pretrain", checkpoints, sum(keep)),
        Stored("features", plan.volumes * encoders * FEATURE_BYTES, encoders),
    ]
