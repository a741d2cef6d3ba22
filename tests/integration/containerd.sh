# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# On top of lib.sh: a host whose containerd has cambiumd as its snapshotter, containers, and what is
# left of them afterwards. Everything has its own root, state, socket and namespace, so that such
# tests run beside each other and beside the machine's own containerd.
#
# CAM_SNAPSHOTTER=overlayfs runs a test against containerd's own snapshotter: it proves the test.
# CAM_MOUNT is the key `mount` of cambiumd's configuration.
# shellcheck source=tests/integration/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

CAMBIUMD=${CAM_CAMBIUMD:-$BUILD/plugin/cambiumd}
SNAPSHOTTER=${CAM_SNAPSHOTTER:-cambium}
# Names of containers, namespaces and cgroups are the machine's.
NAMESPACE=$(basename "$T")
cambiumd_pid=

is_cambium() {
	[ "$SNAPSHOTTER" = cambium ]
}

# The machine must let us mount and run containers.
need_containers() {
	need_containerd
	[ -x "$CAMBIUMD" ] || skip_all "there is no $CAMBIUMD"
	mkdir "$T/probe"
	mount -t tmpfs tmpfs "$T/probe" 2> /dev/null ||
		skip_all 'nothing can be mounted here'
	umount "$T/probe"
}

# The images of make-container-images, which see. Sets IMAGES, and IMAGES_TAR, the same as one archive.
fixture_containers() {
	make_fixture containers "$ROOT/tests/integration/make-container-images"
	make_fixture containers.tar pack_layout "$FIXTURES/containers"
	IMAGES=$FIXTURES/containers
	IMAGES_TAR=$FIXTURES/containers.tar
}

pack_layout() {
	tar -C "$1" -cf "$2" .
}

# containerd 1.7 of Debian 13, from the machine's own apt mirror. It runs with this machine's
# libraries and runc. Prepends it to PATH; fails with the reason where it cannot be had.
fixture_containerd17() {
	make_fixture containerd17 "$ROOT/tests/integration/make-containerd17" || return 1
	PATH=$FIXTURES/containerd17/usr/bin:$PATH
	[[ $(containerd --version) == *' 1.7.'* ]]
}

# ---- the daemons ----

# configure_cambiumd [ADOPT-AFTER]: writes $T/cambiumd.conf, to which $CAMBIUMD_CONFIG adds.
configure_cambiumd() {
	cat > "$T/cambiumd.conf" <<-END
	[daemon]
	log_level = debug
	[snapshotter]
	adopt_after_ms = ${1:-300}
	mount = ${CAM_MOUNT:-auto}
	[containerd]
	address = $T/c/s
	namespaces = $NAMESPACE
	$(cat "$CAM_CONFIG")
	${CAMBIUMD_CONFIG:-}
	END
}

# start_cambiumd [ADOPT-AFTER]: its log is $T/cambiumd.log, its directory $STORE. Layers that
# containerd unpacked are adopted after so many milliseconds without a request.
start_cambiumd() {
	configure_cambiumd "$@"
	mkdir -p "$STORE"
	"$CAMBIUMD" --root "$STORE" --socket "$T/s.sock" --config "$T/cambiumd.conf" \
		>> "$T/cambiumd.log" 2>&1 < /dev/null &
	cambiumd_pid=$!
	wait_for 20 answers "$T/s.sock" || {
		diag "cambiumd does not start: $(tail -n 20 "$T/cambiumd.log")"
		return 1
	}
	# containerd waits a little before it calls a peer again that was gone.
	if is_cambium && [ -n "${CONTAINERD_PID:-}" ] && kill -0 "$CONTAINERD_PID" 2> /dev/null; then
		wait_for 20 snap ls || diag 'containerd does not reach cambiumd'
	fi
}

# One that adopts nothing by itself.
start_cambiumd_idle() {
	start_cambiumd 3600000
}

# cambium on the daemon's store, with its configuration.
host_cam() {
	"$CAMBIUM" --config "$T/cambiumd.conf" --store "$STORE" "$@"
}

# Reads a database of the store: state.db, snapshots.db.
query() {
	sqlite3 -cmd '.timeout 5000' "file:$STORE/$1?mode=ro" "$2"
}

# Directories of committed snapshots whose content the store does not have yet.
uppers() {
	is_cambium || return 0
	query snapshots.db 'SELECT id FROM snapshots WHERE kind = 3 AND has_upper'
}

# Until the store has adopted what was committed.
settle() {
	is_cambium || return 0
	wait_for 60 says_nothing uppers || diag "not adopted: $(uppers)"
}

answers() {
	python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX).connect(sys.argv[1])' "$1"
}

# stop_cambiumd [SIGNAL]: sets cambiumd_status.
stop_cambiumd() {
	cambiumd_status=0
	[ -n "$cambiumd_pid" ] || return 0
	kill "-${1:-TERM}" "$cambiumd_pid" 2> /dev/null || true
	wait "$cambiumd_pid" 2> /dev/null || cambiumd_status=$?
	cambiumd_pid=
}

# Diffs are applied by cambiumd where containerd can have it so.
containerd_config() {
	cat <<-END
	[proxy_plugins.cambium]
	type = "snapshot"
	address = "$T/s.sock"
	END
	[[ $(containerd --version) != *' 1.6.'* ]] || return 0
	cat <<-END
	[proxy_plugins.cambium-diff]
	type = "diff"
	address = "$T/s.sock"
	[plugins."io.containerd.service.v1.diff-service"]
	default = ["cambium-diff", "walking"]
	[[plugins."io.containerd.transfer.v1.local".unpack_config]]
	platform = "linux/$(dpkg --print-architecture)"
	snapshotter = "cambium"
	differ = "cambium-diff"
	[[plugins."io.containerd.transfer.v1.local".unpack_config]]
	platform = "linux/$(dpkg --print-architecture)"
	snapshotter = "overlayfs"
	differ = "walking"
	END
}

# containerd with cambiumd as a proxy plugin; its log is $T/c/log.
start_host() {
	start_containerd "$(containerd_config)"
}

# The shims of this test's containerd, by the socket that they were given.
shims() {
	pgrep -f "containerd-shim-runc-v2 .*-address $CONTAINERD" || true
}

stop_containers() {
	local pid

	for pid in $(shims); do
		pkill -KILL -P "$pid" || true
		kill -9 "$pid" || true
	done
	wait_for 5 says_nothing shims
}

says_nothing() {
	[ -z "$("$@")" ]
}

end_host() {
	stop_containers
	stop_cambiumd
	rm -rf "/run/containerd/runc/$NAMESPACE"
	rmdir /sys/fs/cgroup{,/*}/"$NAMESPACE"
}
on_exit end_host

# ---- ctr ----

c() {
	ctrd --namespace "$NAMESPACE" "$@"
}

snap() {
	c snapshots --snapshotter "$SNAPSHOTTER" "$@"
}

# import_images [SNAPSHOTTER [ARCHIVE]]: all tags of the archive, as test/TAG.
import_images() {
	c images import --snapshotter "${1:-$SNAPSHOTTER}" --base-name test "${2:-$IMAGES_TAR}"
}

# archive_of TAG…: an archive with those tags alone, at $T/TAG….tar
archive_of() {
	local tag target
	target=$T/$(tr ' ' - <<< "$*").tar

	mkdir "$T/pick"
	for tag in "$@"; do
		skopeo copy -q "oci:$IMAGES:$tag" "oci:$T/pick:$tag"
	done
	pack_layout "$T/pick" "$target"
	rm -rf "$T/pick"
	echo "$target"
}

# start_registry_by_tls: one that serves all of $IMAGES and writes down what it is asked for, in
# $T/registry.log; sets REGISTRY. Call it before start_host.
start_registry_by_tls() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 \
		-subj /CN=test -addext subjectAltName=IP:127.0.0.1 -keyout "$T/key.pem" \
		-out "$T/certificate.pem" 2> /dev/null
	cat "$T/key.pem" "$T/certificate.pem" > "$T/tls.pem"
	export SSL_CERT_FILE=$T/certificate.pem
	: > "$T/registry.log"
	daemon "$T/registry.err" python3 "$ROOT/tests/integration/lying-registry.py" "$IMAGES" \
		"$T/port" "$T/registry.log" "$T/tls.pem"
	wait_for 20 test -e "$T/port"
	REGISTRY=127.0.0.1:$(cat "$T/port")
}

# pull TAG [REPOSITORY]: by containerd's transfer service, as the kubelet's pulls go: it asks
# whether a layer is known before it fetches it. The image is called test:TAG.
pull() {
	local name=$REGISTRY/${2:-honest/test}:$1

	c images pull --local=false --platform "linux/$(dpkg --print-architecture)" \
		--snapshotter "$SNAPSHOTTER" "$name" > "$T/pull.log" 2>&1 || {
		tail -n 1 "$T/pull.log" >&2
		return 1
	}
	c images tag --force "$name" "test:$1" && c images rm --sync "$name"
}

# The diffIDs of an image of $IMAGES, base first, one a line.
diff_ids() {
	skopeo inspect --config "oci:$IMAGES:$1" | jq -r '.rootfs.diff_ids[]'
}

# Which layers of TAG were fetched from the registry, one a line.
layers_fetched() {
	local digest

	digest=$(jq -r --arg tag "$1" '.manifests[] |
		select(.annotations["org.opencontainers.image.ref.name"] == $tag).digest' \
		"$IMAGES/index.json")
	jq -r '.layers[].digest' "$IMAGES/blobs/${digest/://}" | sort -u |
		while read -r digest; do grep -o "^GET .*/blobs/$digest" "$T/registry.log" || true; done
}

# run NAME TAG COMMAND…: a container that is removed afterwards.
run() {
	local name=$1 tag=$2
	shift 2

	c run --rm --snapshotter "$SNAPSHOTTER" "test:$tag" "$NAMESPACE-$name" "$@"
}

# start NAME TAG: a container that goes on running.
start() {
	c run -d --snapshotter "$SNAPSHOTTER" "test:$2" "$NAMESPACE-$1" sleep 1000
}

inside() {
	local name=$1
	shift

	c tasks exec --exec-id "x$RANDOM$RANDOM" "$NAMESPACE-$name" "$@"
}

pid_of() {
	c tasks ls | awk -v name="$NAMESPACE-$1" '$1 == name { print $2 }'
}

stop() {
	c tasks kill -s 9 "$NAMESPACE-$1" > /dev/null 2>&1
	wait_for 10 c tasks rm "$NAMESPACE-$1"
}

remove() {
	[ -z "$(pid_of "$1")" ] || stop "$1"
	c containers rm "$NAMESPACE-$1"
}

# ---- trees ----

# tree_of TAG [SNAPSHOTTER]: what a view of the image shows.
tree_of() {
	local snapshotter=${2:-$SNAPSHOTTER} target=$T/view-$RANDOM$RANDOM

	mkdir "$target"
	c images mount --snapshotter "$snapshotter" "test:$1" "$target" > /dev/null &&
		"$ROOT/tests/integration/list-tree" "$target"
	c images unmount --snapshotter "$snapshotter" --rm "$target" > /dev/null
	rmdir "$target"
}

# tree_of_container NAME [SNAPSHOTTER]: of one that is not running.
tree_of_container() {
	local target=$T/container-$RANDOM$RANDOM

	mkdir "$target"
	eval "$(c snapshots --snapshotter "${2:-$SNAPSHOTTER}" mounts "$target" "$NAMESPACE-$1")"
	"$ROOT/tests/integration/list-tree" "$target"
	umount "$target"
	rmdir "$target"
}

# same_tree NAME GOT WANTED: two files, as list-tree writes them.
same_tree() {
	if [ -s "$2" ] && cmp -s "$2" "$3"; then
		result 0 "$1"
	else
		result 1 "$1"
		diag "$(diff "$3" "$2" | head -n 30)"
	fi
}

# ---- what is left ----

mounts_below() {
	awk -v top="$1/" 'index($5 "/", top) == 1 { print $5 }' /proc/self/mountinfo
}

loops_below() {
	losetup --list --noheadings --output BACK-FILE | grep -F "$1/" || true
}

snapshots_of_containerd() {
	snap ls | tail -n +2
}

# The daemon has a folder of its own there as long as it runs.
temporary_files() {
	find "$STORE/tmp" -mindepth 1 ! -path "$STORE/tmp/$cambiumd_pid-*"
	find "$STORE/tmp" -mindepth 2 -path "$STORE/tmp/$cambiumd_pid-*"
}

# Rows of cambiumd's own table of snapshots.
count_snapshots() {
	query snapshots.db 'SELECT count(*) FROM snapshots'
}

# containerd forgets at once, and tells the snapshotter when it collects garbage.
collect_garbage() {
	c leases delete --sync "$(c leases create)" > /dev/null
}

# Leases of clients that died with the daemon last a day.
end_leases() {
	local lease

	for lease in $(c leases ls -q); do c leases rm --sync "$lease" > /dev/null; done
}

remove_images() {
	local image

	for image in $(c images ls -q); do c images rm --sync "$image" > /dev/null; done
}

# Whatever was made in this test, nothing of it is left. Call it after containers and images are gone.
nothing_left() {
	collect_garbage
	wait_for 10 says_nothing snapshots_of_containerd || true
	is "$1: containerd knows no snapshot" "$(snapshots_of_containerd)" ''
	is "$1: no lease of containerd is left" "$(c leases ls -q)" ''
	is "$1: no process is left" "$(shims)" ''
	is "$1: nothing is mounted" "$(mounts_below "$T")" ''
	is "$1: no loop device is left" "$(loops_below "$T")" ''
	is_cambium || return 0
	wait_for 20 says_nothing ls -A "$STORE/snapshots" || true
	is "$1: cambiumd knows no snapshot" "$(count_snapshots)" 0
	is "$1: no directory of a snapshot is left" \
		"$(find "$STORE/snapshots" "$STORE/lower" -mindepth 1 | head)" ''
	is "$1: no temporary file is left" "$(temporary_files)" ''
}

# What cambiumd said is free of what must not be there.
log_is_clean() {
	is_cambium || return 0
	unlike "$1: cambiumd reported no fault of its own" "$(cat "$T/cambiumd.log")" \
		'Sanitizer|runtime error:|CRITICAL|Z error: '
}
