# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What every house and integration test begins with: TAP output, a temporary folder, and an end
# that leaves nothing behind. It knows nothing of Cambium.
#
#   . "$(dirname "$0")/../lib.sh"
#   ok 'it runs' some command
#   done_testing
#
# A test that stops half-way prints no plan and so counts as failed.
set -euo pipefail

ROOT=${CAM_ROOT:-$(dirname "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")")}
BUILD=${CAM_BUILD:-$ROOT/build-asan}
NAME=$(basename "$0" .test)
# Short: socket paths below it may not be longer than 108 bytes.
T=$(mktemp -d "${TMPDIR:-/tmp}/cam-XXXXXX")
tap_count=0
cleanup_commands=()

# Runs a command at the end, the last one registered first.
on_exit() {
	cleanup_commands+=("$*")
}

# The deepest mount point first.
unmount_below() {
	local point

	awk -v top="$1/" 'index($5 "/", top) == 1 { print $5 }' /proc/self/mountinfo | sort -r |
		while read -r point; do umount "$point" || umount -l "$point" || true; done
}

finish() {
	local status=$? i

	trap - EXIT INT TERM
	set +e
	for ((i = ${#cleanup_commands[@]} - 1; i >= 0; i--)); do
		eval "${cleanup_commands[i]}" > /dev/null 2>&1
	done
	unmount_below "$T"
	rm -rf "$T"
	exit "$status"
}
trap finish EXIT
trap 'exit 143' INT TERM

diag() {
	sed 's/^/# /' <<< "$*" >&2
}

result() {
	local good=$1 name=$2

	tap_count=$((tap_count + 1))
	if [ "$good" = 0 ]; then
		printf 'ok %d - %s\n' "$tap_count" "$name"
	else
		printf 'not ok %d - %s\n' "$tap_count" "$name"
		printf 'not ok: %s\n' "$name" >&2
	fi
}

# ok NAME COMMAND…: passes if the command does.
ok() {
	local name=$1 status=0
	shift

	"$@" > "$T/.ok" 2>&1 < /dev/null || status=$?
	result "$status" "$name"
	[ "$status" = 0 ] || diag "exit status $status of: $*"$'\n'"$(tail -n 40 "$T/.ok")"
}

# is NAME GOT WANTED
is() {
	if [ "$2" = "$3" ]; then
		result 0 "$1"
	else
		result 1 "$1"
		diag "got:    $2"$'\n'"wanted: $3"
	fi
}

# like NAME TEXT REGEX (extended, any line)
like() {
	if grep -Eq -- "$3" <<< "$2"; then
		result 0 "$1"
	else
		result 1 "$1"
		diag "no line matches: $3"$'\n'"$2"
	fi
}

unlike() {
	if grep -Eq -- "$3" <<< "$2"; then
		result 1 "$1"
		diag "a line matches: $3"$'\n'"$2"
	else
		result 0 "$1"
	fi
}

# exits NAME STATUS REGEX COMMAND…: the command ends with that status, and what it says on
# stderr matches; nothing of a sanitizer is in it.
exits() {
	local name=$1 wanted=$2 regex=$3 status=0
	shift 3

	"$@" > "$T/.out" 2> "$T/.err" < /dev/null || status=$?
	if [ "$status" = "$wanted" ] && { [ -z "$regex" ] || grep -Eq -- "$regex" "$T/.err"; } &&
		! grep -Eq 'Sanitizer|runtime error:' "$T/.err"; then
		result 0 "$name"
	else
		result 1 "$name"
		diag "exit status $status (wanted $wanted, message $regex) of: $*"$'\n'"$(tail -n 40 "$T/.err")"
	fi
}

skip() {
	tap_count=$((tap_count + 1))
	printf 'ok %d - %s # SKIP %s\n' "$tap_count" "$1" "$2"
}

skip_all() {
	printf '1..0 # SKIP %s\n' "$1"
	exit 0
}

done_testing() {
	printf '1..%d\n' "$tap_count"
}

# wait_for SECONDS COMMAND…: until the command succeeds.
wait_for() {
	local tries=$(($1 * 10))
	shift

	while ! "$@" > /dev/null 2>&1; do
		[ $((tries--)) -gt 0 ] || return 1
		sleep 0.1
	done
}

# daemon LOG COMMAND…: starts it in the background; it is ended, by its pid, with the test.
# The pid is in $daemon_pid.
daemon() {
	local log=$1
	shift

	"$@" > "$log" 2>&1 < /dev/null &
	daemon_pid=$!
	on_exit "kill $daemon_pid; wait $daemon_pid"
}
