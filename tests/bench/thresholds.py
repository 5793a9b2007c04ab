# SPDX-License-Identifier: BSD-3-Clause
"""What must be reached: one row a promise.

To add one: a row here, and its workload in matrix.py or its scenario in
scenarios.py.  value(results) returns None for what was not measured.
"""

import statistics
from dataclasses import dataclass
from typing import Callable

from stats import ratio

OURS = ("rdwr", "uring")                # through the page cache
POLLING = ("poll-rdwr", "poll-uring")


@dataclass(frozen=True)
class Threshold:
    what: str
    needs: str                          # the workload or scenario it is about
    value: Callable
    how: str                            # <=, <, >=, >
    limit: float


def best(workload, metric="iops", servers=OURS, pick=max):
    return lambda r: r.best(workload, servers, metric, pick)


def cpu(workload, servers=OURS):
    return best(workload, "cpu_us", servers, min)


def against(workload, other, servers=OURS):
    return lambda r: ratio(r.best(workload, servers), r.of(workload, other))


def between(workload, other_workload, servers=OURS):
    """The best in one workload compared with the best in another one."""
    return lambda r: ratio(r.best(workload, servers),
                           r.best(other_workload, servers))


def fairness(workload, servers=OURS):
    def value(r):
        ratios = [ratio(r.of(workload, s, "conn_min_iops"),
                        r.of(workload, s, "conn_max_iops")) for s in servers]
        return min((x for x in ratios if x is not None), default=None)
    return value


def fact(scenario, key):
    return lambda r: r.fact(scenario, key)


def row(what, needs, value, how, limit):
    return Threshold(what, needs, value, how, limit)


def told(what, scenario, key, how, limit):
    """A figure that the scenario itself has."""
    return row(what, scenario, fact(scenario, key), how, limit)


THRESHOLDS = [
    *(t for op in ("read", "write") for t in (
        row(f"4 KiB random {op}s, QD 32: us of target CPU per command",
            f"{op}-4k-qd32", cpu(f"{op}-4k-qd32"), "<=", 2.6),
        row(f"4 KiB random {op}s, QD 32: commands/s, × tgt",
            f"{op}-4k-qd32", against(f"{op}-4k-qd32", "tgt"), ">=", 8),
        row(f"4 KiB random {op}s, QD 32: commands/s, × floor",
            f"{op}-4k-qd32", against(f"{op}-4k-qd32", "floor"), ">=", 1.0),
        row(f"4 KiB random {op}s, QD 32, busy polling: × polled floor",
            f"{op}-4k-qd32", against(f"{op}-4k-qd32", "polled", POLLING),
            ">=", 0.95),
    )),
    # SPDK 26.05 on the two-core machine whose figures the issue quotes.
    row("4 KiB random reads, QD 32, busy polling: commands/s, SPDK's",
        "read-4k-qd32", best("read-4k-qd32", servers=POLLING), ">", 420e3),
    row("4 KiB random reads, QD 32: us of target CPU, SPDK's",
        "read-4k-qd32", cpu("read-4k-qd32", OURS + POLLING), "<", 2.4),
    row("64 connections × QD 8, 4 KiB random reads: × tgt",
        "conns-64", against("conns-64", "tgt"), ">=", 8),
    row("QD 1, 4 KiB random reads: round trips, × floor",
        "read-4k-qd1", against("read-4k-qd1", "floor"), ">=", 0.85),
    row("QD 1, 4 KiB random reads, busy polling: × polled floor",
        "read-4k-qd1", against("read-4k-qd1", "polled", POLLING), ">=", 0.9),
    row("64 KiB random reads, QD 8: × tgt",
        "read-64k-qd8", against("read-64k-qd8", "tgt"), ">=", 2.5),
    row("1 MiB sequential reads, QD 8: × tgt",
        "seqread-1m-qd8", against("seqread-1m-qd8", "tgt"), ">=", 2),
    row("1 MiB sequential writes, QD 8: × tgt",
        "seqwrite-1m-qd8", against("seqwrite-1m-qd8", "tgt"), ">=", 2.5),
    *(row(f"O_DIRECT 4 KiB random reads, QD 32, {bs}: × fio with io_uring",
          "direct-read-4k-qd32",
          against("direct-read-4k-qd32", "fio", (f"direct-{bs}",)), ">=", 0.9)
      for bs in ("uring", "aio")),
    row("512 connections × QD 8: throughput, × that of 4 connections",
        "conns-512", between("conns-512", "conns-4"), ">=", 0.8),
    row("512 connections × QD 8: slowest connection, × the fastest",
        "conns-512", fairness("conns-512"), ">=", 0.5),
    *(row(f"64 KiB random {op}s, QD 8: CRC32C digests, × without",
          f"{op}-64k-qd8-digests",
          between(f"{op}-64k-qd8-digests", f"{op}-64k-qd8"), ">=", 0.8)
      for op in ("read", "write")),
    told("512 connections × QD 128 × 256 KiB: memory, × --memory", "memory", "of_cap", "<=", 1.0),
    told("512 connections × QD 128 × 256 KiB: failed commands", "memory", "errors", "<=", 0),
    told("1,000 LUNs and 500 sessions: threads more than at start", "idle", "tgtd_threads_more",
         "<=", 0),
    told("1,000 LUNs and 500 sessions: KiB per idle session", "idle", "tgtd_kib_per_session",
         "<", 32),
    told("Sheepdog, 4 KiB random reads, QD 32: target CPU, × a file's", "sheepdog",
         "read_4k_qd32_cpu", "<=", 2),
    *(told(f"RBD, 4 KiB random {op}, QD 32: × {what}", "rbd", f"tgtd_{op}_of_{key}", how, limit)
      for op in ("reads", "writes")
      for what, key, how, limit in (("fio on librbd", "fio", ">=", 0.9),
                                    ("tgt with tgt-rbd", "tgt", ">", 1))),
    *(told(f"targets.conf of {n:,} targets, {what} in s", "configure", f"{key}_{n}_s", "<", limit)
      for what, key, limits in (("loaded", "load", {200: 0.3, 1000: 1}),
                                ("unchanged --update ALL", "unchanged", {200: 0.3, 1000: 0.3}))
      for n, limit in limits.items()),
]

COMPARE = {
    "<=": lambda a, b: a <= b,
    "<": lambda a, b: a < b,
    ">=": lambda a, b: a >= b,
    ">": lambda a, b: a > b,
}


def judge(results, thresholds=None):
    """
    [{what, value, low, high, how, limit, verdict}].  The value is the median of
    what each round says by itself: a ratio compares runs that were seconds
    apart, so that a drift of the machine is in both of them.
    """
    rounds, rows = list(results.rounds()) or [results], []
    for t in THRESHOLDS if thresholds is None else thresholds:
        each = [v for v in map(t.value, rounds) if v is not None]
        value = statistics.median(each) if each else None
        rows.append({
            "what": t.what, "needs": t.needs, "value": value,
            "low": min(each, default=None), "high": max(each, default=None),
            "how": t.how, "limit": t.limit,
            "verdict": ("NOT MEASURED" if value is None else
                        "PASS" if COMPARE[t.how](value, t.limit) else "FAIL"),
        })
    return rows
