"""Draw a slice of one test volume under every perturbation."""

import nibabel as nib
import numpy as np
import pandas as pd

from braindino.files import written_whole
from braindino.log import job_log
from braindino.robustness.embed import mask_files, volumes_in_test
from braindino.robustness.pictures import severity_slices
from braindino.settings.imaging import Imaging

with job_log(snakemake.log[0]):
    given, params = snakemake.input, snakemake.params
    masks = mask_files(given.indices, given.folders)
    splits = pd.read_parquet(given.split[0])
    volume = next(volumes_in_test(pd.read_parquet(given.volumes[0]), splits, masks).itertuples())
    mask = np.asanyarray(nib.load(masks[volume.volume_id]).dataobj) > 0
    imaging = Imaging(**params.imaging)
    slices = severity_slices(volume, mask, params.grid, imaging, params.seed)
    conditions, kinds, severities = map(list, zip(*params.grid, strict=True))
    with written_whole(snakemake.output[0]) as part:
        np.savez_compressed(part, slices=slices, kinds=kinds, severities=severities)
