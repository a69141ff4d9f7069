"""Print what the run's recipes cost."""

from braindino.log import job_log
from braindino.pretrain.cost import cost, show_cost
from braindino.settings.load import restore_run

with job_log(snakemake.log[0]):
    run = restore_run(snakemake.params.run)
    for recipe in (*run.earlier, run.recipe):
        found = cost(recipe, run.config.plan, run.config.imaging)
        print(show_cost(found, recipe, run.config.plan), end="\n\n", flush=True)
