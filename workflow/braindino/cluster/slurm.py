"""What a SLURM says of itself, in its own commands."""

import getpass
import re
import shutil
import subprocess
from typing import NamedTuple

from braindino.errors import BadInput

PREFIX = "braindino_"  # slurm-jobname-prefix of the profile


class Partition(NamedTuple):
    """What a partition allows one job: GPUs of its best node."""

    name: str
    node_gpus: int


def ask(*command):
    """Return what a command of SLURM prints.

    Raises
    ------
    BadInput
        When it fails or does not answer within a minute.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        raise BadInput(
            f"SLURM does not answer `{' '.join(command)}` ({said[-1] if said else 'silence'}); "
            "ask whoever runs the cluster, or try again later."
        ) from None
    return done.stdout


def has_slurm():
    """Whether jobs can be submitted from this machine."""
    return shutil.which("sbatch") is not None


def settings():
    """Return SLURM's configuration: name → value."""
    lines = ask("scontrol", "show", "config").splitlines()
    return {
        name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines)
    }


def partitions():
    """Return the partitions by name."""
    found = {}
    for line in ask("sinfo", "--noheader", "--format=%R|%G").splitlines():
        name, _, gres = line.partition("|")
        most = max(_gpus(gres), found[name].node_gpus if name in found else 0)
        found[name] = Partition(name, most)
    return found


def accounts():
    """Return this user's accounts; None where SLURM keeps none."""
    if not keeps_accounts(settings()) or not shutil.which("sacctmgr"):
        return None
    query = ("show", "associations", f"user={getpass.getuser()}", "format=account")
    return set(ask("sacctmgr", "--noheader", "--parsable2", *query).split())


def keeps_accounts(configuration):
    """Whether a configuration names a database of jobs."""
    storage = configuration.get("AccountingStorageType", "accounting_storage/none")
    return not storage.endswith("none") and shutil.which("sacct") is not None


def seconds(value):
    """Read a number of seconds as SLURM prints it: `300 sec`."""
    return int(re.match(r"\d+", value)[0])


def jobs_of(folder):
    """Return the ids of this user's jobs that Snakemake submitted from a folder and that live."""
    lines = ask("squeue", "--me", "--noheader", "--format=%F|%j|%Z").splitlines()
    rows = [line.split("|", 2) for line in lines if line]
    ours = [job for job, name, where in rows if name.startswith(PREFIX) and where == str(folder)]
    return sorted(set(ours), key=int)


def _gpus(gres):
    """Count the GPUs of a node in SLURM's words: `gpu:a100:4(S:0-1),nvme:1`."""
    return sum(int(n) for n in re.findall(r"\bgpu(?::[^:,()]+)?:(\d+)", gres))
