"""One process, or one a GPU: a run is the same."""

import os
import uuid
from pathlib import Path

import torch
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from braindino.errors import BadInput
from braindino.log import job_log
from braindino.pretrain.preemption import SIGNALS, Interrupted


def count_processes(device):
    """Return how many processes this node should run: one a GPU that the job was given."""
    wanted = device == "cuda" or (device == "auto" and torch.cuda.is_available())
    return max(1, torch.cuda.device_count()) if wanted else 1


def launch(processes, log, work, *arguments):
    """Call `work(*arguments)` here, or in several processes as `torchrun` does on one node.

    Parameters
    ----------
    processes : int
    log : path
        The job's log file; of several processes each writes its own, beside it.
    work : callable
        Importable by its name.

    Raises
    ------
    Interrupted
        When the processes stopped on a signal, their checkpoint written.
    BadInput
        When one failed, naming its log.
    """
    if processes == 1:
        work(*arguments)
        return
    # The launcher passes these on and waits; otherwise SIGUSR1 would kill it.
    names = ",".join(signal.name for signal in SIGNALS)
    os.environ.setdefault("TORCHELASTIC_SIGNALS_TO_HANDLE", names)
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        run_id=uuid.uuid4().hex,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
    )
    try:
        elastic_launch(config, _logged)(log, work, *arguments)
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        if failure.exitcode == Interrupted.status:
            raise Interrupted(
                "stopped by a signal; checkpoint written, run again to go on"
            ) from None
        raise BadInput(
            f"process {rank} of the pretraining failed; {log_of(log, rank)} says why"
        ) from None


def log_of(log, rank):
    """Return the log file of one of several processes."""
    return Path(log).with_suffix(f".{rank}.log")


def _logged(log, work, *arguments):
    with job_log(log_of(log, os.environ["RANK"]), Interrupted, FloatingPointError):
        work(*arguments)
