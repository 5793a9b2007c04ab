#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Completion in bash, zsh and fish offers every option of each program's table, and
# the words that an option takes; and each is in the program's manual page.
. "$(dirname "$0")/../lib/common.sh"
need bash zsh fish

PATH=$BUILD:$SRC/scripts:$PATH
c=$BUILD/completion

# in_bash WORD... - what bash offers for the last of them.
in_bash()
{
	bash -c '. "$1"; shift; COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
		compopt() { :; }
		$(complete -p "$1" | sed "s/.*-F \([^ ]*\) .*/\1/")
		printf "%s\n" "${COMPREPLY[@]}"' - "$c/bash/$1" "$@"
}

# What zsh is told about each option, one argument of _arguments a line.
in_zsh()
{
	zsh -fc '_arguments() { print -rl -- "$@" }; source "$1"' - "$c/zsh/_$1"
}

# in_fish LINE
in_fish()
{
	HOME=$dir fish --no-config -c "source '$c/fish/${1%% *}.fish'; complete -C '$1'" |
		cut -f1
}

offers()
{
	grep -qxF -- "$2" <<<"$1" || fail "$3: no '$2' among: $(xargs <<<"$1")"
}

programs=0
for file in "$c"/bash/*; do
	program=${file##*/}
	programs=$((programs + 1))
	bash=$(in_bash "$program" --) fish=$(in_fish "$program --") zsh=$(in_zsh "$program")
	options=$("$program" --help | sed -nE 's/^  (-., |    )(--[a-z_-]+)(, (--[a-z_-]+))?.*/\2 \4/p')
	[ "$(wc -w <<<"$options")" -ge 6 ] || fail "$program --help: options: $options"
	manual=$(sed 's/\\-/-/g' "$SRC/doc/man/$program.8")
	for option in $options; do
		grep -qE -e "$option([^a-z-]|\$)" <<<"$manual" || fail "manual of $program: no $option"
		offers "$bash" "$option" "bash, $program"
		offers "$fish" "$option" "fish, $program"
		grep -qE -- "^(\(-. $option\)|\*)?${option}[=[]" <<<"$zsh" ||
			fail "zsh, $program: no $option in $zsh"
	done
	expect "number of options, bash, $program" "$(wc -w <<<"$options")" "$(wc -w <<<"$bash")"
done
[ "$programs" -ge 4 ] || fail "completions of $programs programs only"

note "words that an option takes"
modes=$(in_bash tgtadm --mode '')
for mode in system target logicalunit portal session connection account lld; do
	offers "$modes" $mode "bash, --mode"
	offers "$(in_fish 'tgtadm --mode ')" $mode "fish, --mode"
done
grep -q -- '--mode=\[.*:mode:(system target ' <<<"$(in_zsh tgtadm)" || fail "zsh, --mode"
expect "bash, -m sys" system "$(in_bash tgtadm -m sys)"
expect "bash, --mode = sys" system "$(in_bash tgtadm --mode = sys)"
expect "bash, --op=" "$(in_bash tgtadm --op '')" "$(in_bash tgtadm --op =)"
expect "bash, tgtimg -o re" resize "$(in_bash tgtimg -o re)"
expect "fish, tgtimg --op re" resize "$(in_fish 'tgtimg --op re')"

note "files"
: >"$dir/image.one"
expect "bash, --backing-store" "$dir/image.one" "$(in_bash tgtadm --backing-store "$dir/im")"
grep -q -- '--backing-store=\[.*:path:_files$' <<<"$(in_zsh tgtadm)" || fail "zsh, a path"
offers "$(in_fish "tgtadm --backing-store $dir/im")" "$dir/image.one" "fish, --backing-store"
