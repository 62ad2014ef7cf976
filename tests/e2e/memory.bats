#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The guest's memory on an emulated host with NUMA nodes: huge pages that a VM brings and takes away again, nodes it is
# bound to and sees, and what is refused.

load lib

setup_file() {
  export OUT=$BATS_FILE_TMPDIR/out
  mkdir -p "$OUT"
  tests/e2e/violations/build >/dev/null
  make -s "$BUILD/unit/test_pool" "$BUILD/unit/test_memory" >&2
  examples/guests/initramfs --with tests/e2e/memory-nodes:/do/nodes -o "$OUT/nodes.cpio" >&2
  "$RIG" --no-devices --cpus 3 --numa 2G,768M,0 --env "OUT=$OUT" --env "BUILD=$BUILD" --env "NOHYPE=$NOHYPE" --timeout 500 --out "$OUT" -- \
    tests/e2e/memory-runs >&2 3>&-
}

# said NAME PATTERN
said() {
  grep -Eq -- "$2" "$OUT/$1.err" || { echo "not there: $2"; cat "$OUT/$1.err"; return 1; }
}

# kept NAME: the pools are after it as they were before, and no record is there.
kept() {
  diff "$OUT/$1.before" "$OUT/$1.after"
}

report() { jq -r "$2" "$OUT/$1.report"; }

# pages FILE NODE: in that node's pool
pages() {
  sed -n "s,.*/node$2/.*/nr_hugepages:,,p" "$OUT/$1"
}

@test "pools: added and taken out, of several nodes, refused, killed" {
  same "$(status_of unit-pool)" 0 || { cat "$OUT/unit-pool.out"; return 1; }
  same "$(status_of unit-memory)" 0 || { cat "$OUT/unit-memory.out"; return 1; }
  has "$(cat "$OUT/unit-pool.out")" "100%: Checks: "
}

@test "pages that no one had reserved: the VM brings them, is sealed, and takes them away" {
  same "$(status_of reserved)" 0
  said reserved '^nohype:   memory.fixed +held +64 MiB in 2 MiB pages, all there, size locked, on node 1,'
  same "$(report reserved .memory.pages_reserved)" 32
  kept reserved
}

@test "rings are a page more, which check counts and the VM brings" {
  same "$(status_of rings-none)" 0 || { cat "$OUT/rings-none.err"; return 1; }
  same "$(status_of rings-short)" 3
  has "$(last_line rings-short)" 'error: memory.size: "64M" and rings: wants 33 huge pages of 2M: this host has 32, 32 of them free:'
  for name in rings rings-node; do
    same "$(status_of $name)" 0 || { cat "$OUT/$name.err"; return 1; }
    same "$(report $name .memory.pages_reserved)" 33
    kept $name
  done
  same "$(report rings-node '.memory.nodes | tostring')" '[{"node":1,"bytes":67108864}]'
}

@test "on one node: read back, in the guarantee and in the report; in a file of its own too" {
  same "$(status_of one-node)" 0
  said one-node '^nohype:   memory.fixed +held .* on node 1, in [0-9]+$'
  same "$(report one-node '.memory | "\(.nodes) \(.pages_reserved) \(.contiguous_runs >= 1)"')" '[{"node":1,"bytes":67108864}] 32 true'
  kept one-node
  same "$(status_of file)" 0 || { cat "$OUT/file.err"; return 1; }
  said file '^nohype:   memory.fixed +held '
  same "$(report file '.memory | "\(.nodes) \(.pages_reserved)"')" '[{"node":1,"bytes":67108864}] 32'
  kept file
  same "$(status_of small-pages)" 0
  same "$(report small-pages '.memory.nodes | tostring')" '[{"node":1,"bytes":67108864}]'
}

@test "pages of 4 KiB are locked" {
  said small-pages '^nohype:   memory.fixed +not held +4 KiB pages, (6[4-9]|[7-9][0-9]) of 64 MiB locked'
}

@test "over two nodes, with a disk on each: the guest sees both, with their memory, their vCPUs and how far apart they are" {
  same "$(status_of two)" 0
  same "$(report two '.memory.nodes | sort_by(.node) | map("\(.node):\(.bytes / 1048576)") | join(" ")')" "0:112 1:208"
  same "$(report two .memory.pages_reserved)" 160
  # its kernel numbers them as it meets their vCPUs: vCPU 0 is on core 1, which is node 1's
  grep -Eq '^node 0: cpus 0, kib 1[0-9]{5}, distances 10 20' "$OUT/two.out"
  grep -Eq '^node 1: cpus 1, kib 9[0-9]{4}, distances 20 10' "$OUT/two.out"
  kept two
}

@test "cleared by the VM's cores; read back as a whole where that is asked" {
  said reserved 'memory cleared: 64 MiB in [0-9.]+ s, by 1 thread with .*, all of it read back$'
  same "$(report reserved .memory_cleared.verified)" true
  said two 'memory cleared: 320 MiB in [0-9.]+ s, by 2 threads with [a-z0-9 ]+$'
  same "$(report two .memory_cleared.verified)" false
}

@test "a supervisor that was killed: its pages stay in the pools, until host undo" {
  same "$(($(pages killed.left 1) - $(pages killed.before 1)))" 32
  grep -q '^pages\.' "$OUT/killed.left"
  same "$(status_of killed-undo)" 0
  said killed-undo '^nohype: host: 32 huge pages that killed VMs had reserved are out of the host'
  kept killed
}

@test "in a partition, the threads are on its cores, one each" {
  same "$(status_of partition)" 0
  grep -qx '0::/nohype 1' "$OUT/partition.threads"
  grep -qx '0::/nohype 2' "$OUT/partition.threads"
}

@test "refused: a node without memory, one that isn't there, more than there is; nothing is lost" {
  same "$(status_of no-memory) $(last_line no-memory)" \
    "3 nohype: error: memory.nodes: 2: that node has no memory: wanted one that has: 0, 1"
  same "$(status_of no-node) $(last_line no-node)" \
    "3 nohype: error: memory.nodes: 7: this host has no such node: wanted one with memory: 0, 1"
  same "$(status_of too-much)" 3
  has "$(last_line too-much)" 'error: memory.nodes: "2000M": more than node 0 has free ('
  same "$(status_of too-much-disk)" 3
  has "$(last_line too-much-disk)" 'error: memory.nodes: "32M" and disks of "1G": more than node 1 has free ('
  same "$(status_of no-kernel)" 2
  for name in no-memory no-node too-much too-much-disk no-kernel; do
    kept "$name"
  done
}

@test "huge pages that are there at planning and gone when they are used" {
  same "$(status_of gone)" 3
  # shellcheck disable=SC2016 # the message's own
  same "$(last_line gone)" 'nohype: error: memory.nodes: "64M": wants 32 huge pages of 2M: node 1 has 0, 0 of them free: reserve more with `echo 32 >/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages`'
  same "$(last_line gone-check)" "$(last_line gone)"
  same "$(status_of none)" 3
  has "$(last_line none)" "wants 32 huge pages of 2M: this host has 0, 0 of them free"
  kept gone
  kept none
}

@test "at the end the host has what it had" {
  same "$(grep -c . "$OUT/end")" "$(grep -c . "$OUT/none.before")"
  diff "$OUT/none.before" "$OUT/end"
}
