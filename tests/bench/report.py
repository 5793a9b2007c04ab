# SPDX-License-Identifier: BSD-3-Clause
"""The results as a Markdown page, a picture and a JSON file."""

import json
import os
import platform

import plot
from matrix import SERVERS
from stats import disturbance, ratio

SATURATED_PERCENT = 95      # of the load generator's CPU
NOISY_PERCENT = 15          # spread of a server's commands/s


def show(value, form="{:.2f}"):
    return "–" if value is None else form.format(value)


def number(value):
    """About four digits, whatever the size."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def markdown(rows, text_columns=1):
    """Lines of a table; the first row is the heading."""
    heading, *body = rows
    yield "| " + " | ".join(heading) + " |"
    yield "|" + "".join("---|" if i < text_columns else "--:|"
                        for i in range(len(heading)))
    for cells in body:
        yield "| " + " | ".join(cells) + " |"


def threshold_table(rows):
    yield ["verdict", "threshold", "must be", "measured", "over the rounds"]
    for r in rows:
        over = (f"{number(r['low'])} … {number(r['high'])}"
                if r["low"] is not None and r["low"] != r["high"] else "")
        verdict = f"**{r['verdict']}**" if r["verdict"] == "FAIL" \
            else r["verdict"]
        yield [verdict, r["what"], f"{r['how']} {number(r['limit'])}",
               number(r["value"]), over]


def speed_table(workloads, results):
    yield ["workload", "server", "commands/s", "±", "MB/s", "CPU us/cmd",
           "p50 us", "p90 us", "p99 us", "p99.9 us", "slowest/fastest conn.",
           "× tgt", "× floor"]
    for w in workloads:
        title = w.title
        peer = results.of(w.name, "tgt") or results.of(w.name, "tgt-aio")
        floor = results.of(w.name, "floor")
        measured = results.servers(w.name)
        for server in (s for s in SERVERS if s in measured):
            def of(metric, name=w.name, who=server):
                return results.of(name, who, metric)
            fair = ratio(of("conn_min_iops"), of("conn_max_iops")) \
                if w.conns > 1 else None
            yield [title, SERVERS[server].title, show(of("iops"), "{:,.0f}"),
                   show(results.spread(w.name, server), "{:.0f} %"),
                   show(of("mbps"), "{:,.0f}"), show(of("cpu_us")),
                   *(show(of(m), "{:,.0f}")
                     for m in ("p50_us", "p90_us", "p99_us", "p999_us")),
                   show(fair), show(ratio(of("iops"), peer)),
                   show(ratio(of("iops"), floor))]
            title = ""


def notes(workloads, results, extra):
    runs, limit = results.runs, results.limit
    # What a disk's interrupts take does not count as a disturbance.
    cached = [r for r in runs if not SERVERS[r["server"]].direct]
    bad = sum(disturbance(r) > limit for r in cached)
    yield (f"{len(runs)} runs in {extra['took_s']} s; {extra['stolen']:.1f} % of "
           "all CPU time was stolen by the hypervisor.")
    if bad:
        yield (f"In {bad} runs others took over {limit:g} % of a CPU; those do "
               "not count where there are quiet ones.")
    for w in workloads:
        for server in results.servers(w.name):
            name = f"{w.title}, {SERVERS[server].title}"
            counted = results.counted(w.name, server)
            worst = min(disturbance(r) for r in counted)
            if worst > limit and not SERVERS[server].direct:
                yield (f"{name}: no quiet run; in the best one others took "
                       f"{worst:.0f} %.")
            own = results.of(w.name, server, "loader_percent")
            if own and own > SATURATED_PERCENT and not counted[0]["poll"]:
                yield (f"{name}: the load generator was saturated; the server "
                       "could do more.")
            spread = results.spread(w.name, server)
            if spread and spread > NOISY_PERCENT:
                yield (f"{name}: the runs differ by ± {spread:.0f} %.")


def machine():
    cpu = platform.machine()
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        for line in f:
            if line.startswith("model name"):
                cpu = line.split(":", 1)[1].strip()
                break
    return {"cpu": cpu, "cpus": os.cpu_count(), "kernel": platform.release()}


def machine_times():
    """(all, stolen) ticks since boot, proc_stat(5)."""
    with open("/proc/stat", encoding="utf-8") as f:
        ticks = [int(word) for word in f.readline().split()[1:9]]
    return sum(ticks), ticks[7]


def stolen_percent(before, after):
    passed = after[0] - before[0]
    return 100 * (after[1] - before[1]) / passed if passed else 0.0


def settings_of(conf, extra):
    return {
        "mode": extra["mode"], "rounds": extra["rounds"],
        "seconds": conf.seconds, "file system": conf.file_system,
        "target CPUs": conf.target_cpus, "peer CPUs": conf.peer_cpus,
        "generator CPUs": conf.loader_cpus,
        "generator options": " ".join(conf.loader_args),
        "tgtd options": " ".join(conf.tgtd_args),
        "busy polling": f"{conf.poll_us} us" if conf.has_poll else "",
        "load average before": f"{conf.load_before:.2f}",
    }


def render(host, settings, workloads, results, rows, scenarios, extra):
    yield (f"{host['cpus']} × {host['cpu']}, Linux {host['kernel']}; "
           + "; ".join(f"{k} {v}" for k, v in settings.items() if v != ""))
    if rows:
        yield from ("", "## Thresholds", "")
        yield from markdown(threshold_table(rows), 2)
    for heading, chosen in (
            ("Workloads", [w for w in workloads
                           if not w.name.startswith("matrix-")]),
            ("Matrix", [w for w in workloads
                        if w.name.startswith("matrix-")])):
        if any(results.servers(w.name) for w in chosen):
            yield from ("", f"## {heading}", "")
            yield from markdown(speed_table(chosen, results), 2)
    for s in scenarios.values():
        yield from ("", f"## {s['title']}", "")
        yield from markdown(s["table"])
    yield from ("", "## Notes", "")
    yield from (f"- {n}" for n in notes(workloads, results, extra))


def write(stem, conf, workloads, results, rows, scenarios, verified, extra):
    """STEM.md, STEM.svg, STEM.json; the page is printed, too."""
    host, settings = machine(), settings_of(conf, extra)
    text = "\n".join(render(host, settings, workloads, results, rows,
                            scenarios, extra)) + "\n"
    print(text)
    with open(stem + ".md", "w", encoding="utf-8") as f:
        f.write(text)
    with open(stem + ".svg", "w", encoding="utf-8") as f:
        f.write(plot.draw(workloads, results, scenarios))
    with open(stem + ".json", "w", encoding="utf-8") as f:
        json.dump({"machine": host, "settings": settings, "summary": extra,
                   "thresholds": rows, "scenarios": scenarios,
                   "verified": verified, "runs": results.runs}, f, indent=1)
