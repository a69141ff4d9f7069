"""Write one phantom cohort."""

from braindino.corpus.phantoms import write_cohort
from braindino.log import job_log

with job_log(snakemake.log[0]):
    write_cohort(
        snakemake.wildcards.dataset,
        snakemake.output[0],
        snakemake.params.subjects,
        snakemake.params.spacing,
        snakemake.params.seed,
    )
