# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# On top of ../lib.sh: the cambium that was built, registries, and images to work on.
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

CAMBIUM=$BUILD/plugin/cambium
STORE=$T/store
FIXTURES=$BUILD/fixtures
# No scan looks anything up unless a test says where: what the machine's apt offers changes.
CAM_CONFIG=$T/cambium.conf
printf '[scan]\noffline = yes\n' > "$CAM_CONFIG"

# cambium on a store of this test alone.
cam() {
	"$CAMBIUM" --config "$CAM_CONFIG" --store "$STORE" "$@"
}

# From here on packages and changelogs come from this machine's mirror of Debian and nowhere else.
pin_sources() {
	"$ROOT/examples/mirror-sources" >> "$CAM_CONFIG"
}

# One value out of JSON on stdin; "null" is the empty string.
json() {
	jq -r "$1 // empty"
}

# A port of 127.0.0.1 that nobody listens on.
free_port() {
	local port

	while :; do
		port=$((20000 + RANDOM % 20000))
		(exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null || break
	done
	echo "$port"
}

# whole_feed DIRECTORY: adds a record that names a hundred packages of Debian 12 which no image has. A
# feed of a few packages judges those alone.
whole_feed() {
	jq -n '{schema_version: "1.6.0", id: "CVE-2000-0001", modified: "2020-01-01T00:00:00Z",
		affected: [range(100) | {package: {ecosystem: "Debian:12", name: "absent-\(.)"},
			ranges: [{type: "ECOSYSTEM", events: [{introduced: "0"}, {fixed: "1"}]}]}]}' \
		> "$1/CVE-2000-0001.json"
}

# Starts an empty registry; sets REGISTRY to host:port.
start_registry() {
	local port

	port=$(free_port)
	mkdir -p "$T/registry"
	cat > "$T/registry.yml" <<-END
	version: 0.1
	log: { level: error, accesslog: { disabled: true } }
	storage:
	  filesystem: { rootdirectory: $T/registry }
	  delete: { enabled: true }
	http: { addr: "127.0.0.1:$port" }
	END
	daemon "$T/registry.log" docker-registry serve "$T/registry.yml"
	REGISTRY=127.0.0.1:$port
	wait_for 20 bash -c "exec 3<> /dev/tcp/127.0.0.1/$port"
}

# Skips all tests where containerd cannot run.
need_containerd() {
	[ "$(id -u)" = 0 ] || skip_all 'containerd wants root'
	for tool in containerd ctr runc; do
		command -v "$tool" > /dev/null || skip_all "no $tool here"
	done
}

# ctr, on this test's containerd.
ctrd() {
	ctr --address "$CONTAINERD" "$@"
}

# start_containerd [CONFIG]: Debian's containerd on a root, state and socket of this test alone, or
# again after stop_containerd. CONFIG is appended to its config.toml; $CONTAINERD_WITHOUT lists the
# plugins that are switched off (default: CRI, which wants more of the machine). Sets CONTAINERD
# (the socket), CONTAINERD_ROOT and CONTAINERD_PID. runc's own state is the machine's: tests that
# may run side by side name their containers by $(basename "$T").
start_containerd() {
	local home=$T/c

	CONTAINERD=$home/s
	CONTAINERD_ROOT=$home/root
	mkdir -p "$home"
	cat > "$home/config.toml" <<-END
	version = 2
	root = "$CONTAINERD_ROOT"
	state = "$home/state"
	disabled_plugins = [${CONTAINERD_WITHOUT-'"io.containerd.grpc.v1.cri"'}, "io.containerd.internal.v1.opt"]
	[grpc]
	address = "$CONTAINERD"
	[ttrpc]
	address = "$CONTAINERD.ttrpc"
	${1:-}
	END
	containerd --config "$home/config.toml" >> "$home/log" 2>&1 < /dev/null &
	CONTAINERD_PID=$!
	[ -n "${containerd_registered:-}" ] || on_exit stop_containerd KILL
	[ -n "${containerd_registered:-}" ] || on_exit end_containers
	containerd_registered=yes
	wait_for 30 ctrd version || { diag "$(tail -n 20 "$home/log")"; return 1; }
}

# stop_containerd [SIGNAL]: the daemon alone; containers go on running.
stop_containerd() {
	[ -n "$CONTAINERD_PID" ] || return 0
	kill -s "${1:-TERM}" "$CONTAINERD_PID"
	wait "$CONTAINERD_PID" || true
	CONTAINERD_PID=
}

# Ends every container of this test's containerd.
end_containers() {
	local namespace container

	for namespace in $(ctrd namespaces list -q); do
		for container in $(ctrd -n "$namespace" tasks list -q); do
			ctrd -n "$namespace" tasks rm -f "$container" || true
		done
		for container in $(ctrd -n "$namespace" containers list -q); do
			ctrd -n "$namespace" containers rm "$container" || true
		done
	done
}

# The fixtures are made once and kept below the build folder; whoever comes first makes them.
# make_fixture NAME COMMAND…: COMMAND makes the folder that it is given as its last argument.
make_fixture() {
	local name=$1
	shift

	mkdir -p "$FIXTURES"
	(
		flock 9
		[ ! -e "$FIXTURES/$name" ] || exit 0
		rm -rf "$FIXTURES/$name.new"
		"$@" "$FIXTURES/$name.new" >&2 && mv "$FIXTURES/$name.new" "$FIXTURES/$name"
	) 9> "$FIXTURES/$name.lock"
}

# An OCI layout of a real Debian system that has security updates pending: tags "base" and "1.0"
# (base and a small application layer). Sets IMAGE and pins the sources. Fails, with the reason, where no apt mirror
# answers.
fixture_image() {
	make_fixture vulnerable "$ROOT/examples/vulnerable-image" || return 1
	pin_sources || return 1
	IMAGE=$FIXTURES/vulnerable
}

# A small OCI layout, made without network: tags "base" and "app" (base and one more layer, with
# whiteouts, links and odd names), and "sibling" (base and another layer). Sets SMALL.
fixture_small() {
	make_fixture small "$ROOT/tests/integration/make-small-image"
	SMALL=$FIXTURES/small
}
