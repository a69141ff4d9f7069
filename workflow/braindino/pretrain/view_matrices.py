"""A batch of views by matrix products, for a device on which those are cheap.

A view is rows · image · columnsᵀ: cropping, antialiased resizing, flipping and Gaussian blur are
all linear along each axis, so each axis takes one matrix and a batch of views two products.
Upsampling the image first (stage 2) only changes the matrices.
"""

import torch


def batched_views(images, draws, size, radius, upsampled=None):
    """Make the drawn views of a batch of images, as `views.make_views` does one by one.

    Parameters
    ----------
    images : Tensor [n, channels, height, width]
    draws : braindino.pretrain.views.Draws
        Arrays [n, views, ...].
    size : int
        Pixels of the square views.
    radius : int
        Pixels of the blur's kernel to either side.
    upsampled : int, optional
        Side to which an image is first resized.

    Returns
    -------
    Tensor float32 [views · n, channels, size, size]
    """
    count, views = draws.flip.shape
    box, flip, sigma = (torch.from_numpy(a).flatten(0, 1).to(images.device) for a in draws)
    full = images.shape[2:] if upsampled is None else (upsampled, upsampled)
    rows = resampling(box[:, 0], box[:, 2], size, full[0])
    columns = resampling(box[:, 1], box[:, 3], size, full[1])
    columns = torch.where(flip[:, None, None], columns.flip(1), columns)
    rows, columns = (_blur(matrices, sigma, radius) for matrices in (rows, columns))
    if upsampled is not None:
        rows, columns = rows @ _whole(images, 2, full[0]), columns @ _whole(images, 3, full[1])
    across = rows.view(count, 1, views * size, -1) @ images.float()
    crops = across.unflatten(2, (views, size)) @ columns.view(count, 1, views, size, -1).mT
    return crops.permute(2, 0, 1, 3, 4).flatten(0, 1)


def resampling(start, extent, size, full):
    """Return matrices that crop along one axis and resize by antialiased bicubic interpolation.

    Parameters
    ----------
    start, extent : Tensor of int [n]
        First pixel and number of pixels of each crop.
    size : int
        Pixels of the result.
    full : int
        Pixels of the image.

    Returns
    -------
    Tensor float32 [n, size, full]
        Rows sum to one; pixels outside the crop have no weight.
    """
    pixels = torch.arange(full, device=start.device)
    step = (extent / size)[:, None]
    centres = start[:, None] + (torch.arange(size, device=start.device) + 0.5) * step
    # The kernel widens where the image shrinks: that is the antialiasing.
    distance = (pixels + 0.5 - centres[..., None]) / step.clamp_min(1)[..., None]
    inside = (pixels >= start[:, None]) & (pixels < (start + extent)[:, None])
    weights = _cubic(distance.abs()) * inside[:, None]
    return weights / weights.sum(dim=2, keepdim=True)


def _blur(matrices, sigma, radius):
    """Follow resampling [n, size, full] by a Gaussian, mirrored at the view's edges."""
    size = matrices.shape[1]
    taps = torch.arange(-radius, radius + 1, device=sigma.device)
    kernels = torch.exp(-0.5 * (taps / sigma.clamp_min(1e-3)[:, None]) ** 2)
    kernels = kernels / kernels.sum(dim=1, keepdim=True)
    place = torch.arange(size, device=sigma.device)
    blurred = torch.zeros_like(matrices)
    for tap, weight in zip(taps.tolist(), kernels.T, strict=True):
        mirrored = (size - 1 - (size - 1 - (place + tap).abs()).abs()).clamp_min(0)
        blurred.addcmul_(matrices[:, mirrored], weight[:, None, None])
    return blurred


def _cubic(distance):
    """Return Keys' kernel with a = -1/2, as in every antialiased bicubic resize."""
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return torch.where(distance < 1, near, torch.where(distance < 2, far, 0))


def _whole(images, axis, size):
    """Return the matrix that resizes a whole image along one axis: [size, pixels]."""
    start = torch.zeros(1, dtype=torch.long, device=images.device)
    return resampling(start, start + images.shape[axis], size, images.shape[axis])[0]
