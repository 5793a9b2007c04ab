#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Turn the runs of one benchmark into a table, a check list and a JSON file.

Each metric is the median of its rounds; a ratio is one of medians.
"""

import argparse
import json
import os
import platform
import statistics
import sys

NAMES = {
    "tgtd": "**tgtd**",
    "tgt": "tgt",
    "floor": "floor",
    "polled": "polled floor",
}
METRICS = ("iops", "mbps", "cpu_us", "cpu_percent", "loader_percent",
           "others_percent", "steal_percent",
           "p50_us", "p90_us", "p99_us", "p999_us", "max_us",
           "conn_min_iops", "conn_max_iops")


def read_lines(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.strip()]


def disturbance(run):
    """Percent of a CPU that others took: processes, the hypervisor."""
    return run["others_percent"] + run["steal_percent"]


def quiet(runs, limit):
    """The undisturbed runs, or else the least disturbed one."""
    return ([r for r in runs if disturbance(r) <= limit]
            or [min(runs, key=disturbance)])


def medians(runs, limit):
    """{workload: {server: {metric: median over rounds}}}"""
    groups = {}
    for run in runs:
        server, workload, _ = run["label"].split("/")
        groups.setdefault(workload, {}).setdefault(server, []).append(run)
    return {
        workload: {
            server: {m: statistics.median(r[m] for r in quiet(rs, limit))
                     for m in METRICS}
            for server, rs in servers.items()
        }
        for workload, servers in groups.items()
    }


def ratio(a, b):
    return a / b if a is not None and b else None


def show(value, form="{:.2f}"):
    return "–" if value is None else form.format(value)


def speed_table(titles, med):
    yield ("| workload | server | commands/s | MB/s | CPU us/cmd | p50 us "
           "| p99 us | × tgt | × floor |")
    yield "|---|---|--:|--:|--:|--:|--:|--:|--:|"
    for workload, title in titles:
        servers = med.get(workload, {})
        base = {s: v["iops"] for s, v in servers.items()}
        for server in (s for s in NAMES if s in servers):
            v = servers[server]
            yield (f"| {title} | {NAMES[server]} | {v['iops']:,.0f} "
                   f"| {v['mbps']:,.0f} | {v['cpu_us']:.2f} "
                   f"| {v['p50_us']:.0f} | {v['p99_us']:.0f} "
                   f"| {show(ratio(v['iops'], base.get('tgt')))} "
                   f"| {show(ratio(v['iops'], base.get('floor')))} |")
            title = ""


def idle_table(idle):
    yield ("| server | LUNs | sessions | threads at start | with LUNs "
           "| with sessions | KiB/session | idle CPU % | logins/s |")
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|"
    for i in idle:
        yield (f"| {NAMES[i['label'].split('/')[0]]} | {i['luns']:,} "
               f"| {i['sessions']:,} | {i['threads_at_start']:,} "
               f"| {i['threads_with_luns']:,} | {i['threads_after']:,} "
               f"| {i['kib_per_session']:.1f} | {i['idle_cpu_percent']:.2f} "
               f"| {i['logins_per_s']:,.0f} |")


def checks(med, idle):
    """(what, measured value or None, how it must compare, limit)"""
    def of(workload, server, metric="iops"):
        return med.get(workload, {}).get(server, {}).get(metric)

    def against(workload, other):
        return ratio(of(workload, "tgtd"), of(workload, other))

    ours = next((i for i in idle if i["label"].startswith("tgtd/")), None)
    more = ours and ours["threads_after"] - ours["threads_at_start"]
    size = (f"{ours['luns']:,} LUNs and {ours['sessions']:,} sessions"
            if ours else "idle LUNs and sessions")
    return [
        ("4 KiB random read, QD 32: us of target CPU per command",
         of("read-4k-qd32", "tgtd", "cpu_us"), "<=", 4.0),
        ("4 KiB random read, QD 32: commands/s, × tgt",
         against("read-4k-qd32", "tgt"), ">=", 5.0),
        ("4 KiB random read, QD 1: round trips, × floor",
         against("read-4k-qd1", "floor"), ">=", 0.75),
        ("1 MiB sequential write, QD 8: × tgt",
         against("write-1m-qd8", "tgt"), ">=", 2.0),
        (f"{size}: threads more than at start", more, "<=", 0),
        (f"{size}: KiB per idle session",
         ours and ours["kib_per_session"], "<", 32.0),
    ]


def judge(value, how, limit):
    if value is None:
        return "NOT MEASURED"
    good = {"<=": value <= limit, "<": value < limit, ">=": value >= limit}
    return "PASS" if good[how] else "MISS"


def machine():
    cpu = platform.machine()
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        for line in f:
            if line.startswith("model name"):
                cpu = line.split(":", 1)[1].strip()
                break
    return {"cpu": cpu, "cpus": os.cpu_count(), "kernel": platform.release()}


def notes(titles, med, runs, limit):
    bad = sum(disturbance(r) > limit for r in runs)
    if bad:
        yield (f"Note: in {bad} of {len(runs)} runs others took over "
               f"{limit:g} % of a CPU; those do not count where there are others.")
    for workload, title in titles:
        for server, v in med.get(workload, {}).items():
            d = disturbance(v)
            if d > limit:
                yield (f"Note: {title}, {NAMES[server]}: no quiet run; in the "
                       f"best one others took {d:.0f} %.")
    for workload, title in titles:
        for server, v in med.get(workload, {}).items():
            if v["loader_percent"] > 95 and not runs[0]["poll"]:
                yield (f"Note: {title}, {NAMES[server]}: the load generator was "
                       "saturated; the server could do more.")


def render(titles, med, runs, idle, rows, settings, host, limit):
    yield (f"{host['cpus']} × {host['cpu']}, Linux {host['kernel']}; "
           + ", ".join(f"{k}={v}" for k, v in settings.items() if v))
    yield ""
    yield from speed_table(titles, med)
    yield ""
    yield from notes(titles, med, runs, limit)
    if idle:
        yield ""
        yield from idle_table(idle)
    yield ""
    for what, value, how, bound, verdict in rows:
        yield f"- {verdict}: {what}: {show(value)} (must be {how} {bound:g})"


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--dir", required=True, help="where runs.jsonl and others are")
    p.add_argument("--out", required=True, help="write OUT.json and OUT.md")
    p.add_argument("--disturbed", type=float, default=10, metavar="PERCENT")
    p.add_argument("--strict", action="store_true")
    p.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    args = p.parse_args()

    settings = dict(s.split("=", 1) for s in args.set)
    with open(f"{args.dir}/titles", encoding="utf-8") as f:
        titles = [tuple(line.rstrip("\n").split("|")) for line in f]
    runs = read_lines(f"{args.dir}/runs.jsonl")
    idle = read_lines(f"{args.dir}/idle.jsonl")
    med = medians(runs, args.disturbed)
    rows = [(*c, judge(*c[1:])) for c in checks(med, idle)]
    host = machine()

    text = "\n".join(render(titles, med, runs, idle, rows, settings, host,
                            args.disturbed)) + "\n"
    print(text)
    with open(args.out + ".md", "w", encoding="utf-8") as f:
        f.write(text)
    with open(args.out + ".json", "w", encoding="utf-8") as f:
        json.dump({
            "machine": host, "settings": settings, "medians": med, "idle": idle,
            "checks": [dict(zip(("what", "value", "how", "limit", "verdict"), r))
                       for r in rows],
            "runs": runs, "verified": read_lines(f"{args.dir}/verify.jsonl"),
        }, f, indent=1)
    missed = [r for r in rows if r[-1] != "PASS"]
    return 1 if args.strict and missed else 0


if __name__ == "__main__":
    sys.exit(main())
