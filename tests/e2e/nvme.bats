#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# An NVMe controller of the host's, as a guest's own: the image is written to it and read back, a sealed guest has its
# root on it by its stock driver and without an exit of its own, it is saved if asked, and all zero after; whatever
# happens, the host is as before. QEMU's, a whole controller.

load lib
load proof/lib

setup_file() {
  export OUT=$BATS_FILE_TMPDIR/out
  guests busy power-off
  tests/e2e/disks/build >&2
  "$RIG" --cpus 2 --mem 1G --isolated 1 --hugepages 2M:80 --timeout 900 --out "$OUT" --env "OUT=$OUT" --env "BUILD=$BUILD" \
    --env "NOHYPE=$NOHYPE" --env "LONG=${LONG:-0}" -- tests/e2e/nvme-runs >&2 3>&-
}

# refused NAME CODE TEXT: a message that names the culprit.
refused() {
  same "$(status_of "$1")" "$2" || { cat "$OUT/$1.err"; return 1; }
  has "$(cat "$OUT/$1.err")" "$3"
}

@test "a sealed guest works on its NVMe disk, and takes no exit of its own" {
  ended saved 0 "saved: the guest powered off"
  [ "$(evidence saved 0 0)" -gt 3 ]
  same "$(evidence saved 0 1) $(evidence saved 0 2) $(evidence saved 0 3)" "0 0 0"
  # the one that powers it off
  same "$(($(by_the_guest saved) - $(let_through saved)))" 1
  has "$(tr -s '\n ' ' ' <"$OUT/saved.err" | sed 's/nohype: //g')" "functions.own held 0000:02:00.0: vfio-pci, group"
}

@test "its image was written and read back, and what the guest wrote is saved" {
  grep -Eq 'namespace nvme0n1: [0-9]+ MiB of the image written and read back in .* CRC-64 [0-9a-f]{16}$' "$OUT/saved.err" || { cat "$OUT/saved.err"; return 1; }
  [ "$(cat "$OUT/saved.before")" != "$(cat "$OUT/saved.after")" ]
  same "$(cat "$OUT/saved.size") $(cat "$OUT/count")" "$((256 << 20)) 1"
  [ "$(status_of fsck)" -le 1 ] || { cat "$OUT/fsck.out"; return 1; }
}

@test "cleared before and after: by the controller's Write Zeroes, by Format NVM, by overwriting; nothing is left" {
  same "$(grep -o 'namespace nvme0n1: cleared ([a-z-]*)' "$OUT/saved.err" | sort | uniq -c | sed 's/^ *//')" "2 namespace nvme0n1: cleared (write-zeroes)"
  has "$(cat "$OUT/planted.err")" "cleared (format)"
  has "$(cat "$OUT/undo.err")" "namespace nvme0n1 (0000:02:00.0), which a killed VM had, is cleared (overwrite)"
  same "$(cat "$OUT/dirty.zero")" dirty # it would be seen
  same "$(cat "$OUT/cut.zero") $(cat "$OUT/saved.zero") $(cat "$OUT/planted.zero") $(cat "$OUT/killed.zero")" "yes yes yes yes"
}

@test "a violation, from a packed image: it dies of it, and nothing is saved" {
  same "$(status_of planted)" 5
  same "$(evidence planted 0 3) $(evidence planted 0 4) $(evidence planted 0 5)" "1 1 0"
  same "$(($(by_the_guest planted) - $(let_through planted)))" 1
  same "$(cat "$OUT/planted.saved")" none
  has "$(cat "$OUT/planted.err")" "namespace nvme0n1 is not saved, since this is no clean end"
}

@test "the report has the disk, and what became of it" {
  disk() { # NAME
    tests/e2e/check-report "$OUT/$1.report" || return
    jq -r '.disks[] | "\(.controller) \(.format) \(.bytes) \(.save) \(.cleared)"' "$OUT/$1.report"
  }
  same "$(disk saved)" "0000:02:00.0 raw $((256 << 20)) saved write-zeroes"
  same "$(disk planted)" "0000:02:00.0 gzip $((256 << 20)) no clean end format"
  "$NOHYPE" report -o "$BATS_TEST_TMPDIR/page.html" "$OUT/saved.report"
  grep -q "0000:02:00.0" "$BATS_TEST_TMPDIR/page.html"
}

@test "what can't be had is refused, and named" {
  refused no-controller 3 'controller: "nvme9": no such NVMe controller on this host'
  refused no-nvme 3 'controller: 0000:01:00.0 is no NVMe controller'
  refused no-function 3 'controller: 0000:07:00.0: no such function'
  refused no-image 2 'none.img": No such file or directory'
  refused nowhere 2 '/none/t.img": its folder: No such file or directory'
  refused large 3 "large.img\": $((300 << 20)) bytes: more than nvme0n1 has ($((256 << 20)))"
  refused sanitize 3 'clear: "sanitize": its controller has no Sanitize (SANICAP 0x0)'
  refused mounted 3 '/dev/nvme0n1 is in use: mounted'
  refused functions 3 '0000:02:00.0 has virtual functions'
  refused claimed 3 'function 0000:02:00.0'
  has "$(cat "$OUT/claimed.err")" busy
}

@test "an image that is truncated: nothing is started, and what was written of it is cleared" {
  refused cut 3 'cut.gz": is truncated: its gzip data ends too early'
  ! grep -q booting "$OUT/cut.err" || return
}

@test "a VM that was killed: host undo gives the controller back, and clears what it had" {
  has "$(cat "$OUT/driver")" vfio-pci
  has "$(cat "$OUT/killed-left")" namespace.0000:02:00.0
  has "$(cat "$OUT/undo.err")" "1 killed VM"
  # at any moment: cleared, or not begun, and the host as before
  [ "${LONG:-0}" = 1 ] || return 0
  same "$(grep -vxc 'yes\|dirty' "$OUT/any.out")" 0
  [ "$(grep -xc yes "$OUT/any.out")" -gt 5 ]
}

@test "the host is as before: driver, driver_override, controller, records" {
  for after in after-refusals after-saved after; do
    same "$(cat "$OUT/$after")" "$(cat "$OUT/before")"
  done
}
