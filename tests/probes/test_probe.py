"""A task's predictions: who is trained on, who is predicted, and what is refused in words."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from braindino.errors import BadInput
from braindino.probes.oversample import oversample
from braindino.probes.probe import label_draws, probe
from braindino.probes.samples import gather_samples
from braindino.probes.subsets import shuffle_targets
from braindino.settings.cards import HeadChanges
from braindino.settings.probes import Probes

KEYS = ["task", "encoder", "ratio", "seed", "fold", "subject", "volume_id"]


def auc(predictions):
    return roc_auc_score(predictions["target"], predictions["score_1"])


def test_predictions_of_every_ratio_and_seed_on_the_test_set(task_card, run):
    predictions, samples, _, _ = run(task_card())
    test = samples.table[samples.table["split"] == "test"]
    assert len(predictions) == 2 * 2 * len(test)
    assert set(predictions["volume_id"]) == set(test["volume_id"])
    assert list(predictions.columns[:8]) == [*KEYS, "target"]
    error = (predictions["prediction"] - predictions["target"]).abs().mean()
    assert error < (test["target"] - test["target"].mean()).abs().mean() / 2


def test_classification_scores_are_probabilities(classes, run):
    predictions, *_ = run(classes())
    np.testing.assert_allclose(predictions[["score_0", "score_1"]].sum(axis=1), 1)
    assert auc(predictions) > 0.9


def test_same_inputs_same_predictions(classes, run):
    pd.testing.assert_frame_equal(run(classes())[0], run(classes())[0])


@pytest.mark.parametrize("kind", ["age", "dx", "km"])
def test_test_targets_cannot_influence_predictions(kind, task_card, classes, survival, run):
    card = {"age": task_card(), "dx": classes(oversample=True), "km": survival}[kind]

    def reverse(table):
        test = table["split"] == "test"
        return table.assign(target=table["target"].where(~test, table["target"][test].iloc[0]))

    before, after = run(card)[0], run(card, edit=reverse)[0]
    scores = [c for c in before if c.startswith(("score_", "prediction"))]
    pd.testing.assert_frame_equal(before[scores], after[scores])
    truth = "time" if kind == "km" else "target"
    assert (before[truth] != after[truth]).any()


def test_folds_are_predicted_by_heads_that_never_saw_their_subjects(classes, run):
    card = classes(folds=3)
    predictions, samples, _, draws = run(card)
    table = samples.table
    assert set(predictions["fold"]) == {0, 1, 2}
    for draw in draws:
        known = set(table["subject"].iloc[[*draw.fit, *draw.validate]])
        tested = predictions[(predictions["fold"] == draw.fold)]
        assert not known & set(tested["subject"])
        assert not set(table["subject"].iloc[draw.fit]) & set(table["subject"].iloc[draw.validate])


def test_shuffled_labels_give_chance(classes, task_card, run, cohort):
    """The same task without the shuffle is easy; 100 test subjects put chance within ± 0.1."""
    card = classes(test_fraction=0.5)
    given = cohort(card, n=200)
    assert auc(run(card, given)[0]) > 0.95
    shuffled = run(card, given, edit=lambda table: shuffle_targets(table, 0))[0]
    assert 0.35 < auc(shuffled) < 0.65
    ages = run(task_card(), edit=lambda table: shuffle_targets(table, 0))[0]
    gap = (ages["prediction"] - ages["target"]).abs().mean()
    assert gap > 0.8 * (ages["target"] - ages["target"].mean()).abs().mean()


def test_shuffling_moves_training_targets_alone(classes, run):
    table = run(classes())[1].table
    shuffled = shuffle_targets(table, 0)
    moved = table["target"] != shuffled["target"]
    assert set(table.loc[moved, "split"]) == {"train"}
    assert sorted(table["target"]) == sorted(shuffled["target"])


def test_paper_selection_learns_from_all_labels_and_looks_at_the_test_set(classes, run):
    draws = run(classes(), protocol=Probes(hidden=4, epochs=1, selection="paper"))[3]
    table = run(classes())[1].table
    full = next(draw for draw in draws if draw.ratio == 1)
    assert set(table["split"].iloc[full.fit]) == {"train"}
    assert len(full.fit) == (table["split"] == "train").sum()
    assert set(table["split"].iloc[full.validate]) == {"test"}
    assert set(full.labelled) == set(full.fit)


def test_a_subset_too_small_to_hold_labels_out_is_learnt_whole(classes, run, cohort, caplog):
    """Of two subjects with a class each, one alone teaches nothing."""
    caplog.set_level("INFO")
    card = classes(test_fraction=0.5)
    predictions, samples, _, draws = run(card, cohort(card, n=100), ratios=(0.04, 1.0))
    small, full = ([draw for draw in draws if draw.ratio == ratio] for ratio in (0.04, 1.0))
    for draw in small:
        assert len(draw.labelled) == 2
        assert set(samples.table["target"].iloc[draw.fit]) == {0, 1}
        assert np.array_equal(draw.validate, draw.labelled)
    assert all(len(set(draw.fit) & set(draw.validate)) == 0 for draw in full)
    assert auc(predictions[predictions["ratio"] == 0.04]) > 0.8
    assert "2 of 4 label subsets are too small" in caplog.text


def test_patients_who_cannot_be_ordered_choose_no_epoch(survival, run, cohort):
    given = cohort(survival, n=200, signal=4)
    predictions, _, _, draws = run(survival, given, ratios=(0.04, 1.0))
    small = [draw for draw in draws if draw.ratio == 0.04]
    for draw in small:  # of six patients one would be held out
        assert np.array_equal(draw.fit, draw.validate)
    risks = predictions[(predictions["ratio"] == 0.04) & (predictions["seed"] == 0)]
    assert risks["prediction"].corr(risks["time"], method="spearman") < -0.4


def test_fusion_averages_the_contrasts_of_a_visit(classes, cohort):
    card = classes(modalities=["T1c", "FLAIR"], fusion="mean")
    volumes, features = cohort(card, n=20)
    split = volumes.assign(fold=0, split=np.where(volumes["subject"] < "lab/015", "train", "test"))
    features[3] = np.nan  # the second contrast of the second visit
    known = slice(0, len(volumes) - 1)  # and the last is missing
    ids = list(volumes["volume_id"])[known]
    samples = gather_samples(card, split, ids, features[known])
    assert len(samples.table) == 18
    first = samples.table.iloc[0]
    assert first["volume_id"] == "lab/000/0/T1c+FLAIR"
    mean = features[:2].mean(axis=0)
    np.testing.assert_allclose(samples.features[first["row"]], mean, rtol=1e-5)
    reasons = samples.rejects.set_index("volume_id")["reason"].to_dict()
    assert reasons == {
        "lab/001/0/FLAIR": "its features are not finite",
        "lab/019/0/FLAIR": "no features: the scan was rejected before",
        "lab/001/0/T1c": "features of another contrast of its visit are missing",
        "lab/019/0/T1c": "features of another contrast of its visit are missing",
    }


def test_synthetic_samples_even_out_the_training_classes_alone(classes, run, monkeypatch):
    """No test row enters SMOTE, nor a row that picks the epoch."""
    seen = []

    def watch(features, targets, neighbours, seed):
        made = oversample(features, targets, neighbours, seed)
        seen.append((features, targets, made))
        return made

    monkeypatch.setattr("braindino.probes.probe.oversample", watch)
    card = classes(oversample=True)
    _, samples, _, draws = run(card, edit=lambda t: t.assign(target=t.index % 4 == 0))
    rows = samples.table["row"].to_numpy()
    test = samples.features[samples.table.loc[samples.table["split"] == "test", "row"]]
    for draw, (given, targets, (made, labels)) in zip(draws, seen, strict=True):
        np.testing.assert_array_equal(given, samples.features[rows[draw.fit]])
        assert not (given[:, None] == test).all(-1).any()
        counts = np.bincount(np.concatenate([targets, labels]))
        assert counts[0] == counts[1]
        # a synthetic sample lies between two real ones of its class
        low, high = given[targets == 1].min(0), given[targets == 1].max(0)
        assert ((made >= low - 1e-5) & (made <= high + 1e-5)).all()


def test_a_class_of_one_sample_is_repeated():
    features = np.arange(8.0, dtype=np.float32)[:, None]
    made, labels = oversample(features, np.array([0] * 7 + [1]), 5, 0)
    assert (made == 7).all()
    assert (labels == 1).all()
    assert len(made) == 6


@pytest.mark.parametrize("classes", [[1], [1, 1, 1], [0, 1], [0, 0, 1, 1]])
def test_nothing_is_made_where_classes_are_even_or_alone(classes):
    made, labels = oversample(np.ones((len(classes), 3)), np.array(classes), 5, 0)
    assert made.shape == (0, 3)
    assert len(labels) == 0


def test_one_sample_a_head_is_enough_to_run(classes, run):
    """Two labelled subjects: one is learnt from, the other picks the epoch."""
    predictions, *_ = run(classes(oversample=True), ratios=[0.02, 1.0])
    assert np.isfinite(predictions["score_0"]).all()


def test_days_after_a_stroke_are_learnt_as_logarithms(task_card, run, cohort):
    head = HeadChanges(loss="log_mixed", optimiser="adamw", learning_rate=0.01, source="x")
    card = task_card(name="dps", target="days", unit="days", head=head)
    volumes, features = cohort(card)
    volumes["target"] = np.expm1(volumes["target"] / 12)
    predictions, *_ = run(card, (volumes, features), ratios=[1.0])
    error = np.log1p(predictions["prediction"]) - np.log1p(predictions["target"])
    spread = np.log1p(predictions["target"]).std()
    assert error.abs().mean() < spread / 2


def test_risks_are_relative_to_the_median_training_patient(survival, run):
    predictions, *_ = run(survival)
    assert list(predictions.columns[7:9]) == ["time", "event"]
    high = predictions["prediction"] > 0
    assert predictions["time"][high].median() < predictions["time"][~high].median()
    assert 0.2 < high.mean() < 0.8


def test_gaps_are_corrected_where_enough_ages_are_validated(task_card, run, cohort):
    card = task_card()
    predictions, *_ = run(card, cohort(card, n=100, signal=0.3))
    gap = predictions["prediction"] - predictions["target"]
    full = predictions["ratio"] == 1
    raw = np.corrcoef(gap[full], predictions["target"][full])[0, 1]
    mended = np.corrcoef(predictions["gap_corrected"][full], predictions["target"][full])[0, 1]
    assert raw < -0.7
    assert abs(mended) < abs(raw) / 2
    half = predictions["ratio"] == 0.5
    assert predictions.loc[half, "gap_corrected"].isna().all()


# Bad input


def test_no_volume_left_is_said(classes, cohort):
    volumes, features = cohort(classes())
    split = volumes.assign(fold=0, split="train")
    with pytest.raises(BadInput, match=r"0 training subjects and 0 test subjects are left"):
        gather_samples(classes(), split, [], features[:0])


@pytest.mark.parametrize(
    ("kind", "column", "reason"),
    [
        ("dx", "target", "fold 0: one class alone, a"),
        ("age", "target", "fold 0: one value alone, 0"),
        ("km", "event", "fold 0: no event among its patients, all are censored"),
    ],
)
def test_nothing_to_learn_is_said(kind, column, reason, task_card, classes, survival, run):
    card = {"age": task_card(), "dx": classes(), "km": survival}[kind]
    with pytest.raises(BadInput, match=reason):
        run(card, edit=lambda table: table.assign(**{column: 0.0}))


def test_a_label_subset_of_one_class_is_left_out_and_counted(classes, run):
    card = classes()
    _, samples, _, _ = run(card)
    train = samples.table[samples.table["split"] == "train"]
    half = train.loc[train["target"] == 0, "subject"]
    subsets = pd.concat(
        [
            pd.DataFrame({"ratio": 0.5, "seed": 0, "fold": 0, "subject": half}),
            pd.DataFrame({"ratio": 1.0, "seed": 0, "fold": 0, "subject": train["subject"]}),
        ]
    )
    protocol = Probes(hidden=4, epochs=1)
    draws, rejects = label_draws(card, samples.table, subsets, protocol, 3, 0)
    assert list(rejects["reason"]) == ["ratio 0.5, seed 0, fold 0: one class alone, a"]
    assert set(probe(card, "enc", samples, draws, protocol, 0)["ratio"]) == {1.0}
