"""Print what the run's recipe costs."""

from braindino.log import job_log
from braindino.pretrain.cost import cost, show_cost
from braindino.settings.load import restore_run

with job_log(snakemake.log[0]):
    run = restore_run(snakemake.params.run)
    found = cost(run.recipe, run.config.plan, run.config.imaging)
    print(show_cost(found, run.recipe, run.config.plan), flush=True)
