"""What a run asks of a cluster: its jobs by rule, counted by a dry run of the workflow itself."""

import json
import math
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from braindino.errors import BadInput

# Of a dry run: a job's head, and the lines below it that say what it asks for.
BLOCK = re.compile(r"^ *(?:local)?rule (\w+):\n((?:^ +(?!(?:local)?rule )\S.*\n)+)", re.MULTILINE)


class RuleJobs(NamedTuple):
    """The jobs of a rule and what each asks for: CPUs, MB, GPUs, and minutes at most."""

    rule: str
    jobs: int
    cpus: int
    mem_mb: int
    gpus: int
    runtime: int

    @property
    def gpu_hours(self):
        """GPU-hours of all jobs, should each take all of its time."""
        return self.jobs * self.gpus * self.runtime / 60


def dry_run(config, profile, target="all"):
    """Return what a dry run prints.

    Parameters
    ----------
    config : dict
        The run's whole configuration.
    profile : path
        Says what each job asks for.
    target : str

    Raises
    ------
    BadInput
        When the workflow cannot be planned.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "config.json")
        path.write_text(json.dumps(config))
        command = [sys.executable, "-m", "snakemake", target, "--dry-run", "--forceall"]
        # Threads are counted up to the cores given.
        command += ["--profile", str(profile), "--configfile", str(path), "--cores", "4096"]
        clean = {k: v for k, v in os.environ.items() if k != "SNAKEMAKE_PROFILE"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=clean)
    if done.returncode:
        why = (done.stderr.strip() or f"status {done.returncode}").splitlines()[-1]
        raise BadInput(f"plan: the dry run failed: {why}")
    return done.stdout + done.stderr


def count_jobs(text, local):
    """Return the jobs that SLURM gets, by rule.

    Parameters
    ----------
    text : str
        What a dry run prints.
    local : collection of str
        Rules whose jobs are not submitted.
    """
    found = {}
    for rule, lines in BLOCK.findall(text):
        if rule not in local:
            found.setdefault(rule, []).append(lines)
    return [_rule_jobs(rule, blocks) for rule, blocks in sorted(found.items())]


def sbatch_calls(jobs, profile):
    """Return the number of `sbatch` calls by rule.

    Parameters
    ----------
    jobs : list of RuleJobs
    profile : dict
        As the profile's file holds it: what goes in groups of how many.

    Returns
    -------
    dict of str to int
        Rules of one group share their calls; the first of them has them all.
    """
    groups, sizes = (profile.get(key, {}) for key in ("groups", "group-components"))
    calls, seen = {}, {}
    for row in jobs:
        if group := groups.get(row.rule):
            needed = math.ceil(row.jobs / sizes.get(group, 1))
            calls[row.rule] = max(0, needed - seen.get(group, 0))
            seen[group] = max(needed, seen.get(group, 0))
        else:
            calls[row.rule] = row.jobs
    return calls


def _rule_jobs(rule, blocks):
    asked = [_asked(block) for block in blocks]
    most = {key: max(job.get(key, 0) for job in asked) for key in ("mem_mb", "gpu", "runtime")}
    cpus = max(job.get("threads", 1) for job in asked)
    return RuleJobs(rule, len(blocks), cpus, most["mem_mb"], most["gpu"], most["runtime"])


def _asked(block):
    names = ("mem_mb", "gpu", "runtime", "threads")
    pairs = re.findall(rf"\b({'|'.join(names)})[=:] ?(\d+)", block)
    gres = re.search(r"\bgres=gpu(?::[^:,\s]+)?:(\d+)", block)
    return {name: int(value) for name, value in pairs} | ({"gpu": int(gres[1])} if gres else {})
