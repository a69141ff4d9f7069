"""The validated run, what of it is available, and the helpers that rules share."""

import os
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

from braindino.code import class_fingerprint, fingerprint
from braindino.corpus.availability import availability, dataset_folder, weights_file
from braindino.corpus.chunks import count_chunks, count_conversions
from braindino.corpus.state import folder_state
from braindino.errors import BadInput
from braindino.paths import Paths
from braindino.settings.finetune import SUFFIX
from braindino.settings.load import load_run

BASE = Path(workflow.basedir)

# Jobs side by side must not spin while they wait: OpenMP's default makes torch several times
# slower when there are more threads than cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Large pages where Linux gives them on request: a network on whole volumes is a quarter faster.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

try:
    # Files given on the command line or by a profile win over the Snakefile's own.
    given = list(workflow.overwrite_configfiles)
    own = [file for file in workflow.configfiles if file not in given]
    RUN = load_run(config, [*own, *given], BASE / "config")
    AVAILABILITY = availability(RUN)
except BadInput as error:
    raise WorkflowError(str(error))

CONFIG = RUN.config
paths = Paths(CONFIG.run)
ENVIRONMENT = "../../envs/environment.yaml"
# Relative, so that in a checkout that was moved nothing is made again.
ALIASES = os.path.relpath(BASE / "config/aliases.csv")


def usable(kind):
    return [
        name
        for (k, name), row in AVAILABILITY.items()
        if k == kind and row.status != "absent"
    ]


DATASETS, TASKS, ENCODERS = usable("dataset"), usable("task"), usable("encoder")
PHANTOMS = {d: CONFIG.phantoms[d] for d in DATASETS if d in CONFIG.phantoms}
PROBED = [name for name in TASKS if RUN.tasks[name].evaluation == "probe"]
EVALUATED = [name for name in TASKS if RUN.tasks[name].evaluation != "pending"]
# Full fine-tuning starts from what this run pretrains, so the reference must be that.
REFERENCE = CONFIG.statistics.reference
OWN = REFERENCE in ENCODERS and RUN.encoders[REFERENCE].source == "recipe"
TUNABLE = CONFIG.finetune.tasks if OWN else []
FINETUNED = [name for name in EVALUATED if name in TUNABLE]
PRETRAINING = [name for name in DATASETS if "pretraining" in RUN.datasets[name].roles]
TRAINABLE = usable("recipe") if PRETRAINING else []

for row in AVAILABILITY.values():
    if row.status == "absent" and workflow.is_main_process:
        print(f"absent: {row.kind} {row.name}: {row.reason}", file=sys.stderr)
if CONFIG.finetune.tasks and not OWN and workflow.is_main_process:
    print(
        f"absent: fine-tuning: statistics.reference, {REFERENCE}, is not pretrained here",
        file=sys.stderr,
    )


def code(script):
    return fingerprint(BASE / "workflow" / "scripts" / script)


def settings(model):
    return model.model_dump(mode="json")


# A phantom is not the archive: nobody expects the archive's volumes of it.
EXPECTED = {
    name: None if name in CONFIG.phantoms else settings(RUN.datasets[name].expected)
    for name in DATASETS
}


def folder_of(dataset):
    return dataset_folder(CONFIG, RUN.datasets[dataset], paths.phantom(dataset))


def cohort_folder(wildcards):
    return folder_of(wildcards.dataset)


@cache
def state_of(dataset):
    return folder_state(folder_of(dataset))


def cohort_state(wildcards):
    return state_of(wildcards.dataset)


def count_jobs(count):
    return {
        name: count(RUN.datasets[name], CONFIG, folder_of(name)) for name in DATASETS
    }


CHUNKS, CONVERSIONS = count_jobs(count_chunks), count_jobs(count_conversions)


def chunks(dataset):
    return range(CHUNKS[dataset])


def expand_chunks(path, suffix, datasets):
    return [path(name, chunk, suffix) for name in datasets for chunk in chunks(name)]


def conversions(dataset):
    return range(CONVERSIONS[dataset])


def datasets_of(tasks):
    return sorted({name for task in tasks for name in RUN.tasks[task].datasets})


def feature_files(encoders=ENCODERS, tasks=PROBED):
    return [paths.features(e, d) for e in encoders for d in datasets_of(tasks)]


def of_each(tasks, name):
    return [paths.statistics(f"{task}/{name}") for task in tasks]


def of_table(table, name):
    """The statistics that a table of results shows, of its kind and tasks."""
    if table.kind == "perturbations":
        shaken = {"metrics": "robustness", "comparisons": "robustness_comparisons"}
        return [paths.statistics(shaken[name])]
    return of_each(table.tasks, name)


def planned(name):
    """A table of the statistics, where a room of this workflow makes it."""
    path = paths.statistics(name)
    made = {str(output) for rule in workflow.rules for output in rule.output}
    return [path] if path in made else []


def plane_files(encoder, task):
    """Features of the planes beside the axial one, where an encoder sees slices."""
    view = RUN.encoders[encoder].input.view(CONFIG.features.preset)
    names = [(p, d) for p in CONFIG.probes.planes for d in datasets_of([task])]
    return [paths.features(encoder, d, p) for p, d in names if view.kind == "slices"]


# Cohorts in which encoders are compared, with the contrasts.
COMPARED = {
    name: contrasts
    for name, contrasts in CONFIG.representation.cka.cohorts.items()
    if contrasts
    and name in DATASETS
    and CONFIG.statistics.reference in ENCODERS
    and len(ENCODERS) > 1
}


# Cohorts whose scans a built stage needs.
IMAGED = [
    name for name in DATASETS if name in {*PRETRAINING, *datasets_of(PROBED), *COMPARED}
]


def cards(kind):
    return {name: settings(card) for name, card in getattr(RUN, kind).items()}


# What is pretrained one after the other, and what the last one leaves behind.
RECIPES = {recipe.name: recipe for recipe in (*RUN.earlier, RUN.recipe)}
PRETRAINED = {
    name: paths.pretrain(CONFIG.recipe, file)
    for name, file in (
        ("encoder", "encoder.safetensors"),
        ("card", "encoder.json"),
        ("metrics", "metrics.jsonl"),
    )
}


def starting_weights(wildcards):
    """The file that a recipe starts from, where it does not from random weights."""
    recipe = RECIPES[wildcards.recipe]
    if recipe.continues:
        return paths.pretrain(recipe.continues, "teacher_checkpoint.pth")
    return weights_file(CONFIG, recipe.model.init) or []


def trained(encoder):
    return RUN.encoders[encoder].source == "recipe"


def published(card):
    return None if card.untrained else weights_file(CONFIG, card.weights)


WEIGHTED = [e for e in ENCODERS if trained(e) or published(RUN.encoders[e])]
UNWEIGHTED = [e for e in ENCODERS if e not in WEIGHTED]


def embedding_params(encoders):
    """All that features depend on besides the volumes and the settings."""
    cards = [RUN.encoders[name] for name in encoders]
    return {
        "cards": [settings(card) for card in cards],
        "weights": [published(card) for card in cards],
        "networks": [class_fingerprint(card.architecture, BASE) for card in cards],
    }


def regions_of(task):
    return {d: settings(RUN.datasets[d].regions) for d in RUN.tasks[task].datasets}


def checkpoints(task, encoder, ratios, suffix=""):
    models = [model_name(RUN.encoders[encoder], ratio, suffix) for ratio in ratios]
    file = "fold_0/checkpoint_final.pth"
    return [paths.nnunet("results", NNUNET[task], model, file) for model in models]


def bare(encoder):
    """The encoder of one that full fine-tuning trains."""
    return encoder.removesuffix(SUFFIX)


def perturbed_encoders(task):
    return SEGMENTS_PERTURBED if task in SEGMENTED else PERTURBED_BY


# What the reports print: a change of any card or setting makes them anew.
CARDS = {
    "config": settings(CONFIG),
    "recipe": settings(RUN.recipe),
    "earlier": [settings(recipe) for recipe in RUN.earlier],
    **{kind: cards(kind) for kind in ("datasets", "tasks", "encoders")},
}


wildcard_constraints:
    dataset="[^/]+",
    task="[^/]+",
    encoder="[^/]+",
    recipe="[^/]+",
    chunk=r"\d+",
