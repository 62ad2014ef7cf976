#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Which cores VMs get, and that no two get one.

load lib

setup_file() {
  export OUT=$BATS_FILE_TMPDIR/out
  guests busy
  "$RIG" --cpus 4 --numa 2 --hugepages 2M:160 --env "OUT=$OUT" --env "BUILD=$BUILD" --env "NOHYPE=$NOHYPE" --timeout 500 --out "$OUT" \
    -- tests/e2e/placement-runs >&2 3>&-
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
}

@test "two that start at once have different cores, and topology says whose they are" {
  same "$(for vm in first second; do cores two $vm; done | sort | paste -sd ' ')" '2 3'
  grep -Eq 'CPU [23] +host +first: vCPU 0 \(process [0-9]+ of user 0\)$' "$OUT/text.out" || { cat "$OUT/text.out"; return 1; }
  grep -Eq 'CPU [23] +host +second: vCPU 0 ' "$OUT/text.out"
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
  same "$(status_of inside)" 0 || { cat "$OUT/inside.err"; return 1; }
  same "$(status_of undo)" 0 || { cat "$OUT/undo.err"; return 1; }
}
