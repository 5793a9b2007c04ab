# SPDX-License-Identifier: BSD-3-Clause
"""Images of a Ceph cluster of our own, on this machine: fio on librbd itself, and
through the targets; and what 200 images cost.
"""

import json
import os
import shutil
import statistics
import subprocess
import time

import measure
from servers import BenchError, Peer, Tgtd, memory_kib, on_cpus, threads
from stats import ratio

SERVICES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../services")
IMAGE, IMAGE_MIB = "bench", 256
LUNS = 200
DEPTH = 32
LIMIT_SECONDS = 120


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True, check=False,
                          timeout=LIMIT_SECONDS)
    if done.returncode:
        raise BenchError(f"{' '.join(words[:2])}: {done.stderr.strip()}")
    return done.stdout


class Cluster:
    """In memory; the disk of this machine is not what is measured."""

    def __init__(self, conf):
        self.top = f"{conf.work}/ceph"
        self.conf = run("env", "STORE=memstore", f"{SERVICES}/ceph-up", self.top).strip()
        self.options = f"conf={self.conf};id=tgt"

    def rbd(self, *words):
        return run("rbd", "-c", self.conf, "--id", "tgt", *words)

    def end(self):
        subprocess.run([f"{SERVICES}/ceph-down", self.top], check=False)


def add_image(target, cluster, lun, image):
    target.must("--mode", "logicalunit", "--op", "new", "--tid", 1, "--lun", lun,
                "--bstype", "rbd", "-b", image, "--bsopts", cluster.options)


def fio(conf, cluster, read, seconds):
    """Commands a second of fio on librbd, with the CPUs that the targets have."""
    done = subprocess.run(
        [*on_cpus(conf.target_cpus), "fio", "--name=bench", "--output-format=json",
         "--ioengine=rbd", "--clientname=tgt", "--pool=rbd", f"--rbdname={IMAGE}",
         f"--rw=rand{'read' if read else 'write'}", "--bs=4k", f"--iodepth={DEPTH}",
         "--time_based", "--norandommap", f"--runtime={seconds * 1000:.0f}ms",
         "--ramp_time=500ms"],
        env={**os.environ, "CEPH_CONF": cluster.conf}, capture_output=True, text=True,
        check=False, timeout=LIMIT_SECONDS)
    if done.returncode:
        raise BenchError(f"fio: {done.stderr.strip() or done.stdout.strip()}")
    job = json.loads(done.stdout[done.stdout.index("{"):])["jobs"][0]
    return job["read" if read else "write"]["iops"]


def through(conf, target, read, seconds):
    return measure.load(conf, target, [
        "--pid", target.pid, "--depth", DEPTH, "--read", 100 if read else 0,
        "--warmup", 0.5, "--time", seconds], f"{target.name}: rbd")["iops"]


def compare(conf, cluster, targets, seconds, rounds):
    """{(who, op): median}, {(who, op, other): median of the ratios to fio and to tgt};
    taking turns."""
    got, ratios = {}, {}
    for _ in range(rounds):
        for op, read in (("reads", True), ("writes", False)):
            own = fio(conf, cluster, read, seconds)
            got.setdefault(("fio", op), []).append(own)
            for who, target in targets.items():
                iops = through(conf, target, read, seconds)
                got.setdefault((who, op), []).append(iops)
                ratios.setdefault((who, op, "fio"), []).append(ratio(iops, own))
            if {"tgtd", "tgt"} <= set(targets):
                ratios.setdefault(("tgtd", op, "tgt"), []).append(
                    ratio(got["tgtd", op][-1], got["tgt", op][-1]))
    return ({k: statistics.median(v) for k, v in got.items()},
            {k: statistics.median(v) for k, v in ratios.items()})


def many(conf, cluster, facts):
    """What so many images cost a fresh tgtd."""
    process = conf.started(Tgtd(conf, "tgtd-rbd-many"))
    process.new_target()
    cluster.rbd("create", "--size", "16M", "many")
    add_image(process, cluster, 1, "many")
    one, begun = (threads(process.pid), memory_kib(process.pid, "VmRSS")), time.monotonic()
    for lun in range(2, LUNS + 1):
        add_image(process, cluster, lun, "many")
    facts["made_s"] = time.monotonic() - begun
    facts["threads_one"], facts["threads_many"] = one[0], threads(process.pid)
    facts["kib_per_lun"] = (memory_kib(process.pid, "VmRSS") - one[1]) / (LUNS - 1)
    process.stop()


def rbd(conf, quick):
    for program in ("ceph-mon", "ceph-osd", "rbd", "fio"):
        if not shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin"):
            raise BenchError(f"{program} is not installed")
    cluster = Cluster(conf)
    try:
        cluster.rbd("create", "--size", f"{IMAGE_MIB}M", IMAGE)
        cluster.rbd("bench", "--io-type", "write", "--io-size", "4M", "--io-total",
                    f"{IMAGE_MIB}M", IMAGE)
        targets = {"tgtd": conf.started(Tgtd(conf, "tgtd-rbd"))}
        if os.access(conf.peer_tgtd, os.X_OK):
            targets["tgt"] = conf.started(Peer(conf, "tgt-rbd"))
        for who, target in list(targets.items()):
            target.new_target()
            try:
                add_image(target, cluster, 1, IMAGE)
            except BenchError as e:
                conf.say(f"rbd: {who}: not measured: {e}")
                targets.pop(who).stop()
        iops, ratios = compare(conf, cluster, targets, 1 if quick else 2, 3 if quick else 5)
        for target in targets.values():
            target.stop()
        facts = {f"{who}_{op}_of_{other}": r for (who, op, other), r in ratios.items()}
        many(conf, cluster, facts)
    finally:
        cluster.end()
    table = [["server", "reads/s", "× fio", "writes/s", "× fio"]]
    for who in ("fio", *targets):
        table.append([f"**{who}**" if who == "tgtd" else who] +
                     [cell for op in ("reads", "writes") for cell in
                      (f"{iops[who, op]:,.0f}", f"{ratios.get((who, op, 'fio'), 1):.2f}")])
    table.append([f"{LUNS} images in tgtd: {facts['threads_many']} threads "
                  f"({facts['threads_one']} with one), {facts['kib_per_lun']:.0f} KiB each",
                  "", "", "", ""])
    return {"facts": facts, "table": table}
