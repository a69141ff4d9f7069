"""Print what the run's recipes cost, and what the run asks of a cluster."""

from braindino.cluster.jobs import count_jobs, dry_run
from braindino.cluster.plan import show_jobs, show_requeues, show_storage
from braindino.cluster.profile import read_profile
from braindino.cluster.storage import storage
from braindino.log import job_log
from braindino.pretrain.cost import cost, show_cost
from braindino.settings.load import restore_run

with job_log(snakemake.log[0]):
    run, profile = restore_run(snakemake.params.run), snakemake.params.profile
    plan, recipes = run.config.plan, [*run.earlier, run.recipe]
    costs = [cost(recipe, plan, run.config.imaging) for recipe in recipes]
    for recipe, found in zip(recipes, costs, strict=True):
        print(show_cost(found, recipe, plan), end="\n\n", flush=True)
    text = dry_run(snakemake.params.run["config"], profile)
    jobs = count_jobs(text, snakemake.params.local)
    known = {"train": sum(found.gpu_hours for found in costs)}
    print(show_jobs(jobs, read_profile(profile), known), end="\n\n")
    if limits := [row.runtime for row in jobs if row.rule == "train"]:
        print(show_requeues(costs, plan, limits[0]), end="\n\n")
    keep = [recipe.keep_checkpoints for recipe in recipes]
    print(show_storage(storage(plan, run.config.imaging, len(run.encoders), costs, keep)))
