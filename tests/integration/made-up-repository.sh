# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# On top of lib.sh: a signed apt repository of packages that the test makes up, for bookworm.
for tool in gpg dpkg-deb; do
	command -v "$tool" > /dev/null || skip_all "no $tool here"
done
ARCH=$(dpkg --print-architecture)
export GNUPGHOME=$T/gpg
mkdir -m 700 "$GNUPGHOME"
on_exit gpgconf --kill gpg-agent
gpg --batch --quiet --passphrase '' --pinentry-mode loopback \
	--quick-gen-key test@example.org ed25519 sign never 2> "$T/gpg.log" ||
	skip_all 'gpg cannot make a key here'
gpg --batch --export > "$T/key.gpg"
# As a line of a configuration.
REPO="deb [signed-by=$T/key.gpg] file:$T/repo {codename} main"

# changelog NAME VERSION ITEM: above an entry of 1.0-1.
changelog() {
	local version=$2 item=$3

	for _ in 1 2; do
		printf '%s (%s) bookworm; urgency=medium\n\n  * %s\n\n' "$1" "$version" "$item"
		printf ' -- A <a@example.org>  Thu, 01 Jan 2026 00:00:00 +0000\n\n'
		version=1.0-1 item=Initial.
	done
}

# offer NAME VERSION ITEM: puts a package into the repository; ITEM is what its changelog says.
offer() {
	local tree=$T/deb deb=pool/$1_$2_$ARCH.deb

	rm -rf "$tree"
	mkdir -p "$tree/DEBIAN" "$tree/usr/share/doc/$1" "$T/repo/pool"
	printf 'Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: A <a@example.org>\nDescription: x\n' \
		"$1" "$2" "$ARCH" > "$tree/DEBIAN/control"
	changelog "$@" | gzip -9n > "$tree/usr/share/doc/$1/changelog.Debian.gz"
	dpkg-deb --root-owner-group --build "$tree" "$T/repo/$deb" > /dev/null
	{
		cat "$tree/DEBIAN/control"
		printf 'Filename: %s\nSize: %s\nSHA256: %s\n\n' "$deb" "$(stat -c %s "$T/repo/$deb")" \
			"$(sha256sum "$T/repo/$deb" | cut -d' ' -f1)"
	} >> "$T/Packages"
}

# publish: signs what was offered.
publish() {
	local suite=$T/repo/dists/bookworm index=main/binary-$ARCH/Packages

	mkdir -p "$suite/${index%/*}"
	cp "$T/Packages" "$suite/$index"
	{
		printf 'Origin: Debian\nSuite: bookworm\nCodename: bookworm\n'
		printf 'Date: %s\nValid-Until: %s\n' "$(LC_ALL=C date -u -R -d '-1 hour')" \
			"$(LC_ALL=C date -u -R -d '+1 day')"
		printf 'Components: main\nArchitectures: %s\nSHA256:\n %s %s %s\n' "$ARCH" \
			"$(sha256sum "$suite/$index" | cut -d' ' -f1)" "$(stat -c %s "$suite/$index")" "$index"
	} > "$T/Release"
	gpg --batch --yes --quiet --digest-algo SHA256 --clearsign -o "$suite/InRelease" "$T/Release"
}
