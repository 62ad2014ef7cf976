#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What a stock guest may do after its seal: one guest an action, each of which lives, ends, or dies as
# after-seal/expected says. With LONG=1 all of them, and which exits each takes.

load lib.bash

EXPECTED=tests/e2e/after-seal/expected

setup_file() {
  export DIR=$BATS_FILE_TMPDIR
  local limit=600 levels=strict debian=except
  tests/e2e/after-seal/build >/dev/null
  [ "${LONG:-0}" != 1 ] || limit=6000 levels="--all strict audit" debian="except without"
  # shellcheck disable=SC2016 # COMMAND's own shell code
  "$RIG" --no-devices --isolated 1 --hugepages 2M:270 --timeout $limit --env BUILD="$BUILD" --env NOHYPE="$NOHYPE" -- sh -c '
    tests/e2e/after-seal/run $1
    tests/e2e/after-seal/debian $2' sh "$levels" "$debian" >"$DIR/out" 2>&1 3>&- || true
}

# lines [CHECK]: of "expected", as words; of those for `make check` alone
lines() {
  awk -v check="${1:-}" '!/^#/ && NF && (check == "" || $2 == check)' $EXPECTED
}

# all_ok LEVEL: each action that was to be tried is "ok"
all_ok() {
  local wanted found
  grep -A 20 "^not ok $1 " "$DIR/out" && return 1
  if [ "${LONG:-0}" = 1 ]; then wanted=$(lines | wc -l); else wanted=$(lines yes | wc -l); fi
  found=$(grep -c "^ok $1 " "$DIR/out" || true)
  [ "$found" = "$wanted" ] || { echo "$found results, wanted $wanted"; tail -n 20 "$DIR/out"; return 1; }
}

# And with LONG=1: with none forbidden it takes the exits that are said of it, and no others.
@test "each action lives, ends, or dies of its own exit" {
  all_ok strict
  [ "${LONG:-0}" != 1 ] || all_ok audit
}

# The other half of it, without the exception, with LONG=1.
@test "Debian with systemd, sealed by its unit: starts glibc processes, and nothing but CPUID exits; else dies of the first" {
  local name names=except
  [ "${LONG:-0}" != 1 ] || names="except without"
  for name in $names; do
    grep -qx "ok debian $name" "$DIR/out" || { grep -A 30 "^not ok debian $name" "$DIR/out"; return 1; }
  done
}

@test "each action is expected, each expected one is there" {
  diff <(lines | awk '{ print $1 }' | sort) \
    <(sed -n 's/^\t{ "\([a-z0-9-]*\)", do_.*/\1/p' tests/e2e/after-seal/actions.c | sort)
}

# shellcheck disable=SC2016 # awk's and sed's own
# The first three columns of the page's tables are made from "expected".
@test "docs/guests.md says of each action what is expected" {
  diff <(lines | awk '{
      reason = $7
      for (i = 8; i <= NF; i++) reason = reason " " $i
      if ($5 == "lives") result = "lives"
      else if ($5 ~ /^ends-/) result = "ends, exit code " substr($5, 6)
      else result = "dies: " reason ($5 ~ /k$/ ? ", in the kernel" : ", in user mode")
      if ($6 == "-") exits = "none"
      else if ($6 == "*") exits = "many"
      else { exits = $6; gsub(/,/, ", ", exits) }
      print "`" $1 "`|" result "|" exits
    }' | sort) \
    <(sed -n 's/^| \(`[a-z0-9-]*`\) | \([^|]*\) | \([^|]*\) |.*/\1|\2|\3/p' docs/guests.md | sort)
}
