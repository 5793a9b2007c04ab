# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash
#
# For functional tests of tgt-admin: initiators.sh, and
#
#	admin ARG...			tgt-admin
#	admin_fails EXIT TEXT ARG...	must end so, with TEXT in its stderr
#	conf				standard input becomes $conf
#	unchanged COMMAND...		it leaves the daemon as it was
#	lossless			dump, apply to an empty daemon, dump again: equal

# shellcheck source=lib/initiators.sh
. "$(dirname "${BASH_SOURCE[0]}")/initiators.sh"

need perl
perl -MConfig::General -e 1 2>/dev/null || skip 'perl has no Config::General'
conf=$dir/targets.conf

admin()
{
	"$SRC/scripts/tgt-admin" "$@"
}

admin_fails()
{
	local code=$1 text=$2 got=0 err

	shift 2
	err=$(admin "$@" 2>&1 >/dev/null) || got=$?
	[ "$got" -eq "$code" ] || fail "tgt-admin $*: exit $got, expected $code ($err)"
	[[ $err == *"$text"* ]] || fail "tgt-admin $*: said '$err', expected '$text'"
}

conf()
{
	cat >"$conf"
}

all_of_it()
{
	adm --mode system --op save --with-secrets
}

unchanged()
{
	local before

	before=$(all_of_it)
	"$@"
	expect "the daemon after $*" "$before" "$(all_of_it)"
}

lossless()
{
	all_of_it >"$dir/state.before"
	admin --dump --with-secrets >"$dir/dumped"
	admin --delete ALL -f
	"$SRC/tests/lib/rpc.py" config.apply '{"state":{"accounts":[],"discovery":[]}}' >/dev/null
	admin -e -c "$dir/dumped"
	admin --dump --with-secrets | diff "$dir/dumped" - || fail 'the second dump is another'
	all_of_it | diff "$dir/state.before" - || fail 'the dump has lost something'
}
