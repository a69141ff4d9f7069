"""Look at one subject's slice with every encoder."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import torch

from braindino.encoders.several import build_several
from braindino.files import write_table
from braindino.log import job_log
from braindino.representation.slice import choose_volume, label_map, look, save_pictures
from braindino.settings.imaging import Imaging
from braindino.settings.representation import Similarity

with job_log(snakemake.log[0]):
    torch.set_num_threads(snakemake.threads)
    given, params, shared = snakemake.input, snakemake.params, snakemake.params.shared
    protocol, imaging = Similarity(**params.protocol), Imaging(**shared["imaging"])
    index = [
        pd.read_parquet(file).assign(folder=folder)
        for file, folder in zip(given.indices, given.folders, strict=True)
    ]
    row = choose_volume(pd.read_parquet(given.manifest), pd.concat(index), protocol)
    file = Path(row["folder"], row["file"])
    image, mask = nib.load(file), nib.load(str(file).replace(".nii.gz", "_mask.nii.gz"))
    labels = label_map(row, np.asanyarray(mask.dataobj) > 0, imaging.evaluation_shape)
    pretrained = next(iter(given.get("pretrained", [])), None)
    encoders, _ = build_several(params.encoders, shared, pretrained)
    brain = np.asanyarray(image.dataobj)
    pictures, table = look(encoders, brain, image.affine, labels, protocol, imaging)
    save_pictures(pictures, snakemake.output.pictures)
    write_table(table, snakemake.output.table)
