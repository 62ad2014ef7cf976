#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What the host changes under a sealed VM is seen and told, and the VM ended where that is asked: tests/e2e/watch-runs. Not
# a suspend, which the emulated host's file system doesn't survive: tests/unit/test_watch.c.

load lib

setup_file() {
  guests poll
  export OUT=$BATS_FILE_TMPDIR/out
  on_kvm_host --cpus 3 --mem 1G --isolated 1,2 --hugepages 2M:36 --timeout 600 --out "$OUT" -- tests/e2e/watch-runs >"$BATS_FILE_TMPDIR/found" 2>"$BATS_FILE_TMPDIR/log" 3>&- ||
    cat "$BATS_FILE_TMPDIR/log" "$OUT/nohyped.log"
}

# found WHAT WANTED: what the lines of that name have, joined by commas.
found() {
  same "$(sed -n "s/^$1|//p" "$BATS_FILE_TMPDIR/found" | paste -sd ,)" "$2"
}

@test "a vCPU that another tool moved: lost, and held again when it is put back, each told once; the guest goes on" {
  found moved "cores.isolated|vCPU 0 may run on 0-1, and was given core 1"
  found "moved back" "cores.isolated|each vCPU may run on one core: 1; isolated: 1-2|sealed"
  found "moved: once" "lost|held again"
  found "moved: nohype events" "cores.isolated lost: vCPU 0 may run on 0-1, and was given core 1|cores.isolated held again: each vCPU may run on one core: 1; isolated: 1-2"
}

@test "the host's clock is set, forward and back" {
  found clock "forward by 3600 s|back by 3600 s"
}

@test "the guest went on, without an exit of its own" {
  found "went on" "sealed|0"
}

@test "all of it is in the report" {
  found report "cores.isolated lost|cores.isolated held again|host clock set|host clock set"
  found "moved: end" "0|stopped by order"
}

@test "a lost guarantee ends a VM whose configuration says so, or requires it; its memory is cleared" {
  found aborts "6|guarantee lost: cores.isolated: vCPU 0 may run on 0, and was given core 2|67108864"
  found requires "6|guarantee lost: cores.isolated: it requires that: vCPU 0 may run on 0, and was given core 2|67108864"
}

@test "a core that goes offline" {
  found offline "cores.isolated|vCPU 0 may run on 0-2, and was given core 2, which is offline|sealed"
  found "offline: end" 0
}

# not_cleared KIB FATE: how such a VM ends.
not_cleared() {
  echo "1|stopped by order; $1 KiB of its memory have failed, and could not be cleared: the kernel $2; the rest is cleared|$(($1 * 1024))"
}

@test "memory that fails: told, and all but the page that failed is cleared" {
  found "failed 4K" "memory.mapped|63 of 64 MiB in KVM's tables: 16383 of 4 KiB; the first use of the rest is an exit"
  found "failed 4K: end" "$(not_cleared 4 "gives these pages to nobody")"
  found "failed 4K: left" "0|3000000: Input/output error"
  found "failed 2M" "memory.mapped|62 of 64 MiB in KVM's tables: 31 of 2 MiB; the first use of the rest is an exit"
  found "failed 2M: end" "$(not_cleared 2048 "keeps the part that failed, and zeroes what is around it before its next user")"
  found "failed 2M: left" "0|3000000: Input/output error"
}
