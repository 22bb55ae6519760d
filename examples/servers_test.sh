#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# redis-server with a BGSAVE and nginx with two workers, followed by vmwatch and profiled by pcmap, while clients ask them.
# Usage: servers_test.sh VMWATCH LIBVMWATCH LIBPCMAP. Wants Debian's redis-server, nginx-light and apache2-utils.
set -euo pipefail
vmwatch=$(realpath "$1") libvmwatch=$(realpath "$2") libpcmap=$(realpath "$3")
export TMPDIR=$TEST_TMPDIR HOME=$TEST_TMPDIR PATH=$PATH:/usr/sbin
# shellcheck source=examples/await.sh
. examples/await.sh
cd "$TEST_TMPDIR"

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

quietly() {
    "$@" >/dev/null 2>&1
}

for program in redis-server redis-cli redis-benchmark nginx ab; do
    command -v $program >/dev/null || fail "$program is missing (Debian: redis-server, nginx-light, apache2-utils)"
done

# No path of a socket may be longer than 108 bytes.
run=$(mktemp -d /tmp/servers.XXXXXX)
chmod 755 "$run" # nginx gives up its rights
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$run"' EXIT

redis() {
    redis-cli -s "$run/redis" "$@"
}

saved_after() {
    [ "$(redis lastsave)" != "$1" ]
}

# ask_redis: what happens while it is looked at: 20,000 requests, and a child that writes the database.
ask_redis() {
    local before
    await quietly redis ping
    before=$(redis lastsave)
    sleep 1 # a time of saving has whole seconds
    redis-benchmark -s "$run/redis" -n 20000 -q -t set,lpush >/dev/null
    redis bgsave >/dev/null
    await quietly saved_after "$before"
    redis shutdown nosave >/dev/null 2>&1 || true
}

ask_nginx() {
    await quietly curl -sf --unix-socket "$run/nginx" http://localhost/
    for _ in {1..200}; do
        curl -sf --unix-socket "$run/nginx" http://localhost/ >/dev/null || fail "nginx does not answer"
    done
    ab -q -n 2000 -c 4 "http://127.0.0.1:$port/" >ab.out 2>&1 || fail "ab: $(cat ab.out)"
    nginx -p "$run" -c nginx.conf -s quit
}

port=$((20000 + $$ % 20000))
mkdir -p "$run/html"
head -c 20000 /dev/zero | tr '\0' x >"$run/html/index.html"
cat >"$run/nginx.conf" <<END
daemon off;
worker_processes 2;
error_log $run/error.log;
pid $run/nginx.pid;
events {}
http {
    access_log off;
    client_body_temp_path $run/body;
    proxy_temp_path $run/proxy;
    fastcgi_temp_path $run/fastcgi;
    uwsgi_temp_path $run/uwsgi;
    scgi_temp_path $run/scgi;
    server {
        listen 127.0.0.1:$port;
        listen unix:$run/nginx;
        root $run/html;
    }
}
END
server_of() {
    case $1 in
    redis) server=(redis-server --port 0 --unixsocket "$run/redis" --dir "$run" --daemonize no) ;;
    nginx) server=(nginx -p "$run" -c nginx.conf) ;;
    esac
}

for name in redis nginx; do
    server_of $name
    "$vmwatch" --library "$libvmwatch" "${server[@]}" >out 2>err </dev/null &
    watched=$!
    ask_$name
    wait $watched || fail "vmwatch $name: status $?: $(tail -n 20 out err)"
    grep -q ' 0 differences' err || fail "vmwatch $name: $(tail -n 20 err)"
    echo "vmwatch: $name: $(grep followed, err)"

    rm -f profile "$run/redis" "$run/nginx"
    LD_PRELOAD=$libpcmap PCMAP_OUT=$PWD/profile PCMAP_HZ=250 "${server[@]}" >out 2>&1 </dev/null &
    profiled=$!
    ask_$name
    wait $profiled || fail "$name under pcmap: status $?: $(tail -n 20 out)"
    # The server and its child, or master and workers; and samples in the server's or its libraries' code.
    [ "$(grep -c '^pcmap: process' profile)" -ge 2 ] || fail "pcmap $name: $(cat profile)"
    [ "$(awk '/^pcmap: process/ { n += $5 } END { print n + 0 }' profile)" -gt 0 ] || fail "pcmap $name: no samples: $(cat profile)"
    grep '^pcmap: process' profile | sed "s/^/$name: /"
    rm -f "$run/redis" "$run/nginx"
done
