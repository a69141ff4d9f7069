"""What a run cost: wall time and peak memory of each rule, from the benchmark files of its jobs."""

from pathlib import Path

import pandas as pd

COLUMNS = ["rule", "jobs", "hours", "longest_s", "peak_mib"]


def rule_costs(folder):
    """Sum the benchmarks of a run's jobs.

    Parameters
    ----------
    folder : path
        Holds a folder a rule, and in it a file a job, as Snakemake's `benchmark` writes them.

    Returns
    -------
    DataFrame
        One row a rule: jobs, their wall time together (hours), the longest's (seconds) and the
        largest resident memory (MiB).
    """
    files = sorted(Path(folder).rglob("*.tsv"))
    jobs = [_job(file, folder) for file in files]
    by = pd.DataFrame(jobs, columns=["rule", "s", "rss"]).astype({"s": float, "rss": float})
    by = by.groupby("rule")
    table = pd.DataFrame({"jobs": by.size(), "hours": by["s"].sum() / 3600})
    table["longest_s"], table["peak_mib"] = by["s"].max(), by["rss"].max()
    return table.reset_index()[COLUMNS]


def _job(file, folder):
    table = pd.read_csv(file, sep="\t", na_values="-")
    rule = file.relative_to(folder).parts[0].removesuffix(".tsv")
    return rule, table["s"].sum(), table["max_rss"].max()


def cost_rows(costs):
    """Print the costs: a dict a rule."""
    return [
        {
            "rule": row.rule,
            "jobs": row.jobs,
            "hours": f"{row.hours:.2f}",
            "longest": f"{row.longest_s:.0f}",
            "peak": "–" if pd.isna(row.peak_mib) else f"{row.peak_mib:,.0f}",
        }
        for row in costs.itertuples()
    ]
