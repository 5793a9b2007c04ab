# SPDX-License-Identifier: BSD-3-Clause
"""Start the programs that are measured, give them their disks, stop them."""

import json
import os
import re
import signal
import socket
import subprocess
import time

from matrix import SERVERS

IQN = "iqn.2025-01.org.tgtd:bench"
START_SECONDS = 10
STOP_SECONDS = 10
# A LUN has twins so much further up:
VERIFY_LUN = 10         # for checking data
LARGE_LUN = 20          # the same store on the file for large blocks
VERIFIED = ("tgtd", "tgt")      # processes that have such twins
PORTAL = re.compile(r"^Portal: (127\.0\.0\.1:[1-9]\d*),", re.M)


class BenchError(Exception):
    """A sentence for the person who started the benchmark."""


def on_cpus(cpus):
    return ["taskset", "-c", cpus] if os.cpu_count() > 1 else []


def threads(pid):
    return len(os.listdir(f"/proc/{pid}/task"))


def memory_kib(pid, key):
    """A number of /proc/PID/status: VmRSS, or VmHWM, its highest."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        return next((int(line.split()[1]) for line in f
                     if line.startswith(key + ":")), 0)


class Process:
    """A program under test; self.portal is where it listens."""
    stop_seconds = STOP_SECONDS

    def __init__(self, conf, name, cpus):
        self.conf, self.name, self.cpus = conf, name, cpus
        self.log = f"{conf.work}/{name}.log"
        self.child, self.portal, self.luns = None, "", set()

    @property
    def pid(self):
        return self.child.pid

    def command(self):
        raise NotImplementedError

    def find_portal(self):
        raise NotImplementedError

    def environment(self):
        return None

    def start(self):
        with open(self.log, "w", encoding="utf-8") as log:
            self.child = subprocess.Popen(
                [*on_cpus(self.cpus), *self.command()], stdout=log,
                stderr=log, stdin=subprocess.DEVNULL, env=self.environment())
        deadline = time.monotonic() + START_SECONDS
        while not (found := self.find_portal()):
            if self.child.poll() is not None or time.monotonic() > deadline:
                with open(self.log, encoding="utf-8") as log:
                    raise BenchError(f"{self.name} did not start: "
                                     + log.read()[-2000:])
            time.sleep(0.02)
        self.portal = found
        return self

    def rest(self):
        """While others are measured; for those that never sleep."""

    def wake(self):
        pass

    def stop(self):
        if not self.child or self.child.poll() is not None:
            return
        self.child.send_signal(signal.SIGCONT)
        self.child.terminate()
        try:
            self.child.wait(self.stop_seconds)
        except subprocess.TimeoutExpired:
            if self.stop_seconds == STOP_SECONDS:
                self.conf.say(f"{self.name}: still there {STOP_SECONDS} s "
                              "after SIGTERM: killed")
            self.child.kill()
            self.child.wait()


class Target(Process):
    """A process that tgtadm administers."""

    def __init__(self, conf, name, cpus, options=()):
        super().__init__(conf, name, cpus)
        self.socket, self.options = f"{conf.work}/{name}.sock", options

    def environment(self):
        return {**os.environ, "TGT_IPC_SOCKET": self.socket}

    def command(self):
        return [self.tgtd, "-f", "-C", "0", "--iscsi", "portal=127.0.0.1:0",
                *self.options]

    def admin(self, *words):
        return subprocess.run(
            [self.tgtadm, "-C", "0", "--lld", "iscsi", *map(str, words)],
            env=self.environment(), capture_output=True, text=True,
            check=False)

    def must(self, *words):
        done = self.admin(*words)
        if done.returncode:
            raise BenchError(f"{self.name}: tgtadm {' '.join(map(str, words))}"
                             f": {done.stderr.strip()}")

    def find_portal(self):
        match = PORTAL.search(
            self.admin("--mode", "portal", "--op", "show").stdout)
        return match and match[1]

    def new_target(self, tid=1):
        self.must("--mode", "target", "--op", "new", "--tid", tid,
                  "-T", f"{IQN}-{tid}")
        self.must("--mode", "target", "--op", "bind", "--tid", tid, "-I", "ALL")

    def add_lun(self, lun, path, bstype="rdwr", bsoflags=""):
        """None, or why it cannot."""
        words = ["--mode", "logicalunit", "--op", "new", "--tid", 1,
                 "--lun", lun, "-b", path, "--bstype", bstype]
        if bsoflags:
            words += ["--bsoflags", bsoflags]
        done = self.admin(*words)
        if done.returncode:
            return done.stderr.strip() or f"exit code {done.returncode}"
        self.luns.add(lun)
        return None

    def add_many(self, paths):
        """LUN 1 and up of target 1."""
        for lun, path in enumerate(paths, 1):
            error = self.add_lun(lun, path)
            if error:
                raise BenchError(f"{self.name}: LUN {lun}: {error}")


class Tgtd(Target):
    """Ours."""

    def __init__(self, conf, name, cpus=None, options=()):
        super().__init__(conf, name, cpus or conf.target_cpus,
                         [*conf.tgtd_args, *options])
        self.tgtd, self.tgtadm = conf.tgtd, conf.tgtadm

    def add_many(self, paths):
        """In few calls of the management protocol: doc/rpc.md."""
        calls = [{"jsonrpc": "2.0", "id": lun, "method": "lun.create",
                  "params": {"tid": 1, "lun": lun, "path": path}}
                 for lun, path in enumerate(paths, 1)]
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.socket + ".0")
            answers = s.makefile("r", encoding="utf-8")
            for i in range(0, len(calls), 1000):
                s.sendall(json.dumps(calls[i:i + 1000]).encode() + b"\n")
                for answer in json.loads(answers.readline()):
                    if "error" in answer:
                        raise BenchError(f"{self.name}: LUN {answer['id']}: "
                                         + answer["error"]["message"])


class Peer(Target):
    """Debian's; SIGTERM does not end it while it has targets."""
    stop_seconds = 0.2

    def __init__(self, conf, name):
        super().__init__(conf, name, conf.peer_cpus)
        self.tgtd, self.tgtadm = conf.peer_tgtd, conf.peer_tgtadm


class Floor(Process):
    def __init__(self, conf, name, options=()):
        super().__init__(conf, name, conf.target_cpus)
        self.options = options

    def command(self):
        return [f"{self.conf.build}/bench/floor", self.conf.cached,
                *self.options]

    def find_portal(self):
        with open(self.log, encoding="utf-8") as f:
            words = f.read().split()
        return f"127.0.0.1:{words[1]}" if words[:1] == ["port"] else None


class Resting:
    """Mixed in: never sleeps by itself, so it is stopped between its turns."""

    def start(self):
        super().start()
        self.rest()
        return self

    def rest(self):
        self.child.send_signal(signal.SIGSTOP)

    def wake(self):
        self.child.send_signal(signal.SIGCONT)


class PolledFloor(Resting, Floor):
    def __init__(self, conf, name):
        super().__init__(conf, name, ["--poll"])


class Fio:
    """No process that waits: each measurement runs it."""
    pid, luns = 0, ()

    def start(self):
        return self

    def rest(self):
        pass

    wake = stop = rest


def give_luns(target, conf):
    """The LUNs that SERVERS lists for this process; says what it cannot do."""
    target.new_target()
    for server in SERVERS.values():
        if server.process != target.name or \
                (server.direct and not conf.on_disk):
            continue
        path = conf.direct if server.direct else conf.cached
        error = target.add_lun(server.lun, path, server.bstype,
                               server.bsoflags)
        if error:
            conf.say(f"{server.title.replace('*', '')}: not measured: "
                     + error.splitlines()[-1])
            continue
        twins = [] if server.direct else [(LARGE_LUN, conf.large)]
        if target.name in VERIFIED:
            twins.append((VERIFY_LUN,
                          conf.verify_file(target.name, server.lun)))
        for further, path in twins:
            error = target.add_lun(server.lun + further, path, server.bstype,
                                   server.bsoflags)
            if error:
                raise BenchError(f"{target.name}: {path}: {error}")


def start_all(conf, wanted):
    """{process name: Process} of those that are wanted and can be had."""
    makers = {
        "tgtd": lambda: Tgtd(conf, "tgtd"),
        "tgtd-poll": lambda: Tgtd(conf, "tgtd-poll",
                                  options=["--poll-us", str(conf.poll_us)]),
        "tgt": lambda: Peer(conf, "tgt"),
        "floor": lambda: Floor(conf, "floor"),
        "polled": lambda: PolledFloor(conf, "polled"),
        "fio": Fio,
    }
    if not conf.has_poll:
        conf.say("this tgtd has no --poll-us: busy polling is not measured")
        del makers["tgtd-poll"]
    if not os.access(conf.peer_tgtd, os.X_OK):
        conf.say(f"{conf.peer_tgtd} is not installed: no comparison with it")
        del makers["tgt"]
    running = {}
    for name in [m for m in makers if m in wanted]:
        running[name] = conf.started(makers[name]())
        if isinstance(running[name], Target):
            give_luns(running[name], conf)
    return running


def available(server, running):
    """Can this row of SERVERS be measured?"""
    process = running.get(server.process)
    return process is not None and \
        (not server.lun or server.lun in process.luns)
