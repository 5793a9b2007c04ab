# SPDX-License-Identifier: BSD-3-Clause
"""Runs the cases of one file against one private tgtd.

A line per case, and as last line `N passed, N failed, N skipped`.  After each
case the daemon must be alive, silent towards the sanitizers and serve a new
session; a case that ends it fails, and the next one gets a new daemon.
"""

import os
import signal
import sys
import time
import traceback

from daemon import Daemon
from session import healthy

CASE_S = int(os.environ.get("WIRE_CASE_TIMEOUT", "120"))


class Failed(Exception):
    """An expectation did not hold."""


class Skip(Exception):
    """The case cannot run here; the text says why."""


def check(ok, why):
    if not ok:
        raise Failed(why)


def equal(got, want, what):
    if got != want:
        raise Failed(f"{what} is {_short(got)}, not {_short(want)}")


def among(got, legal, what):
    if got not in legal:
        raise Failed(f"{what} is {_short(got)}, none of {_short(legal)}")


def until(what, ok, seconds=20):
    """Bounded wait on a condition that no PDU announces."""
    end = time.monotonic() + seconds
    while not ok():
        if time.monotonic() > end:
            raise Failed(f"not within {seconds} s: {what}")
        time.sleep(0.01)


def _short(value):
    text = repr(value)
    return text if len(text) < 160 else f"{text[:150]}… ({len(text)} characters)"


class Bench:
    """What a case works with: the daemon and its first target."""

    def __init__(self, options):
        self.d = Daemon(**options)
        try:
            self.target = self.d.target()
        except BaseException:
            self.d.stop(judge=False)
            raise
        self.addr = self.d.addr
        self.iqn = self.target.name


class Suite:
    """The cases of a file.  alone=True: they need no daemon and get None for a bench."""

    def __init__(self, alone=False, quiet=False, **daemon_options):
        self.options, self.rows = daemon_options, []
        self.alone, self.quiet = alone, quiet
        self.count = {"ok": 0, "FAIL": 0, "SKIP": 0}
        self.bench, self.starts_failed = None, 0

    def case(self, fn):
        """Decorates fn(bench)."""
        self.rows.append((fn.__name__, fn, ()))
        return fn

    def cases(self, table):
        """Decorates fn(bench, *row) for each (name, *row) of @table."""
        def add(fn):
            for name, *row in table:
                self.rows.append((f"{fn.__name__}/{name}", fn, tuple(row)))
            return fn
        return add

    def run(self, argv=None):
        wanted = (sys.argv[1:] if argv is None else argv) or [""]
        signal.signal(signal.SIGTERM, _told_to_stop)
        try:
            for name, fn, row in self.rows:
                if self.starts_failed < 3 and any(w in name for w in wanted):
                    self._report(name, self._one, fn, row)
        except BaseException:           # interrupted: take the daemon along
            if self.bench:
                self.bench.d.stop(judge=False)
            raise
        if not self.alone:
            self._report("daemon_ends_clean", self._end)
        self._say(f"{self.count['ok']} passed, {self.count['FAIL']} failed, "
                  f"{self.count['SKIP']} skipped")
        return 1 if self.count["FAIL"] else 0

    def _say(self, line):
        if not self.quiet:
            print(line.replace("\n", " | "), flush=True)

    def _one(self, fn, row):
        if self.alone:
            fn(None, *row)
            return
        if not self.bench:
            self.starts_failed += 1
            self.bench = Bench(self.options)
            self.starts_failed = 0
        b, error = self.bench, None
        try:
            fn(b, *row)
        except Exception as e:
            error = e
        self._judge(b)                  # a daemon that died is the greater news
        if error:
            raise error

    def _judge(self, b):
        signal.alarm(CASE_S)            # has a bound of its own
        try:
            b.d.check_alive()
            healthy(b.addr, b.iqn)
        except BaseException:
            self.bench = None
            b.d.stop(judge=False)
            raise

    def _end(self):
        if self.bench:
            self.bench.d.stop()

    def _report(self, name, fn, *args):
        verdict, why = "ok", ""
        signal.signal(signal.SIGALRM, _expired)
        signal.alarm(CASE_S)
        try:
            fn(*args)
        except Skip as e:
            verdict, why = "SKIP", str(e)
        except Exception as e:          # any other exception is a finding, too
            verdict = "FAIL"
            why = f"{_place(e)}: {e if isinstance(e, Failed) else f'{type(e).__name__}: {e}'}"
            if os.environ.get("V"):
                traceback.print_exc()
        finally:
            signal.alarm(0)
        self.count[verdict] += 1
        self._say(f"{verdict} {name}" + (f": {why}" if why else ""))


def _told_to_stop(signum, frame):
    raise SystemExit(128 + signum)


def _expired(signum, frame):
    raise Failed(f"not finished within {CASE_S} s")


def _place(e):
    """The innermost line of the test file itself."""
    at = [f for f in traceback.extract_tb(e.__traceback__)
          if os.path.basename(f.filename).startswith("test_")]
    return f"{os.path.basename(at[-1].filename)}:{at[-1].lineno}" if at else "harness"
