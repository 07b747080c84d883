#!/bin/sh
# docker, but for the commands that the files in `faults` beside it name: each has a line that says what goes wrong, one with
# the shell pattern of the command, and one with that of a command that has to have come before, which may be empty.
here=${0%/*}
words=$*
printf '%s\n' "$words" >>"$here/calls"
for fault in "$here"/faults/*; do
	{ read -r how; IFS= read -r pattern; IFS= read -r before; } <"$fault" || continue
	# shellcheck disable=SC2254 # a pattern is meant
	case $words in
	$pattern) [ -z "$before" ] || [ -e "$here/armed/${fault##*/}" ] || continue ;;
	$before) : >"$here/armed/${fault##*/}" && continue ;;
	*) continue ;;
	esac
	: >"$here/met/${fault##*/}"
	case $how in
	fails)
		echo 'this docker fails' >&2
		exit 1
		;;
	hangs)
		docker "$@"
		exec sleep 1000
		;;
	engine-ends)
		# once: at the third time an engine would leave everything as it is
		pid=$GORDON_TEST_ENGINE/run/pid
		[ ! -e "$pid" ] || { kill -TERM "$(cat "$pid")" && rm "$pid"; }
		;;
	killed-meanwhile)
		kill -KILL "$(cat "$here/caller")"
		exec docker "$@"
		;;
	killed-after)
		docker "$@"
		exec kill -KILL "$(cat "$here/caller")"
		;;
	esac
done
exec docker "$@"
