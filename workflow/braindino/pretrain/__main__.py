"""Pretrain without Snakemake, on any number of GPUs and nodes.

    torchrun --nproc-per-node=4 -m braindino.pretrain --recipe config/recipes/braindino.yaml \
        --out pretrained shards/*/*.npy

A run that is stopped by a signal ends with status 75; the same command goes on where it stopped.
In a SLURM job, SIGUSR1 (`--signal=USR1@600`) also puts the job back into the queue; torchrun would
die of it, so start it as `srun --ntasks-per-node=1 env --ignore-signal=USR1 torchrun ...`.
"""

import argparse
import contextlib
import os
from pathlib import Path

from braindino.log import job_log
from braindino.pretrain.preemption import Interrupted
from braindino.pretrain.requeue import requeued
from braindino.pretrain.train import pretrain
from braindino.settings.load import read_yaml, validate
from braindino.settings.pretrain import Recipe


def main():
    """Parse the command line, and pretrain."""
    parser = argparse.ArgumentParser(
        prog="braindino.pretrain",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shards", nargs="+", type=Path, help="shards, each beside its .parquet")
    parser.add_argument("--recipe", required=True, type=Path, help="a recipe's YAML file")
    parser.add_argument("--out", required=True, type=Path, help="folder of the outputs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--workers", type=int, default=4, help="threads that read ahead")
    parser.add_argument("--init", type=Path, help="the file that the recipe starts from")
    given = parser.parse_args()
    rank = int(os.environ.get("RANK", 0))
    log = given.out / (f"pretrain.{rank}.log" if rank else "pretrain.log")
    # One rank asks for all.
    again = contextlib.nullcontext() if rank else requeued()
    with job_log(log, Interrupted, FloatingPointError) as logger, again:
        recipe = validate(Recipe, read_yaml(given.recipe), [given.recipe])
        pretrain(
            recipe,
            given.shards,
            given.out,
            seed=given.seed,
            device=given.device,
            logger=logger,
            workers=given.workers,
            init=given.init,
        )


if __name__ == "__main__":
    main()
