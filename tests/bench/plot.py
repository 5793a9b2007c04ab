# SPDX-License-Identifier: BSD-3-Clause
"""The results as one SVG picture: bars for the workloads, curves for series.

A panel is a box with a title; panels fill a grid from left to right.
"""

import math
import re
from xml.sax.saxutils import escape

from matrix import CONNECTIONS, DEPTHS, SERVERS

COLUMNS = 3
WIDTH, HEIGHT = 400, 250            # of a panel
LEFT, RIGHT, TOP, BOTTOM = 130, 62, 30, 34      # room around what is drawn
CURVE_LEFT, CURVE_RIGHT, CURVE_BOTTOM = 52, 14, 64
GAP = 16
COLOURS = {
    "rdwr": "#1b6ca8", "uring": "#0a3d62", "poll-rdwr": "#5dade2",
    "poll-uring": "#2e86c1", "tgt": "#c0392b", "floor": "#7f8c8d",
    "polled": "#b2babb", "direct-rdwr": "#1b6ca8", "direct-uring": "#0a3d62",
    "direct-aio": "#5dade2", "tgt-aio": "#c0392b", "fio": "#7f8c8d",
}
PALETTE = ("#1b6ca8", "#c0392b", "#7f8c8d", "#27ae60", "#8e44ad", "#d68910")
TICKS = 4


def plain(title):
    return title.replace("*", "")


def text(x, y, words, anchor="start", size=11, weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" '
            f'font-size="{size}" font-weight="{weight}">{escape(words)}</text>')


def line(x1, y1, x2, y2, colour="#cccccc"):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{colour}"/>')


def short(value):
    """420 k, 3.1 M"""
    for limit, divisor, unit in ((1e6, 1e6, " M"), (1e4, 1e3, " k")):
        if value >= limit:
            return f"{value / divisor:.3g}{unit}"
    return f"{value:,.0f}"


def nice(top):
    """The next of 1, 2, 5 × 10^n: where an axis ends."""
    if top <= 0:
        return 1.0
    step = 10 ** math.floor(math.log10(top))
    return next(m * step for m in (1, 2, 5, 10) if m * step >= top * 0.9999)


def bars(title, rows):
    """rows: [(label, value, colour)]"""
    top = max(v for _, v, _ in rows) or 1
    slot = min(30, (HEIGHT - TOP - 12) / len(rows))
    yield text(8, 18, title, size=12, weight="bold")
    for i, (label, value, colour) in enumerate(rows):
        y = TOP + i * slot
        length = (WIDTH - LEFT - RIGHT) * value / top
        yield text(LEFT - 6, y + slot * 0.62, label, "end", 10)
        yield (f'<rect x="{LEFT}" y="{y + 2:.1f}" width="{length:.1f}" '
               f'height="{slot - 5:.1f}" fill="{colour}"/>')
        yield text(LEFT + length + 4, y + slot * 0.62, short(value), size=10)


def curves(title, series, unit):
    """series: {label: ([(x, y)], colour)}; x is on a logarithmic axis."""
    points = [p for ps, _ in series.values() for p in ps]
    xs = sorted({x for x, _ in points})
    top = nice(max(y for _, y in points))
    span = math.log(xs[-1] / xs[0]) or 1
    right, bottom = WIDTH - CURVE_RIGHT, HEIGHT - CURVE_BOTTOM

    def place(x, y):
        at = 0.5 if len(xs) == 1 else math.log(x / xs[0]) / span
        return (CURVE_LEFT + at * (right - CURVE_LEFT),
                bottom - (bottom - TOP) * y / top)

    yield text(8, 18, title, size=12, weight="bold")
    for i in range(TICKS + 1):
        y = top * i / TICKS
        yield line(CURVE_LEFT, place(xs[0], y)[1], right, place(xs[0], y)[1])
        yield text(CURVE_LEFT - 5, place(xs[0], y)[1] + 4, short(y), "end", 9)
    for x in xs:
        yield text(place(x, 0)[0], bottom + 14, f"{x:,}", "middle", 9)
    yield text((CURVE_LEFT + right) / 2, bottom + 28, unit, "middle", 10)
    for i, (label, (ps, colour)) in enumerate(series.items()):
        path = " ".join("{:.1f},{:.1f}".format(*place(*p)) for p in sorted(ps))
        yield (f'<polyline points="{path}" fill="none" stroke="{colour}" '
               'stroke-width="2"/>')
        for p in ps:
            yield ('<circle cx="{:.1f}" cy="{:.1f}" r="3" fill="{}"/>'
                   .format(*place(*p), colour))
        x, y = 10 + i % 3 * (WIDTH - 16) / 3, HEIGHT - 20 + i // 3 * 13
        yield f'<rect x="{x:.1f}" y="{y - 8}" width="9" height="9" fill="{colour}"/>'
        yield text(x + 13, y, label, size=9)


def workload_panels(workloads, results):
    for w in workloads:
        if w.name.startswith("matrix-"):
            continue
        measured = results.servers(w.name)
        rows = [(plain(s.title), results.of(w.name, name), COLOURS[name])
                for name, s in SERVERS.items() if name in measured]
        if rows:
            yield list(bars(f"{w.title}, commands/s", rows))


def matrix_panels(results):
    """Along the depth with one connection, along connections at one depth."""
    axes = (("c1-qd{}", DEPTHS, "queue depth, 1 connection"),
            ("c{}-qd1", CONNECTIONS, "connections, queue depth 1"),
            ("c{}-qd32", CONNECTIONS, "connections, queue depth 32"))
    groups = sorted({m[1] for m in (re.fullmatch(r"matrix-(\w+-\w+)-.*",
                                                 r["workload"])
                                    for r in results.runs) if m})
    for group in groups:
        for form, values, unit in axes:
            series = {}
            for server, s in SERVERS.items():
                points = [(x, results.of(f"matrix-{group}-" + form.format(x),
                                         server)) for x in values]
                points = [p for p in points if p[1] is not None]
                if points:
                    series[plain(s.title)] = (points, COLOURS[server])
            if any(len(ps) > 1 for ps, _ in series.values()):
                yield list(curves(f"{group.replace('-', ' ')}, commands/s",
                                  series, unit))


def scenario_panels(scenarios):
    for name, s in scenarios.items():
        if s.get("curve"):
            yield list(curves(s["title"],
                              {label: (points, PALETTE[i % len(PALETTE)])
                               for i, (label, points)
                               in enumerate(s["curve"].items())},
                              f"{name}; commands/s"))


def draw(workloads, results, scenarios):
    panels = [*workload_panels(workloads, results), *matrix_panels(results),
              *scenario_panels(scenarios)]
    rows = -(-len(panels) // COLUMNS) or 1
    width = COLUMNS * (WIDTH + GAP) + GAP
    height = rows * (HEIGHT + GAP) + GAP
    out = ['<?xml version="1.0" encoding="UTF-8"?>',
           f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" '
           f'height="{height}" viewBox="0 0 {width} {height}" '
           'font-family="sans-serif" fill="#222222">',
           f'<rect width="{width}" height="{height}" fill="#ffffff"/>']
    for i, panel in enumerate(panels):
        x = GAP + i % COLUMNS * (WIDTH + GAP)
        y = GAP + i // COLUMNS * (HEIGHT + GAP)
        out += [f'<g transform="translate({x},{y})">',
                f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fafafa" '
                'stroke="#dddddd"/>', *panel, "</g>"]
    return "\n".join([*out, "</svg>"]) + "\n"
