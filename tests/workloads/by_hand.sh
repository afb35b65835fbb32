#!/bin/bash
# Bigger workloads, by hand: tests/workloads/by_hand.sh SOURCE DRIVER [WORKLOAD…]
#
# As an ordinary user with sub-IDs, on a Debian 12 host with gcc, make and PostgreSQL 15, whose /usr
# the container gets; `debian-demo` is loaded (contrib/demo-image). SOURCE is the folder of a C
# project with ./configure and `make check` (zlib's, for example), DRIVER is hybrid or fuse.
#   c           copy the sources in, configure, make, make check, make install, make distclean
#   postgresql  initdb with checksums, a minute of pgbench, a crash, recovery, pg_amcheck
#   apt         packages from the host's sources: a compiler, Perl's and Python's documentation tools

set -Eeuo pipefail

source=$(cd -- "$1" && pwd -P)
driver=$2
shift 2
[ $# -gt 0 ] || set -- c postgresql apt

inside() { rootless run --overlay-driver "$driver" -e PATH=/usr/sbin:/usr/bin "$@"; }
host_programs=(-v /usr:/usr:ro)

run_c() {
    inside "${host_programs[@]}" -v "$source:/source:ro" -e CC=gcc debian-demo sh -euc '
        cp -r /source /project && cd /project
        find . -type f | sort | xargs cat | md5sum >/before
        ./configure --prefix=/usr/local/project >/log
        make -j2 >>/log 2>&1
        make check >>/log 2>&1
        make install prefix=/opt/project >>/log
        make distclean >>/log
        ls -R /opt/project | wc -l'
}

run_postgresql() {
    inside "${host_programs[@]}" -u daemon \
        debian-demo sh -euc '
        PATH=/usr/lib/postgresql/15/bin:$PATH
        cd /tmp
        export PGHOST=/tmp PGUSER=demo
        initdb -D data -U demo -k >log
        pg_ctl -D data -o "-k /tmp -h \"\"" -l log -w start >>log
        createdb bench
        pgbench -q -i -s 5 bench >>log 2>&1
        pgbench -c 4 -j 2 -T 60 bench | grep -E "processed|failed|^tps"
        pg_ctl -D data -m immediate stop >>log
        pg_ctl -D data -o "-k /tmp -h \"\"" -l log -w start >>log
        pg_amcheck --install-missing --heapallindexed bench
        psql -qAt bench -c "SELECT sum(bbalance) = (SELECT sum(delta) FROM pgbench_history)
            FROM pgbench_branches"
        pg_ctl -D data -m fast stop >>log
        pg_checksums -D data | grep -E "Bad|Files"'
}

run_apt() {
    inside -v /etc/apt/sources.list.d:/etc/apt/sources.list.d:ro debian-demo sh -euc '
        export DEBIAN_FRONTEND=noninteractive
        { apt-get -qq update
          apt-get -qq -y --no-install-recommends install gcc libc6-dev git perl python3 \
              python3-sphinx; } >/log 2>&1 || { tail /log; exit 1; }
        dpkg --audit
        dpkg -l | wc -l
        echo "int main(void) { return 0; }" >/a.c && gcc /a.c -o /a && /a && echo compiled
        apt-get -qq -y purge gcc git python3-sphinx >/log 2>&1
        apt-get -qq -y autoremove >/log 2>&1
        # The image has no documentation, on purpose; anything else would be a damaged file.
        dpkg --verify 2>/dev/null | grep -v ^missing || true'
}

for workload in "$@"; do
    begin=$EPOCHREALTIME
    "run_$workload"
    LC_ALL=C awk -v a="$begin" -v b="$EPOCHREALTIME" -v n="$workload on $driver" \
        'BEGIN { printf "--- %s: %.0f s\n", n, b - a }'
done
