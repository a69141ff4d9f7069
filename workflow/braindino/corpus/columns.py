"""Columns of the corpus' tables (DESIGN section 4), apart from the code that fills them."""

SCANS = ["subject", "session", "modality", "path", "segmentation"]
MANIFEST = [
    *("volume_id", "dataset", "subject", "session", "modality", "path", "skull_stripped"),
    *("segmentation", "age", "sex", "site", "vendor", "field_strength", "slice_thickness"),
    *("orientation", "shape", "spacing"),
]
REJECTS = ["volume_id", "stage", "reason"]
NOTES = ["dataset", "issue", "count", "example"]
SPLITS = ["task", "subject", "session", "volume_id", "split", "fold"]
COVARIATES = ["age", "site", "vendor"]  # of splits, where a manifest has them
SUBSETS = ["task", "ratio", "seed", "fold", "subject"]
DUPLICATES = ["volume_id", "same_as", "correlation", "relation"]
