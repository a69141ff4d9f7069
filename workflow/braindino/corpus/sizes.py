"""Audit of the splits: their sizes beside the paper's."""

import pandas as pd

from braindino.corpus.splits import split_hash


def split_sizes(splits, cards):
    """Compare the sizes of all splits with the paper's.

    Parameters
    ----------
    splits : DataFrame
        All tasks' splits, concatenated.
    cards : dict
        Task cards by name.

    Returns
    -------
    DataFrame
        One row a task, fold, part and class (or 'all'): subjects, volumes, published and its
        section, and the fold's hash (`split_hash`).
    """
    columns = ["task", "fold", "part", "class", "subjects", "volumes"]
    columns += ["published", "published_unit", "section", "hash"]
    rows = []
    for (task, fold), split in splits.groupby(["task", "fold"]):
        card, digest = cards[task], split_hash(split)
        for part in ("train", "test"):
            rows_of = split[split["split"] == part]
            classes = {"all": rows_of} | {
                name: rows_of[rows_of["target"] == index]
                for index, name in enumerate(card.classes or [])
            }
            for name, members in classes.items():
                rows.append(
                    {
                        "task": task,
                        "fold": fold,
                        "part": part,
                        "class": name,
                        "subjects": members["subject"].nunique(),
                        "volumes": len(members),
                        **_published(card, part, name),
                        "hash": digest,
                    }
                )
    return pd.DataFrame(rows, columns=columns)


def _published(card, part, name):
    counts = getattr(card.published, part) if card.published else {}
    total = counts.get("all", sum(counts.values()) or None)
    return {
        "published": total if name == "all" else counts.get(name),
        "published_unit": card.published.unit if counts else None,
        "section": card.published.section if counts else None,
    }
