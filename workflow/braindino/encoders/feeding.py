"""What a network is fed of volumes: images in its channels, and names of their contrasts."""

import torch

from braindino.errors import BadInput


def make_images(volumes, rows, view, device):
    """Make the channels of some images of volumes, normalised (§4.2).

    Parameters
    ----------
    volumes : Tensor [n, slices, rows, columns] or [n, x, y, z]
    rows : Tensor of int
        Which images: volumes, or slices counted through all volumes.
    view : braindino.settings.views.SliceView or VolumeView
    device : torch.device

    Returns
    -------
    Tensor [images, channels, *shape]
    """
    images = _channels(volumes, rows, view).to(device)
    images = images.expand(-1, view.channels, *images.shape[2:])
    along = (-1, *(1,) * (images.ndim - 2))
    if view.mean:
        images = images - torch.tensor(view.mean, device=device).view(along)
    if view.std:
        images = images / torch.tensor(view.std, device=device).view(along)
    return images


def _channels(volumes, rows, view):
    """Return [images, 1 or 3, *shape]: one channel, or a slice and its neighbours."""
    if view.kind != "slices":
        return volumes[rows][:, None]
    if not view.neighbours:
        return volumes.flatten(0, 1)[rows][:, None]
    slices = volumes.shape[1]
    planes = (rows % slices)[:, None] + torch.tensor([-1, 0, 1])
    return volumes[rows[:, None] // slices, planes.clamp(0, slices - 1)]


def told(card, modalities, volumes):
    """Return the arguments by which a network is told its images' contrasts, if it is.

    Parameters
    ----------
    card : braindino.settings.encoders.EncoderCard
    modalities : list of str or None
        Contrast of each volume.
    volumes : Tensor of int
        Volume of each image.

    Raises
    ------
    BadInput
        When the network knows no such contrast.
    """
    known = card.modalities
    if not known:
        return []
    for modality in modalities or [None]:
        if modality not in known:
            raise BadInput(
                f"encoder {card.name}: it knows no contrast '{modality}'; 'modalities' in its card "
                f"lists: {', '.join(known)}."
            )
    return [[known[modalities[volume]] for volume in volumes.tolist()]]
