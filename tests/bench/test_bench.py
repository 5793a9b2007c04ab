# SPDX-License-Identifier: BSD-3-Clause
"""Unit tests of what turns runs into verdicts, tables and pictures."""

import os
import sys
import unittest
from xml.etree import ElementTree

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import matrix           # noqa: E402  (after the path)
import measure          # noqa: E402
import plot             # noqa: E402
import report           # noqa: E402
import scenarios        # noqa: E402
import thresholds       # noqa: E402
from stats import Results, quiet, ratio, spread_percent     # noqa: E402
from thresholds import Threshold, judge                     # noqa: E402


def run(server, workload, number, iops, **more):
    return {"server": server, "workload": workload, "round": number,
            "iops": iops, "others_percent": 0, "steal_percent": 0,
            "loader_percent": 10, "poll": False, **more}


class Statistics(unittest.TestCase):
    def test_disturbed_runs_count_only_without_quiet_ones(self):
        calm = run("rdwr", "w", 1, 100)
        noisy = run("rdwr", "w", 1, 50, others_percent=30)
        worse = run("rdwr", "w", 1, 10, steal_percent=80)
        self.assertEqual(quiet([noisy, calm, worse], 10), [calm])
        self.assertEqual(quiet([worse, noisy], 10), [noisy])

    def test_spread_is_half_of_the_range(self):
        self.assertAlmostEqual(spread_percent([90, 100, 110]), 10)
        self.assertEqual(spread_percent([5]), 0)
        self.assertEqual(spread_percent([0, 0]), 0)

    def test_ratio_of_nothing_is_nothing(self):
        self.assertIsNone(ratio(None, 2))
        self.assertIsNone(ratio(1, None))
        self.assertIsNone(ratio(1, 0))
        self.assertEqual(ratio(3, 2), 1.5)

    def test_medians_and_the_best_server(self):
        r = Results([run("rdwr", "w", n, v) for n, v in
                     enumerate((100, 300, 200), 1)]
                    + [run("uring", "w", 1, 250, cpu_us=2.0)])
        self.assertEqual(r.of("w", "rdwr"), 200)
        self.assertEqual(r.best("w", ("rdwr", "uring", "none")), 250)
        self.assertEqual(r.best("w", ("rdwr", "uring"), pick=min), 200)
        self.assertIsNone(r.best("w", ("none",)))
        self.assertIsNone(r.of("w", "rdwr", "cpu_us"))
        self.assertIsNone(r.of("other", "rdwr"))
        self.assertEqual(len(list(r.rounds())), 3)


class Verdicts(unittest.TestCase):
    def judge_one(self, how, limit, value):
        t = Threshold("it", "w", lambda _: value, how, limit)
        return judge(Results([]), [t])[0]["verdict"]

    def test_each_comparison_at_its_limit(self):
        for how, at, below, above in (("<=", "PASS", "PASS", "FAIL"),
                                      ("<", "FAIL", "PASS", "FAIL"),
                                      (">=", "PASS", "FAIL", "PASS"),
                                      (">", "FAIL", "FAIL", "PASS")):
            got = [self.judge_one(how, 2, v) for v in (2, 1.9, 2.1)]
            self.assertEqual(got, [at, below, above], how)

    def test_nothing_measured_is_no_pass(self):
        self.assertEqual(self.judge_one(">=", 1, None), "NOT MEASURED")

    def test_a_ratio_compares_within_a_round(self):
        # The machine is twice as fast in the second round, for everybody.
        runs = [run("rdwr", "w", 1, 100), run("tgt", "w", 1, 10),
                run("rdwr", "w", 2, 200), run("tgt", "w", 2, 20),
                run("rdwr", "w", 3, 100), run("tgt", "w", 3, 20)]
        t = Threshold("it", "w", thresholds.against("w", "tgt"), ">=", 8)
        got = judge(Results(runs), [t])[0]
        self.assertEqual((got["value"], got["low"], got["high"]), (10, 5, 10))
        self.assertEqual(got["verdict"], "PASS")

    def test_fairness_and_the_price_of_a_variant(self):
        runs = [run("rdwr", "a", 1, 80, conn_min_iops=3, conn_max_iops=4),
                run("uring", "a", 1, 90, conn_min_iops=1, conn_max_iops=4),
                run("rdwr", "b", 1, 100), run("uring", "b", 1, 100)]
        r = Results(runs)
        self.assertEqual(thresholds.fairness("a")(r), 0.25)
        self.assertEqual(thresholds.between("a", "b")(r), 0.9)

    def test_facts_of_scenarios(self):
        r = Results([], {"memory": {"errors": 0}})
        self.assertEqual(thresholds.fact("memory", "errors")(r), 0)
        self.assertIsNone(thresholds.fact("memory", "other")(r))
        self.assertIsNone(thresholds.fact("other", "errors")(r))


class Tables(unittest.TestCase):
    def test_every_threshold_is_about_something_that_exists(self):
        names = {w.name for w in matrix.thresholds_workloads()}
        names |= {s.name for s in scenarios.SCENARIOS}
        for t in thresholds.THRESHOLDS:
            self.assertIn(t.needs, names, t.what)
            self.assertIn(t.how, thresholds.COMPARE)

    def test_what_a_quick_run_leaves_out(self):
        self.assertEqual(scenarios.left_out(False), set())
        self.assertIn("rbd", scenarios.left_out(True))
        self.assertNotIn("idle", scenarios.left_out(True))

    def test_names_are_unique_and_servers_known(self):
        all_of_them = [*matrix.thresholds_workloads(),
                       *matrix.matrix_workloads()]
        names = [w.name for w in all_of_them]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(len({t.what for t in thresholds.THRESHOLDS}),
                         len(thresholds.THRESHOLDS))
        for w in all_of_them:
            for s in w.servers:
                self.assertIn(s, matrix.SERVERS)
                self.assertIn(s, plot.COLOURS)

    def test_the_matrix_stays_within_its_bounds(self):
        for w in matrix.matrix_workloads():
            self.assertLessEqual(w.conns * w.depth,
                                 matrix.IN_FLIGHT_COMMANDS)
            self.assertLessEqual(w.conns * w.depth * w.block,
                                 matrix.IN_FLIGHT_BYTES)

    def test_options_of_the_generator(self):
        w = matrix.Workload("n", "t", (), block=4096, depth=2, conns=3,
                            read=70, sequential=True, digests=True)
        self.assertEqual(" ".join(w.options()),
                         "--block 4096 --depth 2 --conns 3 --read 70 --seq "
                         "--header-digest --data-digest")


class Fio(unittest.TestCase):
    def test_its_report_in_our_words(self):
        got = measure.fio_result({"jobs": [{
            "usr_cpu": 10.0, "sys_cpu": 30.0, "error": 0,
            "read": {"iops": 80000.0, "bw_bytes": 320e6, "clat_ns": {
                "percentile": {"50.000000": 4000, "99.000000": 9000}}},
            "write": {"iops": 0, "bw_bytes": 0, "clat_ns": {}},
        }]})
        self.assertEqual(got["iops"], 80000)
        self.assertEqual(got["mbps"], 320)
        self.assertEqual(got["cpu_us"], 5)
        self.assertEqual((got["p50_us"], got["p99_us"]), (4, 9))


class Output(unittest.TestCase):
    WORKLOADS = [matrix.Workload("conns-4", "4 <connections>", (), conns=4),
                 matrix.Workload("matrix-read-4k-c1-qd1", "m", ()),
                 matrix.Workload("matrix-read-4k-c1-qd32", "m", ())]

    def results(self):
        more = {"mbps": 1.0, "cpu_us": 2.5, "p50_us": 1, "p90_us": 2,
                "p99_us": 3, "p999_us": 4, "conn_min_iops": 1,
                "conn_max_iops": 2}
        runs = [run(s, w.name, 1, v, **more) for w in self.WORKLOADS
                for s, v in (("rdwr", 1000.0), ("tgt", 100.0))]
        return Results([*runs, run("fio", "conns-4", 1, 10.0)])

    def test_the_page(self):
        rows = judge(self.results(), [
            Threshold("good", "w", lambda _: 9, ">=", 8),
            Threshold("bad", "w", lambda _: 7, ">=", 8)])
        text = "\n".join(report.render(
            {"cpus": 2, "cpu": "X", "kernel": "6"}, {"mode": "quick"},
            self.WORKLOADS, self.results(), rows, {
                "s": {"title": "Scenario", "table": [["a", "b"], ["1", "2"]]}},
            {"took_s": 1, "stolen": 0.0}))
        self.assertIn("| PASS | good | >= 8 | 9 |", text)
        self.assertIn("| **FAIL** | bad | >= 8 | 7 |", text)
        self.assertIn("| **tgtd** rdwr | 1,000 |", text)
        self.assertIn("| 0.50 | 10.00 |", text)
        self.assertIn("## Scenario\n\n| a | b |\n|---|--:|\n| 1 | 2 |", text)

    def test_the_picture_is_xml(self):
        svg = plot.draw(self.WORKLOADS, self.results(), {
            "luns": {"title": "LUNs & more", "table": [], "facts": {},
                     "curve": {"a": [(1, 5.0), (10, 7.0)], "b": [(1, 3.0)]}}})
        root = ElementTree.fromstring(svg)
        groups = root.findall("{http://www.w3.org/2000/svg}g")
        self.assertEqual(len(groups), 3)    # bars, depths, the scenario
        self.assertIn("4 &lt;connections&gt;", svg)

    def test_a_picture_of_nothing(self):
        ElementTree.fromstring(plot.draw([], Results([]), {}))

    def test_axes_end_at_round_numbers(self):
        self.assertEqual([plot.nice(v) for v in (0, 3, 99, 100, 101)],
                         [1, 5, 100, 100, 200])
        self.assertEqual([plot.short(v) for v in (7, 9999, 420e3, 3.1e6)],
                         ["7", "9,999", "420 k", "3.1 M"])


if __name__ == "__main__":
    unittest.main()
