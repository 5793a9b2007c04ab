# SPDX-License-Identifier: BSD-3-Clause
"""A private tgtd for one test: started, configured by tgtadm, and judged when it ends."""

import os
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("BUILD", os.path.join(HERE, "..", "..", "build"))
TGTD = os.path.abspath(os.environ.get("TGTD", os.path.join(BUILD, "tgtd")))
TGTADM = os.path.abspath(os.environ.get("TGTADM", os.path.join(BUILD, "tgtadm")))

START_S, STOP_S = 30, 10
SANITIZER = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|LeakSanitizer")
IQN = "iqn.2001-04.org.example:wire."


class DaemonError(Exception):
    pass


def pattern(block, blocks, bs=512):
    """What disk() writes: each block is its own number, repeated."""
    return b"".join(struct.pack(">Q", n) * (bs // 8) for n in range(block, block + blocks))


class Target:
    """A target and its LUNs.  LUN 0 is the controller, disks follow."""

    def __init__(self, daemon, tid, name):
        self.daemon, self.tid, self.name = daemon, tid, name
        self.paths = {}

    def update(self, **params):
        for key, value in params.items():
            self.daemon.adm("--mode", "target", "--op", "update", "--tid", str(self.tid),
                            "-n", key, "-v", str(value))

    def bind(self, *how):
        self.daemon.adm("--mode", "target", "--op", "bind", "--tid", str(self.tid), *how)

    def lun(self, number, path, *options):
        self.daemon.adm("--mode", "logicalunit", "--op", "new", "--tid", str(self.tid),
                        "--lun", str(number), "-b", path, *options)
        self.paths[number] = path

    def lun_params(self, number, params):
        self.daemon.adm("--mode", "logicalunit", "--op", "update", "--tid", str(self.tid),
                        "--lun", str(number), "--params", params)

    def account(self, user, outgoing=False):
        self.daemon.adm("--mode", "account", "--op", "bind", "--tid", str(self.tid),
                        "--user", user, *(["--outgoing"] if outgoing else []))


class Daemon:
    """Owns a directory, a management socket and a process.  A context manager."""

    def __init__(self, iscsi="portal=127.0.0.1:0", args=()):
        self.dir = tempfile.mkdtemp(prefix="tgt-wire-")
        self.env = dict(os.environ, TGT_IPC_SOCKET=os.path.join(self.dir, "socket"))
        self.tids, self.told = 0, False
        self.log_path = os.path.join(self.dir, "log")
        self.proc = None
        try:
            with open(self.log_path, "wb") as log:
                self.proc = subprocess.Popen([TGTD, "-f", "--iscsi", iscsi, "--state-dir",
                                              os.path.join(self.dir, "state"), *args],
                                             env=self.env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            self.portals = self._wait_ready()
        except BaseException:
            if self.proc:
                self.proc.kill()
                self.proc.wait()
            shutil.rmtree(self.dir)
            raise
        self.addr = self.portals[0]

    def __enter__(self):
        return self

    def __exit__(self, kind, *exc):
        self.stop(judge=kind is None)

    @property
    def pid(self):
        return self.proc.pid

    def log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def _wait_ready(self):
        """Ready means: it answers management requests and names its portals."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            if self.proc.poll() is not None:
                raise DaemonError(f"tgtd ended at start with {self.proc.returncode}: {self.log()}")
            r = self.adm("--mode", "portal", "--op", "show", check=False)
            found = re.findall(r"Portal: (?:\[([^]]+)\]|([\d.]+)):(\d+),\d+", r.stdout)
            if r.returncode == 0 and found:
                return [(v6 or v4, int(port)) for v6, v4, port in found]
            time.sleep(0.02)        # the pace of asking; readiness is the answer above
        raise DaemonError(f"tgtd is not ready after {START_S} s: {self.log()}")

    def adm(self, *args, check=True):
        r = subprocess.run([TGTADM, "--lld", "iscsi", *args], env=self.env, timeout=60,
                           stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if check and r.returncode:
            raise DaemonError(f"tgtadm {' '.join(args)}: exit {r.returncode}, {r.stderr.strip()}")
        return r

    def modules(self):
        return self.adm("--mode", "system", "--op", "show").stdout

    def target(self, disks=1, mb=16, acl=("-I", "ALL"), name=None, **params):
        """A target with @disks patterned disks of @mb, open to @acl (None: to nobody)."""
        self.tids += 1
        t = Target(self, self.tids, name or f"{IQN}{self.tids}")
        self.adm("--mode", "target", "--op", "new", "--tid", str(t.tid), "-T", t.name)
        for lun in range(1, disks + 1):
            t.lun(lun, self.disk(mb))
        t.update(**params)
        if acl:
            t.bind(*acl)
        return t

    def disk(self, mb=16):
        fd, path = tempfile.mkstemp(prefix="disk-", dir=self.dir)
        with os.fdopen(fd, "wb") as f:
            f.write(pattern(0, 2048))                   # the first MiB tells its place
            f.truncate(mb << 20)
        return path

    def account(self, user, password):
        self.adm("--mode", "account", "--op", "new", "--user", user, "--password", password)

    def check_alive(self):
        """Raises when the process ended or a sanitizer spoke."""
        rc = self.proc.poll()
        if rc is not None:
            raise DaemonError(f"tgtd ended with {rc}: {self.log()[-2000:]}")
        found = SANITIZER.search(self.log())
        if found:
            raise DaemonError("sanitizer: " + self.log()[found.start():][:2000])

    def rss_kb(self):
        with open(f"/proc/{self.pid}/status") as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read())[1])

    def nr_fds(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def nr_threads(self):
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def terminate(self):
        self.told = True
        self.proc.send_signal(signal.SIGTERM)

    def stop(self, judge=True):
        """SIGTERM; with @judge it must then exit 0 in time and have nothing to confess."""
        ended_itself = self.proc.poll() is not None and not self.told
        if self.proc.poll() is None:
            self.terminate()
        try:
            rc = self.proc.wait(STOP_S)
        except subprocess.TimeoutExpired:
            rc = None
        finally:
            self.proc.kill()            # harmless when it has ended
            self.proc.wait()
            log = self.log()
            shutil.rmtree(self.dir, ignore_errors=True)
        if not judge:
            return
        found = SANITIZER.search(log)
        if found:
            raise DaemonError("sanitizer: " + log[found.start():][:2000])
        if rc is None:
            raise DaemonError(f"tgtd did not end within {STOP_S} s of SIGTERM")
        if rc != 0 or ended_itself:
            raise DaemonError(f"tgtd ended with {rc}, untold: {ended_itself}: {log[-2000:]}")
