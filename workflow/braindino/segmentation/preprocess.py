"""nnU-Net's preprocessing, once a cohort: every encoder and ratio reads the same."""

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from nnunetv2.experiment_planning.experiment_planners.default_experiment_planner import (
    ExperimentPlanner,
)
from nnunetv2.experiment_planning.plan_and_preprocess_api import extract_fingerprint_dataset
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

from braindino.segmentation.plans import SHARED


def preprocess(dataset_id, folder, processes=1):
    """Take a data set's fingerprint, plan it and preprocess it.

    Parameters
    ----------
    dataset_id : int
    folder : path
        Of the preprocessed data set.
    processes : int
    """
    extract_fingerprint_dataset(dataset_id, num_processes=processes, show_progress_bar=False)
    # Its 2-D slices must be axial, whichever axis is coarsest.
    planner = ExperimentPlanner(dataset_id, suppress_transpose=True)
    plans = planner.plan_experiment()
    target = Path(folder, plans["configurations"][SHARED]["data_identifier"])
    target.mkdir(parents=True, exist_ok=True)
    work = partial(_save_case, plans=plans, dataset=planner.dataset_json, target=target)
    cases = planner.dataset.items()
    if processes == 1:
        list(map(work, cases))
    else:
        with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
            list(pool.map(work, cases))


def _save_case(case, plans, dataset, target):
    name, files = case
    manager = PlansManager(plans)
    configuration = manager.get_configuration(SHARED)
    configuration.preprocessor_class(verbose=False).run_case_save(
        str(target / name), files["images"], files["label"], manager, configuration, dataset
    )
