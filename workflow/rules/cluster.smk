"""Cluster: what a run on SLURM needs besides its profile."""

import signal

from snakemake.jobs import GroupJob, Job

from braindino.cluster.checks import check_cluster, request
from braindino.log import ended_by_bad_input, last_lines

# SLURM's warning before the end of a job reaches every process of it; pretraining alone answers.
if "SLURM_JOB_ID" in os.environ:
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)

# Snakemake runs again whatever failed; what a person must mend would only fail again.
Job.restart_times = property(
    lambda job: 0 if any(map(ended_by_bad_input, job.log)) else job.rule.restart_times
)
GroupJob.restart_times = property(
    lambda group: min(job.restart_times for job in group.jobs)
)


def requests_of(jobs):
    return {request(job.rule.name, job.threads, job.resources) for job in jobs}


onstart:
    if workflow.executor_plugin.name == "slurm":
        executor = workflow.executor_settings
        try:
            submitted = [
                job for job in workflow.dag.needrun_jobs() if not job.is_local
            ]
            for note in check_cluster(
                sorted(requests_of(submitted), key=str),
                executor.status_command,
                bool(executor.array_jobs),
                executor.init_seconds_before_status_checks,
                workflow.workdir_init,
            ):
                print(note, file=sys.stderr)
        except BadInput as error:
            raise WorkflowError(str(error))


onerror:
    for job in sorted(workflow.scheduler.failed, key=str):
        for part in job.jobs if job.is_group() else [job]:
            for log in part.log:
                print(f"{log} ends:", *last_lines(log), sep="\n  ", file=sys.stderr)


# No output: prints what the run's recipes cost on the machine of `plan`, and what it asks of SLURM.
rule plan:
    log:
        paths.log("plan"),
    localrule: True
    conda:
        ENVIRONMENT
    params:
        run=CARDS,
        profile=str(BASE / "profiles/slurm"),
        local=lambda w: [
            r.name for r in workflow.rules if r.norun or r.name in workflow._localrules
        ],
    script:
        "../scripts/cluster/plan.py"
