# SPDX-License-Identifier: BSD-3-Clause
"""Measure: one short run after the other, the servers taking turns."""

import json
import os
import subprocess
import time

from matrix import SERVERS
from servers import (IQN, LARGE_LUN, VERIFIED, VERIFY_LUN, BenchError,
                     available, on_cpus)
from stats import disturbance

TRIES = 3
SMALL_BYTES = 4096          # larger blocks have a file of their own
RUN_LIMIT_SECONDS = 180     # of one run; the load generator gives up sooner
EXIT_CORRUPT = 3            # of iscsi_load
CHANGED_BYTE = 10000001     # of the file that is changed for a test
CHANGED_WORD = CHANGED_BYTE // 8 * 8       # as the load generator says it


def load_command(conf, process, options, cpus=None):
    return [*on_cpus(cpus or conf.loader_cpus),
            f"{conf.build}/bench/iscsi_load", "--portal", process.portal,
            "--target", f"{IQN}-%d", "--json", *conf.loader_args,
            *map(str, options)]


def parse(done, what, may_fail=False):
    """may_fail: commands may have, and are counted; then there are results."""
    if done.returncode and not (may_fail and done.stdout):
        raise BenchError(f"{what}: the load generator failed "
                         f"(exit code {done.returncode}): {done.stderr.strip()}")
    return json.loads(done.stdout.splitlines()[-1])


def load(conf, process, options, what, may_fail=False):
    """Run the generator once; what it printed, as a dict."""
    done = subprocess.run(load_command(conf, process, options),
                          capture_output=True, text=True, check=False,
                          timeout=RUN_LIMIT_SECONDS)
    return parse(done, what, may_fail)


def load_together(conf, process, options, what, cpus):
    """A generator on each of several CPUs: the sums of what they print."""
    children = [subprocess.Popen(load_command(conf, process, options, str(cpu)),
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 text=True) for cpu in cpus]
    runs = []
    for child in children:
        out, err = child.communicate(timeout=RUN_LIMIT_SECONDS)
        runs.append(parse(subprocess.CompletedProcess(
            child.args, child.returncode, out, err), what))
    iops = sum(r["iops"] for r in runs)
    # Each of them saw the whole target.
    percent = sum(r["cpu_percent"] for r in runs) / len(runs)
    return {"iops": iops, "mbps": sum(r["mbps"] for r in runs),
            "cpu_percent": percent,
            "cpu_us": percent * 1e4 / iops if iops else 0,
            "p99_us": max(r["p99_us"] for r in runs)}


def run_fio(conf, workload, seconds, warmup):
    """The same commands on the same file, without a target."""
    kind = {100: "read", 0: "write"}.get(workload.read, "rw")
    words = ["fio", "--name=bench", "--output-format=json",
             f"--filename={conf.direct}", "--direct=1", "--ioengine=io_uring",
             f"--rw={'' if workload.sequential else 'rand'}{kind}",
             f"--bs={workload.block}", f"--iodepth={workload.depth}",
             "--time_based", "--norandommap", "--randrepeat=0",
             f"--runtime={seconds * 1000:.0f}ms",
             f"--ramp_time={warmup * 1000:.0f}ms", f"--size={conf.file_mb}m"]
    done = subprocess.run([*on_cpus(conf.target_cpus), *words],
                          capture_output=True, text=True, check=False,
                          timeout=RUN_LIMIT_SECONDS)
    if done.returncode:
        raise BenchError(f"fio: {done.stderr.strip() or done.stdout.strip()}")
    return fio_result(json.loads(done.stdout[done.stdout.index("{"):]))


def fio_result(report):
    """fio's report in iscsi_load's words."""
    job = report["jobs"][0]
    both = [job[k] for k in ("read", "write") if job[k]["iops"]]
    iops = sum(b["iops"] for b in both)
    cpu = job["usr_cpu"] + job["sys_cpu"]

    def percentile(key):
        return max((b["clat_ns"].get("percentile", {}).get(key, 0)
                    for b in both), default=0) / 1e3
    return {
        "iops": iops, "mbps": sum(b["bw_bytes"] for b in both) / 1e6,
        "cpu_percent": cpu, "cpu_us": cpu * 1e4 / iops if iops else 0,
        "p50_us": percentile("50.000000"), "p90_us": percentile("90.000000"),
        "p99_us": percentile("99.000000"), "p999_us": percentile("99.900000"),
        "errors": job.get("error", 0),
    }


def warm(path, large=False):
    """
    Some kernels drop pages that rested for a while (DAMON).  They come back in
    folios like those they were in (fill() in run says why).
    """
    with open(path, "rb", buffering=0) as f:
        os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL if large
                         else os.POSIX_FADV_RANDOM)
        buf = bytearray(1 << 20)
        while f.readinto(buf):
            pass


class Measurement:
    """The runs of all rounds."""

    def __init__(self, conf, running):
        self.conf, self.running, self.runs = conf, running, []

    def once(self, name, workload, number, seconds):
        conf, server = self.conf, SERVERS[name]
        process = self.running[server.process]
        what = f"{server.title.replace('*', '')}: {workload.title}"
        if server.process == "fio":
            run = run_fio(conf, workload, seconds, conf.warmup)
        else:
            options = ["--pid", process.pid, "--time", seconds,
                       "--warmup", conf.warmup, "--seed", number,
                       "--region", f"{conf.file_mb}m", *workload.options()]
            large = workload.block > SMALL_BYTES and not server.direct
            options += ["--lun", server.lun + (LARGE_LUN if large else 0)] \
                if server.lun else ["--floor"]
            if not server.direct:
                warm(conf.large if large else conf.cached, large)
            process.wake()
            try:
                run = load(conf, process, options, what)
            finally:
                process.rest()
            if run["errors"]:
                raise BenchError(f"{what}: {run['errors']} commands failed")
        run.update(server=name, workload=workload.name, round=number)
        self.runs.append(run)
        return run

    def quietly(self, name, workload, number, seconds):
        """Repeat a run that others disturbed, while there is time."""
        for _ in range(TRIES):
            run = self.once(name, workload, number, seconds)
            # What the disk's interrupts take is nobody's disturbance.
            if SERVERS[name].direct or \
                    disturbance(run) <= self.conf.disturbed or \
                    self.conf.elapsed() > self.conf.repeat_until:
                return

    def rounds(self, workloads, rounds, seconds, deadline):
        """
        All servers at each workload, then all of it again.  A round that would
        end after the deadline (seconds since the start) is not begun, except
        for the first.  Returns the number of rounds.
        """
        longest = 0
        for number in range(1, rounds + 1):
            start = self.conf.elapsed()
            if number > 1 and start + longest > deadline:
                self.conf.say(f"no time for round {number}")
                return number - 1
            self.conf.say(f"round {number} of {rounds}: "
                          f"{len(workloads)} workloads")
            for workload in workloads:
                for name in workload.servers:
                    if available(SERVERS[name], self.running):
                        self.quietly(name, workload, number, seconds)
            longest = max(longest, self.conf.elapsed() - start)
        return rounds


# --- is the data right? ------------------------------------------------------
#
# Before speed, truth: mixed reads and writes through every way that data take
# (immediate, solicited, digests), read back in whole; then the proof that the
# check can fail: one byte is changed behind the target's back.

VERIFY = (
    ("4 KiB", "--depth 32"),
    ("512 KiB", "--depth 8 --block 512k"),
    ("R2T", "--depth 8 --block 64k --no-immediate --initial-r2t --conns 4"),
    ("digests", "--depth 8 --block 32k --header-digest --data-digest"),
)


def verify(conf, name, process, seconds):
    server = SERVERS[name]
    title = server.title.replace("*", "")
    lun = server.lun + VERIFY_LUN
    common = ["--lun", lun, "--verify", "--read", 50, "--time", seconds,
              "--warmup", 0]
    results = []
    for what, options in VERIFY:
        run = load(conf, process, common + options.split(),
                   f"{title}: checking data, {what}")
        results.append({"server": name, "what": what, "errors": run["errors"],
                        "checked": run["checked"], "corrupt": run["corrupt"]})
    load(conf, process, [*common, "--fill-only"], f"{title}: checking data")
    path = conf.verify_file(server.process, server.lun)
    with open(path, "r+b", buffering=0) as f:
        f.seek(CHANGED_BYTE)
        old = f.read(1)
        f.seek(CHANGED_BYTE)
        f.write(bytes([old[0] ^ 0xff]))
    done = subprocess.run(
        load_command(conf, process, [*common, "--filled", "--read", 100,
                                     "--time", 0.1]),
        capture_output=True, text=True, check=False, timeout=RUN_LIMIT_SECONDS)
    if done.returncode != EXIT_CORRUPT or \
            f"wrong data at byte {CHANGED_WORD}:" not in done.stderr:
        raise BenchError(f"{title}: a changed byte in the file went unnoticed "
                         f"(exit code {done.returncode}): {done.stderr}")
    return results


def verify_all(conf, running, seconds):
    results, begun = [], time.monotonic()
    for name, server in SERVERS.items():
        if server.process in VERIFIED and available(server, running):
            results += verify(conf, name, running[server.process], seconds)
    if results:
        conf.say(f"data verified on {len({r['server'] for r in results})} stores "
                 f"in {time.monotonic() - begun:.0f} s; a byte changed behind "
                 "their backs was noticed each time")
    return results
