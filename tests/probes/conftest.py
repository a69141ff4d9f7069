import numpy as np
import pandas as pd
import pytest
import torch

from braindino.corpus.splits import split_subjects
from braindino.corpus.subsets import label_subsets
from braindino.probes.probe import label_draws, probe
from braindino.probes.samples import gather_samples
from braindino.probes.train import Lesson
from braindino.settings.probes import Probes

PROTOCOL = Probes(hidden=16, learning_rate=3e-3, epoch_steps=20)


@pytest.fixture
def lesson():
    """Return a function that makes the lesson of a head on `n` samples."""

    def make(targets, n, seed):
        order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
        fit, validate = order[n // 5 :], order[: n // 5]
        return Lesson(fit, targets[fit], validate, targets[validate], seed)

    return make


@pytest.fixture
def cohort():
    """Return a function that makes a task's volumes, whose features hold the target, or not."""

    def make(card, n=60, signal=1.0, sessions=1, dim=12):
        rng = np.random.default_rng(n)
        rows, features = [], []
        for number in range(n):
            age, value = rng.uniform(20, 80), rng.normal()
            for session in range(sessions):
                for place, modality in enumerate(card.modalities):
                    subject = f"lab/{number:03d}"
                    row = {"task": card.name, "subject": subject, "session": str(session)}
                    row |= {"dataset": "lab", "modality": modality, "age": age}
                    row |= {
                        "site": f"s{number % 3}",
                        "vendor": None,
                        "event": float(number % 3 > 0),
                    }
                    row["volume_id"] = f"{subject}/{session}/{modality}"
                    feature = rng.normal(size=dim)
                    if card.kind == "classification":
                        several = card.target == "modality"
                        row["target"] = float(place if several else number % len(card.classes))
                        feature[int(row["target"])] += 4 * signal
                    else:
                        row["target"] = age if card.kind == "regression" else np.exp(6 - value)
                        known = (age - 50) / 8 if card.kind == "regression" else 2 * value
                        feature[0] += signal * known
                    rows.append(row)
                    features.append(feature)
        return pd.DataFrame(rows), np.array(features, np.float32)

    return make


@pytest.fixture
def run(cohort):
    """Return a function that splits a cohort and predicts: predictions, samples, rejects."""

    def make(card, given=None, protocol=PROTOCOL, ratios=(0.5, 1.0), seeds=2, edit=None):
        volumes, features = given or cohort(card)
        split = split_subjects(card, volumes, {}, 3, seed=0)
        subsets = label_subsets(card, split, list(ratios), seeds, 3, seed=0)
        samples = gather_samples(card, split, list(volumes["volume_id"]), features)
        if edit:
            samples = samples._replace(table=edit(samples.table))
        own = protocol.for_task(card)
        draws, rejects = label_draws(card, samples.table, subsets, own, 3, 0)
        return probe(card, "enc", samples, draws, own, 0), samples, rejects, draws

    return make


@pytest.fixture
def classes(task_card):
    """Return a function that makes a classification's card."""

    def make(**changes):
        values = {"kind": "classification", "target": "dx", "classes": ["a", "b"], "unit": ""}
        return task_card(**values | {"name": "dx"} | changes)

    return make


@pytest.fixture
def survival(task_card):
    return task_card(name="km", kind="survival", target="days", event="dead", unit="days")
