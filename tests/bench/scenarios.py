# SPDX-License-Identifier: BSD-3-Clause
"""What is not one workload on running servers: a function for each.

A scenario takes the settings and whether to be quick.  It starts what it needs
(conf.started() sees to its end) and returns
  {"facts": {key: number},      thresholds.py asks for them: fact(NAME, key)
   "table": [[heading, ...], [cell, ...], ...],
   "curve": {label: [(x, y), ...]}}         drawn if it is there
"""

import os
import resource
import shutil
import subprocess
import time
from dataclasses import dataclass
from typing import Callable

import measure
import rbd
from servers import BenchError, Peer, Tgtd, memory_kib, threads
from sheepdog import sheepdog

MIB = 1 << 20
SESSION_KIB = 32        # an idle session may take so much beyond --memory


def files(conf, directory, number, size, filled=0):
    """So many sparse files; the first bytes of each are in the page cache."""
    path = f"{conf.disks}/{directory}"
    os.mkdir(path)
    names = [f"{path}/{i}.img" for i in range(1, number + 1)]
    for name in names:
        with open(name, "wb") as f:
            f.write(os.urandom(filled))
            f.truncate(size)
    return names


def remove_files(conf, directory):
    shutil.rmtree(f"{conf.disks}/{directory}", ignore_errors=True)


def makers(conf):
    """(key, title, what starts it) of the targets there are."""
    yield "tgtd", "**tgtd**", lambda: Tgtd(conf, "tgtd-scenario")
    if os.access(conf.peer_tgtd, os.X_OK):
        yield "tgt", "tgt", lambda: Peer(conf, "tgt-scenario")


# --- memory ------------------------------------------------------------------

MEMORY_CONNS, MEMORY_DEPTH, MEMORY_BLOCK_KIB = 512, 128, 256
MEMORY_CAP_MIB = 256


def peak_kib(pid):
    """Without pages of files that are mapped: those have a limit of their own."""
    return memory_kib(pid, "VmHWM") - memory_kib(pid, "RssFile") - memory_kib(pid, "RssShmem")


def memory(conf, quick):
    """Far more asked for than --memory allows: it holds, and nothing fails."""
    process = conf.started(Tgtd(conf, "tgtd-memory",
                                options=["--memory", f"{MEMORY_CAP_MIB}M"]))
    process.new_target()
    process.add_many([conf.large])
    at_start = peak_kib(process.pid)
    runs = []
    for read in (100, 0) if quick else (100, 0, 50):
        measure.warm(conf.large, large=True)
        runs.append((read, measure.load(conf, process, [
            "--pid", process.pid, "--lun", 1, "--region", f"{conf.file_mb}m",
            "--conns", MEMORY_CONNS, "--depth", MEMORY_DEPTH,
            "--block", f"{MEMORY_BLOCK_KIB}k", "--read", read,
            "--warmup", conf.warmup, "--time", 1 if quick else 3],
            "memory scenario", may_fail=True), peak_kib(process.pid)))
    process.stop()
    peak = runs[-1][2]
    # What grew, less what the sessions themselves may take.
    used = (peak - at_start - SESSION_KIB * MEMORY_CONNS) / 1024
    table = [["reads %", "commands/s", "MB/s", "p99 ms", "failed",
              "peak resident MiB", "--memory MiB"]]
    table += [[f"{read}", f"{r['iops']:,.0f}", f"{r['mbps']:,.0f}",
               f"{r['p99_us'] / 1e3:,.0f}", f"{r['errors']}",
               f"{top / 1024:.0f}", f"{MEMORY_CAP_MIB}"]
              for read, r, top in runs]
    return {"facts": {"of_cap": used / MEMORY_CAP_MIB,
                      "peak_mib": peak / 1024, "at_start_mib": at_start / 1024,
                      "errors": sum(r["errors"] for _, r, _ in runs)},
            "table": table}


# --- reactors ----------------------------------------------------------------

REACTOR_WORKLOADS = (
    ("4 KiB random read, 32 × QD 8", ["--lun", 1]),
    ("4 KiB random write, 32 × QD 8", ["--lun", 1, "--read", 0]),
    ("64 KiB random read, 32 × QD 8", ["--lun", 2, "--block", "64k"]),
)


def reactors(conf, quick):
    """
    1 to nproc reactors, on as many CPUs; the generators have the others, or
    share all of them when none is left.
    """
    cpus = os.cpu_count()
    seconds, rounds = (0.5, 1) if quick else (1, 3)
    table = [["reactors", "workload", "commands/s", "MB/s", "CPU us/cmd",
              "commands per CPU second", "generators"]]
    curve = {}
    for number in range(1, cpus + 1):
        process = conf.started(Tgtd(
            conf, f"tgtd-reactors-{number}", cpus=f"0-{number - 1}",
            options=["--reactors", str(number)]))
        process.new_target()
        process.add_many([conf.cached, conf.large])
        left = list(range(number, cpus)) or [f"0-{cpus - 1}"]
        for title, options in REACTOR_WORKLOADS:
            measure.warm(conf.cached)
            measure.warm(conf.large, large=True)
            runs = [measure.load_together(conf, process, [
                "--pid", process.pid,
                "--region", f"{conf.file_mb}m", "--conns", 32, "--depth", 8,
                "--warmup", conf.warmup, "--time", seconds, *options],
                "reactors scenario", left) for _ in range(rounds)]
            r = sorted(runs, key=lambda x: x["iops"])[len(runs) // 2]
            table.append([f"{number}", title, f"{r['iops']:,.0f}",
                          f"{r['mbps']:,.0f}", f"{r['cpu_us']:.2f}",
                          f"{1e6 / r['cpu_us']:,.0f}" if r["cpu_us"] else "–",
                          f"{len(left)}" if number < cpus else
                          "1, sharing the CPUs"])
            curve.setdefault(title, []).append((number, r["iops"]))
        process.stop()
    return {"facts": {}, "table": table, "curve": curve}


# --- LUNs --------------------------------------------------------------------

LUN_COUNTS = {"tgtd": (1, 10, 100, 1000, 10000), "tgt": (1, 10, 100)}
FILES_OF_A_LUN, FILES_BESIDE = 2, 300   # open in a tgtd
LUN_BYTES, LUN_REGION = MIB, 16 << 10


def lun_counts(conf, key, quick):
    """The counts to try; the last is what the limit on open files allows."""
    most = (resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            - FILES_BESIDE) // FILES_OF_A_LUN
    if max(LUN_COUNTS[key]) > most:
        conf.say(f"ulimit -Hn is for {most:,} LUNs only, and may not be raised")
    counts = sorted({min(n, most) for n in LUN_COUNTS[key]})
    return [n for n in counts if not quick or n in (1, 1000)]


def with_luns(conf, maker, number, seconds):
    """A fresh process with so many LUNs: what they cost, and then a run."""
    process = conf.started(maker())
    process.new_target()
    at_start, before = threads(process.pid), memory_kib(process.pid, "VmRSS")
    paths = files(conf, "luns", number, LUN_BYTES, filled=LUN_REGION)
    begun = time.monotonic()
    process.add_many(paths)
    made_s = time.monotonic() - begun
    after = memory_kib(process.pid, "VmRSS")
    r = measure.load(conf, process, [
        "--pid", process.pid, "--conns", 4, "--depth", 8, "--lun", 1,
        "--luns", number, "--each-lun", "--region", LUN_REGION,
        "--warmup", conf.warmup, "--time", seconds], f"{number} LUNs")
    r.update(made_s=made_s, kib=after, kib_per_lun=(after - before) / number,
             threads_at_start=at_start, threads=threads(process.pid))
    process.stop()
    return r


def luns(conf, quick):
    """1 to 10,000 LUNs: time to make them, threads, memory, speed over all."""
    table = [["server", "LUNs", "made in s", "threads", "resident MiB",
              "KiB/LUN", "commands/s", "CPU us/cmd", "p99 us"]]
    curve, facts = {}, {}
    for key, title, maker in makers(conf):
        at_start = 0
        for number in lun_counts(conf, key, quick):
            try:
                r = with_luns(conf, maker, number, 0.5 if quick else 1)
            except BenchError as e:
                conf.say(f"{number} LUNs: {e}")
                break
            finally:
                remove_files(conf, "luns")
            at_start = at_start or r["threads_at_start"]
            table.append([title, f"{number:,}", f"{r['made_s']:.2f}",
                          f"{r['threads']:,}", f"{r['kib'] / 1024:.0f}",
                          f"{r['kib_per_lun']:.1f}", f"{r['iops']:,.0f}",
                          f"{r['cpu_us']:.2f}", f"{r['p99_us']:.0f}"])
            curve.setdefault(title.replace("*", ""), []).append(
                (number, r["iops"]))
            facts[f"{key}_{number}_seconds"] = r["made_s"]
            facts[f"{key}_{number}_threads_more"] = r["threads"] - at_start
    return {"facts": facts, "table": table, "curve": curve}


# --- idle sessions -----------------------------------------------------------

IDLE_LUNS = {"tgtd": 1000, "tgt": 100}     # tgt starts 16 threads for each
IDLE_SESSIONS = 500


def idle(conf, quick):
    """Sessions that log in, do a few commands and rest: what do they cost?"""
    table = [["server", "LUNs", "sessions", "threads at start", "with LUNs",
              "with sessions", "KiB/session", "idle CPU %", "logins/s"]]
    facts = {}
    for key, title, maker in makers(conf):
        if quick and key != "tgtd":
            continue
        process = conf.started(maker())
        at_start = threads(process.pid)
        process.new_target()
        process.add_many(files(conf, "idle", IDLE_LUNS[key], LUN_BYTES))
        with_luns = threads(process.pid)
        r = measure.load(conf, process, [
            "--idle", IDLE_SESSIONS, "--pid", process.pid,
            "--luns", IDLE_LUNS[key]], f"{title}: idle sessions")
        process.stop()
        remove_files(conf, "idle")
        table.append([title, f"{IDLE_LUNS[key]:,}", f"{r['sessions']:,}",
                      f"{at_start:,}", f"{with_luns:,}",
                      f"{r['threads_after']:,}", f"{r['kib_per_session']:.1f}",
                      f"{r['idle_cpu_percent']:.2f}",
                      f"{r['logins_per_s']:,.0f}"])
        facts[f"{key}_threads_more"] = r["threads_after"] - at_start
        facts[f"{key}_kib_per_session"] = r["kib_per_session"]
    return {"facts": facts, "table": table}


# --- targets.conf ------------------------------------------------------------

CONF_TARGETS = (200, 1000)
TGT_ADMIN = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                         "../../scripts/tgt-admin")


def admin_seconds(conf, process, *args):
    begun = time.monotonic()
    done = subprocess.run([TGT_ADMIN, *args], env=process.environment(),
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"tgt-admin {' '.join(args)}: {done.stderr.strip()}")
    return time.monotonic() - begun


def configure(conf, quick):
    """tgt-admin loads a file of many targets with a disk each, and again."""
    table = [["targets", "loaded in s", "unchanged --update ALL in s"]]
    facts = {}
    for number in CONF_TARGETS:
        process = conf.started(Tgtd(conf, "tgtd-configure"))
        paths = files(conf, "configure", number, LUN_BYTES)
        path = f"{conf.disks}/configure/targets.conf"
        with open(path, "w", encoding="utf-8") as f:
            for i, disk in enumerate(paths):
                f.write(f"<target iqn.2001-04.org.example:t{i}>\n"
                        f"\tbacking-store {disk}\n</target>\n")
        loaded = admin_seconds(conf, process, "-e", "-c", path)
        again = min(admin_seconds(conf, process, "--update", "ALL", "-c", path)
                    for _ in range(3))
        process.stop()
        remove_files(conf, "configure")
        table.append([f"{number:,}", f"{loaded:.2f}", f"{again:.2f}"])
        facts[f"load_{number}_s"] = loaded
        facts[f"unchanged_{number}_s"] = again
    return {"facts": facts, "table": table}


# --- the table ---------------------------------------------------------------


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    run: Callable
    in_quick: bool          # False: it takes too long, and so is not judged


SCENARIOS = [
    Scenario("memory", f"{MEMORY_CONNS} connections × QD {MEMORY_DEPTH} × "
             f"{MEMORY_BLOCK_KIB} KiB", memory, True),
    Scenario("idle", "Idle sessions", idle, True),
    Scenario("configure", "targets.conf of many targets, by tgt-admin",
             configure, True),
    Scenario("sheepdog", "A Sheepdog VDI, compared with a file", sheepdog, True),
    Scenario("reactors", "Reactors on as many CPUs", reactors, False),
    Scenario("rbd", "Images of a Ceph cluster, 4 KiB random, QD 32", rbd.rbd,
             False),
    Scenario("luns", "Number of LUNs, all asked in turn (4 × QD 8)", luns,
             False),
]


def left_out(quick):
    """Names of what such a run does not measure."""
    return {s.name for s in SCENARIOS if quick and not s.in_quick}


def run_all(conf, wanted, quick):
    """{name: what it returned} of the scenarios whose name is wanted."""
    results = {}
    for s in SCENARIOS:
        if not wanted(s.name) or s.name in left_out(quick):
            continue
        begun = conf.elapsed()
        conf.say(f"scenario: {s.title}")
        try:
            results[s.name] = s.run(conf, quick)
            results[s.name]["title"] = s.title
        except BenchError as e:
            # Its thresholds then are not measured, which --strict fails on.
            conf.say(f"scenario {s.name}: {e}")
        conf.say(f"scenario {s.name} took {conf.elapsed() - begun:.0f} s")
    return results
