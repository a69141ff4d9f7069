"""What a job costs beside its work: trivial jobs through SLURM, one by one and as one array.

    python tests/slurm/overhead.py [jobs]

Starts a SLURM of its own (see cluster.sh) and prints seconds a job, from Snakemake's start to its
end: submission, two starts of Snakemake inside the job, and the looks at the queue. The same jobs
without SLURM are one start of Snakemake and nothing else.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCRIPT = Path(__file__).with_name("cluster.sh")
SNAKEFILE = """
rule all:
    input: expand("out/{{n}}", n=range({jobs}))

rule one:
    output: touch("out/{{n}}")
    shell: ":"  # a rule that runs nothing would not be submitted
"""
COMMON = ("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "5")
LIMITS = ("--jobs", "unlimited", "--max-jobs-per-timespan", "100000/1s")
RESOURCES = ("--default-resources", "slurm_partition=cpu", "mem_mb=500", "runtime=10")
SLURM = ("--executor", "slurm", *COMMON, *LIMITS, *RESOURCES, "slurm_account=brain")
WAYS = {
    "here": ("--cores", "2"),
    "jobs": SLURM,
    "array": (*SLURM, "--slurm-array-jobs", "one"),
}


def seconds(jobs, arguments, environment):
    """Run the jobs in a folder of their own; return how long it took."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "Snakefile").write_text(SNAKEFILE.format(jobs=jobs))
        command = [sys.executable, "-m", "snakemake", "--quiet", "all", *arguments]
        start = time.perf_counter()
        subprocess.run(command, cwd=folder, env=environment, check=True)
        return time.perf_counter() - start


def main(jobs=200):
    """Print seconds a job of every way."""
    subprocess.run([SCRIPT, "install"], check=True)
    folder = Path(tempfile.gettempdir(), f"braindino-overhead-{os.getpid()}")
    try:
        up = subprocess.run([SCRIPT, "up", folder], stdout=subprocess.PIPE, text=True, check=True)
        conf, path = re.match(r"export SLURM_CONF=(\S+) PATH=(\S+):\$PATH", up.stdout).groups()
        names = {"SLURM_CONF": conf, "PATH": f"{path}:{os.environ['PATH']}"}
        for way, arguments in WAYS.items():
            passed = seconds(jobs, arguments, os.environ | names)
            print(f"{way}: {passed:.0f} s for {jobs} jobs, {passed / jobs:.2f} s each", flush=True)
    finally:
        subprocess.run([SCRIPT, "down", folder], check=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
