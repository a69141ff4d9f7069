"""Snakemake that looks at SLURM's queue every three seconds.

The plugin lets ten seconds more pass after each look that shows nothing new, up to three minutes:
kind to a cluster, and most of the time of a test whose jobs take seconds.
"""

from snakemake.cli import main
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

RemoteExecutor.next_seconds_between_status_checks = property(lambda self: 3, lambda self, _: None)
main()
