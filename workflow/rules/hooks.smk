"""What a run on a cluster needs besides its profile: manners of jobs, checks, last words."""

import signal
import tempfile

from snakemake.jobs import GroupJob, Job

from braindino.cluster.checks import Watching, check_cluster, request
from braindino.log import ended_by_bad_input, last_lines

# SLURM's warning before the end of a job reaches every process of it; pretraining alone answers.
if "SLURM_JOB_ID" in os.environ:
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)

# Scratch is the node's own where the site has some.
if scratch := os.environ.get("SLURM_TMPDIR"):
    os.environ.update(TMPDIR=scratch)
    tempfile.tempdir = None

# Snakemake runs again whatever failed; what a person must mend would only fail again.
Job.restart_times = property(
    lambda job: 0 if any(map(ended_by_bad_input, job.log)) else job.rule.restart_times
)
GroupJob.restart_times = property(
    lambda group: min(job.restart_times for job in group.jobs)
)


def watching():
    executor = workflow.executor_settings
    return Watching(
        command=executor.status_command,
        first_look=executor.init_seconds_before_status_checks,
        arrays=bool(executor.array_jobs),
    )


onstart:
    if workflow.executor_plugin.name == "slurm":
        jobs = [job for job in workflow.dag.needrun_jobs() if not job.is_local]
        asked = sorted(
            {request(j.rule.name, j.threads, j.resources) for j in jobs}, key=str
        )
        try:
            notes = check_cluster(asked, watching(), workflow.workdir_init)
        except BadInput as error:
            raise WorkflowError(str(error))
        print(*notes, sep="\n", file=sys.stderr)


onerror:
    for job in sorted(workflow.scheduler.failed, key=str):
        for part in job.jobs if job.is_group() else [job]:
            for log in part.log:
                print(f"{log} ends:", *last_lines(log), sep="\n  ", file=sys.stderr)
