"""What the jobs of a run took beside what they had asked for, from their benchmark files."""

import ast
import csv
import re
from pathlib import Path

import pandas as pd

COLUMNS = ["rule", "jobs", "hours", "cpu_hours_asked", "cpu_hours_used"]
COLUMNS += ["mem_mb_asked", "mem_mb_used", "gpu_hours"]


def efficiency(folder):
    """Gather the benchmark files of all rules.

    Parameters
    ----------
    folder : path
        Holds a folder a rule, with a table a job, as `--benchmark-extended` writes them.

    Returns
    -------
    DataFrame
        One row a rule: jobs; hours on the wall; CPU-hours of the CPUs given, and of those that
        worked; memory given, and the most that a job took (MB); GPU-hours of the GPUs given.
    """
    files = sorted(Path(folder).glob("*/*.tsv"))
    jobs = pd.DataFrame([_job(path) for path in files], columns=["rule", *_JOB])
    if jobs.empty:
        return pd.DataFrame(columns=COLUMNS)
    hours = jobs["s"] / 3600
    jobs = jobs.assign(
        hours=hours,
        cpu_hours_asked=hours * jobs["threads"],
        cpu_hours_used=jobs["cpu_time"] / 3600,
        gpu_hours=hours * jobs["gpu"],
    )
    table = jobs.groupby("rule").agg(
        jobs=("s", "size"),
        hours=("hours", "sum"),
        cpu_hours_asked=("cpu_hours_asked", "sum"),
        cpu_hours_used=("cpu_hours_used", "sum"),
        mem_mb_asked=("mem_mb", "max"),
        mem_mb_used=("max_rss", "max"),
        gpu_hours=("gpu_hours", "sum"),
    )
    return table.reset_index()[COLUMNS].round(4)


_JOB = ["s", "threads", "cpu_time", "max_rss", "mem_mb", "gpu"]


def _job(path):
    row = pd.read_csv(path, sep="\t", quoting=csv.QUOTE_NONE).iloc[-1]
    asked = _asked(row.get("resources"))
    return {
        "rule": path.parent.name,
        "threads": row.get("threads", 1),
        "mem_mb": asked.get("mem_mb", float("nan")),
        "gpu": asked.get("gpu") or _gpus_of_gres(asked),
        **pd.to_numeric(row[["s", "cpu_time", "max_rss"]], errors="coerce").fillna(0),
    }


def _gpus_of_gres(asked):
    """Count the GPUs of a job that asks by gres, e.g. gpu:a100:4 on each node."""
    found = re.fullmatch(r"gpu(?::[^:]+)?:(\d+)", str(asked.get("gres", "")))
    return int(found[1]) * asked.get("nodes", 1) if found else 0


def _asked(text):
    """Read the resources of a job, which its benchmark holds as a dict or not at all."""
    try:
        return dict(ast.literal_eval(text))
    except (ValueError, SyntaxError, TypeError):
        return {}
