import numpy as np
import pytest

from braindino.reporting.palette import CONTRASTS
from braindino.reporting.quality import densities, histogram_figure, mean_density, quality_sections


def test_density_by_hand():
    centres, density = densities(np.array([[1, 3]]), np.array([[0.0, 4.0]]))
    np.testing.assert_array_equal(centres, [[1, 3]])
    np.testing.assert_array_equal(density, [[0.125, 0.375]])  # quarters of the voxels, bins of 2


def test_a_density_holds_every_voxel_once_whatever_the_scanners_gain(rng):
    counts = rng.integers(1, 50, (3, 64))
    limits = np.array([[0, 1], [0, 100], [-20, 4000.0]])
    centres, density = densities(counts, limits)
    np.testing.assert_allclose(density.sum(1) * (centres[:, 1] - centres[:, 0]), 1)


def test_mean_counts_a_volume_as_zero_beyond_its_range():
    centres = np.array([[0.0, 1, 2], [0, 2, 4]])
    at, mean = mean_density(centres, np.ones((2, 3)), points=5)
    np.testing.assert_array_equal(at, [0, 1, 2, 3, 4])
    np.testing.assert_array_equal(mean, [1, 1, 1, 0.5, 0.5])


def test_histograms_draw_each_volume_in_its_contrasts_colour(thumbnails, brains):
    index = brains.assign(modality=np.where(np.arange(19) < 4, "FLAIR", "T1w"))
    figure = histogram_figure(thumbnails, index, "IXI", "demo: phantoms, not patients")
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == [
        "T1w, as scanned (15 volumes)", "T1w, normalised",
        "FLAIR, as scanned (4 volumes)", "FLAIR, normalised",
    ]  # fmt: skip
    lines = [axes.collections[0] for axes in figure.axes]
    assert [len(each.get_segments()) for each in lines] == [15, 15, 4, 4]
    assert CONTRASTS["FLAIR"] == "#009E73" and tuple(lines[2].get_color()[0][:3]) == pytest.approx(
        (0, 0x9E / 255, 0x73 / 255)
    )
    assert all(axes.get_xlabel() and axes.get_ylabel() for axes in figure.axes)


def test_one_bright_volume_does_not_hide_the_others(thumbnails, brains):
    high = brains["intensity_high"].where(brains.index != 3, 1e6)
    figure = histogram_figure(thumbnails, brains.assign(intensity_high=high), "IXI")
    assert figure.axes[0].get_xlim()[1] == pytest.approx(3 * high.median())


def test_a_cohort_of_rejects_alone_has_an_empty_figure(thumbnails, brains):
    none = {key: value[:0] for key, value in thumbnails.items()}
    assert not any(axes.axison for axes in histogram_figure(none, brains[:0], "IXI").axes)


def test_sections_number_the_outliers_and_name_nobody(outliers):
    first, second = quality_sections(
        {"IXI": "a", "Pixar": "b"}, {"IXI": "c", "Pixar": "d"}, outliers
    )
    assert (first["count"], second["count"], second["outliers"]) == (1, 0, [])
    (row,) = first["outliers"]
    assert (row["volume"], row["modality"], row["z"][0]) == ("#12", "T1w", "−")
    assert row["reason"].startswith("brain volume 640 ml")
    assert "IXI011" not in str(first)
