# SPDX-License-Identifier: BSD-3-Clause
"""A scenario: what a command on a Sheepdog VDI costs the target, compared with one
on a file.  The cluster is the server of the tests; its own CPU does not count."""

import os
import statistics
import sys

import measure
from servers import BenchError, Process, Tgtd

SRC = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
sys.path.insert(0, os.path.join(SRC, "tests/lib"))
import sheep  # noqa: E402  pylint: disable=wrong-import-position

FILE_LUN, VDI_LUN = 1, 2
WORKLOADS = (
    ("read_4k_qd32", "4 KiB random read, QD 32", []),
    ("write_4k_qd32", "4 KiB random write, QD 32", ["--read", 0]),
    ("read_64k_qd8", "64 KiB random read, QD 8", ["--depth", 8, "--block", "64k"]),
)


class Cluster(Process):
    def __init__(self, conf):
        super().__init__(conf, "sheep", conf.loader_cpus)
        self.store = f"{conf.disks}/sheep"

    @property
    def address(self):
        return f"unix:{self.store}/sock"

    def command(self):
        return [f"{self.conf.build}/tests/services/sheep/sheep", "--store", self.store,
                "--listen", self.address]

    def find_portal(self):
        with open(self.log, encoding="utf-8") as f:
            return "ready" in f.read().split()


def fill(conf, cluster):
    """A VDI with what the file has."""
    with sheep.Sheep(cluster.address) as s, open(conf.cached, "rb") as f:
        s.new("bench", conf.file_mb << 20)
        vdi = sheep.Vdi(s, "bench")
        for at in range(0, conf.file_mb << 20, 4 << 20):
            vdi.write(at, f.read(4 << 20))


def sheepdog(conf, quick):
    """CPU of the target per command, VDI and file in turns."""
    cluster = conf.started(Cluster(conf))
    fill(conf, cluster)
    process = conf.started(Tgtd(conf, "tgtd-sheepdog"))
    process.new_target()
    for lun, path, bstype in ((FILE_LUN, conf.cached, "rdwr"),
                              (VDI_LUN, cluster.address + ":bench", "sheepdog")):
        error = process.add_lun(lun, path, bstype)
        if error:
            raise BenchError(error)
    facts = {}
    table = [["workload", "store", "commands/s", "CPU us/cmd", "p99 us"]]
    for key, title, options in WORKLOADS[:1] if quick else WORKLOADS:
        runs = {FILE_LUN: [], VDI_LUN: []}
        for _ in range(3):
            for lun, done in runs.items():
                done.append(measure.load(conf, process, [
                    "--pid", process.pid, "--lun", lun, "--region", f"{conf.file_mb}m",
                    "--warmup", conf.warmup, "--time", 1, *options], title))
        ratios = [v["cpu_us"] / f["cpu_us"] for f, v in zip(runs[FILE_LUN], runs[VDI_LUN])]
        facts[key + "_cpu"] = statistics.median(ratios)
        for lun, store in (FILE_LUN, "file"), (VDI_LUN, "VDI"):
            r = sorted(runs[lun], key=lambda x: x["cpu_us"])[1]
            table.append([title, store, f"{r['iops']:,.0f}", f"{r['cpu_us']:.2f}",
                          f"{r['p99_us']:.0f}"])
    process.stop()
    cluster.stop()
    return {"facts": facts, "table": table}
