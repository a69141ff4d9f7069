"""The published rows and their verdicts, as the report prints them."""

from collections import Counter

import pandas as pd

from braindino.reporting.labels import measure
from braindino.reporting.summary import VERDICTS, kind_of


def verdict_counts(judged):
    """Count the verdicts on rows or claims: [(verdict, count)]."""
    kinds = Counter(map(kind_of, judged["verdict"]))
    return [(kind, kinds[kind]) for kind in VERDICTS if kind in kinds]


def published_rows(reproduction, labels):
    """Print the published rows of tasks and encoders in this run."""
    rows = reproduction.to_dict("records")
    return [_published_row(row, labels) for row in rows if not row["verdict"].startswith("not run")]


def _published_row(row, labels):
    number = measure(row["metric"]).number
    interval = f" [{number(row['ci_low'])}, {number(row['ci_high'])}]"
    spread = f" ± {number(row['sd'])}" if pd.notna(row["sd"]) else ""
    claim = f"p {row['p_op']} {row['p_value']:g}" if isinstance(row["p_op"], str) else ""
    value = number(row["value"]) if pd.notna(row["value"]) else claim
    return {
        "task": row["task"],
        "encoder": labels.encoders.get(row["encoder"], row["encoder"]),
        "metric": measure(row["metric"]).label,
        "ratio": f"{row['ratio']:.0%}".replace("%", " %") if pd.notna(row["ratio"]) else "all",
        "stratum": row["stratum"] if isinstance(row["stratum"], str) else "",
        "published": value + (interval if pd.notna(row["ci_low"]) else spread),
        "reproduced": number(row["reproduced"]) if pd.notna(row["reproduced"]) else "",
        "difference": f"{row['difference']:+.3g}" if pd.notna(row["difference"]) else "",
        "verdict": row["verdict"],
        "section": row["section"],
    }


def summary_rows(summary):
    """Print the verdicts by task, where any was reached."""
    ran = summary[summary["rows"] > summary["not run"]]
    return [
        {name: row[name] or "" for name in ("task", "of", "rows", *VERDICTS)}
        for row in ran.to_dict("records")
    ]


def claim_rows(claims):
    """Print the claims with how many of their comparisons hold; those not run say why."""
    return [
        {
            "claim": row["claim"].replace(" %", "\N{NO-BREAK SPACE}%"),
            "section": row["section"],
            "held": f"{row['held']:.0f} of {row['checked']:.0f}"
            if pd.notna(row["checked"])
            else "",
            "verdict": row["verdict"],
        }
        for row in claims.to_dict("records")
    ]
