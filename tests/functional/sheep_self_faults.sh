#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# The server of the tests: faults happen to the request that was meant, and do what
# their names say; gateways come and go.
. "$(dirname "$0")/../lib/common.sh"
. "$(dirname "$0")/../lib/sheep.sh"
sheep_need_own 'a real one fails when it likes'

sheep_start --listen tcp:127.0.0.1:0,node=2 --listen 'tcp:[::1]:0,node=3' --allow unslotted
sheep_vdi disk 64M
sheep_python "$sheep_address" "$sheep_tool" "$sheep_dir/control" "$(sheep_tcp 1)" "$(sheep_tcp 2)" <<'END'
address, tool, path, second, third = sys.argv[1], Sheep(sys.argv[2]), *sys.argv[3:]
vid = tool.lookup("disk")
def fault(rule):
    control(path, "clear")
    control(path, "fault " + rule)
def lost(raw, result=None):
    """What of an answer came before the end."""
    with Sheep(address) as c:
        c.send(raw)
        got = b""
        while part := c.s.recv(4096):
            got += part
        return len(got)
def there(i):
    return tool.ask(object_request(READ, data_oid(vid, i), length=1)).result == 0
def create(i, ident=1):
    return object_request(CREATE, data_oid(vid, i), 0, b"x", ident=ident)

for i, (action, done, bytes_) in enumerate((("close-before", False, 0), ("close-after", True, 0),
                                            ("close-torn", True, 24), ("close-answered", True, 48))):
    fault("create " + action)
    expect(action, bytes_, lost(create(i)))
    expect(action, done, there(i))
    s.create(data_oid(vid, i), 0, b"x")                 # once only

# Which, and how often.
fault("write data index=2 nth=2 count=2 result=EIO")
for i, result in (1, 0), (2, 0), (1, 0), (2, EIO), (2, EIO), (2, 0):
    ask(result, object_request(WRITE, data_oid(vid, i), 0, b"y", ident=5))
fault("any inode count=0 result=0x19")
for _ in range(3):
    ask(0x19, obj(READ, inode_oid(vid), length=10))
    ask(0, obj(READ, data_oid(vid, 0), length=10))
fault("write slots result=NO_SPACE")
ask(0, obj(WRITE, inode_oid(vid), 256, b"tag"))
ask(NO_SPACE, obj(WRITE, inode_oid(vid), SLOTS_AT, struct.pack("<I", vid)))
expect("slot", 0, tool.inode(vid).slots[0])
fault("create result-after=EIO")
ask(EIO, create(9))
check(there(9), "not executed")

# Held until it is let go; others pass.
for action, done in ("hold", False), ("hold-after", True):
    i = 10 + done
    fault("create " + action)
    s.send(create(i, ident=77))
    expect("another", 0, s.ask(obj(READ, data_oid(vid, 0), length=1)).result)
    expect(action, done, there(i))
    expect("held", 1, stat(path)["held"])
    control(path, "go")
    r = s.receive()
    expect(action, (77, 0), (r.id, r.result))
    check(there(i), action)

# Late and delayed.
for action, done in ("late=300", False), ("delay=300", True):
    i = 12 + done
    fault("create " + action)
    start = time.monotonic()
    s.send(create(i, ident=78))
    expect("another", 0, s.ask(obj(READ, data_oid(vid, 0), length=1)).result)
    if time.monotonic() - start < 0.2:
        expect(action, done, there(i))
    expect(action, 78, s.receive().id)
    check(time.monotonic() - start >= 0.29, "too early")

# Answers that are wrong.
def answer():
    s.send(object_request(READ, data_oid(vid, 0), length=100, ident=5))
    return s.receive()
fault("read mangle=id")
check(answer().id != 5, "id")
fault("read mangle=op")
check(answer().op != READ, "op")
fault("read mangle=short")
expect("short", 50, len(answer().data))
expect("then", 100, len(answer().data))
# One that has executed goes on, though the connection is gone.
fault("create late=100")
with Sheep(address) as c:
    c.send(create(15))
while not there(15):
    pass
for wrong in ("nonsense die-before", "read", "read nth=x die-before", "read result", "read hold=3",
              "read die-before die-after"):
    try:
        control(path, "fault " + wrong)
        check(False, wrong, "was taken")
    except SystemExit:
        pass

# Gateways: one store.
control(path, "clear")
two, three = Sheep(second), Sheep(third)
expect("one store", b"x", three.read(data_oid(vid, 15), 0, 1))
epoch = s.ask(request(DEFAULTS, bytes(32))).epoch
control(path, "gateway 2 down")
try:
    two.ask(request(DEFAULTS, bytes(32)))
    check(False, "it answers")
except Lost:
    pass
try:
    Sheep(second)
    check(False, "it listens")
except ConnectionRefusedError:
    pass
check(s.ask(request(DEFAULTS, bytes(32))).epoch > epoch, "epoch")
control(path, "gateway 2 up")
two = Sheep(second)                             # the same port
expect("again", b"x", two.read(data_oid(vid, 15), 0, 1))
control(path, "gateway 2 hang")
before = stat(path)["read"]
two.send(object_request(READ, data_oid(vid, 15), length=1, ident=3))
three.read(data_oid(vid, 15), 0, 1)
expect("reads seen", before + 1, stat(path)["read"])
control(path, "gateway 2 resume")
expect("at last", 3, two.receive().id)
control(path, "fault read node=3 result=EIO")
two.read(data_oid(vid, 15), 0, 1)
expect("node", EIO, three.ask(object_request(READ, data_oid(vid, 15), length=1)).result)
END

# The server's own death, at each point; what it left is there again.
i=20
for point in before after torn answered; do
	sheep_control fault "create die-$point"
	sheep_python "$sheep_address" "$i" "$point" <<'END'
vid = s.lookup("disk")
s.send(obj(CREATE, data_oid(vid, int(sys.argv[2])), 0, b"here"))
got = b""
try:
    while part := s.s.recv(4096):
        got += part
except ConnectionError:
    pass
expect(sys.argv[3], {"torn": 24, "answered": 48}.get(sys.argv[3], 0), len(got))
END
	sheep_died
	sheep_again --allow unslotted
	wanted=here
	[ "$point" != before ] || wanted=
	expect "$point" "$wanted" "$(sheep_python "$sheep_tool" "$i" <<'END'
r = s.ask(obj(READ, data_oid(s.lookup("disk"), int(sys.argv[2])), length=4))
print(r.data.decode())
END
)"
	i=$((i + 1))
done

# The last port; a name; a port that is taken.
sheep_kill
host=127.$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1))
sheep_again --listen "tcp:$host:65535" --listen tcp:localhost:0
for address in "tcp:$host:65535" "$(sheep_tcp 2)"; do
	python3 "$SRC/tests/lib/sheep.py" "$address" info disk >/dev/null
done
if "$SHEEP_SERVER" --store "$dir/other" --listen "tcp:$host:65535" 2>"$dir/err"; then
	fail 'it took a port that was taken'
fi
grep -q "cannot listen on 'tcp:$host:65535': Address already in use" "$dir/err"

# Any order: what each client does one after another is right all the same.
sheep_kill
sheep_again --reorder 12345
sheep_vdi shuffled 64M
head -c 20M /dev/urandom >"$dir/data"
python3 "$SRC/tests/lib/sheep.py" "$sheep_address" write shuffled 5M <"$dir/data"
sheep read shuffled 5M 20M | cmp - "$dir/data"
sheep_python "$sheep_address" <<'END'
vid = s.lookup("shuffled")
for i in range(2000):
    s.send(object_request(READ, data_oid(vid, 2), i, length=3, ident=i))
ids = [s.receive().id for _ in range(2000)]
check(ids != sorted(ids) and set(ids) == set(range(2000)), "in order")
END
