#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Run libiscsi's iscsi-test-cu test by test and compare with what is expected.

  judge.py [--expected FILE]... [--only REGEX] [--timeout S] [--write FILE]
           --lane URL[,URL2]... [--special REGEX URL[,URL2]]...

Each test is a process of its own, with a time limit.  A lane is a LUN that one
test at a time has for itself; there are as many at a time as there are lanes.
A lane's second URL is another path to its LUN, for the tests of multipath.
Tests whose names match a special lane's REGEX run there and nowhere else: they
want a LUN of another kind.

A test's verdict is one of
  passed
  skipped   the tool printed [SKIPPED], whatever CUnit counts afterwards
  failed    an assertion did not hold, or the tool died, or ran nothing
  hung      it was still running at the time limit

FILE has a line `TEST VERDICT REASON` for each test that is not to pass.  An
entry whose test does otherwise is a failure, a pass included: the file never
says less than the truth.  Entries count as skipped, all else as passed or
failed.  --write writes a FILE from this run, with what the tool said in the
place of the reason; each one is to be looked at and reworded.
"""
import argparse
import os
import queue
import re
import signal
import subprocess
import sys
import threading

TOOL = os.environ.get("ISCSI_TEST_CU", "iscsi-test-cu")     # another version's, perhaps
BANNER = "cunit.sourceforge.net/"
VERDICTS = ("skipped", "failed", "hung")
ROW = re.compile(r"^\s*tests\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*$", re.M)
SAYS = re.compile(r"\[(?:SKIPPED|FAILED)\]\s*(.*)")
ASSERT = re.compile(r"^\s*\d+\.\s+(\S+:\d+)\s+-\s+(.*)$", re.M)


class Result:
    def __init__(self, output, hung=False):
        self.text = of_the_test(output)
        self.verdict = "hung" if hung else judge(output, self.text)

    def words(self):
        """What the tool said about it, on one line."""
        said = SAYS.findall(self.text) or [" ".join(m) for m in ASSERT.findall(self.text)]
        return "; ".join(dict.fromkeys(s.strip() for s in said))[:200] or "it said nothing"


def of_the_test(output):
    """Before its banner the tool asks the target what it can do, and says so."""
    return output.partition(BANNER)[2] or output


def all_tests():
    listed = subprocess.run([TOOL, "--list"], stdout=subprocess.PIPE, text=True, check=True)
    return [t for t in listed.stdout.split() if t.startswith("ALL.") and t.count(".") == 2]


def run_one(test, urls, timeout):
    """The tool's output is line buffered, so that what a test that hangs has
    printed is not lost."""
    if not test.startswith("ALL.MultipathIO."):
        urls = urls[:1]
    command = ["stdbuf", "-oL", TOOL, "--dataloss", "--allow-sanitize", "--normal",
               "--test=" + test, *urls]
    p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, start_new_session=True)
    try:
        out, _ = p.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        os.killpg(p.pid, signal.SIGKILL)
        out, _ = p.communicate()
        return Result(out.decode(errors="replace"), hung=True)
    return Result(out.decode(errors="replace"))


def judge(output, text):
    row = ROW.search(output)
    if not row:
        return "failed"             # it did not get to the end
    _total, ran, _passed, failed, _inactive = map(int, row.groups())
    if failed or not ran:
        return "failed"
    return "skipped" if "[SKIPPED]" in text else "passed"


def read_expected(path, tests, expected):
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            test, verdict, *reason = line.split(None, 2)
            test = "ALL." + test
            if verdict not in VERDICTS or not reason:
                sys.exit(f"{path}:{number}: expected 'TEST skipped|failed|hung REASON'")
            if test not in tests:
                sys.exit(f"{path}:{number}: the tool has no test {test}")
            if test in expected:
                sys.exit(f"{path}:{number}: {test} is there twice")
            expected[test] = (verdict, reason[0])


def run_all(tests, lanes, specials, timeout):
    common = queue.SimpleQueue()
    work_of = [(common, urls) for urls in lanes]
    regexes = {}
    for regex, url in specials:
        regexes[regex] = queue.SimpleQueue()
        work_of.append((regexes[regex], url.split(",")))
    for t in tests:
        mine = [q for regex, q in regexes.items() if re.search(regex, t)]
        (mine[0] if mine else common).put(t)
    results = {}

    def work(todo, urls):
        while True:
            try:
                test = todo.get_nowait()
            except queue.Empty:
                return
            results[test] = run_one(test, urls, timeout)

    threads = [threading.Thread(target=work, args=w) for w in work_of]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return results


def report(tests, results, expected):
    passed = failed = skipped = 0
    for test in tests:
        r, name = results[test], test.removeprefix("ALL.")
        want, reason = expected.get(test, ("passed", ""))
        if r.verdict == want:
            if want == "passed":
                passed += 1
            else:
                skipped += 1
                print(f"{want:8} {name}: {reason}")
            continue
        failed += 1
        print(f"FAIL     {name}: {r.verdict}, expected {want}: {r.words()}")
        for line in r.text.splitlines():
            if line.strip():
                print("         | " + line)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


def main():
    ap = argparse.ArgumentParser(description=__doc__,
                                 formatter_class=argparse.RawTextHelpFormatter)
    ap.add_argument("--expected", metavar="FILE", action="append", default=[])
    ap.add_argument("--only", metavar="REGEX", default="")
    ap.add_argument("--timeout", type=float, default=40)
    ap.add_argument("--write", metavar="FILE")
    ap.add_argument("--lane", action="append", required=True, metavar="URL[,URL2]")
    ap.add_argument("--special", action="append", nargs=2, default=[], metavar=("REGEX", "URL[,URL2]"))
    a = ap.parse_args()

    every = all_tests()
    tests = [t for t in every if re.search(a.only, t)]
    expected = {}
    for path in a.expected:
        read_expected(path, set(every), expected)
    results = run_all(tests, [lane.split(",") for lane in a.lane], a.special, a.timeout)
    if a.write:
        with open(a.write, "w", encoding="utf-8") as f:
            for t in tests:
                if results[t].verdict != "passed":
                    f.write(f"{t.removeprefix('ALL.')} {results[t].verdict} "
                            f"{results[t].words()}\n")
    return report(tests, results, expected)


if __name__ == "__main__":
    sys.exit(main())
