#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# examples/nginx.conf: nohyped's API by TCP, through a real nginx, with certificates made as it says. Needs no KVM.

load lib

setup_file() {
  # nginx's workers are another user where we are root
  FOLDER=$(mktemp -d)
  chmod 755 "$FOLDER"
  mkdir "$FOLDER/certificates" "$FOLDER/nginx"
  PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  export FOLDER PORT
  certificates_make >&2
  "$BUILD/nohyped" --state "$FOLDER/s" --run "$FOLDER/r" 2>"$FOLDER/log" 3>&- &
  echo $! >"$FOLDER/pid"
  patiently [ -S "$FOLDER/r/monitor.sock" ]
  nginx_start
}

teardown_file() {
  kill "$(cat "$FOLDER/nginx/pid")" "$(cat "$FOLDER/pid")"
  patiently [ ! -e "$FOLDER/nginx/pid" ]
  rm -r "$FOLDER"
}

# The commands that the example has, as they stand there; then what a client could come with instead.
certificates_make() {
  cd "$FOLDER/certificates" || return
  sed -n 's/^#     //p' "$ROOT/examples/nginx.conf" >"$FOLDER/commands"
  sh -eu "$FOLDER/commands"
  {
    head -n 1 "$FOLDER/commands"
    # shellcheck disable=SC2016 # that script's own
    echo '$new -days 9 -subj "/CN=cloud" -keyout other.key -out other.pem
      $new -days 9 -CA ca.pem -CAkey ca.key -subj "/O=another/CN=cloud" -keyout alike.key -out alike.pem'
  } | sh -eu
  cd "$ROOT" || return
}

# The example with this test's folders and port, in an nginx of our own.
nginx_start() {
  local user=
  if [ "$(id -u)" = 0 ]; then
    user="user nobody nogroup;"
    chgrp nogroup "$FOLDER"/r/*.sock
  fi
  sed "s,/etc/nginx/nohype,$FOLDER/certificates,; s,/run/nohype/\([a-z]*\.sock\),$FOLDER/r/\1,; s,/var/log/nginx,$FOLDER/nginx,
    s,listen 8443,listen 127.0.0.1:$PORT," examples/nginx.conf >"$FOLDER/nginx/site"
  cat >"$FOLDER/nginx/conf" <<-END
	$user
	pid $FOLDER/nginx/pid;
	error_log $FOLDER/nginx/errors;
	events { }
	http {
	  client_body_temp_path $FOLDER/nginx/body;
	  proxy_temp_path $FOLDER/nginx/proxy;
	  fastcgi_temp_path $FOLDER/nginx/fastcgi;
	  uwsgi_temp_path $FOLDER/nginx/uwsgi;
	  scgi_temp_path $FOLDER/nginx/scgi;
	  include $FOLDER/nginx/site;
	}
	END
  "$(scripts/fetch-program nginx usr/sbin/nginx)" -p "$FOLDER/nginx" -c "$FOLDER/nginx/conf" -e "$FOLDER/nginx/errors" 3>&-
  patiently [ -s "$FOLDER/nginx/pid" ]
}

api() { # WHOSE PATH ARG...: body and status, by the certificate of that name; "-": by none
  local whose=$1 path=$2
  shift 2
  [ "$whose" = - ] || set -- --cert "$FOLDER/certificates/$whose.pem" --key "$FOLDER/certificates/$whose.key" "$@"
  curl -sS --max-time 60 --cacert "$FOLDER/certificates/ca.pem" --resolve "host.example:$PORT:127.0.0.1" -w '|%{http_code}' "$@" \
    "https://host.example:$PORT$path" 2>&1
}

vms() { # whose names nohyped knows
  curl -s --unix-socket "$FOLDER/r/api.sock" http://n/v1/vms | jq -r '[.vms[].name] | join(" ")'
}

@test "who has a certificate and may change things does; the order is nginx's user's, and the log says whose it was" {
  has "$(api cloud /v1/version)" '"api":1}|200'
  has "$(api cloud /v1/vms/web -X PUT -d '{"kernel":"/absent"}')" '|201'
  same "$(vms)" web
  same "$(curl -s --max-time 1 --unix-socket "$FOLDER/r/api.sock" 'http://n/v1/events?after=0' | sed -n 's/^data: //p' |
    jq -r 'select(.type == "defined").by.uid')" "$(if [ "$(id -u)" = 0 ]; then id -u nobody; else id -u; fi)"
  has "$(cat "$FOLDER/nginx/nohype.log")" '"CN=cloud" "PUT /v1/vms/web HTTP/1.1" 201'
  has "$(api cloud /v1/vms/web -X DELETE)" '|204'
}

@test "any other certificate of this authority reads, and no more" {
  for whose in monitoring alike; do
    has "$(api $whose /v1/vms)" '"vms":[]'
    has "$(api $whose /metrics)" '|200'
    has "$(api $whose /v1/host/doctor)" '"kvm.device"'
    has "$(api $whose /v1/vms/web -X PUT -d '{"kernel":"/absent"}')" 'on this socket nothing can be changed'
  done
  same "$(vms)" ""
}

@test "without a certificate, with one of another authority, with the host's own, and below TLS 1.3: nothing" {
  has "$(api - /v1/vms)" 'No required SSL certificate was sent'
  has "$(api - /v1/vms/web -X PUT -d '{"kernel":"/absent"}')" '|400'
  for whose in other host; do
    has "$(api $whose /v1/vms)" 'The SSL certificate error'
    has "$(api $whose /v1/vms/web -X PUT -d '{"kernel":"/absent"}')" '|400'
  done
  run api cloud /v1/version --tls-max 1.2
  same "$status" 35
  has "$output" '|000'
  same "$(vms)" ""
}

@test "an event comes through at once, while its stream goes on" {
  api monitoring /v1/events -N >"$FOLDER/stream" 3>&- &
  local reader=$!
  # the first comment: it listens
  patiently grep -q '^:' "$FOLDER/stream"
  has "$(api cloud /v1/vms/told -X PUT -d '{"kernel":"/absent"}')" '|201'
  patiently grep -q '"type":"defined","vm":"told"' "$FOLDER/stream"
  kill -0 $reader
  kill $reader
  has "$(api cloud /v1/vms/told -X DELETE)" '|204'
}

@test "where nginx's user isn't of the sockets' group, nobody gets through" {
  [ "$(id -u)" = 0 ] || skip "needs root: nginx's user is this one"
  chgrp root "$FOLDER"/r/*.sock
  has "$(api cloud /v1/version)" '|502'
  has "$(api monitoring /v1/version)" '|502'
  chgrp nogroup "$FOLDER"/r/*.sock
  has "$(api cloud /v1/version)" '|200'
}

@test "a body is as long as nohyped takes, and no longer" {
  head -c 1048576 /dev/zero | tr '\0' ' ' >"$FOLDER/body"
  has "$(api cloud /v1/vms/long -T "$FOLDER/body")" '"status":422'
  echo >>"$FOLDER/body"
  has "$(api cloud /v1/vms/long -T "$FOLDER/body")" '|413'
  same "$(vms)" ""
}
