"""Clean heads on perturbed features."""

import numpy as np
import pandas as pd
import pytest

from braindino.corpus.splits import split_subjects
from braindino.corpus.subsets import label_subsets
from braindino.errors import BadInput
from braindino.probes.probe import label_draws, probe
from braindino.probes.samples import gather_samples
from braindino.robustness.predict import check_heads, perturbed_samples, predict_conditions
from braindino.settings.probes import Probes

PROTOCOL = Probes(hidden=16, learning_rate=3e-3, epoch_steps=10, epochs=3)


@pytest.fixture
def evaluated(task_card, rng):
    """Return a function that runs the frozen evaluation and what perturbing needs of it."""

    def make(**changes):
        values = {"kind": "classification", "target": "dx", "classes": ["a", "b"], "unit": ""}
        card = task_card(**values | {"name": "dx"} | changes)
        rows = [
            {"subject": f"lab/{n}", "session": "1", "dataset": "lab", "modality": modality,
             "volume_id": f"lab/{n}/1/{modality}", "target": float(n % 2)}
            for n in range(30)
            for modality in card.modalities
        ]  # fmt: skip
        volumes = pd.DataFrame(rows).assign(task=card.name)
        features = rng.normal(size=(len(rows), 8)).astype(np.float32)
        features[:, 0] += 4 * volumes["target"]
        split = split_subjects(card, volumes, {}, 3, seed=0)
        subsets = label_subsets(card, split, [0.5, 1.0], 2, 3, seed=0)
        clean = list(volumes["volume_id"]), features
        samples = gather_samples(card, split, *clean)
        draws, _ = label_draws(card, samples.table, subsets, PROTOCOL, 3, 0)
        return card, split, samples, draws, clean

    return make


@pytest.mark.parametrize("changes", [{}, {"folds": 3}, {"modalities": ["T1c", "FLAIR"],
                                                        "fusion": "mean"}])  # fmt: skip
def test_features_unperturbed_give_the_clean_predictions(evaluated, changes):
    card, split, samples, draws, clean = evaluated(**changes)
    test = set(split.loc[split["split"] == "test", "volume_id"])
    places = [i for i, name in enumerate(clean[0]) if name in test]
    same = [clean[0][i] for i in places], clean[1][places]
    changed = {"gibbs-0.1": perturbed_samples(card, split, samples, clean, same)}
    made = predict_conditions(card, "enc", samples, draws, changed, PROTOCOL, 0)
    parts = {name: part.reset_index(drop=True) for name, part in made.groupby("condition")}
    pd.testing.assert_frame_equal(
        parts["clean"].drop(columns="condition"), parts["gibbs-0.1"].drop(columns="condition")
    )
    published = probe(card, "enc", samples, draws, PROTOCOL, 0)
    full = published[published["ratio"] == 1.0].reset_index(drop=True)
    assert len(parts["clean"]) == len(full)
    check_heads(made, published, card)


def test_only_test_samples_are_perturbed(evaluated):
    card, split, samples, _, clean = evaluated(folds=3)
    noise = clean[0], clean[1] + 100
    changed, lost = perturbed_samples(card, split, samples, clean, noise)
    shift = changed.features[changed.table["row"]] - samples.features[samples.table["row"]]
    test = (changed.table["split"] == "test").to_numpy()
    np.testing.assert_allclose(shift[test], 100, rtol=1e-4)
    assert not shift[~test].any() and not lost


def test_a_sample_whose_perturbed_volume_was_rejected_is_left_out(evaluated):
    card, split, samples, draws, clean = evaluated(modalities=["T1c", "FLAIR"], fusion="mean")
    test = split[split["split"] == "test"]
    gone = test["volume_id"].iloc[0]
    kept = [i for i, name in enumerate(clean[0]) if name != gone]
    given = [clean[0][i] for i in kept], clean[1][kept]
    changed, lost = perturbed_samples(card, split, samples, clean, given)
    assert lost == {gone.rpartition("/")[0] + "/T1c+FLAIR"}
    made = predict_conditions(card, "e", samples, draws, {"flip-1": (changed, lost)}, PROTOCOL, 0)
    counts = made.groupby("condition")["volume_id"].nunique()
    assert counts["flip-1"] == counts["clean"] - 1


def test_other_heads_are_noticed(evaluated):
    card, _, samples, draws, _ = evaluated()
    made = predict_conditions(card, "enc", samples, draws, {}, PROTOCOL, 0)
    other = probe(card, "enc", samples, draws, PROTOCOL, 1)
    with pytest.raises(BadInput, match="predict both again"):
        check_heads(made, other, card)
