#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Disks in memory: a sealed guest works on its root file system without an exit of its own; what it wrote is there at its
# next start; and whatever goes wrong with a save, an image is the old one or the new one, whole. With LONG=1 Debian's
# Redis works so too.

load lib
load proof/lib

setup_file() {
  export OUT=$BATS_FILE_TMPDIR/out
  guests power-off panic busy
  tests/e2e/disks/build >&2
  [ "${LONG:-0}" != 1 ] || make -s "$BUILD/unit/test_disks" >&2
  "$RIG" --no-devices --cpus 3 --isolated 1,2 --hugepages 2M:150 --env "OUT=$OUT" --env "BUILD=$BUILD" --env "NOHYPE=$NOHYPE" --env "LONG=${LONG:-0}" \
    --timeout 900 --out "$OUT" -- tests/e2e/disks-runs >&2 3>&-
}

# worked NAME COUNT: it wrote, synced and read back files, none of them wrong, and its disk had COUNT.
worked() {
  [ "$(evidence "$1" 0 0)" -gt 3 ] || { echo "$1: only $(evidence "$1" 0 0) files"; cat "$OUT/$1.err"; return 1; }
  same "$(evidence "$1" 0 1) $(evidence "$1" 0 2) $(evidence "$1" 0 3)" "0 0 $2"
}

# Debian's Redis, sealed: 10,000 operations without an exit of the guest's but CPUID, saved, and there again.
redis_worked() {
  local name
  for name in redis redis-again; do
    ended $name 0 "$name: the guest powered off"
    same "$(cat "$OUT/$name.result")" "10000 right, SAVE: OK"
    # what the guest took is the power off, and what was let through
    same "$(($(by_the_guest $name) - $(let_through $name)))" 1
  done
  # how often it ran before, and the keys that there were
  same "$(cat "$OUT/redis.runs")/$(cat "$OUT/redis-again.runs")" " 0 /1 5001 "
}

@test "a strict sealed guest works on its root, powers off, and took no exit of its own but that" {
  for name in first again; do
    ended $name 0 "$name: the guest powered off"
    grep -q 'sealed' "$OUT/$name.err"
    same "$(($(by_the_guest $name) - $(let_through $name)))" 1
    grep -q "guarantees" "$OUT/$name.err"
    grep -Eq 'mapped +held +288 of 288 MiB' "$OUT/$name.err" || { cat "$OUT/$name.err"; return 1; }
    grep -q "memory cleared: 288 MiB" "$OUT/$name.err"
  done
  worked first 0
  [ "${LONG:-0}" != 1 ] || redis_worked
}

@test "it starts again, by the other boot protocol and with DAX, with what it had written" {
  worked again 1
  same "$(cat "$OUT/count")" 2
  [ "$(cat "$OUT/first.before")" != "$(cat "$OUT/first.after")" ]
}

@test "after a violation nothing is saved: the image is as it was" {
  same "$(status_of planted)" 5
  worked planted 2
  same "$(evidence planted 0 4) $(evidence planted 0 5)" "1 0"
  same "$(($(by_the_guest planted) - $(let_through planted)))" 1
  same "$(cat "$OUT/planted.after")" "$(cat "$OUT/planted.before")"
  grep -q "disk 0 is not saved, since this is no clean end: its image stays as it was" "$OUT/planted.err"
}

@test "a panic is no clean end either, unless any is good enough" {
  same "$(status_of panic) $(cat "$OUT/panic.image")" "4 kept"
  same "$(status_of panic-any) $(cat "$OUT/panic-any.image")" "4 saved"
}

@test "an image that is saved is one VM's: the next is told whose, and can have it later" {
  for name in second reader checked; do
    same "$(status_of $name)" 2
    grep -Eq 'a\.img": the VM "killed" \(process [0-9]+\) has it' "$OUT/$name.err" || { cat "$OUT/$name.err"; return 1; }
  done
  ended second-later 0 "second: the guest powered off"
}

@test "kill -9 of the core manager: nothing is saved" {
  same "$(status_of killed) $(cat "$OUT/killed.image")" "1 kept"
}

@test "kill -9 of the supervisor around its save: the old file or the new one, and nothing beside it" {
  [ "$(wc -l <"$OUT/kill.out")" -ge 4 ]
  same "$(grep -vxc 'old\|new' "$OUT/kill.out")" 0
  same "$(cat "$OUT/kill.left")" ""
  # and at each call of it
  [ "${LONG:-0}" != 1 ] || same "$(status_of unit)" 0
}

@test "where files can share blocks, what has changed is written alone" {
  same "$(status_of changed) $(cat "$OUT/changed.image")" "0 saved"
  has "$(cat "$OUT/changed.err")" "saved: 1 of 16 MiB, the rest as it was"
  # bytes that are this file's alone, as the file system says
  same "$(awk 'NR == 2 { print $2 }' "$OUT/changed.du")" 65536
  same "$(status_of emptied) $(cat "$OUT/emptied.image") $(cat "$OUT/emptied.blocks")" "0 saved 0"
}

@test "the report has each disk, and what became of it" {
  disks() { # NAME: of one disk
    tests/e2e/check-report "$OUT/$1.report" || return
    jq -r '.disks[] | "\(.format) \(.bytes) \(.save) \(.saved.written_bytes) \(.saved.changes_only)"' "$OUT/$1.report"
  }
  same "$(disks changed)" "raw $((16 << 20)) saved 65536 true"
  same "$(disks emptied)" "raw $((8 << 20)) saved 0 true"
  same "$(disks panic)" "raw $((8 << 20)) no clean end null null"
  same "$(disks panic-any)" "raw $((8 << 20)) saved $((8 << 20)) false"
  same "$(disks second)" "raw $((8 << 20)) saved $((8 << 20)) false"
  same "$(disks full)" "raw $((8 << 20)) lost null null"
  same "$(jq -r '.disks[0].image, .disks[0].saved.to' "$OUT/changed.report" | paste -sd ' ')" "/run/images/new.img /run/images/shared/t.img"
  "$NOHYPE" report -o "$BATS_TEST_TMPDIR/page.html" "$OUT/changed.report"
}

@test "a full disk: the data are kept in memory, and saved when there is room" {
  same "$(status_of freed) $(cat "$OUT/freed.image") $(cat "$OUT/freed.then")" "0 kept saved"
  has "$(cat "$OUT/freed.err")" 'not saved: write: No space left on device'
}

@test "a full disk, and nobody wants to wait: the old file, an error, and nothing beside it" {
  same "$(cat "$OUT/full.image")" kept
  ended full 1 "full: the guest powered off; disk 0 was not saved, and its data are lost"
  same "$(cat "$OUT/full.left")" ""
}

@test "what can't be is refused before anything is started" {
  for name in nowhere large twice absent cut; do
    same "$(status_of $name)" 2
    ! grep -q booting "$OUT/$name.err" || return
  done
  has "$(cat "$OUT/nowhere.err")" '/none/t.img": its folder: No such file or directory'
  has "$(cat "$OUT/large.err")" 'a.img": 8 MiB: more than its device has (4 MiB): wanted "size": "8M" or more'
  has "$(cat "$OUT/twice.err")" 'a.img": is a disk of this VM already'
  has "$(cat "$OUT/absent.err")" 'none.img": No such file or directory'
  has "$(cat "$OUT/cut.err")" 'cut.gz": is truncated: its gzip data ends too early'
  same "$(status_of much)" 3
  has "$(cat "$OUT/much.err")" 'memory.size: "64M" and disks of "100G": more than this host has free'
}
