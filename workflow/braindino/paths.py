"""The one builder of result paths: DESIGN's contracts, as methods."""

from pathlib import Path


class Paths:
    """Paths below `results/<run>`; arguments may be Snakemake wildcards such as '{dataset}'."""

    def __init__(self, run):
        self.root = f"results/{run}"

    def __call__(self, *parts):
        """Join `parts` below the run's folder."""
        return str(Path(self.root, *parts))

    def log(self, rule, *wildcards):
        """Log of a job: one file a rule and set of wildcards."""
        return self("logs", rule, *(".".join(wildcards) or "job",)) + ".log"

    def phantom(self, dataset):
        """Folder of a phantom cohort."""
        return self("phantoms", dataset)

    def manifest(self, dataset):
        """Scans of a cohort."""
        return self("corpus/manifest", f"{dataset}.parquet")

    def manifest_rejects(self, dataset):
        """Scans of a cohort that could not be listed."""
        return self("corpus/manifest", f"{dataset}.rejects.csv")

    def manifest_notes(self, dataset):
        """What a cohort's folder and tables hold that is not used."""
        return self("corpus/manifest", f"{dataset}.notes.csv")

    def converted(self, dataset, chunk):
        """Volumes converted from the DICOM series of a chunk of patients."""
        return self("converted", dataset, f"{chunk}")

    def series(self, dataset, chunk, suffix=".parquet"):
        """DICOM series of a chunk of patients, those converted and the rest."""
        return self("converted", dataset, f"{chunk}.series{suffix}")

    def fingerprints(self, dataset):
        """Content of a cohort's volumes."""
        return self("corpus/fingerprints", f"{dataset}.parquet")

    def persons(self):
        """Person of every subject of every cohort."""
        return self("corpus/persons.parquet")

    def split(self, task):
        """Train and test subjects of a task."""
        return self("corpus/splits", f"{task}.parquet")

    def split_rejects(self, task):
        """Volumes of a task without a usable target."""
        return self("corpus/splits", f"{task}.rejects.csv")

    def label_subset(self, task):
        """Nested label subsets of a task."""
        return self("corpus/label_subsets", f"{task}.parquet")

    def volumes(self, dataset):
        """Volumes of a cohort that this run uses, with their chunk."""
        return self("corpus/volumes", f"{dataset}.parquet")

    def audit(self, name):
        """Audit table: availability, coverage, composition, splits, duplicates, notes, leakage."""
        return self("corpus/audit", f"{name}.csv")

    def rejects(self):
        """Scans and targets that the corpus stage rejected."""
        return self("corpus/rejects.csv")

    def brains(self, dataset, chunk, suffix):
        """Skull-stripped, cropped volumes of a chunk, their index, rejects and thumbnails."""
        return self("brains", dataset, f"{chunk}{suffix}")

    def quality(self, dataset, name):
        """A cohort's quality control: mosaic, histograms, outliers."""
        return self("brains", dataset, name)

    def shard(self, dataset, chunk, suffix):
        """Normalised slices of a chunk, their index and rejects."""
        return self("shards", dataset, f"{chunk}{suffix}")

    def pretrain(self, recipe, name):
        """Outputs of a pretraining recipe."""
        return self("pretrain", recipe, name)

    def hub(self, recipe):
        """Files of a recipe's folder for a model hub."""
        names = ("model.safetensors", "config.json", "encoder.json", "README.md")
        return [self.pretrain(recipe, f"hub/{name}") for name in names]

    def features(self, encoder, dataset, condition="clean"):
        """Features of a cohort's volumes under a condition."""
        return self("features", encoder, condition, f"{dataset}.parquet")

    def predictions(self, task, encoder):
        """Predictions of every head of a task and encoder on its test subjects."""
        return self("predictions", task, f"{encoder}.parquet")

    def supplement(self, task, encoder):
        """Predictions of the probes beside the heads: kNN, linear, leave-one-out."""
        return self("supplement", task, f"{encoder}.parquet")

    def probe_rejects(self, task, encoder):
        """Samples and label subsets that the probes of a task and encoder could not use."""
        return self("supplement", task, f"{encoder}.rejects.csv")

    def robustness(self, task, encoder):
        """Predictions of a task and encoder on perturbed test subjects."""
        return self("robustness", task, f"{encoder}.parquet")

    def perturb_rejects(self, condition):
        """Volumes that imaging could not use under a condition."""
        return self("robustness/rejects", f"{condition}.csv")

    def perturbed_slices(self, suffix):
        """One volume's slice under every perturbation."""
        return self("robustness", f"severities.{suffix}")

    def representation(self, name):
        """What the representation analyses leave behind."""
        return self("representation", name)

    def finetune(self, task, name):
        """Outputs of a task's full fine-tuning."""
        return self("finetune", task, name)

    def nnunet(self, *parts):
        """nnU-Net's own folders, raw, preprocessed and results, and the cases in them."""
        return self("nnunet", *parts)

    def segmentation(self, task, *parts):
        """Label maps that an encoder's networks drew."""
        return self("segmentation", task, *parts)

    def statistics(self, name):
        """Metrics, comparisons or curves; `name` may hold a task's folder."""
        return self("statistics", f"{name}.parquet")

    def table(self, number, suffix):
        """Supplementary table by the paper's number, e.g. 's9'."""
        return self("tables", f"table_{number}.{suffix}")

    def figure(self, number, suffix):
        """Figure by the paper's number."""
        return self("figures", f"figure_{number}.{suffix}")
