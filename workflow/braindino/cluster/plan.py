"""The plan of a run on a cluster, as tables on the screen."""

from braindino.cluster.jobs import sbatch_calls
from braindino.corpus.disk import show_bytes

HEAD = ("rule", "jobs", "sbatch", "CPUs", "memory", "GPUs", "hours", "GPU-hours")


def show_jobs(jobs, profile, known):
    """Print what SLURM gets, a line a rule.

    Parameters
    ----------
    jobs : list of braindino.cluster.jobs.RuleJobs
    profile : dict
        The profile's values.
    known : dict of str to float
        Rules whose GPU-hours are reckoned, as their jobs are requeued; of others, the most.
    """
    hours = {row.rule: known.get(row.rule, row.gpu_hours) for row in jobs}
    calls = sbatch_calls(jobs, profile)
    rows = [
        (
            row.rule,
            f"{row.jobs:,}",
            f"{calls[row.rule]:,}",
            str(row.cpus),
            f"{row.mem_mb / 1000:g} GB",
            str(row.gpus or ""),
            f"≤ {row.runtime / 60:g}",
            f"{'≈' if row.rule in known else '≤'} {hours[row.rule]:,.0f}" if row.gpus else "",
        )
        for row in jobs
    ]
    counts = (f"{sum(row.jobs for row in jobs):,}", f"{sum(calls.values()):,}")
    rows.append(("all", *counts, "", "", "", "", f"≤ {sum(hours.values()):,.0f}"))
    return _table([HEAD, *rows])


def show_storage(stored):
    """Print what the stages leave on the disk, a line a stage.

    Parameters
    ----------
    stored : list of braindino.cluster.storage.Stored
    """
    rows = [(row.stage, show_bytes(row.bytes), f"{row.files:,}") for row in stored]
    sums = (show_bytes(sum(row.bytes for row in stored)), f"{sum(row.files for row in stored):,}")
    return _table([("stage", "on disk", "files"), *rows, ("all", *sums)])


def show_requeues(costs, plan, limit):
    """Print how often time limits interrupt the pretraining.

    Parameters
    ----------
    costs : list of braindino.pretrain.cost.Cost
    plan : braindino.settings.plan.Plan
    limit : int
        Minutes that a job may take.
    """
    hours = sum(cost.gpu_hours for cost in costs) / plan.gpus
    times = int(hours * 60 // limit)
    return f"pretraining: {hours:,.0f} h on {plan.gpus} × {plan.gpu}, requeued {times} times"


def _table(rows):
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row, widths):
    first, *rest = (
        cell.ljust(width) if column == 0 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join((first, *rest)).rstrip()
