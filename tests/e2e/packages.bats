#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What is given to others: the tar and the Debian packages. Without LONG=1 only what can be seen without building them.

load lib.bash

setup_file() {
  export OUT=$BATS_FILE_TMPDIR/out
  unset MAKEFLAGS MFLAGS MAKELEVEL
  [ "${LONG:-0}" != 1 ] || all_of_it >&2 3>&-
}

# Packages built here are installed on both releases; then a VM is run from there, on one host with KVM.
all_of_it() {
  local suite
  mkdir -p "$OUT"
  scripts/package deb
  for suite in bookworm trixie; do
    tests/e2e/package-root "$suite" >"$OUT/$suite" 2>&1 || cat "$OUT/$suite"
  done
  mkdir -p "$OUT/run"
  "$RIG" --cpus 2 --mem 1G --isolated 1 --hugepages 2M:130 --timeout 1800 --out "$OUT/run" --env "OUT=$OUT/run" \
    --env "BUILD=$BUILD" -- tests/e2e/package-runs
}

long() { [ "${LONG:-0}" = 1 ]; }

# The packages of scripts/deps under "build".
deps_of_build() {
  sed -n '/^\t\t# build$/,/^$/p' scripts/deps | sed -nE 's/^\t\t([a-z][^ >]*).*/\1/p'
}

@test "make dist gives all that git tracks, the same bytes each time, and again from its own content" {
  export BUILD=$BATS_TEST_TMPDIR/build
  make dist
  tar=$(echo "$BUILD"/nohype-*.tar.gz)
  first=$(sha256sum <"$tar")
  [ ! -e .git ] || same "$(tar -tf "$tar" | sed 's,^[^/]*/,,' | LC_ALL=C sort)" "$(git ls-files | LC_ALL=C sort)"
  tar -C "$BATS_TEST_TMPDIR" -xf "$tar"
  cd "$BATS_TEST_TMPDIR"/nohype-*/
  umask 077
  touch -d @1 README.md 2>/dev/null
  rm "$tar"
  TZ=Asia/Tokyo make dist
  same "$(sha256sum <"$tar")" "$first"
}

@test "what the packages are built with is what scripts/deps installs, and their version is the Makefile's" {
  for package in $(deps_of_build); do
    case $package in gcc | make | libc6-dev) continue ;; esac # build-essential
    grep -qx " $package,\?" debian/control || { echo "not in debian/control: $package"; return 1; }
  done
  [ "$(deps_of_build | wc -l)" -gt 10 ]
  same "$(sed -n '1s/.*(\(.*\)).*/\1/p' debian/changelog)" "$(sed -n 's/^VERSION *:= *//p' Makefile)"
}

@test "apparmor_parser takes the profiles, and refuses one that is broken" {
  for profile in apparmor/*; do
    apparmor_parser --skip-kernel-load --skip-cache "$profile"
  done
  sed 's/^}/  no such rule\n}/' apparmor/nohype-core >"$BATS_TEST_TMPDIR/broken"
  run apparmor_parser --skip-kernel-load --skip-cache "$BATS_TEST_TMPDIR/broken"
  [ "$status" != 0 ]
}

@test "the folders and the groups are what systemd's programs take" {
  root=$BATS_TEST_TMPDIR/root
  mkdir -p "$root/etc"
  touch "$root"/etc/{passwd,group}
  if command -v systemd-sysusers >/dev/null; then
    systemd-sysusers --root="$root" "$PWD/systemd/sysusers.d/nohype.conf"
    same "$(cut -d : -f 1 "$root/etc/group" | paste -sd ' ')" "nohype nohype-monitor"
  fi
  if command -v systemd-tmpfiles >/dev/null && [ "$(id -u)" = 0 ]; then
    systemd-tmpfiles --root="$root" --create "$PWD/systemd/tmpfiles.d/nohype.conf"
    same "$(cd "$root" && stat -c '%a %n' run/nohype run/nohype/claims var/lib/nohype)" "755 run/nohype
755 run/nohype/claims
700 var/lib/nohype"
  fi
  grep -qx SocketGroup=nohype systemd/nohyped.socket.in
  grep -qx SocketGroup=nohype-monitor systemd/nohyped-monitor.socket.in
}

# As dpkg calls it, where a process listens like a supervisor of a VM.
@test "the package isn't removed while a VM runs, and says which" {
  sed '/^#DEBHELPER#/d' debian/nohype.prerm >"$BATS_TEST_TMPDIR/prerm"
  [ "$(id -u)" = 0 ] || skip "not root"
  run unshare --net python3 -c 'import socket, subprocess, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.bind("\0nohype/0/web")
s.listen()
sys.exit(subprocess.call(["sh", sys.argv[1], "remove"]))' "$BATS_TEST_TMPDIR/prerm"
  same "$status $output" "1 nohype: these VMs run: web; stop them first (nohype stop NAME), then remove the package"
  run unshare --net sh "$BATS_TEST_TMPDIR/prerm" upgrade
  same "$status $output" "0 "
}

@test "lintian finds no error and no warning in the packages" {
  long || return 0
  scripts/package lint
}

installed() { # SUITE
  long || return 0
  same "$(tail -n 1 "$OUT/$1")" "as before"
  has "$(cat "$OUT/$1")" "installed: nohype nohype-examples nohype-guest"
  has "$(cat "$OUT/$1")" "nohype $(sed -n 's/^VERSION *:= *//p' Makefile)"
  has "$(cat "$OUT/$1")" "Usage: nohyped [OPTION...]"
  # A host without KVM may be all that is wrong with an example.
  grep -q '^check: 0 ' "$OUT/$1" ||
    same "$(grep -cE '^check: 3|^    "' "$OUT/$1") $(grep -c 'neither kvm_amd nor kvm_intel is loaded\|/dev/kvm' "$OUT/$1")" "2 1"
}

@test "on a clean Debian 12 they are installed, their programs start, and purging leaves nothing" { installed bookworm; }
@test "on a clean Debian 13 the same packages are, and do" { installed trixie; }

@test "installed on either, the example is sealed, and ended by its violation" {
  long || return 0
  for suite in bookworm trixie; do
    same "$(cat "$OUT/run/$suite.status")" 5
    grep -q '^nohype: sealed: sealed (strict' "$OUT/run/$suite.err"
    has "$(tail -n 1 "$OUT/run/$suite.err")" "violation: vCPU 0"
  done
}
