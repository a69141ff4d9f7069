"""Segment cases with a trained network, as `nnUNetv2_predict` does."""

import logging
import shutil
from pathlib import Path

from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

from braindino.segmentation.dataset import ENDING
from braindino.segmentation.names import FOLD, checkpoint_file
from braindino.segmentation.network import CONTRASTS

log = logging.getLogger(__name__)


def predict(model, images, cases, folder, protocol, device, processes=0):
    """Write label maps of cases that have none yet from this network.

    Parameters
    ----------
    model : path
        nnU-Net's folder of the network.
    images : path
        Folder of images in nnU-Net's raw format.
    cases : list of str
    folder : path
        Where <case>.nii.gz are written, on the grid of the images; voxels count the regions that
        hold them.
    protocol : braindino.settings.segmentation.Segmentation
    device : torch.device
    processes : int
        That read and write beside the network; 0: none.
    """
    folder, checkpoint = Path(folder), checkpoint_file(model, protocol.checkpoint)
    made = checkpoint.stat().st_mtime
    files = {case: folder / f"{case}{ENDING}" for case in cases}
    waiting = [c for c, f in files.items() if not f.is_file() or f.stat().st_mtime < made]
    if not waiting:
        return
    log.info("%s: %d of %d cases to segment", folder, len(waiting), len(cases))
    part = folder / ".part"  # a killed job leaves no half of a file under a case's name
    part.mkdir(parents=True, exist_ok=True)
    predictor = nnUNetPredictor(
        use_mirroring=protocol.mirroring, device=device, verbose=False, allow_tqdm=False
    )
    predictor.initialize_from_trained_model_folder(str(model), (FOLD,), checkpoint.name)
    inputs = [
        [str(Path(images, f"{case}_{c:04d}{ENDING}")) for c in range(len(CONTRASTS))]
        for case in waiting
    ]
    outputs = [str(part / case) for case in waiting]
    if processes:
        predictor.predict_from_files(inputs, outputs, False, True, processes, processes)
    else:
        predictor.predict_from_files_sequential(inputs, outputs)
    for case in waiting:
        (part / files[case].name).replace(files[case])
    shutil.rmtree(part)
