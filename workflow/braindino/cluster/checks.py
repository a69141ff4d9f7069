"""What would make a hundred jobs fail, in one sentence before the first is submitted."""

import difflib
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from braindino.cluster import slurm
from braindino.errors import BadInput

PROFILE = "profiles/slurm/config.yaml"
# The plugin looks at all jobs this often when nothing happens; a finished one must still be known.
LONGEST_LOOK = 180
# Minutes of a pretraining's time limit, of which the warning (`--signal` in the profile) leaves at
# least a third. Assumed: enough for a start and a step.
SHORTEST = 15


class Request(NamedTuple):
    """What the jobs of a rule ask of SLURM."""

    rule: str
    partition: str | None
    account: str | None
    gpus: int
    nodes: int
    cpus: int
    mem_mb: int
    runtime: int
    constraint: str | None
    gres: str | None

    @property
    def gpus_a_node(self):
        """Number of GPUs on each node."""
        by_name = re.search(r"^gpu(?::[^:]+)?:(\d+)$", self.gres or "")
        return int(by_name[1]) if by_name else -(-self.gpus // self.nodes)


def request(rule, threads, resources):
    """Return what a job asks for.

    Parameters
    ----------
    rule : str
    threads : int
    resources : mapping
        The job's resources by Snakemake's names.
    """
    get = resources.get
    return Request(
        rule,
        partition=get("slurm_partition"),
        account=get("slurm_account"),
        gpus=get("gpu", 0),
        nodes=get("nodes", 1),
        cpus=threads,
        mem_mb=get("mem_mb", 0),
        runtime=get("runtime", 0),
        constraint=get("constraint"),
        gres=get("gres"),
    )


class Watching(NamedTuple):
    """How the executor submits and watches jobs.

    Parameters
    ----------
    command : str
        sacct or squeue.
    first_look : int
        Seconds until it first looks at a job.
    arrays : bool
        Whether it submits job arrays.
    """

    command: str
    first_look: int
    arrays: bool


def check_cluster(requests, watching, folder):
    """Make sure that SLURM can take all jobs of a run.

    Parameters
    ----------
    requests : iterable of Request
    watching : Watching
    folder : path
        Where the run works.

    Returns
    -------
    list of str
        Sentences on what will be missing, without harm to the run.

    Raises
    ------
    BadInput
        At the first thing to mend.
    """
    if not slurm.has_slurm():
        raise BadInput(
            "sbatch: this machine has no SLURM; start on a login node of the cluster, or take "
            "--profile profiles/local."
        )
    configuration = slurm.settings()
    _check_arrays(watching)
    _check_watching(configuration, watching)
    _check_alone(folder)
    _check_places(requests)
    _check_warning(requests)
    _check_acceptance(requests)
    notes = []
    if watching.command == "sacct":
        notes.append(
            "sacct: with this version of the plugin a job that you cancel alone is waited for "
            "without end; cancel the run (Ctrl-C) and start it again."
        )
    if not slurm.keeps_accounts(configuration):
        notes.append(
            "sacct: this cluster keeps no accounts of jobs; squeue watches them, and what they "
            "took is known from their benchmarks alone."
        )
    return notes


def _check_arrays(watching):
    """Refuse what the plugin (2.8.0) gets wrong."""
    if watching.arrays:
        raise BadInput(
            "slurm-array-jobs: with this version of the plugin every job of an array waits for the "
            f"output of the first one, and fails where that is late; remove it from {PROFILE}."
        )


def _check_watching(configuration, watching):
    if watching.command == "sacct":
        if not slurm.keeps_accounts(configuration):
            raise BadInput(
                f"sacct: this cluster keeps no accounts of jobs, so nobody would see one end; set "
                f"slurm-status-command: squeue in {PROFILE}."
            )
        return
    age, needed = (
        slurm.seconds(configuration["MinJobAge"]),
        max(LONGEST_LOOK, 3 * watching.first_look),
    )
    if age < needed:
        raise BadInput(
            f"MinJobAge: this cluster forgets a job {age} s after its end, and squeue must know it "
            f"for {needed} s; set slurm-status-command: sacct in {PROFILE}."
        )


def _check_alone(folder):
    """Two jobs must not write one file: those of a run that was killed may still work."""
    if left := slurm.jobs_of(Path(folder).resolve()):
        raise BadInput(
            f"{len(left)} jobs that an earlier run submitted from this folder are still in the "
            f"queue: wait for them, or `scancel {' '.join(left)}`, and run the same command again."
        )


def _check_places(requests):
    partitions, accounts = slurm.partitions(), slurm.accounts()
    for asked in requests:
        if asked.partition is not None and asked.partition not in partitions:
            raise BadInput(
                f"rule {asked.rule}: this cluster has no partition '{asked.partition}'"
                f"{_did_you_mean(asked.partition, partitions)}; it has: "
                f"{', '.join(partitions)}; put yours at the top of {PROFILE}."
            )
        if asked.account is not None and accounts and asked.account not in accounts:
            raise BadInput(
                f"rule {asked.rule}: you have no account '{asked.account}' on this cluster"
                f"{_did_you_mean(asked.account, accounts)}; you have: "
                f"{', '.join(sorted(accounts))}; put yours at the top of {PROFILE}."
            )
        _check_gpus(asked, partitions)


def _check_gpus(asked, partitions):
    there = [p for p in partitions.values() if asked.partition in (None, p.name)]
    most = max((p.node_gpus for p in there), default=0)
    if asked.gpus_a_node > most:
        where = f"partition '{asked.partition}'" if asked.partition else "this cluster"
        raise BadInput(
            f"rule {asked.rule}: it asks for {asked.gpus_a_node} GPUs on a node, and no node of "
            f"{where} has more than {most}; set node_gpus or gpu_partition at the top of {PROFILE}."
        )


def _check_warning(requests):
    """See that a pretraining gets on before SLURM warns it of the end."""
    for asked in requests:
        if asked.rule == "train" and 0 < asked.runtime <= SHORTEST:
            raise BadInput(
                f"rule train: of its {asked.runtime} min SLURM's warning, ten minutes before the "
                f"end, leaves too few to train; set limit above {SHORTEST} in {PROFILE}."
            )


def _check_acceptance(requests):
    """Let SLURM itself say, of one job a rule, whether it would ever run."""
    seen = set()
    for asked in requests:
        if asked._replace(rule="") in seen:
            continue
        seen.add(asked._replace(rule=""))
        done = subprocess.run(probe_command(asked), capture_output=True, text=True, check=False)
        if done.returncode:
            said = (done.stderr.strip() or f"status {done.returncode}").splitlines()[-1]
            said = said.removeprefix("allocation failure: ")
            raise BadInput(
                f"rule {asked.rule}: SLURM would refuse its jobs ({said}); they ask for "
                f"{asked.cpus} CPUs, {asked.mem_mb} MB, {asked.runtime} min and "
                f"{asked.gpus} GPUs: mend it in {PROFILE}."
            )


def probe_command(asked):
    """Return the command that asks SLURM about a job without submitting it."""
    options = {
        "--partition": asked.partition,
        "--account": asked.account,
        "--constraint": asked.constraint,
        "--gres": asked.gres,
        "--gpus": asked.gpus or None,
        "--nodes": asked.nodes if asked.nodes > 1 else None,
        "--mem": asked.mem_mb or None,
        "--time": asked.runtime or None,
    }
    given = [f"{name}={value}" for name, value in options.items() if value is not None]
    return ["sbatch", "--test-only", f"--cpus-per-task={asked.cpus}", *given, "--wrap=true"]


def _did_you_mean(name, known):
    close = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean '{close[0]}'?)" if close else ""
