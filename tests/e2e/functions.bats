#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# PCI functions of the host's: sealed guests at level strict, each on a virtual function of an 82576 with its stock
# driver, serve HTTP without an exit of their own; what is asked of the card is read back on the host's side; whatever
# happens, the host is as before. Ticks that came late are an exception, as in proof.bats.

load lib
load proof/lib

setup_file() {
  export OUT=$BATS_FILE_TMPDIR/out
  guests busy
  tests/e2e/functions/build >&2
  "$RIG" --cpus 3 --mem 2G --isolated 1,2 --hugepages 2M:140 --timeout 1200 --out "$OUT" --env "OUT=$OUT" --env "BUILD=$BUILD" \
    --env "NOHYPE=$NOHYPE" --env "LONG=${LONG:-0}" -- tests/e2e/functions-runs >&2 3>&-
}

# of the first guest, and of the second
requests() { # NAME
  if [ "$1" = one ] || [ "${LONG:-0}" = 1 ]; then echo 1000; else echo 100; fi
}

# refused NAME TEXT: exit code 3, and a message that names the culprit.
refused() {
  same "$(status_of "$1")" 3
  has "$(cat "$OUT/$1.err")" "$2"
}

@test "two sealed guests, each on its function, answer requests at once, one of them 1,000, and take no exit of their own" {
  for pair in first:one second:two; do
    same "$(status_of "${pair%:*}")" 0
    same "$(sha256sum <"$OUT/${pair%:*}.out")" "$(seq "$(requests "${pair#*:}")" | sha256sum)"
  done
  grep -q "10 packets received" "$OUT/ping" || { cat "$OUT/ping"; return 1; }
  for name in one two; do
    jq -e '.state == "sealed"' "$OUT/$name.exits"
  done
  # it dies of the planted instruction and of nothing before it; the other goes on, and is aborted
  same "$(status_of one)" 5
  has "$(cat "$OUT/one.err")" "violation: vCPU 0 at RIP $(cat "$BUILD/functions/planted"): CPUID"
  same "$(evidence one 0 0) $(evidence one 0 1) $(evidence one 0 2)" "1 0 1000"
  same "$(($(by_the_guest one) - $(let_through one)))" 1
  same "$(cat "$OUT/alone.out")" $(($(requests two) + 1))
  ended two 6 "two: aborted by order"
  same "$(evidence two 0 2)" $(($(requests two) + 1))
  same "$(($(by_the_guest two) - $(let_through two)))" 0
}

@test "what was asked of the card is what the host sees: MAC, rate, spoof check, trust" {
  has "$(cat "$OUT/link")" "vf 1     link/ether 52:54:00:00:00:02"
  grep -Eq 'vf 0 .*max_tx_rate 100Mbps, spoof checking on, .*trust off' "$OUT/link" || { cat "$OUT/link"; return 1; }
  grep -Eq 'vf 1 .*spoof checking off, .*trust on' "$OUT/link"
  has "$(tr -s '\n ' ' ' <"$OUT/two.err" | sed 's/nohype: //g')" "functions.own held 0000:01:10.2: vfio-pci, group"
  mac=$(sed -n 's/^card \([0-9a-f:]*\) carrier 1.*/\1/p' "$OUT/one.out")
  grep -q "vf 0     link/ether $mac " "$OUT/link"
}

@test "a VLAN is what the host sees" {
  grep -Eq 'vf 0 .*vlan 100,' "$OUT/vlan" || { cat "$OUT/vlan"; return 1; }
}

@test "aborted while it receives at full rate: its memory is zero, and is that a second later" {
  same "$(status_of abort)" 0 || { cat "$OUT/abort.err"; return 1; }
  read -r _ first _ second <"$OUT/abort.out"
  [ "${first%,}" -gt 0 ] && [ "$second" -gt "${first%,}" ]
  same "$(sed -n 's/^not zero: //p' "$OUT/abort.out")" "0, then 0"
  [ "$(sed -n 's/^sent meanwhile: //p' "$OUT/abort.out")" -gt 100 ]
}

@test "the end's order, as the kernel saw it: vCPUs, bus mastering, reset, DMA, memory" {
  same "$(sed -n 's/^order: //p' "$OUT/abort.out")" "vCPUs dead, master, reset, unmap, clear"
}

@test "the report has each function, as its card has it" {
  settings='.functions[] | "\(.card) \(.held) \(.settings.vlan) \(.settings.rate_mbit) \(.settings.spoof_check) \(.settings.trust)"'
  tests/e2e/check-report "$OUT/two.report"
  same "$(jq -r "$settings" "$OUT/one.report")" "0000:01:00.0 true 0 100 true false"
  same "$(jq -r "$settings" "$OUT/two.report")" "0000:01:00.0 true 0 0 false true"
  same "$(jq -r '.functions[].settings.mac' "$OUT/two.report")" 52:54:00:00:00:02
  same "$(jq -r "$settings" "$OUT/registers.report")" "0000:01:00.0 true 100 0 true false"
}

@test "the function of another VM is not given twice" {
  same "$(status_of third)" 3
  same "$(jq -c '[.vms[] | [.vm, (.claims[] | select(.what | startswith("function 0000:")) | .use)]] | sort' "$OUT/topology.json")" \
    '[["one","network"],["two","network"]]'
}

@test "each illegal access after the seal is a violation with the right record" {
  same "$(status_of config)" 5
  has "$(last_line config)" "RIP $(cat "$BUILD/functions/config.at"): port I/O"
  for name in config-mapped table-read table-write pba hole; do
    same "$(status_of $name)" 5
    has "$(last_line $name)" "RIP $(cat "$BUILD/functions/$name.at"): nested page fault"
    same "$(evidence $name 0 0) $(evidence $name 0 1)" "1 0"
  done
  has "$(last_line table-read)" 0xc0004000
  has "$(last_line table-write)" 0xc000400c
  has "$(last_line pba)" 0xc0006000
  has "$(last_line hole)" 0xc0004030
}

@test "registers are the guest's without an exit; a guest that writes anything into configuration and MSI-X table lives" {
  for name in registers fuzz; do
    ended $name 0 "$name: the guest powered off"
    same "$(evidence $name 0 0) $(evidence $name 0 1)" "1 1"
    same "$(($(by_the_guest $name) - $(let_through $name)))" 1
  done
  [ "$(evidence registers 0 3)" != 4294967295 ]
}

@test "what can't be had is refused, and named" {
  refused no-interface 'pf: "eth9": no such interface'
  refused no-pci 'pf: "lo": not a PCI device'
  refused no-network 'pf: "0000:02:00.0": it has no network interface'
  refused no-sriov 'pf: "0000:00:1f.2": it has no SR-IOV'
  refused virtual 'pf: "0000:01:10.0": a virtual function itself: wanted its card, 0000:01:00.0'
  refused no-function 'pci: 0000:07:00.0: no such function'
  refused in-use '0000:02:00.0 has the driver nvme, which may be using it'
  refused host-interface "pci: 0000:01:00.0 is the host's interface eth0, which is up"
  refused bridge 'is a bridge: wanted what is behind it'
  refused group '0000:00:1f.2: its IOMMU group'
  has "$(cat "$OUT/group.err")" "also holds 0000:00:1f.3"
  refused no-reset 'wanted a function level reset'
  refused unsafe 'allow_unsafe_interrupts is Y'
  refused twice "none of its 1 virtual functions is free: 0000:01:10.0: this VM's"
  refused claimed "0000:01:10.0: VM busy's"
  refused rate "rate: 2000 Mbit/s: the link of eth0 has 1000"
  refused mac "the host's interface eth0 has it"
  same "$(status_of too-many)" 0
}

@test "the core manager is under its AppArmor profile, enforced, which refuses nothing of it" {
  same "$(cat "$OUT/two.profile")" "nohype-core (enforce)"
  same "$(cat "$OUT/denied")" ""
}

@test "a VM that was killed: host undo gives its function back" {
  has "$(cat "$OUT/killed-left")" vfio-pci
  has "$(cat "$OUT/undo.err")" "1 killed VM"
  same "$(cat "$OUT/after-killed")" "$(cat "$OUT/before-small")"
}

@test "functions that the host removes: their VM is ended" {
  same "$(status_of wanted)" 6
  has "$(cat "$OUT/wanted.err")" "function 0000:01:10.0: the host wants it back"
}

@test "the host is as before: drivers, driver_override, the card's settings, its functions and groups" {
  same "$(cat "$OUT/after-refusals")" "$(cat "$OUT/before")"
  same "$(cat "$OUT/after-two")" "$(cat "$OUT/before")"
  same "$(cat "$OUT/after-small")" "$(cat "$OUT/before-small")"
  same "$(cat "$OUT/after")" "$(cat "$OUT/before")"
}
