#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# A sheepdog disk has what was written to it and zeroes where nothing was, byte for
# byte, through many requests at once, objects of several sizes, ends that are no
# multiple of anything, and a restart.
# timeout: 240
. "$(dirname "$0")/lib/initiators.sh"
. "$SRC/tests/lib/sheep.sh"
need qemu-img qemu-io

sheep_start --reorder 1

note 'random data of odd sizes at odd places, many requests in flight'
sheep_vdi random 64M
random=$vdi
sheep_lun "$random"
head -c 64M /dev/urandom >"$dir/random"
qemu-img convert -n -W -m 16 -f raw -O raw "$dir/random" "$(url 1)"
sheep compare "$random" "$dir/random"
python3 "$(dirname "$0")/lib/random_data.py" "$(url 1)" "$dir/random"
qemu-img compare -f raw -F raw "$dir/random" "$(url 1)"
sheep compare "$random" "$dir/random"

note 'reads that begin and end in what was never written'
sheep_vdi holes 10M --shift 20
sheep_lun "$vdi"
python "$(url 1)" <<'END'
import random
rng = random.Random(2)
MIB = 2048
model = bytearray(10 << 20)
with Session(sys.argv[1]) as s:
    s.ready()
    # Not object 0, 3, 4, 7 and 9; 2 only in its middle.
    for lba, n in ((MIB, MIB), (2 * MIB + 700, 9), (5 * MIB + 2000, 100), (8 * MIB, 1)):
        data = rng.randbytes(512 * n)
        s.write(lba, data)
        model[512 * lba:512 * (lba + n)] = data
    for _ in range(400):
        n = rng.choice((1, 5, 2047, 2048, 2049, 4100, 9000))
        lba = rng.randrange(10 * MIB - n)
        check(s.read(lba, n) == model[512 * lba:512 * (lba + n)], "read of", n, "blocks at", lba)
END

note 'a size that is no multiple of an object, nor of 512 bytes'
sheep_vdi odd 5000777
sheep_lun "$vdi"
last=$((5000777 / 512 - 1))
io "$(url 1)" "write -P 0x5a $((last * 512)) 512" "read -P 0x5a $((last * 512)) 512" \
	"read -P 0 0 4M"

note 'small objects, each request in many'
sheep_vdi small 2M --shift 14
sheep_lun "$vdi"
head -c 2M "$dir/random" >"$dir/small"
qemu-img convert -n -W -m 8 -f raw -O raw "$dir/small" "$(url 1)"
sheep compare "$vdi" "$dir/small"
qemu-img compare -f raw -F raw "$dir/small" "$(url 1)"

note 'another daemon finds it all'
tgtd_stop
sheep_lun "$random"
qemu-img compare -f raw -F raw "$dir/random" "$(url 1)"
