#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A WRITE SAME or UNMAP of a long range that is aborted in the midst ends with the
# step that the store has; nothing lands after the abort was answered.
. "$(dirname "$0")/lib/initiators.sh"

# Each step takes some time, much less than a task management function may wait: 256 KiB
# of data, 1 GiB of anything else.
error_disk 16G "op=unmap+write_zeroes;delay=200;op2=write;delay2=30"
adm --mode logicalunit --op update --tid "$tid" --lun 1 --params thin_provisioning=1

python "$(url 1)" "$rules_on" <<'END'
def write_same(lba, blocks, flags):
    return bytes([0x93, flags]) + lba.to_bytes(8, "big") + blocks.to_bytes(4, "big") + bytes(2)

MIB = 2048                                      # blocks
UNMAP = bytes([0x42]) + bytes(6) + bytes([0, 24, 0])
LIST = bytes([0, 22, 0, 16]) + bytes(12) + (16384 * MIB - 8).to_bytes(4, "big") + bytes(4)

with Session(sys.argv[1]) as s, Session(sys.argv[1], "iqn.2001-04.org.example:b") as other:
    s.ready()
    other.ready()

    def mark():
        """A block of its own in each MiB of data, and in each GiB."""
        for at in [n * MIB for n in range(32)] + [n * 1024 * MIB + MIB for n in range(1, 16)]:
            other.write(at, b"\xa5" * 512)

    def state():
        return [other.read(at, 1) == b"\xa5" * 512
                for at in [n * MIB for n in range(32)] + [n * 1024 * MIB + MIB for n in range(1, 16)]]

    for what, cdb, data in (("WRITE SAME", write_same(0, 65535, 0), b"\x11" * 512),
                            ("UNMAP", UNMAP, LIST)):
        mark()
        check(all(state()))
        open(sys.argv[2], "w").close()
        command = s.submit(cdb, write=data)
        while all(state()):                     # until the first step is over
            s.serve(0.01)
        # All that could come after this must have come when it is answered.
        check(s.abort(command).wait().status == TMF_COMPLETE, what)
        after = state()
        check(any(after), what, "was quicker than its abort")
        os.unlink(sys.argv[2])
        s.write(16383 * MIB, bytes(512))         # and a round trip to the store
        check(state() == after, what, "went on after its abort")
END
