#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Which cores VMs get, and that no two get one.

load lib

setup_file() {
  export OUT=$BATS_FILE_TMPDIR/out
  guests idle
  make -s "$BUILD/resctrlfs" >&2
  "$RIG" --cpus 4 --numa 2 --hugepages 2M:160 --env "OUT=$OUT" --env "BUILD=$BUILD" --env "NOHYPE=$NOHYPE" --timeout 1000 \
    --out "$OUT" -- tests/e2e/placement-runs >&2 3>&-
}

# cores TOPOLOGY VM: the cores that it has, in their order.
cores() {
  jq -r --arg vm "$2" '[.cpus[] | select(.vm == $vm) | .cpu] | sort | join(",")' "$OUT/$1.json"
}

# refused NAME CODE TEXT: that and nothing else was said.
refused() {
  same "$(status_of "$1")" "$2" || { cat "$OUT/$1.err"; return 1; }
  has "$(cat "$OUT/$1.err")" "$3"
  same "$(grep -c 'nohype: error' "$OUT/$1.err")" 1
}

@test "the topology is the host's: CPUs, nodes, and nobody's" {
  same "$(jq -c '[.cpus[].cpu]' "$OUT/empty.json")" '[0,1,2,3]'
  same "$(jq -c '[.cpus[].node]' "$OUT/empty.json")" '[0,0,1,1]'
  same "$(jq -c '[.nodes[].node]' "$OUT/empty.json")" '[0,1]'
  same "$(jq -c '[.vms[]]' "$OUT/empty.json")" '[]'
  same "$(jq -c '[.cpus[].kind] | unique' "$OUT/empty.json")" '["host"]'
  same "$(jq -c .free "$OUT/empty.json")" '[]'
  same "$(jq -c '[.nodes[].pages[] | select(.size == 2097152) | .all, .free] | add' "$OUT/empty.json")" 320
}

@test "two that start at once have different cores, and topology says whose they are" {
  same "$(for vm in first second; do cores two $vm; done | sort | paste -sd ' ')" '2 3'
  grep -Eq 'CPU [23] +host +first: vCPU 0 \(process [0-9]+ of user 0\)$' "$OUT/text.out" || { cat "$OUT/text.out"; return 1; }
  grep -Eq 'CPU [23] +host +second: vCPU 0 ' "$OUT/text.out"
}

# claims TOPOLOGY VM: what it has beside its cores.
claims() {
  jq -c --arg vm "$2" '[.vms[] | select(.vm == $vm) | .claims[] | select(.what | startswith("core") | not) | [.what, .mode, .amount, .use]]' \
    "$OUT/$1.json"
}

@test "topology says whose memory is, on which node, and whose image that is saved" {
  same "$(claims two first)" '[["pages 2M","part",32,"memory"]]'
  same "$(claims near-memory near-memory)" '[["pages 2M node 0","part",32,"memory"]]'
  same "$(claims disk disk)" "[[\"pages 2M\",\"part\",35,\"memory\"],[\"image $(cat "$OUT/own")\",\"alone\",0,\"own.img\"]]"
  # what the kernel says of the pool agrees
  same "$(jq '[.nodes[].pages[] | select(.size == 2097152) | .free] | add' "$OUT/two.json")" $((160 - 64))
  grep -Eqx 'first: pages 2M: 32: memory' "$OUT/text.out"
  grep -Eqx '\|- node 0, [0-9.]+ [GM]iB, 80 pages of 2M \([0-9]+ free\)' "$OUT/text.out"
}

@test "a core that a VM has is refused, by that VM's name, before anything is touched" {
  local core pid
  core=$(cat "$OUT/core")
  pid=$(jq '.vms[] | select(.vm == "first") | .pid' "$OUT/two.json")
  refused same 3 "cores: $core: core $core is promised to VM \"first\" (process $pid of user 0)"
  refused check 3 "cores: $core: core $core is promised to VM \"first\" (process $pid of user 0)"
  refused many 3 "vcpus: 3: each takes a core of its own, and this host has 2 left for it: core 3 is promised to VM"
  refused check-many 3 "this host has 2 left for it: core 3 is promised to VM"
  same "$(jq -cS . "$OUT/after-refusals.json")" "$(jq -cS . "$OUT/two.json")"
}

@test "a plain user sees what root's VMs have" {
  same "$(status_of plain)" 0 || { cat "$OUT/plain.err"; return 1; }
  same "$(jq -cS .vms "$OUT/plain.out")" "$(jq -cS .vms "$OUT/two.json")"
}

@test "a supervisor that is killed has nothing any more, and its core is another's" {
  same "$(status_of first)" 137
  same "$(cores killed first)" ''
  same "$(cores again again)" "$(cat "$OUT/core")"
  same "$(jq -c .vms "$OUT/gone.json")" '[]'
  same "$(cat "$OUT/files")" ''
}

@test "near the memory's node, and rather near a function's" {
  for name in near-memory near-function; do
    same "$(status_of $name)" 0 || { cat "$OUT/$name.err"; return 1; }
    same "$(cores $name $name)" 1
  done
}

@test "a partition's cores are chosen first" {
  same "$(status_of apply)" 0 || { cat "$OUT/apply.err"; return 1; }
  same "$(cores inside inside)" 1,2
  same "$(jq -c '[.cpus[].kind]' "$OUT/inside.json")" '["host","partition","partition","host"]'
  # which are free before, and not then
  same "$(jq -c .free "$OUT/applied.json")" '[1,2]'
  same "$(tail -n 1 "$OUT/applied-text.out")" "isolated, and no VM's: 1-2"
  same "$(jq -c .free "$OUT/inside.json")" '[]'
  same "$(status_of inside)" 0 || { cat "$OUT/inside.err"; return 1; }
  same "$(status_of undo)" 0 || { cat "$OUT/undo.err"; return 1; }
}

@test "a share of caches or bandwidth is refused where there is no resctrl, and doctor says so before" {
  ! grep -q resctrl "$OUT/sys-fs" || { echo 'this host has resctrl: the test is about one that has not'; return 1; }
  for name in no-l3 check-no-l3; do
    refused "$name" 3 "l3: this host has no resctrl (/sys/fs/resctrl isn't there): its processor or kernel can't share out"
  done
  for name in no-bandwidth check-no-bandwidth; do
    refused "$name" 3 "memory_bandwidth: this host has no resctrl"
  done
  ! grep -Eq 'memory cleared|start:' "$OUT/no-l3.err" || return 1
  same "$(jq -c '[.[] | select(.group == "cache" and .status == "bad") | .id]' "$OUT/doctor-l3.json")" \
    '["cache.resctrl","cache.l3_allocation"]'
  # who asks for none has none, and it isn't said to be 0
  same "$(jq -c .cache "$OUT/no-share.json")" null
}

# in_simulation NAME LINE
in_simulation() {
  grep -qxF -- "$2" "$OUT/$1.resctrl" || { echo "$1: not there: $2"; cat "$OUT/$1.resctrl"; return 1; }
}

@test "simulated: a VM's vCPUs are in a group with its ways, which the host loses" {
  same "$(status_of shared)" 0 || { cat "$OUT/shared.err"; return 1; }
  in_simulation before '    L3:0=fff;1=fff;2=fff;3=fff'
  in_simulation shared '    L3:0=fff;1=fff;2=3f;3=fff'
  in_simulation shared '    L3:0=3;1=3;2=3c0;3=3'
  in_simulation shared '    MB:0=  100;1=  100;2=   20;3=  100'
  # one thread, of the core manager's, on the VM's core
  same "$(cat "$OUT/shared.tasks")" "$(cat "$OUT/shared.core") 2"
  same "$(jq -c '.guarantees[] | select(.name == "cache.own") | [.state, .evidence]' "$OUT/shared.json")" \
    '["held","simulated: group nohype-shared, L3 2: ways 3c0, bandwidth 2: at most 20, 1 vCPU"]'
  same "$(jq -c '[.vms[] | select(.vm == "shared") | .claims[] | select(.what | startswith("core") | not) | .what]' \
    "$OUT/shared-topology.json")" \
    '["l3 2 way 6","l3 2 way 7","l3 2 way 8","l3 2 way 9","bandwidth 2","pages 4K"]'
}

@test "simulated: what it uses is told where it can be read, and why not where it can't" {
  # the list of CPUs below the cache begins with one that is the VM's
  same "$(jq -c .cache "$OUT/shared.json")" '{"group":"nohype-shared","simulated":true,"l3":[{"cache":2,"occupancy_bytes":null,"total_bytes":null,"local_bytes":null,"unread":"the kernel would read it on a CPU that is isolated, or this VM'"'"'s"}]}'
  same "$(jq -c .cache.l3 "$OUT/share.report.json")" '[{"cache":2,"occupancy_bytes":131072,"total_bytes":null,"local_bytes":null,"unread":null}]'
}

@test "simulated: ways that a VM has are refused, by its name, and nothing is touched" {
  refused more 3 'l3: 9 ways: cache 2 '
  has "$(cat "$OUT/more.err")" 'l3 2 way 9 is promised to VM "shared" (process '
  same "$(cat "$OUT/refused.resctrl")" "$(cat "$OUT/shared.resctrl")"
}

@test "simulated: all is the host's again, after an end and after a kill" {
  same "$(cat "$OUT/stopped.resctrl")" "$(cat "$OUT/before.resctrl")"
  same "$(status_of killed-share)" 137
  in_simulation killed 'nohype-killed-share'
  in_simulation killed '    L3:0=fff;1=fff;2=3f;3=fff'
  same "$(status_of share-recover)" 0 || { cat "$OUT/share-recover.err"; return 1; }
  has "$(cat "$OUT/share-recover.out")" 'the shares of caches and bandwidth of 1 killed VMs are the host'"'"'s again'
  same "$(cat "$OUT/undone.resctrl")" "$(cat "$OUT/before.resctrl")"
}
