"""The whole workflow on SLURM, with faults, gives the tables of an undisturbed local run."""

import signal

SAME = ("corpus", "features", "predictions", "supplement", "statistics", "tables", "report")


def made(results):
    """Return the bytes of everything that a result rests on."""
    files = [path for part in SAME for path in (results / part).rglob("*") if path.is_file()]
    return {str(path.relative_to(results)): path.read_bytes() for path in files}


def test_faults_cost_time_and_change_no_byte(workflow, cluster, undisturbed, wait_until):
    run = workflow("demo")

    # Snakemake itself is killed: its jobs go on, and nothing is started beside them.
    first = run.start("all")
    wait_until(lambda: cluster.running("brains"), "a running job")
    first.send_signal(signal.SIGKILL)
    first.wait()
    run.finish("--unlock")
    status, output = run.run("all")
    assert status != 0
    assert "jobs that an earlier run submitted from this folder are still in the queue" in output
    assert "Traceback" not in output
    cluster("scancel", *cluster.jobs())
    wait_until(lambda: not cluster.jobs(), "an empty queue")

    # The same command again, with the probe short of memory at first.
    run.set("probe:\n    mem_mb: 16000 * attempt", "probe:\n    mem_mb: 600 * attempt**2")
    second = run.start("all")

    def running(rule):
        def found():
            assert second.poll() is None, run.log.read_text()[-6000:]
            return cluster.running(rule)

        return wait_until(found, f"a job of {rule}")

    cluster("scancel", running("brains"))  # a mistake: Snakemake submits it again
    running("shard")
    cluster.restart_controller()
    job = running("train")
    node = cluster("squeue", "-h", "-j", job, "-o", "%N").strip()
    cluster("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")
    wait_until(lambda: cluster.running("train") is None, "the loss of the node")
    # It comes back by itself, as slurmd still runs there.
    assert second.wait(1800) == 0, run.log.read_text()[-6000:]

    said = run.log.read_text()
    assert "Trying to restart job" in said
    ours, theirs = made(run.results), made(undisturbed)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []
    assert "Nothing to be done" in run.finish("all")
