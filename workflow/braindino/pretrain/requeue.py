"""A pretraining longer than SLURM allows: warned of its end, the job goes back into the queue."""

import contextlib
import logging
import os
import signal
import subprocess

from braindino.pretrain.preemption import Interrupted

log = logging.getLogger(__name__)


@contextlib.contextmanager
def requeued():
    """Put this SLURM job back into the queue when a warning interrupts the block.

    The job keeps its id, so who waits for it (Snakemake) sees it wait, never fail. The warning is
    SIGUSR1 (`--signal=USR1@600`); on any other signal SLURM or a person has decided already.
    """
    try:
        yield
    except Interrupted as error:
        if error.signal == signal.SIGUSR1 and (job := os.environ.get("SLURM_JOB_ID")):
            _requeue(job)
        raise


def _requeue(job):
    command = ["scontrol", "requeue", job]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        log.info("SLURM job %s goes back into the queue", job)
    else:
        log.warning("SLURM did not requeue job %s: %s", job, done.stderr.strip())
