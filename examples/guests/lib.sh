# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
# Sourced by the scripts of this folder, after `set -eu`: where things lie, and how what is made is kept.

name=$(basename "$0")
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck disable=SC2034 # for who sources this
root=${here%/examples/guests*}
build=${BUILD:-$root/build}
case $build in /*) ;; *) build=$root/$build ;; esac
export BUILD="$build"
guests=$build/guests

say() {
	echo "$name: $*" >&2
}

die() {
	say "error: $*"
	exit 1
}

wrong() {
	say "error: $*; see --help"
	exit 2
}

# need PROGRAM PACKAGE
need() {
	command -v "$1" >/dev/null || die "\"$1\" is not here; run 'make deps', or install Debian's package $2"
}

# One at a time makes what the lock is named after; $temp is its own then, and what a killed one left there goes.
lock() {
	mkdir -p "$guests"
	exec 9>"$guests/.$1.lock"
	flock 9
	temp=$guests/.$1.new
	rm -rf "$temp"
	trap 'rm -rf "$temp"' EXIT
	trap 'exit 1' HUP INT TERM
	mkdir "$temp"
}

# What a thing is made from, as one word: the contents of files.
key_of() {
	cat "$@" | sha256sum | cut -d ' ' -f 1
}

# fresh OUTPUT KEY: is it there, and made from the same inputs?
fresh() {
	[ -e "$1" ] && [ "$(cat "$guests/.$(basename "$1").key" 2>/dev/null)" = "$2" ]
}

# keep NEW OUTPUT KEY: whoever reads OUTPUT sees the old one or the new one, never a part.
keep() {
	rm -f "$guests/.$(basename "$2").key"
	mv -T "$1" "$2"
	echo "$3" >"$guests/.$(basename "$2").key"
}

# install_if_new NEW OUTPUT: an OUTPUT of the same content stays, with its time.
install_if_new() {
	cmp -s "$1" "$2" && return
	cp "$1" "$2.new.$$" # first into its folder, as that may be on another file system
	mv -T "$2.new.$$" "$2"
}
