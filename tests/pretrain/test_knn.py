import numpy as np
import pytest
import torch
from sklearn.neighbors import KNeighborsClassifier

from braindino.pretrain.held_out import list_volumes
from braindino.pretrain.knn import TEMPERATURE, KnnProbe, knn_accuracy
from braindino.pretrain.model import Backbone


def by_scikit_learn(features, labels, subjects, neighbours):
    """Leave each subject out in turn."""
    right = []
    for subject in np.unique(subjects):
        rest = subjects != subject
        model = KNeighborsClassifier(
            neighbours, metric="cosine", weights=lambda d: np.exp((1 - d) / TEMPERATURE)
        )
        model.fit(features[rest], labels[rest])
        right += list(model.predict(features[~rest]) == labels[~rest])
    return np.mean(right)


def test_accuracy_is_that_of_scikit_learn(rng):
    labels, subjects = rng.integers(0, 4, 80), np.repeat(np.arange(20), 4)
    features = rng.normal(size=(80, 6)) + 1.5 * np.eye(6)[labels]
    accuracy, chance = knn_accuracy(torch.from_numpy(features), labels, subjects, 5)
    assert accuracy == pytest.approx(by_scikit_learn(features, labels, subjects, 5))
    assert chance == np.bincount(labels).max() / 80
    assert 0.3 < accuracy < 1


def test_a_bank_votes_and_is_not_asked(rng):
    labels, subjects = rng.integers(0, 4, 80), np.repeat(np.arange(20), 4)
    features = rng.normal(size=(80, 6)) + 1.5 * np.eye(6)[labels]
    bank = KNeighborsClassifier(5, metric="cosine", weights=lambda d: np.exp((1 - d) / TEMPERATURE))
    bank.fit(features[4:], labels[4:])
    accuracy, chance = knn_accuracy(torch.from_numpy(features), labels, subjects, 5, asked=4)
    assert accuracy == np.mean(bank.predict(features[:4]) == labels[:4])
    assert chance == np.bincount(labels[:4]).max() / 4


def test_a_subjects_own_volumes_are_no_neighbours():
    # Each subject's two volumes are twins of unlike label: the others' are all there is to ask.
    features = torch.eye(3).repeat_interleave(2, dim=0)
    labels, subjects = np.array([0, 1, 0, 1, 0, 1]), np.array([0, 0, 1, 1, 2, 2])
    labels_of_subjects = subjects.copy()
    assert np.isnan(knn_accuracy(features, labels_of_subjects, subjects, 1)[0])
    assert knn_accuracy(features, labels, subjects, 4)[1] == 0.5


def test_a_label_that_nobody_else_has_is_not_asked():
    features = torch.tensor([[1.0, 0], [1, 0.1], [0, 1]])
    assert knn_accuracy(features, np.array([0, 0, 1]), np.arange(3), 1) == (1.0, 1.0)


def test_the_cosine_and_not_the_length_makes_neighbours():
    features = torch.tensor([[1.0, 0], [9, 0], [0, 1], [0, 9]])
    labels = np.array([0, 0, 1, 1])
    assert knn_accuracy(features, labels, np.arange(4), 1)[0] == 1
    assert knn_accuracy(features, labels[::-1].copy(), np.arange(4), 1)[0] == 1
    assert knn_accuracy(features, np.array([0, 1, 0, 1]), np.arange(4), 1)[0] == 0


def test_a_volume_is_the_mean_of_its_slices_class_tokens(shards, recipe):
    volumes = list_volumes(shards)
    probe = KnnProbe(volumes, volumes[:0], slices=2, size=48, neighbours=1)
    assert probe.images.shape == (3, 2, 1, 48, 48) and probe.images.dtype == torch.float16
    # Of five slices the second and the fourth.
    third = torch.from_numpy(np.load(shards[2])[[1, 3], None])
    assert torch.equal(probe.images[2], third)
    backbone = Backbone(recipe.model.architecture, recipe.model.arguments)
    metrics = probe(backbone)
    assert set(metrics) == {
        "knn_modality", "knn_modality_chance", "knn_modality_patches",
        "knn_dataset", "knn_dataset_chance", "knn_dataset_patches",
    }  # fmt: skip
    assert (metrics["knn_modality"], metrics["knn_modality_chance"]) == (1, 1)
    assert metrics["knn_dataset_chance"] == 1  # of the two volumes of cohort a; b has one subject


def test_three_slices_at_once_are_probed_so(shards):
    volumes = list_volumes(shards)
    probe = KnnProbe(volumes, volumes[:0], 2, 48, 1, channels="neighbours")
    # Of five slices the second and the fourth, each between its neighbours.
    slices = torch.from_numpy(np.load(shards[2]))
    assert torch.equal(probe.images[2], slices[torch.tensor([[0, 1, 2], [2, 3, 4]])])
    alone = KnnProbe(volumes.assign(count=1), volumes[:0], 1, 48, 1, "neighbours").images[2]
    assert torch.equal(alone, slices[torch.zeros(1, 3, dtype=int)])


class Patches(torch.nn.Module):
    """A network whose one patch token is a slice's pixels, and its class token nothing."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))

    def forward(self, images):
        pixels = images[:, 0].flatten(1)[..., None]
        return torch.zeros(len(images), 1), pixels


def test_patches_tell_by_their_mean_and_spread(shards):
    volumes = list_volumes(shards)
    probe = KnnProbe(volumes, volumes[:0], slices=2, size=48, neighbours=1)
    pixels = probe.images.float().flatten(2).numpy()
    expected = np.stack([pixels.mean(axis=2).mean(1), pixels.std(axis=2, ddof=1).mean(1)], axis=1)
    expected = (expected - expected.mean(axis=0)) / expected.std(axis=0, ddof=1)
    with torch.no_grad():
        np.testing.assert_allclose(probe._embed(Patches())[1], expected, rtol=1e-3, atol=1e-3)


def test_slices_are_brought_to_the_size_asked_for(shards):
    volumes = list_volumes(shards)
    assert KnnProbe(volumes, volumes[:0], 2, 32, 1).images.shape[-2:] == (32, 32)


def test_what_no_two_subjects_share_is_left_out(shards, recipe):
    volumes = list_volumes(shards).iloc[1:]  # of two cohorts, a subject each
    backbone = Backbone(recipe.model.architecture, recipe.model.arguments)
    probe = KnnProbe(volumes, volumes[:0], 2, 32, 1)
    found = set(probe(backbone))
    assert found == {"knn_modality", "knn_modality_chance", "knn_modality_patches"}
