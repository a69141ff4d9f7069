import numpy as np
import pytest
import torch

from braindino.errors import BadInput
from braindino.pretrain.channels import Images, channel_rows
from braindino.pretrain.distributed import Ranks
from braindino.pretrain.loader import Loader, part_size
from braindino.pretrain.order import SliceOrder
from braindino.pretrain.slices import Slices

CPU = torch.device("cpu")


def ranks(rank=0, size=1):
    group = Ranks()
    group.rank, group.size = rank, size
    return group


@pytest.fixture
def make_loader(shards, recipe):
    def make(rank=0, size=1, seed=5, recipe=recipe):
        slices = Slices(shards)
        images = Images(slices, SliceOrder(slices.sizes, seed), channel_rows("slice", shards))
        return Loader(images, recipe, (16, 16), seed, CPU, ranks(rank, size))

    return make


def with_optimisation(recipe, **values):
    changed = recipe.optimisation.model_copy(update=values)
    return recipe.model_copy(update={"optimisation": changed})


def with_views(recipe, **values):
    return recipe.model_copy(update={"views": recipe.views.model_copy(update=values)})


def tensors(batches):
    return [
        (part.global_crops, part.local_crops, part.masks) for parts in batches for part in parts
    ]


def test_shapes(make_loader):
    ((part,),) = make_loader().batches(0, 1, 1)
    assert part.global_crops.shape == (2 * 4, 1, 48, 48)
    assert part.local_crops.shape == (2 * 4, 1, 32, 32)
    assert part.masks.shape == (2 * 4, 3, 3)
    assert part.global_crops.dtype == torch.float32


def test_batches_depend_on_iteration_and_seed_alone(make_loader):
    expected = tensors(make_loader().batches(2, 5, 1))
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    torch.testing.assert_close(tensors(make_loader().batches(2, 5, 3)), expected, rtol=0, atol=0)
    assert torch.equal(torch.random.get_rng_state(), before)
    other = tensors(make_loader(seed=6).batches(2, 3, 1))
    assert not torch.equal(other[0][0], expected[0][0])


def test_one_slice_has_other_views_in_every_epoch(make_loader):
    loader = make_loader()
    order = loader.images.order
    again = next(k for k in range(11, 22) if order[k] == order[0])
    first = loader._draw(0, (48, 48))
    assert not np.array_equal(loader._draw(again, (48, 48))[0].box, first[0].box)


def by_slice(parts, count):
    """What a step is given, slice by slice: global crops, local crops, masks."""
    rows = []
    for part in parts:
        split = [
            t.unflatten(0, (-1, count)) for t in (part.global_crops, part.local_crops, part.masks)
        ]
        rows += [tuple(t[:, n] for t in split) for n in range(count)]
    return rows


def test_ranks_and_parts_share_the_same_slices_views_and_masks(make_loader, recipe):
    (whole,) = make_loader().batches(3, 4, 1)
    expected = by_slice(whole, 4)
    # Four slices over two ranks: a part of two each.
    shared = [next(make_loader(rank, 2).batches(3, 4, 1)) for rank in range(2)]
    assert [len(parts) for parts in shared] == [1, 1]
    torch.testing.assert_close(
        by_slice(shared[0], 2) + by_slice(shared[1], 2), expected, rtol=0, atol=0
    )
    # The same over one rank, two slices at once.
    small = with_optimisation(recipe, device_batch=2)
    (parts,) = make_loader(recipe=small).batches(3, 4, 1)
    assert len(parts) == 2
    torch.testing.assert_close(by_slice(parts, 2), expected, rtol=0, atol=0)


def test_paper_scale_is_one_part_on_four_gpus_and_four_on_one(recipe):
    paper = with_optimisation(recipe, batch=1024, device_batch=256)
    assert [part_size(paper, n) for n in (1, 2, 3 + 1, 8)] == [256, 256, 256, 128]


def test_a_batch_that_cannot_be_shared_out(recipe):
    with pytest.raises(BadInput, match="batch = 4 cannot be shared out over 3 processes"):
        part_size(recipe, 3)


def test_crop_sizes_are_drawn_by_their_ratios_and_alike_on_all_ranks(make_loader, recipe):
    several = with_views(
        recipe, global_sizes=[48, 32], local_sizes=[32, 16], size_ratios=[0.75, 0.25]
    )
    loaders = [make_loader(rank, 2, recipe=several) for rank in range(2)]
    sizes = [
        [
            (part.global_crops.shape[-1], part.local_crops.shape[-1], part.masks.shape[-1])
            for (part,) in loader.batches(0, 80, 2)
        ]
        for loader in loaders
    ]
    assert sizes[0] == sizes[1]
    assert set(sizes[0]) == {(48, 32, 3), (32, 16, 2)}
    assert 0.6 < np.mean([size[0] == 48 for size in sizes[0]]) < 0.9


def test_crops_must_hold_whole_patches(make_loader, recipe):
    with pytest.raises(BadInput, match=r"40 in views\.local_sizes is not a multiple"):
        make_loader(recipe=with_views(recipe, local_sizes=[40]))
