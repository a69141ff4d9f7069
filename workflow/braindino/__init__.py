"""BrainDINO, reproduced: the science behind the Snakemake rules, one subpackage a stage."""
