#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# kernel.sh NAME - make Debian's kernel NAME (5.10, 6.1, 6.12, 7.2) ready; prints its directory.
#
# The directory holds `vmlinuz`, `modules.cpio` (those of the file `modules` and what they need) and
# `version`, and lies in ${NETLOG_CACHE:-${XDG_CACHE_HOME:-~/.cache}/netlog}: remove it to have it fetched
# again. apt fetches and verifies, with a configuration, lists and a cache of its own: the system's
# are neither used nor changed. The mirror is the system's own, or NETLOG_MIRROR.
set -u
cd "$(dirname "$0")" || exit 1
PATH=$PATH:/usr/sbin:/sbin

die() {
	echo "kernel $name: $*" >&2
	exit 1
}

name=${1:?usage: kernel.sh NAME}
case $name in
5.10) suite=bullseye ;;
6.1) suite=bookworm ;;
6.12) suite=trixie ;;
7.2) suite=sid ;;
*) die "unknown; known are 5.10, 6.1, 6.12 and 7.2" ;;
esac
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
cache=${NETLOG_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/netlog}
kernel=$cache/kernel-$name-$(cat kernel.sh modules | sha256sum | cut -c 1-12)

if [ -e "$kernel/version" ]; then
	echo "$kernel"
	exit 0
fi
[ "$(dpkg --print-architecture 2>/dev/null)" = amd64 ] ||
	die "is fetched through apt, and for amd64 only"
[ -r $keyring ] || die "$keyring is missing, so nothing could be verified: apt-get install debian-archive-keyring"

mkdir -p "$cache" || die "cannot make $cache"
work=$(mktemp -d "$cache/.fetch.XXXXXX") || die "cannot write to $cache"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
# what others left behind that were killed
find "$cache" -maxdepth 1 -name '.fetch.*' -mmin +60 -exec rm -rf {} +

# The mirror of Debian's main archive that this system uses
mirror() {
	# shellcheck disable=SC2016 # $(REPO_URI) is for apt
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' |
		grep -m 1 '/debian/*$'
}

# Another configuration may be looser: nothing that is not signed is taken.
own() { # PROGRAM ARGUMENT...
	timeout 300 "$1" -q -o Dir::State="$work/state" -o Dir::State::Lists="$work/lists" \
		-o Dir::State::status="$work/status" -o Dir::Cache="$work/cache" \
		-o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
		-o APT::Default-Release= -o APT::Sandbox::User=root -o APT::Update::Error-Mode=any \
		-o APT::Get::AllowUnauthenticated=false -o Acquire::AllowInsecureRepositories=false \
		-o Acquire::AllowWeakRepositories=false -o Acquire::Languages=none \
		-o Acquire::Retries=2 -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 "${@:2}"
}

# What PACKAGE and the parts of the kernel that it depends on are called
packages() {
	local package todo=linux-image-amd64 all=
	while [ -n "$todo" ]; do
		all="$all $todo"
		todo=$(for package in $todo; do own apt-cache depends "$package"; done |
			sed -n 's/^ *|\{0,1\}Depends: \(linux-\(image\|binary\|modules\)-[^ ]*\)$/\1/p' | sort -u)
	done
	echo "$all"
}

mirror=${NETLOG_MIRROR:-$(mirror)}
[ -n "$mirror" ] || die "this system's apt knows no mirror of Debian: name one in NETLOG_MIRROR"
echo "kernel $name: fetching it from Debian's $suite" >&2
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/state" "$work/debs" "$work/tree"
: >"$work/status"
echo "deb [arch=amd64 signed-by=$keyring] $mirror $suite main" >"$work/sources.list"
own apt-get update >"$work/log" 2>&1 ||
	die "no signed index of $suite from $mirror: $(grep '^[EW]:' "$work/log")"
packages=$(packages)
# shellcheck disable=SC2086 # packages are words
(cd "$work/debs" && own apt-get download $packages) >"$work/log" 2>&1 ||
	die "cannot download$packages: $(grep '^[EW]:' "$work/log")"
for deb in "$work"/debs/*.deb; do
	dpkg -x "$deb" "$work/tree" || die "cannot unpack ${deb##*/}"
done
rm -rf "$work/debs" "$work/lists" "$work/cache"
[ -d "$work/tree/lib" ] || ln -s usr/lib "$work/tree/lib"

vmlinuz=$(find "$work/tree" -name 'vmlinuz*' -type f)
version=$(cd "$work/tree/lib/modules" && echo *)
[ -s "$vmlinuz" ] || die "no kernel in$packages"
case $version in
"$name".*) ;;
*) die "$suite now has $version: tests/vm/kernel.sh has to learn it" ;;
esac

# The modules named and what they depend on, in a tree of their own
mkdir -p "$work/root/lib/modules/$version" "$work/kernel"
depmod -b "$work/tree" "$version" 2>"$work/log" || die "depmod: $(cat "$work/log")"
grep -v '^#' modules | while read -r module; do
	# one that is not there is built in, or has another name: the tests that need it will tell
	modprobe -d "$work/tree" -S "$version" --show-depends "$module" 2>/dev/null
done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | sort -u >"$work/files"
while read -r file; do
	case $file in
	*.xz) xz -dc "$file" >"$work/root/lib/modules/$version/$(basename "$file" .xz)" ;;
	*.zst) zstd -qdc "$file" >"$work/root/lib/modules/$version/$(basename "$file" .zst)" ;;
	*) cp "$file" "$work/root/lib/modules/$version/" ;;
	esac || die "cannot unpack ${file##*/}"
done <"$work/files"
depmod -b "$work/root" "$version" 2>"$work/log" || die "depmod: $(cat "$work/log")"
(cd "$work/root" && find . | cpio --quiet -o -H newc -R 0:0) >"$work/kernel/modules.cpio" || die "cpio failed"
cp "$vmlinuz" "$work/kernel/vmlinuz" || die "cannot keep it"
echo "$version" >"$work/kernel/version"

rm -rf "$cache/kernel-$name"-*
mv -T "$work/kernel" "$kernel" || die "cannot write to $cache"
echo "$kernel"
