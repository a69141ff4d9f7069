"""BrainDINO, reproduced: raw brain MRI in, the paper's tables, figures and statistics out."""

from snakemake.utils import min_version

min_version("9.0")


configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/hooks.smk"
include: "workflow/rules/corpus.smk"
include: "workflow/rules/imaging.smk"
include: "workflow/rules/pretrain.smk"
include: "workflow/rules/encoders.smk"
include: "workflow/rules/probes.smk"
include: "workflow/rules/finetune.smk"
include: "workflow/rules/segmentation.smk"
include: "workflow/rules/robustness.smk"
include: "workflow/rules/representation.smk"
include: "workflow/rules/statistics.smk"
include: "workflow/rules/cluster.smk"
include: "workflow/rules/reporting.smk"
include: "workflow/rules/figures.smk"


rule all:
    default_target: True
    input:
        rules.report.output,
        rules.results_json.output,
        rules.reproduction.output,
        TABLE_FILES,
        FIGURE_FILES,


rule corpus:
    input:
        rules.availability.output,
        rules.audit.output,
        rules.leakage.output,
        expand(paths.label_subset("{task}"), task=TASKS),


rule shards:
    input:
        expand_chunks(paths.shard, ".npy", PRETRAINING),


rule features:
    input:
        feature_files(),


rule probes:
    input:
        expand(paths.predictions("{task}", "{encoder}"), task=PROBED, encoder=ENCODERS),
