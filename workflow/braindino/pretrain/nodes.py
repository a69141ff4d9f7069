"""A pretraining on several nodes of one SLURM job: srun starts torchrun on each of them."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import yaml

from braindino.files import write_text
from braindino.pretrain.launch import ProcessFailed

FIRST_PORT, PORTS = 20_000, 20_000  # clear of the ports that systems hand out by themselves


def launch_nodes(nodes, processes, threads, recipe, shards, out_dir, seed, device, workers, init):
    """Run `braindino.pretrain` on every GPU of several nodes, and wait for it.

    Called once, on the first node; the processes meet there, on a port that follows from the job.

    Parameters
    ----------
    nodes, processes : int
        Nodes, and processes on each of them.
    threads : int
        CPUs of a node.
    recipe : braindino.settings.pretrain.Recipe
    shards, out_dir, seed, device, workers, init
        As `pretrain` takes them.

    Raises
    ------
    ProcessFailed
        When any of them did not end well; a checkpoint may have been written.
    """
    path = Path(out_dir, "recipe.yaml")
    write_text(yaml.safe_dump(recipe.model_dump(mode="json")), path)
    command = [
        *srun_command(nodes, threads),
        *torchrun_command(nodes, processes, os.environ),
        *("-m", "braindino.pretrain", "--recipe", path, "--out", out_dir, "--seed", seed),
        *("--device", device, "--workers", workers, *(("--init", init) if init else ())),
        *shards,
    ]
    done = subprocess.run([str(part) for part in command], check=False)
    if done.returncode:
        raise ProcessFailed(
            f"pretraining {recipe.name}: srun ended with status {done.returncode}; "
            f"{out_dir}/pretrain.log says where it stopped"
        )


def srun_command(nodes, threads):
    """Return the part of the command that starts one task on each node.

    SLURM's warning before the end reaches every process; torchrun would die of it.
    """
    tasks = (f"--nodes={nodes}", f"--ntasks={nodes}", "--ntasks-per-node=1")
    return ("srun", *tasks, f"--cpus-per-task={threads}", "env", "--ignore-signal=USR1")


def torchrun_command(nodes, processes, environment):
    """Return the part of the command that starts the processes of a node."""
    job, host = environment["SLURM_JOB_ID"], socket.gethostname()
    port = FIRST_PORT + int(job) % PORTS
    meeting = ("--rdzv-backend=c10d", f"--rdzv-id={job}", f"--rdzv-endpoint={host}:{port}")
    return (
        *(sys.executable, "-m", "torch.distributed.run", *meeting),
        *(f"--nnodes={nodes}", f"--nproc-per-node={processes}"),
    )
