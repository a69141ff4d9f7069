"""Segmentations: means over cases, their spread and paired tests, against hand-made cases."""

import numpy as np
import pandas as pd
import pytest

from braindino.settings.load import load_card
from braindino.settings.statistics import Statistics
from braindino.statistics.comparisons import comparisons
from braindino.statistics.metrics import metrics
from braindino.statistics.segmentation import CASE_SCORES, by_case


@pytest.fixture
def card():
    return load_card("tasks", "seg_brats2021")


@pytest.fixture
def predictions(rng):
    """Twenty cases of two encoders; the rival's whole tumour is worse in each of them."""
    rows = []
    for case in range(20):
        for region, base in (("wt", 0.9), ("tc", 0.8), ("et", 0.7)):
            own = base + rng.normal(0, 0.02)
            lost = 0.1 if region == "wt" else 0.0
            for encoder, dice in (("braindino", own), ("brainmvp", own - lost)):
                rows.append(
                    {
                        **{"task": "seg_brats2021", "encoder": encoder, "ratio": 1.0, "seed": 0},
                        **{"fold": 0, "subject": f"BraTS2021/{case}", "region": region},
                        **{"volume_id": f"BraTS2021/{case}/1", "dice": dice, "hd95": 5.0},
                        "lesion_dice": dice / 2,
                    }
                )
    return pd.DataFrame(rows)


def test_regions_of_a_case_stand_side_by_side(predictions):
    wide = by_case(predictions)
    assert len(wide) == 40
    row = wide[(wide["encoder"] == "braindino") & (wide["subject"] == "BraTS2021/3")].iloc[0]
    own = predictions[
        (predictions["encoder"] == "braindino") & (predictions["subject"] == "BraTS2021/3")
    ]
    assert row["dice_tc"] == own.loc[own["region"] == "tc", "dice"].item()
    assert list(wide.columns[7:-1]) == CASE_SCORES


def test_means_and_spread_over_cases(predictions, card):
    table = metrics(by_case(predictions), card, Statistics(bootstrap=200)).set_index(
        ["encoder", "metric"]
    )
    for region in ("wt", "tc", "et"):
        own = predictions[
            (predictions["encoder"] == "braindino") & (predictions["region"] == region)
        ]["dice"]
        row = table.loc["braindino", f"dice_{region}"]
        assert row["value"] == pytest.approx(own.mean())
        assert row["sd_subjects"] == pytest.approx(own.std())
        assert row["sd"] == pytest.approx(own.std() / np.sqrt(20), rel=0.25)  # of the mean
        assert row["ci_low"] < row["value"] < row["ci_high"]
        assert row["n"] == 20
    assert table.loc["brainmvp", "hd95_et"]["value"] == 5.0


def test_encoders_are_paired_by_case(predictions, card):
    table = comparisons(by_case(predictions), card, Statistics(bootstrap=200)).set_index("metric")
    assert table.loc["dice_wt", "difference"] == pytest.approx(-0.1)
    assert table.loc["dice_wt", "p"] < 0.05
    assert table.loc["dice_tc", "difference"] == pytest.approx(0.0)
    assert table.loc["dice_tc", "p"] > 0.05
    assert set(table["test"]) == {"paired bootstrap"}
