# SPDX-License-Identifier: BSD-3-Clause
"""A daemon that ends, or is killed, and comes back to the same disk and state."""

import glob
import os
import shutil
import tempfile

from daemon import Daemon
from pr import Node

DISK_MB = 4


class Durable:
    """A disk and a state directory that stay when the daemon goes."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="tgt-state-")
        self.state = os.path.join(self.dir, "a", "state")   # made by the daemon
        self.disk = os.path.join(self.dir, "disk")
        with open(self.disk, "wb") as f:
            f.truncate(DISK_MB << 20)
        self.d = None

    def __enter__(self):
        return self

    def __exit__(self, kind, *exc):
        try:
            if self.d:
                self.d.stop(judge=kind is None)
        finally:
            shutil.rmtree(self.dir)

    def start(self, lun=True):
        self.d = Daemon(args=("--reactors", "2", "--state-dir", self.state))
        self.target = self.d.target(disks=0)
        self.addr, self.iqn = self.d.addr, self.target.name
        if lun:
            self.target.lun(1, self.disk)
        return self

    def stop(self):
        self.d.stop()
        self.d = None

    def kill(self):
        self.d.proc.kill()
        self.d.proc.wait()
        self.d.stop(judge=False)
        self.d = None

    def files(self, kind="reservation"):
        return sorted(glob.glob(os.path.join(self.state, kind + "-*")))

    def node(self, number, **how):
        return Node(self, number, target=self.iqn, **how)


def damage(path, how):
    with open(path, "rb") as f:
        raw = f.read()
    with open(path, "wb") as f:
        f.write(how(raw))
