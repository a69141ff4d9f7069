"""The engine: one pass a volume, whatever interrupts it; and what is read of its tables."""

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import torch

from braindino.encoders import features
from braindino.encoders.features import extract_features, finish, read_features
from braindino.errors import BadInput
from braindino.files import write_table
from braindino.imaging.views import encoder_input


class Counting:
    """Count the images that pass through an encoder's network."""

    def __init__(self, encoder):
        self.encoder, self.images, self.calls = encoder, 0, 0
        encoder.network.register_forward_hook(self._count)

    def _count(self, _network, inputs, _output):
        self.calls += 1
        self.images += len(inputs[0])


@pytest.fixture
def files(brain, tmp_path):
    """Seven volumes of three contrasts."""
    array, affine = brain
    contrasts = ["T1w", "T1c", "FLAIR", "T1w", "T2w", "T1w", "T1w"]
    paths = {f"lab/{n}/1/{c}": tmp_path / f"{n}.nii.gz" for n, c in enumerate(contrasts)}
    for n, path in enumerate(paths.values()):
        nib.save(nib.Nifti1Image(array[n : n + 30], affine), path)
    return paths


@pytest.fixture
def extract(files, protocol, tmp_path):
    def extract(encoder, key="", chunk=3):
        return extract_features(encoder, files, protocol, tmp_path / "parts", key, chunk)

    return extract


@pytest.fixture(params=["dinov3", "bm_mae"])
def encoder(request, small_card, build):
    return build(small_card(request.param), batch=9)


def test_a_plane_is_a_condition_of_its_own(small_card, build, files, protocol, tmp_path):
    """A coronal slice of a brain is an axial one of the brain that lies on its back."""
    encoder = build(small_card("dinov3"), batch=9)
    name, path = next(iter(files.items()))
    image = nib.load(path)
    lying = np.asanyarray(image.dataobj).transpose(0, 2, 1)
    volume = encoder_input(lying, image.affine, encoder.view, protocol)
    out = encoder.read(volume[None], [name.split("/")[-1]])
    made = [
        extract_features(encoder, {name: path}, protocol, tmp_path / plane, plane=plane)
        for plane in ("coronal", "axial")
    ]
    np.testing.assert_allclose(made[0]["feature"][0], out.embedding[0], rtol=1e-4, atol=1e-5)
    assert not np.allclose(made[1]["feature"][0], out.embedding[0], atol=1e-3)


def test_each_row_is_its_volume_alone(encoder, extract, files, protocol):
    table = extract(encoder)
    assert list(table["volume_id"]) == list(files)
    for name, path in files.items():
        image = nib.load(path)
        array = np.asanyarray(image.dataobj)
        volume = encoder_input(array, image.affine, encoder.view, protocol)
        out = encoder.read(volume[None], [name.split("/")[-1]])
        row = table.set_index("volume_id").loc[name]
        np.testing.assert_allclose(row["feature"], out.embedding[0], atol=1e-5)
        np.testing.assert_allclose(row["patch_mean"], out.patch_mean[0], atol=1e-5)
        for depth in ("early", "mid", "late"):
            np.testing.assert_allclose(row[depth], out.layers[depth][0], atol=1e-5)


def test_one_pass_a_volume_in_full_batches(small_card, build, extract):
    counting = Counting(build(small_card("dinov3"), batch=1))  # 16 slices of 64 x 64
    extract(counting.encoder, chunk=7)
    assert counting.images == 7 * 4  # slices
    # 7 inside the axial range, then 16 and 5: batches run across volumes.
    assert counting.calls == 3


def test_an_interrupted_job_goes_on_where_it_stopped(small_card, build, extract, monkeypatch):
    whole = extract(build(small_card("brainiac")), "whole")
    counting, read = Counting(build(small_card("brainiac"))), features._read

    def killed(path, view, protocol):
        if path.name == "4.nii.gz":
            raise KeyboardInterrupt
        return read(path, view, protocol)

    with monkeypatch.context() as patch:
        patch.setattr(features, "_read", killed)
        with pytest.raises(KeyboardInterrupt):
            extract(counting.encoder)
    assert counting.images == 3  # the first chunk, which is saved
    resumed = extract(counting.encoder)
    assert counting.images == 3 + 4
    pd.testing.assert_frame_equal(resumed, whole)


def test_what_was_kept_for_other_settings_is_not_used(small_card, build, extract, files):
    counting = Counting(build(small_card("brainiac")))
    extract(counting.encoder, "one")
    extract(counting.encoder, "one")
    assert counting.images == 7
    extract(counting.encoder, "another")
    assert counting.images == 14
    files["lab/6/1/T1w"].touch()  # the last chunk of the first key holds this volume alone
    extract(counting.encoder, "one")
    assert counting.images == 15


def test_parts_are_gone_when_the_table_is_there(small_card, build, extract, tmp_path):
    table = extract(build(small_card("intensity")))
    finish(table, tmp_path / "lab.parquet", tmp_path / "parts")
    assert not (tmp_path / "parts").exists()
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "lab.parquet"), table)


def test_cohort_without_a_volume_gives_an_empty_table(small_card, build, protocol, tmp_path):
    table = extract_features(build(small_card("intensity")), {}, protocol, tmp_path / "parts")
    assert table.empty
    assert {"volume_id", "feature", "patch_mean"} <= set(table.columns)


def test_a_network_that_changes_in_a_pass_stops_the_job(small_card, build, extract):
    encoder = build(small_card("brainmvp"))
    norm = encoder.network.norm

    def drift(*_):
        norm.running_mean += 1e-3  # as BatchNorm does in training mode

    norm.register_forward_hook(drift)
    with pytest.raises(AssertionError, match="changed the encoder's state"):
        extract(encoder)


@pytest.fixture
def tables(tmp_path):
    """Two cohorts' features, the second without a volume."""
    vectors = {
        c: [np.full(2, n, np.float32)] for n, c in enumerate(("feature", "patch_mean", "mid"))
    }
    table = pd.DataFrame({"volume_id": ["a/1/1/T1w"]} | vectors)
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    write_table(table, paths[0])
    write_table(table.iloc[:0], paths[1])
    return paths


@pytest.mark.parametrize(("pool", "value"), [("cls", 0), ("patch", 1), ("mid", 2)])
def test_either_pool_is_read_by_name(pool, value, tables):
    volumes, vectors = read_features(tables, pool)
    assert volumes == ["a/1/1/T1w"]
    assert vectors.dtype == np.float32
    np.testing.assert_array_equal(vectors, [[value, value]])


def test_a_layer_that_was_not_read(tables):
    with pytest.raises(BadInput, match=r"a\.parquet: its encoder has no 'late' layer"):
        read_features(tables, "late")


def test_intensity_is_the_histogram_of_the_brain(small_card, build):
    network = build(small_card("intensity")).network
    generator = torch.Generator().manual_seed(0)
    volume = torch.zeros(1, 1, 20, 20, 20)
    voxels = torch.randn(6000, generator=generator)
    volume.view(-1)[torch.randperm(8000, generator=generator)[:6000]] = voxels
    out = network(volume)[0].double().numpy()
    counts, _ = np.histogram(voxels.clamp(-4, 4), bins=64, range=(-4, 4))
    np.testing.assert_allclose(out[:64], counts / 6000, atol=1e-6)
    from scipy.stats import entropy, kurtosis, skew

    expected = [skew(voxels), kurtosis(voxels), np.abs(voxels - voxels.mean()).mean()]
    np.testing.assert_allclose(out[64:67], expected, atol=1e-4)
    assert out[67] == pytest.approx(entropy(counts, base=2), abs=1e-4)
    np.testing.assert_allclose(out[-5], np.median(voxels), atol=2e-3)
