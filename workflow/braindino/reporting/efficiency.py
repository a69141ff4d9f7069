"""What the jobs took, in the words of the report."""

import math


def efficiency_rows(table):
    """Return the rows of the table of what each rule's jobs took beside what they asked for.

    Parameters
    ----------
    table : DataFrame
        As `braindino.cluster.efficiency.efficiency` returns it.
    """
    return [
        {
            "rule": row.rule,
            "jobs": row.jobs,
            "hours": _hours(row.hours),
            "cpu": _beside(_hours(row.cpu_hours_used), _hours(row.cpu_hours_asked)),
            "memory": _beside(_gigabytes(row.mem_mb_used), _gigabytes(row.mem_mb_asked)),
            "gpu": _hours(row.gpu_hours) if row.gpu_hours else "–",
        }
        for row in table.itertuples()
    ]


def _beside(used, asked):
    return f"{used} of {asked}"


def _hours(value):
    return f"{value:.2g}" if value < 10 else f"{value:,.0f}"


def _gigabytes(megabytes):
    return "–" if math.isnan(megabytes) else f"{megabytes / 1000:.1f}"
