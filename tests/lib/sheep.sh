# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# For tests with a Sheepdog server, after common.sh:
#
#	sheep_start [OPTION...]		services/sheep, see its README.md; sets
#					$sheep_address.  A rule of the protocol that is
#					broken fails the test
#	sheep_vdi NAME SIZE [OPTION...]	a new VDI; sets $vdi, which is its name
#	sheep_lun NAME [OPTION...]	a target whose LUN 1 is that; sets $tid, $iqn
#	sheep COMMAND...		lib/sheep.py, which knows no rules
#	sheep_control COMMAND...	of services/sheep
#	sheep_seen OP N			N requests of that kind have come
#	sheep_kill, sheep_died, sheep_again	its end by a signal, by a rule; the next one
#	sheep_broke RULE		that rule was broken, as was meant, and no other
#
# With SHEEP=ADDRESS in the environment that cluster is used instead, and what
# needs our server is skipped: a test that does calls sheep_need_own first.  With
# SHEEP_KILL and SHEEP_START, commands that end that sheep and start it again, what only
# has to kill it (sheep_need_kill) is not.

# shellcheck disable=SC2034,SC2119,SC2120 # for the tests
sheep_address='' sheep_tool='' vdi=''
sheep_pid='' sheep_dir=''
SHEEP_SERVER=${SHEEP_SERVER:-$BUILD/tests/services/sheep/sheep}
SHEEP_DIED=9

sheep_need_own()
{
	[ -z "${SHEEP:-}" ] || skip "SHEEP is set, and this needs the server of the tests: $*"
}

sheep()
{
	python3 "$SRC/tests/lib/sheep.py" "$sheep_tool" "$@"
}

sheep_need_kill()
{
	[ -z "${SHEEP:-}" ] || [ -n "${SHEEP_KILL:+${SHEEP_START:-}}" ] ||
		skip 'SHEEP is set, and SHEEP_KILL and SHEEP_START do not say how to kill it'
}

sheep_need_module()
{
	[ -e "$BUILD/modules/bs_sheepdog.so" ] || skip 'bs_sheepdog is not built'
}

sheep_control()
{
	python3 "$SRC/tests/lib/sheep.py" "$sheep_dir/control" control "$*"
}

sheep_start()
{
	if [ -n "${SHEEP:-}" ]; then
		sheep_address=$SHEEP sheep_tool=$SHEEP
		at_end+=(sheep_wipe)
		return
	fi
	[ -x "$SHEEP_SERVER" ] || fail "$SHEEP_SERVER: not built"
	sheep_dir=$dir/sheep
	sheep_address=unix:$sheep_dir/sock
	sheep_tool=unix:$sheep_dir/tool
	at_end+=(sheep_end)
	sheep_again "$@"
}

sheep_wipe()
{
	sheep wipe "test-$$-"
}

sheep_ready_or_dead()
{
	grep -qx ready "$dir/sheep.out" || ! running "$sheep_pid"
}

# sheep_again [OPTION...] - on what the last one left.
sheep_again()
{
	if [ -n "${SHEEP:-}" ]; then
		bash -c "$SHEEP_START" || fail "SHEEP_START: exit $?"
		wait_for 60 sheep_answers || fail "nobody answers at $SHEEP after SHEEP_START"
		return
	fi
	: >"$dir/sheep.out"
	"$SHEEP_SERVER" --store "$sheep_dir" --control "$sheep_dir/control" \
		--breaches "$dir/breaches" --listen "unix:$sheep_dir/sock" \
		--listen "unix:$sheep_dir/tool,lax" "$@" >"$dir/sheep.out" 2>>"$dir/sheep.err" &
	sheep_pid=$!
	wait_for "$START_SECONDS" sheep_ready_or_dead || fail 'the sheep is not ready'
	running "$sheep_pid" || fail "the sheep ended at its start: $(cat "$dir/sheep.err")"
}

# sheep_tcp N - the address that the Nth --listen tcp:... got.
sheep_tcp()
{
	sed -n 's/^listening \(tcp:.*\)/\1/p' "$dir/sheep.out" | sed -n "$1p"
}

sheep_end()
{
	local code=0

	if [ -n "$sheep_pid" ]; then
		kill -CONT "$sheep_pid" 2>/dev/null || :
		kill -TERM "$sheep_pid" 2>/dev/null || :
		wait "$sheep_pid" || code=$?
		sheep_pid=
	fi
	if [ -s "$dir/breaches" ]; then
		echo 'FAIL: rules of the protocol were broken:'
		head -n 40 "$dir/breaches"
		return 1
	fi
	# 3: rules were broken; the file says which, and those that were meant are out.
	if [[ $code != [03] ]] || [ -s "$dir/sheep.err" ]; then
		echo "FAIL: the sheep ended with $code"
		cat "$dir/sheep.err"
		return 1
	fi
}

sheep_answers()
{
	sheep list >/dev/null 2>&1
}

sheep_kill()
{
	if [ -n "${SHEEP:-}" ]; then
		bash -c "$SHEEP_KILL" || fail "SHEEP_KILL: exit $?"
		return
	fi
	kill -KILL "$sheep_pid"
	wait "$sheep_pid" 2>/dev/null || :
	sheep_pid=
}

# A rule has ended it, or will.
sheep_died()
{
	local code=0

	wait_for 60 eval "! running $sheep_pid" || fail 'the sheep lives on'
	wait "$sheep_pid" || code=$?
	sheep_pid=
	expect 'exit of the sheep' "$SHEEP_DIED" "$code"
}

sheep_seen()
{
	local n

	n=$(sheep_control stat | awk -v op="$1" '$1 == op { print $2 }')
	[ "$n" -ge "$2" ]
}

sheep_broke()
{
	[ -s "$dir/breaches" ] || fail "no breach of $1"
	if grep -v "^$1: " "$dir/breaches"; then
		fail "another rule than $1 was broken"
	fi
	: >"$dir/breaches"
}

sheep_vdi()
{
	vdi=$1
	[ -z "${SHEEP:-}" ] || vdi=test-$$-$1
	sheep new "$vdi" "${@:2}" >/dev/null
}

sheep_lun()
{
	sheep_need_module
	[ -n "$tgtd_pid" ] || tgtd_start
	target_new
	lun_new "$tid" 1 "$sheep_address:$1" --bstype sheepdog "${@:2}"
	acl_bind "$tid" ALL
}

# sheep_python ARG... <<'END' - with lib/sheep.py imported, and ask(), which wants
# a result.
sheep_python()
{
	local prelude='from sheep import *
import struct, subprocess, sys, threading, time
def check(ok, *what):
    if not ok:
        raise SystemExit("FAIL: " + " ".join(map(str, what)))
def expect(what, wanted, got):
    check(wanted == got, what, "expected", wanted, "got", got)
def obj(op, oid, *args, **kw):
    return object_request(op, oid, *args, ident=s.ident(), **kw)
def ask(result, raw):
    r = s.ask(raw)
    expect(raw[:48].hex(), hex(result), hex(r.result))
    return r
s = Sheep(sys.argv[1])
'
	PYTHONPATH=$SRC/tests/lib PYTHONDONTWRITEBYTECODE=1 \
		python3 <(printf '%s' "$prelude"; cat) "$@"
}
