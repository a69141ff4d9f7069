"""Write the phantom cohorts."""

from braindino.corpus.phantoms import write_cohorts
from braindino.log import job_log

with job_log(snakemake.log[0]):
    subjects = snakemake.params.subjects
    write_cohorts(
        dict(zip(subjects, snakemake.output, strict=True)),
        subjects,
        snakemake.params.spacing,
        snakemake.params.seed,
        snakemake.threads,
    )
