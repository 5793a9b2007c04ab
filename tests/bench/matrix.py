# SPDX-License-Identifier: BSD-3-Clause
"""Who is measured, and with what: two tables."""

from dataclasses import dataclass, field

MIB = 1 << 20


@dataclass(frozen=True)
class Server:
    """One way to serve a file: a store of a process, or a program by itself."""
    title: str
    process: str            # servers.py has a class for each
    lun: int = 0            # of that process
    bstype: str = ""
    bsoflags: str = ""
    direct: bool = False    # goes to the disk, not the page cache


# In the order of the tables.
SERVERS = {
    "rdwr": Server("**tgtd** rdwr", "tgtd", 1, "rdwr"),
    "uring": Server("**tgtd** uring", "tgtd", 2, "uring"),
    "poll-rdwr": Server("**tgtd** rdwr, polling", "tgtd-poll", 1, "rdwr"),
    "poll-uring": Server("**tgtd** uring, polling", "tgtd-poll", 2, "uring"),
    "tgt": Server("tgt rdwr", "tgt", 1, "rdwr"),
    "floor": Server("floor", "floor"),
    "polled": Server("polled floor", "polled"),
    "direct-rdwr": Server("**tgtd** rdwr, O_DIRECT", "tgtd", 3, "rdwr",
                          "direct", direct=True),
    "direct-uring": Server("**tgtd** uring, O_DIRECT", "tgtd", 4, "uring",
                           "direct", direct=True),
    "direct-aio": Server("**tgtd** aio", "tgtd", 5, "aio", direct=True),
    "tgt-aio": Server("tgt aio", "tgt", 5, "aio", direct=True),
    "fio": Server("fio io_uring, no target", "fio", direct=True),
}

CACHED = ("rdwr", "uring", "tgt")
POLLED = ("poll-rdwr", "poll-uring", "polled")
FLOORS = ("floor",)
DIRECT = ("direct-rdwr", "direct-uring", "direct-aio", "tgt-aio", "fio")


@dataclass(frozen=True)
class Workload:
    name: str
    title: str
    servers: tuple
    block: int = 4096
    depth: int = 32
    conns: int = 1
    read: int = 100         # percent
    sequential: bool = False
    digests: bool = False
    more: tuple = field(default=())     # options of iscsi_load

    def options(self):
        words = ["--block", self.block, "--depth", self.depth,
                 "--conns", self.conns, "--read", self.read, *self.more]
        if self.sequential:
            words.append("--seq")
        if self.digests:
            words += ["--header-digest", "--data-digest"]
        return [str(w) for w in words]


def thresholds_workloads():
    """What the thresholds ask for."""
    both = CACHED + FLOORS + POLLED
    yield Workload("read-4k-qd32", "4 KiB random read, QD 32", both)
    yield Workload("write-4k-qd32", "4 KiB random write, QD 32", both, read=0)
    yield Workload("read-4k-qd1", "4 KiB random read, QD 1", both, depth=1)
    yield Workload("read-64k-qd8", "64 KiB random read, QD 8", CACHED,
                   block=64 << 10, depth=8)
    yield Workload("read-64k-qd8-digests", "the same with CRC32C digests",
                   CACHED, block=64 << 10, depth=8, digests=True)
    yield Workload("write-64k-qd8", "64 KiB random write, QD 8", CACHED,
                   block=64 << 10, depth=8, read=0)
    yield Workload("write-64k-qd8-digests", "the same with CRC32C digests",
                   CACHED, block=64 << 10, depth=8, read=0, digests=True)
    yield Workload("seqread-1m-qd8", "1 MiB sequential read, QD 8", CACHED,
                   block=MIB, depth=8, sequential=True)
    yield Workload("seqwrite-1m-qd8", "1 MiB sequential write, QD 8", CACHED,
                   block=MIB, depth=8, sequential=True, read=0)
    for conns in (4, 64, 512):
        yield Workload(f"conns-{conns}",
                       f"4 KiB random read, {conns} connections × QD 8",
                       CACHED + FLOORS, depth=8, conns=conns)
    yield Workload("direct-read-4k-qd32", "O_DIRECT 4 KiB random read, QD 32",
                   DIRECT)


OPERATIONS = {              # name: (title, percent of reads, sequential)
    "read": ("random read", 100, False),
    "write": ("random write", 0, False),
    "mix": ("random 70/30", 70, False),
    "seqread": ("sequential read", 100, True),
    "seqwrite": ("sequential write", 0, True),
}
SIZES = {                   # name: (title, bytes, operations)
    "4k": ("4 KiB", 4 << 10, ("read", "write", "mix")),
    "64k": ("64 KiB", 64 << 10, ("read", "write", "mix")),
    "1m": ("1 MiB", MIB, ("seqread", "seqwrite")),
}
DEPTHS = (1, 32, 256)
CONNECTIONS = (1, 4, 64, 512)
# With more in flight a short run would not reach its steady state.
IN_FLIGHT_COMMANDS = 16384
IN_FLIGHT_BYTES = 256 * MIB


def matrix_workloads():
    """Every combination that makes sense, for the curves and the long table."""
    for size, (size_title, block, operations) in SIZES.items():
        for op in operations:
            title, read, sequential = OPERATIONS[op]
            for conns in CONNECTIONS:
                for depth in DEPTHS:
                    if (conns * depth > IN_FLIGHT_COMMANDS or
                            conns * depth * block > IN_FLIGHT_BYTES):
                        continue
                    yield Workload(
                        f"matrix-{op}-{size}-c{conns}-qd{depth}",
                        f"{size_title} {title}, {conns} × QD {depth}",
                        CACHED + (FLOORS if size == "4k" else ()),
                        block=block, depth=depth, conns=conns, read=read,
                        sequential=sequential)
    for op in ("read", "write"):
        for depth in DEPTHS:
            if (op, depth) == ("read", 32):
                continue        # among the thresholds
            yield Workload(
                f"direct-{op}-4k-qd{depth}",
                f"O_DIRECT 4 KiB random {op}, QD {depth}", DIRECT,
                depth=depth, read=OPERATIONS[op][1])
