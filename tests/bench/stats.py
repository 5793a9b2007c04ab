# SPDX-License-Identifier: BSD-3-Clause
"""What many short runs say: medians, their spread, which of them count.

A run is what iscsi_load printed, with "server", "workload" and "round" added.
A fact is a number that a scenario found out once.
"""

import statistics


def disturbance(run):
    """Percent of a CPU that others took: processes, the hypervisor."""
    return run.get("others_percent", 0) + run.get("steal_percent", 0)


def quiet(runs, limit):
    """The undisturbed runs, or else the least disturbed one."""
    return ([r for r in runs if disturbance(r) <= limit]
            or [min(runs, key=disturbance)])


def spread_percent(values):
    """Half of what lies between the extremes, in percent of the median."""
    middle = statistics.median(values)
    return 50 * (max(values) - min(values)) / middle if middle else 0.0


def ratio(a, b):
    return a / b if a is not None and b else None


class Results:
    """All that was measured; what the thresholds and the tables ask."""

    def __init__(self, runs, facts=None, limit=10):
        self.runs, self.facts, self.limit = runs, facts or {}, limit
        self._groups = {}
        for r in runs:
            self._groups.setdefault((r["workload"], r["server"]), []).append(r)

    def counted(self, workload, server):
        """The runs that count, [] if there was none."""
        runs = self._groups.get((workload, server))
        return quiet(runs, self.limit) if runs else []

    def of(self, workload, server, metric="iops"):
        """The median of a metric, None if it was not measured."""
        values = [r[metric] for r in self.counted(workload, server)
                  if r.get(metric) is not None]
        return statistics.median(values) if values else None

    def spread(self, workload, server, metric="iops"):
        values = [r[metric] for r in self.counted(workload, server)
                  if r.get(metric) is not None]
        return spread_percent(values) if values else None

    def best(self, workload, servers, metric="iops", pick=max):
        """The best of several servers: the highest median (pick=min: lowest)."""
        values = [self.of(workload, s, metric) for s in servers]
        values = [v for v in values if v is not None]
        return pick(values) if values else None

    def fact(self, scenario, key):
        return self.facts.get(scenario, {}).get(key)

    def servers(self, workload):
        return [s for w, s in self._groups if w == workload]

    def rounds(self):
        """The same for each round by itself: how far do they differ?"""
        for n in sorted({r["round"] for r in self.runs}):
            yield Results([r for r in self.runs if r["round"] == n],
                          self.facts, self.limit)
