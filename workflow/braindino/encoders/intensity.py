"""The control without learning: histogram and first-order statistics of the brain's voxels."""

import torch
from torch import nn

PERCENTILES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)


class Intensity(nn.Module):
    """Describe a volume by the distribution of its non-zero voxels alone.

    Every encoder sees volumes whose intensity is normalised; so does this control, so what it
    finds is contrast and not a scanner's gain. The statistics are the first-order ones of the
    Image Biomarker Standardisation Initiative (Zwanenburg et al. 2020) that a z-score leaves free.

    Parameters
    ----------
    bins : int
    span : float
        The histogram covers z-scores of -span to span; its ends hold what is beyond.
    """

    def __init__(self, bins=64, span=4.0):
        super().__init__()
        self.bins, self.span = bins, span

    def forward(self, volumes):
        """Describe [batch, 1, x, y, z] as [batch, bins + 15], float32."""
        return torch.stack([self._describe(volume[volume != 0].float()) for volume in volumes])

    def _describe(self, voxels):
        if not len(voxels):
            voxels = voxels.new_zeros(1)
        inside = voxels.clamp(-self.span, self.span)
        share = torch.histc(inside, self.bins, -self.span, self.span) / len(voxels)
        centred = voxels - voxels.mean()
        spread = centred.square().mean().sqrt().clamp_min(1e-8)
        ordered = voxels.sort().values
        ranks = [round(part * (len(voxels) - 1)) for part in PERCENTILES]
        quantiles = ordered[ranks]
        held = share[share > 0]
        statistics = [
            (centred / spread).pow(3).mean(),  # skewness
            (centred / spread).pow(4).mean() - 3,  # excess kurtosis
            centred.abs().mean(),
            -(held * held.log2()).sum(),  # entropy (bits)
            share.square().sum(),  # uniformity
            quantiles[5] - quantiles[3],  # interquartile range
        ]
        return torch.cat([share, torch.stack(statistics), quantiles])
