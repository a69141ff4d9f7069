"""kNN against scikit-learn and by hand; linear probes; leaving sites out."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from braindino.probes.knn import vote
from braindino.probes.leave_out import leave_out
from braindino.probes.linear import linear_probe
from braindino.probes.supplement import supplement
from braindino.settings.probes import Probes

SMALL = Probes(hidden=8, epochs=2, epoch_steps=10, strengths=[0.1])


def test_knn_is_that_of_scikit_learn_where_there_are_no_ties(rng):
    bank, queries = rng.normal(size=(80, 6)), rng.normal(size=(40, 6))
    classes = rng.integers(0, 2, 80)  # two classes and odd k: no ties
    for k in (1, 3, 5, 21):
        theirs = KNeighborsClassifier(k, metric="cosine").fit(bank, classes)
        won, shares = vote(bank, classes, queries, k, 2)
        np.testing.assert_array_equal(won, theirs.predict(queries))
        np.testing.assert_allclose(shares, theirs.predict_proba(queries))


def test_ties_go_to_the_greater_summed_similarity_by_hand():
    """Two votes each; cosines 1.0 + 0.0 for class 1, 0.8 + 0.6 for class 0."""
    bank = np.array([[2.0, 0], [0, 1], [0.8, 0.6], [0.6, 0.8]])
    won, shares = vote(bank, np.array([1, 1, 0, 0]), np.array([[5.0, 0]]), 4, 2)
    assert won.tolist() == [0]
    assert shares.tolist() == [[0.5, 0.5]]
    won, _ = vote(bank, np.array([1, 0, 0, 1]), np.array([[5.0, 0]]), 4, 2)
    assert won.tolist() == [1]  # 1.0 + 0.6 against 0.0 + 0.8


def test_k_beyond_the_bank_lets_all_vote():
    won, shares = vote(np.eye(3), np.array([0, 1, 1]), np.eye(3)[:1], 50, 2)
    np.testing.assert_allclose(shares, [[1 / 3, 2 / 3]])
    assert won.tolist() == [1]


def test_linear_probe_is_logistic_regression_on_all_labels(classes, run):
    card = classes()
    _, samples, _, draws = run(card)
    made = linear_probe(card, "enc", samples, draws, SMALL)
    train, test = (samples.table[samples.table["split"] == p] for p in ("train", "test"))
    scale = StandardScaler().fit(samples.features[train["row"]])
    model = LogisticRegression(C=0.1, max_iter=1000)
    model.fit(scale.transform(samples.features[train["row"]]), train["target"].astype(int))
    scores = model.predict_proba(scale.transform(samples.features[test["row"]]))
    np.testing.assert_allclose(made[["score_0", "score_1"]], scores, atol=1e-5)


def test_the_strength_is_picked_without_the_test_set(task_card, run):
    card = task_card()
    _, samples, _, draws = run(card)
    path = SMALL.model_copy(update={"strengths": [1e-6, 0.1]})
    made = linear_probe(card, "enc", samples, draws, path)
    assert set(made["strength"]) == {0.1}
    other = samples._replace(
        table=samples.table.assign(
            target=samples.table["target"].where(samples.table["split"] == "train", 0)
        )
    )
    again = linear_probe(card, "enc", other, draws, path)
    pd.testing.assert_series_equal(made["prediction"], again["prediction"])


def test_every_site_is_tested_once_by_a_head_that_never_saw_it(classes, run):
    card = classes(folds=2)
    _, samples, _, _ = run(card)
    split, subsets = leave_out(samples.table, "site", 1)
    assert set(split["group"]) == {"lab s0", "lab s1", "lab s2"}
    for fold, part in split.groupby("fold"):
        test, train = (part[part["split"] == p] for p in ("test", "train"))
        assert len(set(test["site"])) == 1
        assert not set(test["site"]) & set(train["site"])
        labelled = subsets.loc[subsets["fold"] == fold, "subject"]
        assert set(labelled) == set(train["subject"])
    tested = split[split["split"] == "test"]
    assert sorted(tested["volume_id"]) == sorted(samples.table["volume_id"].unique())


def test_one_group_cannot_be_left_out(classes, run):
    _, samples, _, _ = run(classes())
    split, subsets = leave_out(samples.table, "vendor", 1)
    assert split.empty
    assert subsets.empty


def test_scans_of_an_unknown_maker_are_no_maker(classes, run):
    _, samples, _, _ = run(classes())
    table = samples.table
    number = table["subject"].str[-3:].astype(int)
    table = table.assign(vendor=number.map(lambda n: ["GE", "SIEMENS", ""][n % 3]))
    split, _ = leave_out(table, "vendor", 1)
    assert set(split["group"]) == {"GE", "SIEMENS"}
    assert "" not in set(split["vendor"])


def test_groups_that_can_be_learnt_from_the_others_are_predicted(classes, run):
    """Without s0 one class alone is left: nothing is predicted of it, the others are."""
    _, samples, _, draws = run(classes())
    table = samples.table
    target = table["target"].where(table["site"] == "s0", 0.0)
    made = supplement(
        classes(), "enc", samples._replace(table=table.assign(target=target)), draws, SMALL, 3, 0
    )
    left = made[made["probe"] == "leave_site"]
    assert set(left["group"]) == {"lab s1", "lab s2"}


def test_shuffled_labels_reach_the_heads_of_left_out_sites(classes, run, cohort):
    card = classes(test_fraction=0.5)
    _, samples, _, draws = run(card, cohort(card, n=150))

    def accuracy(shuffled):
        protocol = Probes(hidden=8, epochs=4, learning_rate=3e-3, shuffle_labels=shuffled)
        made = supplement(card, "enc", samples, draws, protocol, 3, 0)
        made = made[made["probe"] == "leave_site"]
        return ((made["score_1"] > 0.5) == made["target"]).mean()

    assert accuracy(False) > 0.9
    assert accuracy(True) < 0.75


def test_supplement_holds_every_probe(classes, run):
    card = classes(knn="knn_dx")
    _, samples, _, draws = run(card)
    made = supplement(card, "enc", samples, draws, SMALL, 3, 0)
    sizes = made.groupby("probe").size()
    test = (samples.table["split"] == "test").sum()
    assert sizes.to_dict() == {"knn": 6 * test, "linear": test, "leave_site": len(samples.table)}


@pytest.mark.parametrize("kind", ["regression", "survival"])
def test_supplement_of_numbers_and_risks(kind, task_card, survival, run):
    card = task_card() if kind == "regression" else survival
    _, samples, _, draws = run(card)
    made = supplement(card, "enc", samples, draws, SMALL, 3, 0)
    assert set(made["probe"]) == {"leave_site"} | ({"linear"} if kind == "regression" else set())
    assert np.isfinite(made["prediction"]).all()
