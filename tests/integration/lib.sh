# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# On top of ../lib.sh: the cambium that was built, registries, and images to work on.
# shellcheck source=tests/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

CAMBIUM=$BUILD/plugin/cambium
STORE=$T/store
FIXTURES=$BUILD/fixtures

# cambium on a store of this test alone.
cam() {
	"$CAMBIUM" --config /dev/null --store "$STORE" "$@"
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
# (base and a small application layer). Sets IMAGE. Fails, with the reason, where no apt mirror
# answers.
fixture_image() {
	make_fixture vulnerable "$ROOT/examples/vulnerable-image" || return 1
	IMAGE=$FIXTURES/vulnerable
}

# A small OCI layout, made without network: tags "base" and "app" (base and one more layer, with
# whiteouts, links and odd names), and "sibling" (base and another layer). Sets SMALL.
fixture_small() {
	make_fixture small "$ROOT/tests/integration/make-small-image"
	SMALL=$FIXTURES/small
}
