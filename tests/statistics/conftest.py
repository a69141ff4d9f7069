import numpy as np
import pandas as pd
import pytest

from braindino.settings.cards import TaskCard
from braindino.settings.statistics import Statistics

COMMON = {
    "source": "§2",
    "datasets": ["A"],
    "modalities": ["T1w"],
    "test_fraction": 0.2,
    "test_fraction_source": "assumed",
}


@pytest.fixture(scope="session")
def age():
    return TaskCard(
        name="age", title="Brain age", kind="regression", target="age", unit="years", **COMMON
    )


@pytest.fixture(scope="session")
def sequence():
    return TaskCard(
        name="sequence",
        title="MRI sequence",
        kind="classification",
        target="modality",
        classes=["T1w", "T1c", "T2w", "FLAIR"],
        **COMMON,
    )


@pytest.fixture(scope="session")
def protocol():
    return Statistics(bootstrap=400)


def keys(subjects, volumes, task, encoder, ratio, seed):
    subject = [f"s{i:03d}" for i in range(subjects) for _ in range(volumes)]
    volume = [f"A/{s}/1/v{k % volumes}" for k, s in enumerate(subject)]
    return {
        "task": task, "encoder": encoder, "ratio": ratio, "seed": seed, "fold": 0,
        "subject": subject, "volume_id": volume,
    }  # fmt: skip


@pytest.fixture(scope="session")
def regression_predictions():
    """Build predictions whose errors are `bias` + noise of `noise` years."""

    def build(encoders, ratios=(0.1, 1.0), seeds=3, subjects=40, volumes=2):
        frames = []
        for encoder, (bias, noise) in encoders.items():
            for ratio in ratios:
                for seed in range(seeds):
                    rng = np.random.default_rng([seed, int(10 * ratio), len(encoder)])
                    frame = pd.DataFrame(keys(subjects, volumes, "age", encoder, ratio, seed))
                    frame["target"] = np.repeat(np.linspace(5, 80, subjects), volumes)
                    frame["prediction"] = frame["target"] + bias + rng.normal(0, noise, len(frame))
                    frames.append(frame)
        return pd.concat(frames, ignore_index=True)

    return build


@pytest.fixture(scope="session")
def class_predictions():
    """Build four-class predictions whose true class stands out by `signal`."""

    def build(encoders, ratios=(0.1, 1.0), seeds=3, subjects=25):
        frames = []
        for encoder, signal in encoders.items():
            for ratio in ratios:
                for seed in range(seeds):
                    rng = np.random.default_rng([seed, int(10 * ratio), len(encoder)])
                    frame = pd.DataFrame(keys(subjects, 4, "sequence", encoder, ratio, seed))
                    frame["target"] = np.tile(np.arange(4), subjects)
                    logits = rng.normal(size=(len(frame), 4))
                    logits[np.arange(len(frame)), frame["target"]] += signal
                    odds = np.exp(logits)
                    shares = np.round(odds / odds.sum(1, keepdims=True), 2)  # with ties
                    frame[[f"score_{k}" for k in range(4)]] = shares
                    frames.append(frame)
        return pd.concat(frames, ignore_index=True)

    return build
