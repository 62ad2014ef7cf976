#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What is around the programs: make's targets, the man pages, the README's numbers, and the runner of these tests.

load lib.bash

setup() {
  unset MAKEFLAGS MFLAGS MAKELEVEL
}

@test "install puts programs, man pages, schema and examples in place; uninstall leaves no file" {
  root=$BATS_TEST_TMPDIR/root
  make install DESTDIR="$root" >"$BATS_TEST_TMPDIR/log"
  "$root/usr/local/bin/nohype" --version
  for file in libexec/nohype/nohype-core libexec/nohype/nohype-rings share/man/man1/nohype.1 share/man/man5/nohype-vm.5 share/man/man7/nohype-exits.7 \
    bin/nohyped share/man/man8/nohyped.8 share/man/man7/nohype-checks.7 share/nohype/schemas/vm.schema.json share/nohype/examples/minimal.json \
    lib/systemd/system/nohyped.service lib/systemd/system/nohyped.socket lib/systemd/system/nohyped-monitor.socket lib/systemd/system/nohype@.service share/bash-completion/completions/nohype \
    share/nohype/examples/nginx.conf share/zsh/vendor-completions/_nohype share/fish/vendor_completions.d/nohype.fish lib/sysusers.d/nohype.conf lib/tmpfiles.d/nohype.conf; do
    [ -s "$root/usr/local/$file" ]
  done
  same "$(grep -c INSTALL "$BATS_TEST_TMPDIR/log")" "$(find "$root" -type f | wc -l)"
  touch "$root/usr/local/share/nohype/examples/mine.json"
  make uninstall DESTDIR="$root"
  same "$(find "$root" ! -type d)" "$root/usr/local/share/nohype/examples/mine.json"
  rm "$root/usr/local/share/nohype/examples/mine.json"
  make install DESTDIR="$root" >/dev/null
  make uninstall DESTDIR="$root"
  [ -z "$(find "$root" ! -type d)" ]
  [ -z "$(find "$root" -name '*nohype*')" ]
}

@test "units are what systemd takes, and completions name commands and VMs" {
  root=$BATS_TEST_TMPDIR/root
  make install DESTDIR="$root" >/dev/null
  if command -v systemd-analyze >/dev/null; then
    run systemd-analyze verify --root="$root" --man=no "$root"/usr/local/lib/systemd/system/nohype*
    ! grep -i 'unknown\|invalid\|not executable' <<<"$output"
  fi
  PATH=$root/usr/local/bin:$PATH
  # shellcheck source=completions/nohype.bash
  source "$root/usr/local/share/bash-completion/completions/nohype"
  compopt() { :; }
  COMP_WORDS=(nohype re) COMP_CWORD=1
  _nohype
  same "${COMPREPLY[*]}" "report recover"
  COMP_WORDS=(nohype host u) COMP_CWORD=2
  _nohype
  same "${COMPREPLY[*]}" undo
  for shell in zsh fish; do
    ! command -v "$shell" >/dev/null || "$shell" -n "$root"/usr/local/share/"$shell"/vendor*/*nohype*
  done
}

@test "make help names the targets" {
  help=$(make help)
  for target in all deps demo check check-long bench lint install uninstall clean asan fuzz guests jail-table; do
    grep -q "^  make $target " <<<"$help" || { echo "not there: $target"; return 1; }
  done
}

@test "without what is needed, make says to run make deps" {
  run make all BUILD="$BATS_TEST_TMPDIR/build" CC=no-such-compiler
  [ "$status" = 2 ]
  grep -qx "not here: no-such-compiler; run 'make deps' first" <<<"$output"
}

@test "other flags or another prefix make all anew, the same ones nothing" {
  same "$(make -n all BUILD="$BUILD")" :
  make -n all BUILD="$BUILD" PREFIX=/elsewhere | grep -q -- '-o [^ ]*/nohype-core'
}

@test "make from another spelling of the build folder makes nothing again" {
  same "$(make -n all BUILD="$BUILD/../$(basename "$BUILD")")" :
}

@test "the README has the numbers that make jail-table prints; make readme puts them there" {
  found=$(sed -n '/^<!-- jail-table -->$/,/^<!-- end -->$/p' README.md | grep '^|')
  same "$found" "$(make -s jail-table | grep '^|')"
}

@test "nohype(1) has every command and option" {
  for command in run check; do
    "$NOHYPE" help "$command" | grep -oE -- '(^|[ ,])--?[a-z][a-z-]*' | tr -d ' ,' | sort -u | while read -r option; do
      grep -qF -- "*$option*" man/nohype.1.scd || { echo "not there: $option"; return 1; }
    done
  done
  "$NOHYPE" help | sed -n 's/^  \([a-z-]*\) .*/\1/p' | while read -r command; do
    grep -qE "^\*$command\*( |\$)" man/nohype.1.scd || { echo "not there: $command"; return 1; }
  done
}

@test "nohype(1) has every exit code" {
  while read -r code text; do
    grep -qE "^[[|]- \*$code\*\$" man/nohype.1.scd || { echo "not there: $code $text"; return 1; }
  done < <("$NOHYPE" help exit-codes)
}

@test "nohype-vm(5) has every key of the schema, its default and an example of it" {
  jq -r 'def keys_of($above): .properties // {} | to_entries[] as $key | ($above + $key.key),
      ($key.value | keys_of($above + $key.key + "."));
    keys_of("")' schemas/vm.schema.json |
    while read -r key; do
      page=$(awk -v key="*$key* (" 'index($0, key) == 1 { on = 1; print; next } /^\*/ { on = 0 } on' man/nohype-vm.5.scd)
      [ -n "$page" ] || { echo "not there: $key"; return 1; }
      grep -qE '^Examples?: ' <<<"$page" || { echo "no example: $key"; return 1; }
    done
}

@test "nohype-vm(5) has all that nohype adds to the command line" {
  sed -n 's/^\t{ *"\([a-z_=]*[a-z_0-9=-]*\)".*/\1/p' vmm/boot/cmdline.c | while read -r option; do
    grep -qE "^\*.*\b$option\b" man/nohype-vm.5.scd || { echo "not there: $option"; return 1; }
  done
  [ "$(sed -n 's/^\t{ *"\([a-z_=]*[a-z_0-9=-]*\)".*/\1/p' vmm/boot/cmdline.c | wc -l)" -gt 10 ]
}

@test "the files that the examples name are those that make guests makes" {
  for file in examples/*.json; do
    for key in kernel initrd; do
      path=$(jq -r ".$key" "$file")
      [ -e "$BUILD/${path#../build/}" ] || { echo "$file: $key: $path"; return 1; }
    done
  done
}

# --- the runner of these tests, on a tree of its own ---

# A tree with the real runner, and one unit test and one .bats file that are what is asked.
tree() {
  tree=$BATS_TEST_TMPDIR/tree
  mkdir -p "$tree/scripts" "$tree/tests/e2e" "$tree/build/unit" "$tree/build/asan"
  cp scripts/check "$tree/scripts"
  printf '#!/bin/sh\n' | tee "$tree/scripts/deps" >"$tree/scripts/guests"
  printf 'all unit asan-build:\n' >"$tree/Makefile"
  chmod +x "$tree"/scripts/*
}

# shellcheck disable=SC2016 # the test's own
unit_test() { # STATUS LINE...
  printf '#!/bin/sh\ncat >"$CK_TAP_LOG_FILE_NAME" <<END\n%s\nEND\nexit %s\n' "${*:2}" "$1" >"$tree/build/unit/test_it"
  chmod +x "$tree/build/unit/test_it"
}

check() { # STATUS ARG...: the last line in $last
  local want=$1 got=0
  shift
  (unset MUST_WORK LONG BUILD && cd "$tree" && env "${settings[@]}" scripts/check "$@") \
    >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- </dev/null || got=$?
  last=$(tail -n 1 "$BATS_TEST_TMPDIR/out")
  [ "$got" = "$want" ] || { echo "exit $got, wanted $want"; cat "$BATS_TEST_TMPDIR/out"; return 1; }
}

@test "check counts what passes, fails and is skipped" {
  tree
  settings=()
  unit_test 0 "ok 1 - a.c:core:one: Passed"
  printf '@test "passes" { true; }\n@test "skipped" { skip "no hardware"; }\n' >"$tree/tests/e2e/a.bats"
  check 0
  same "$last" "2 passed, 0 failed, 1 skipped"
  printf '@test "fails" { echo seen; false; }\n' >>"$tree/tests/e2e/a.bats"
  check 1
  same "$last" "2 passed, 1 failed, 1 skipped"
  grep -q 'seen' "$BATS_TEST_TMPDIR/out"
  grep -qx 'failed: tests/e2e/a.bats: fails' "$BATS_TEST_TMPDIR/out"
}

@test "check with MUST_WORK=1: what is skipped has failed" {
  tree
  settings=(MUST_WORK=1)
  unit_test 0 "ok 1 - a.c:core:one: Passed"
  printf '@test "skipped" { skip "no hardware"; }\n' >"$tree/tests/e2e/a.bats"
  check 1
  same "$last" "1 passed, 1 failed"
}

@test "check: a unit test that crashes, or says nothing, has failed" {
  tree
  settings=()
  printf '@test "passes" { true; }\n' >"$tree/tests/e2e/a.bats"
  unit_test 139 "ok 1 - a.c:core:one: Passed"
  check 1
  same "$last" "2 passed, 1 failed"
  unit_test 0 ""
  check 1
  same "$last" "1 passed, 1 failed"
}

# shellcheck disable=SC2016 # the test's own
@test "check: a .bats file that doesn't parse, or ends half way, has failed" {
  tree
  settings=()
  unit_test 0 "ok 1 - a.c:core:one: Passed"
  printf '@test "open" { if true; }\n' >"$tree/tests/e2e/a.bats"
  check 1
  same "${last#1 passed, }" "1 failed"
  printf '@test "one" { true; }\n@test "two" { kill -9 $PPID; sleep 1; }\n@test "three" { true; }\n' >"$tree/tests/e2e/a.bats"
  check 1
}

# shellcheck disable=SC2016 # the test's own
@test "check: what fails beside another is run again alone, and named if it passes then" {
  tree
  settings=(LANES=2)
  unit_test 0 "ok 1 - a.c:core:one: Passed"
  printf '%s\n' '@test "one" { true; }' '@test "two" { [ -e build/second ] || ! touch build/second; }' \
    >"$tree/tests/e2e/a.bats"
  printf '@test "passes" { true; }\n' >"$tree/tests/e2e/b.bats"
  check 0
  same "$last" "4 passed, 0 failed"
  grep -qx '  FAIL .* two' "$BATS_TEST_TMPDIR/out"
  grep -qx 'unsteady, passed when it ran alone: tests/e2e/a.bats: two' "$BATS_TEST_TMPDIR/out"
  printf '@test "fails" { false; }\n' >>"$tree/tests/e2e/b.bats"
  check 1
  same "$last" "4 passed, 1 failed"
  same "$(grep -c '^  FAIL .* fails' "$BATS_TEST_TMPDIR/out")" 2
  settings=(LANES=1)
  check 1
  same "$(grep -c '^  FAIL .* fails' "$BATS_TEST_TMPDIR/out")" 1
}

@test "check: a build that fails ends it, with the reason" {
  tree
  settings=()
  printf 'all:\n\t@echo no compiler >&2; exit 1\nunit asan-build:\n' >"$tree/Makefile"
  check 1
  same "$last" "0 passed, 1 failed"
  grep -q 'no compiler' "$BATS_TEST_TMPDIR/out"
}

# shellcheck disable=SC2016 # the test's own
@test "check --long runs again only what has not passed, and all of another tree" {
  tree
  settings=()
  unit_test 0 "ok 1 - a.c:core:one: Passed"
  printf '%s\n' '@test "one, (with) \"signs\" [or] 2*3" { echo one >>build/ran; [ "$LONG" = 1 ]; }' \
    '@test "two" { echo two >>build/ran; [ -e build/works ]; }' \
    '@test "three" { echo three >>build/ran; }' >"$tree/tests/e2e/a.bats"
  check 1 --long
  same "$last" "3 passed, 1 failed"
  same "$(sort "$tree/build/ran" | paste -sd ' ')" "one three two"
  touch "$tree/build/works"
  check 0 --long
  same "$last" "4 passed, 0 failed"
  same "$(paste -sd ' ' "$tree/build/ran" | wc -w)" 4
  check 0 --long
  same "$last" "4 passed, 0 failed"
  same "$(wc -l <"$tree/build/ran")" 4
  echo changed >"$tree/README"
  check 0 --long
  same "$(wc -l <"$tree/build/ran")" 7
}
