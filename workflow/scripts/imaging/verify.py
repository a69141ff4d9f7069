"""Check every shard of the run against its index."""

from braindino.files import write_table
from braindino.imaging.verify import check_sound, verify_shards
from braindino.log import job_log
from braindino.settings.imaging import Imaging

with job_log(snakemake.log.messages):
    protocol = Imaging(**snakemake.params.protocol)
    report = verify_shards(snakemake.input.shards, protocol, snakemake.threads)
    write_table(report, snakemake.log.report)
    check_sound(report)
