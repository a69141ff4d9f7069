"""Leave one site or one scanner's maker out, to see whether a head works where it never was."""

import pandas as pd

FEW = 2  # subjects that a group needs to be held out


def leave_out(table, by, seeds):
    """Make a fold of every group, whose test subjects are the group's.

    Parameters
    ----------
    table : DataFrame
        Samples of a task, one row a fold and sample.
    by : {'site', 'vendor'}
        Of scans whose vendor is not known nothing is made; to those without a site their cohort is
        one.
    seeds : int
        Heads a fold.

    Returns
    -------
    split : DataFrame
        The samples once a group, with split and fold anew and the column `group`; of one group or
        none, without a row. A subject of several groups is tested with the one of its most
        samples.
    subsets : DataFrame
        All training subjects of each fold, at ratio 1.

    Notes
    -----
    The encoder may have seen the held-out scans, without their labels, in its pretraining.
    """
    samples = table.drop_duplicates("volume_id").drop(columns=["fold", "split"])
    if by == "vendor":
        samples = samples[_known(samples, by)]
    groups = _groups(samples, by)
    counts = groups.value_counts()
    held = sorted(counts.index[counts >= FEW])
    group = samples["subject"].map(groups)
    frames = [
        samples.assign(
            group=name, fold=number, split=(group == name).map({True: "test", False: "train"})
        )
        for number, name in enumerate(held if len(counts) > 1 else [])
    ]
    split = pd.concat(frames, ignore_index=True) if frames else _nothing(table)
    train = split[split["split"] == "train"][["fold", "subject"]].drop_duplicates()
    subsets = [train.assign(ratio=1.0, seed=seed) for seed in range(seeds)]
    return split, pd.concat(subsets, ignore_index=True)


def _groups(samples, by):
    """Return a Series subject → group."""
    named = samples["dataset"]
    if by in samples:
        named = samples[by].astype(object).where(_known(samples, by), named)
    # Two cohorts may number their sites alike.
    if by == "site":
        named = samples["dataset"] + " " + named.astype(str)
    return named.astype(str).groupby(samples["subject"]).agg(lambda names: names.mode().iloc[0])


def _known(samples, by):
    if by not in samples:
        return pd.Series(False, samples.index)
    return samples[by].notna() & (samples[by].astype(str) != "")


def _nothing(table):
    return table.iloc[:0].assign(group="", fold=0, split="")
