"""Site leakage finds a site where there is one, and none where there is none."""

import numpy as np
import pandas as pd
import pytest

from braindino.representation.alignment import alignment, shared_rows, subject_weights
from braindino.representation.subject_map import describe, flatten, site_leakage


@pytest.fixture
def manifests():
    rows = [
        {"volume_id": f"{cohort}/{n}/1/T1w", "dataset": cohort, "subject": str(n), "age": 30.0,
         "modality": "T1w", "site": f"s{n % 3}" if cohort == "many" else None}
        for cohort in ("many", "one")
        for n in range(60)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_leakage_of_sites_and_cohorts(manifests, rng):
    known = describe(manifests, list(manifests["volume_id"])[::-1])
    assert set(known["site"]) == {"many s0", "many s1", "many s2", "one"}
    noise = rng.normal(size=(120, 6))
    told = noise.copy()
    told[:, 0] += 8 * known["site"].map({"many s0": 0, "many s1": 1, "many s2": 2, "one": 9})
    leaked, none = (
        site_leakage(features, known, "e", 5, 0).set_index("cohort") for features in (told, noise)
    )
    assert list(leaked.index) == ["all", "many"]  # a cohort of one site betrays none
    assert (leaked["accuracy"] > 0.95).all() and leaked.loc["many", "chance"] == 1 / 3
    assert (none["accuracy"] - none["chance"]).abs().max() < 0.2


def test_a_subject_s_scans_are_not_on_both_sides(manifests, rng):
    """Features that tell the subject, and nothing of the site, must not tell the site."""
    three = pd.concat([manifests.assign(volume_id=manifests["volume_id"] + str(n))
                       for n in range(3)])  # fmt: skip
    known = describe(three, list(three["volume_id"]))
    own = {name: rng.normal(size=40) for name in sorted(set(known["subject"]))}
    features = np.stack([own[name] for name in known["subject"]])
    row = site_leakage(features, known, "e", 5, 0).set_index("cohort").loc["many"]
    assert row["accuracy"] < 0.6


def test_the_map_keeps_groups_apart(rng):
    features = rng.normal(size=(60, 20))
    features[30:] += 10
    places = flatten(features, 0)
    np.testing.assert_array_equal(places, flatten(features, 0))
    halves = places[:30].mean(0), places[30:].mean(0)
    spread = max(places[:30].std(), places[30:].std())
    assert np.linalg.norm(np.subtract(*halves)) > 2 * spread
    assert flatten(features[:3], 0).shape == (3, 2)


def test_alignment_of_a_turned_encoder_is_one(rng):
    x = rng.normal(size=(30, 4))
    layers = {
        "ours": {"early": x, "late": x},
        "same": {"early": 2 * x[:, ::-1], "late": rng.normal(size=(30, 4))},
    }
    table = alignment(layers, "ours", [f"s{n // 2}" for n in range(30)], "IXI", 200)
    early, late = table.set_index("layer").loc[["early", "late"]].itertuples()
    assert early.cka == pytest.approx(1, abs=1e-6) and early.ci_low == pytest.approx(1, abs=1e-5)
    assert late.cka < 0.4 and late.ci_low <= late.ci_high
    assert (table["n"] == 30).all() and (table["n_subjects"] == 15).all()


def test_volumes_are_brought_into_one_order():
    one = (["b", "a", "c"], np.array([[2.0], [1], [3]]))
    two = (["a", "b"], np.array([[10.0], [20]]))
    volumes, layers = shared_rows({"x": {"late": one}, "y": {"late": two}}, ["a", "b", "c"])
    assert volumes == ["a", "b"]
    assert layers["x"]["late"].ravel().tolist() == [1, 2]
    assert layers["y"]["late"].ravel().tolist() == [10, 20]


def test_a_subject_s_volumes_are_drawn_together(rng):
    weights = subject_weights(["b", "a", "b"], 50, rng)
    np.testing.assert_array_equal(weights[0], weights[2])
    assert (weights[0] + weights[1] == 2).all()
