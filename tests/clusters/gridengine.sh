#!/usr/bin/env bash
# A real Grid Engine on this host, for tests: qmaster, one execution daemon, Debian's packages.
#
#   gridengine.sh start         install what is missing, configure, start what is down; returns when a job has run
#   gridengine.sh stop          end the cluster's jobs and its daemons
#   gridengine.sh status        a line per daemon; status 3 unless all are up
#   gridengine.sh kill DAEMON   SIGKILL to `qmaster` or `execd`; `start DAEMON` starts it again and waits for no job
#
# Needs root on Debian. Both daemons listen on 127.0.0.1 alone. Only processes that this script started are ended.
# The host is called node1; it has 16 slots and 64 GB to book, whatever there is. Queue all.q, and short.q with a limit
# of 5 minutes; parallel environment smp; projects proj and lab; consumables m_mem_free and fthread (booked alone);
# h_rt and h_vmem are enforced. Jobs are dispatched within a second, ends are accounted for at once.
set -euo pipefail

RUN=${JOBMON_TEST_GRIDENGINE:-/run/jobmon-test-gridengine}
HOST=node1
PORT=6444
export SGE_ROOT=/var/lib/gridengine SGE_CELL=default LC_ALL=C.UTF-8
COMMON=$SGE_ROOT/$SGE_CELL/common
SPOOL=/var/spool/gridengine
PROGRAMS=/usr/lib/gridengine

fail() { echo "gridengine.sh: $*" >&2; exit 1; }

# A process is known by its id and the kernel's start time of it: ids are given out again.
began() { sed -E 's/^.*\) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }
alive() {
    local pid time state
    read -r pid time 2>/dev/null < "$RUN/$1.process" || return 1
    [[ -n $time && $(began "$pid") == "$time" ]] || return 1
    state=$(sed -E 's/^.*\) //' "/proc/$pid/stat" | cut -d' ' -f1)
    [[ $state != Z && $state != X ]] && echo "$pid"
}
await() {  # await SECONDS COMMAND...
    local until=$((SECONDS + $1)); shift
    until "$@" > /dev/null 2>&1; do
        ((SECONDS < until)) || return 1
        sleep 0.1
    done
}
gone() { ! alive "$1" > /dev/null; }

end_daemon() {  # end_daemon NAME SIGNAL
    local pid
    pid=$(alive "$1") || return 0
    kill "-$2" "$pid"
    await 15 gone "$1" || { kill -KILL "$pid"; await 5 gone "$1" || fail "$1 does not end"; }
}

install_packages() {
    local wanted=(gridengine-master gridengine-exec gridengine-client) missing=() package policy=/usr/sbin/policy-rc.d
    for package in "${wanted[@]}"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    command -v cc > /dev/null || missing+=(gcc libc6-dev)
    ((${#missing[@]})) || return 0
    [[ -e $policy ]] || { printf '#!/bin/sh\nexit 101\n' > $policy; chmod 755 $policy; trap "rm -f $policy" EXIT; }
    export DEBIAN_FRONTEND=noninteractive
    local apt=(apt-get -qy -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold)
    {
        "${apt[@]}" install --no-install-recommends "${missing[@]}" ||
            { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "${missing[@]}"; }
    } > "$RUN/install.log" 2>&1 < /dev/null || { tail -20 "$RUN/install.log" >&2; fail "cannot install ${missing[*]}"; }
}

# Grid Engine asks that a client's name is the one to which its address resolves. Here every address is 127.0.0.1,
# which may be called anything: all of its names are made one in host_aliases.
name_host() {
    local own names=()
    own=$(hostname)
    getent ahostsv4 $HOST | grep -q '^127\.' || echo "127.0.0.1 $HOST" >> /etc/hosts
    getent hosts "$own" > /dev/null || echo "127.0.0.1 $own" >> /etc/hosts
    mapfile -t names < <({ echo localhost; echo "$own"; hostname -f; getent hosts 127.0.0.1; } 2>/dev/null |
        tr ' \t' '\n\n' | grep '[a-zA-Z]' | grep -vx $HOST | sort -u)
    echo "$HOST ${names[*]}" > $COMMON/host_aliases
    echo $HOST > $COMMON/act_qmaster
    chown sgeadmin: $COMMON/host_aliases $COMMON/act_qmaster
    getent services sge_qmaster/tcp > /dev/null || echo "sge_qmaster $PORT/tcp" >> /etc/services
    getent services sge_execd/tcp > /dev/null || echo "sge_execd $((PORT + 1))/tcp" >> /etc/services
}

# The daemons have no setting for the address on which they listen. A preloaded bind() puts 127.0.0.1 in the place of
# "any", and is taken out of the environment, so that no job has it.
build_shim() {
    [[ -s $RUN/loopback.so ]] && return 0
    cat > "$RUN/loopback.c" << 'C'
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static void __attribute__((constructor)) unload(void) { unsetenv("LD_PRELOAD"); }

int bind(int fd, const struct sockaddr *given, socklen_t length)
{
    int (*real)(int, const struct sockaddr *, socklen_t) = dlsym(RTLD_NEXT, "bind");
    struct sockaddr_in address;

    if (given == NULL || given->sa_family != AF_INET || length < sizeof address)
        return real(fd, given, length);
    memcpy(&address, given, sizeof address);
    if (address.sin_addr.s_addr == INADDR_ANY)
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return real(fd, (struct sockaddr *)&address, sizeof address);
}
C
    cc -shared -fPIC -O2 -o "$RUN/loopback.so" "$RUN/loopback.c" -ldl || fail "cannot compile the shim"
}

# shellcheck disable=SC2086
written() { [[ -n $(cat $1) ]]; }

# The daemons go to the background by themselves and write their process id. What execd has in its environment its
# jobs have, too, so there is little.
start_daemon() {  # start_daemon NAME FILE-OF-ITS-ID (a pattern)
    local name=$1 pattern=$2 pid
    alive "$name" > /dev/null && return 0
    # shellcheck disable=SC2086
    rm -f $pattern
    env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME=/root LANG=C.UTF-8 SGE_ROOT=$SGE_ROOT \
        SGE_CELL=$SGE_CELL SGE_ARCH="$($SGE_ROOT/util/arch)" LD_PRELOAD="$RUN/loopback.so" \
        "$PROGRAMS/sge_$name" < /dev/null > "$RUN/$name.log" 2>&1 9>&- || { cat "$RUN/$name.log" >&2; fail "no $name"; }
    await 30 written "$pattern" || fail "$name does not say its process id: $(tail -3 "$RUN/$name.log")"
    # shellcheck disable=SC2086
    pid=$(cat $pattern)
    echo "$pid $(began "$pid")" > "$RUN/$name.process"
}

set_keys() {  # set_keys 'KEY VALUE'...: lines of standard input, those of the keys replaced
    local line text
    text=$(sed -e :a -e '/\\$/N; s/ *\\\n */ /; ta')
    for line in "$@"; do text=$(sed -E "s|^${line%% *}[[:space:]].*|$line|" <<< "$text"); done
    echo "$text"
}
put() {  # put KIND NAME: the object of standard input is added, or put in the place of the one there
    cat > "$RUN/object"
    if qconf "-s$1" "$2" > /dev/null 2>&1; then qconf "-M$1" "$RUN/object"; else qconf "-A$1" "$RUN/object"; fi
}
queue() {  # queue NAME RUN-TIME
    cat << Q
qname $1
hostlist @allhosts
seq_no 0
load_thresholds NONE
suspend_thresholds NONE
nsuspend 1
suspend_interval 00:05:00
priority 0
min_cpu_interval 00:05:00
processors UNDEFINED
qtype BATCH INTERACTIVE
ckpt_list NONE
pe_list smp
rerun FALSE
slots 16
tmpdir /tmp
shell /bin/bash
prolog NONE
epilog NONE
shell_start_mode posix_compliant
starter_method NONE
suspend_method NONE
resume_method NONE
terminate_method NONE
notify 00:00:60
owner_list NONE
user_lists NONE
xuser_lists NONE
subordinate_list NONE
complex_values NONE
projects NONE
xprojects NONE
calendar NONE
initial_state default
s_rt INFINITY
h_rt $2
Q
    printf '%s INFINITY\n' {s,h}_{cpu,fsize,data,stack,core,rss,vmem}
}
configure() {
    local project
    qconf -ah $HOST || true
    qconf -as $HOST || true
    qconf -sconf global | grep -v '^#' | set_keys 'min_uid 0' 'min_gid 0' 'administrator_mail none' \
        'load_report_time 00:00:05' 'max_unheard 00:01:00' 'finished_jobs 1000' 'max_aj_tasks 75000' \
        'max_aj_instances 2000' 'enforce_user auto' 'auto_user_delete_time 0' 'execd_params ENABLE_ADDGRP_KILL=true' \
        "reporting_params accounting=true reporting=false flush_time=00:00:01 accounting_flush_time=00:00:00 \
joblog=false sharelog=00:00:00" > "$RUN/global"
    qconf -Mconf "$RUN/global"
    qconf -ssconf | set_keys 'schedule_interval 0:0:1' 'flush_submit_sec 1' 'flush_finish_sec 1' \
        'job_load_adjustments NONE' 'load_adjustment_decay_time 0:0:0' 'schedd_job_info true' \
        'max_pending_tasks_per_job 200' > "$RUN/scheduler"
    qconf -Msconf "$RUN/scheduler"
    {
        qconf -sc | grep -Ev '^(#|m_mem_free |fthread |h_vmem )'
        echo 'h_vmem h_vmem MEMORY <= YES NO 0 0'
        echo 'm_mem_free mfree MEMORY <= YES YES 0 0'
        echo 'fthread fthr INT <= YES YES 0 0'
    } > "$RUN/resources"
    qconf -Mc "$RUN/resources"
    put e $HOST << H
hostname $HOST
load_scaling NONE
complex_values slots=16,m_mem_free=64G,fthread=16
user_lists NONE
xuser_lists NONE
projects NONE
xprojects NONE
usage_scaling NONE
report_variables NONE
H
    printf 'group_name @allhosts\nhostlist %s\n' $HOST | put hgrp @allhosts
    put p smp << P
pe_name smp
slots 9999
user_lists NONE
xuser_lists NONE
start_proc_args NONE
stop_proc_args NONE
allocation_rule \$pe_slots
control_slaves FALSE
job_is_first_task TRUE
urgency_slots min
accounting_summary FALSE
qsort_args NONE
P
    queue all.q INFINITY | put q all.q
    queue short.q 00:05:00 | put q short.q
    for project in proj lab; do
        printf 'name %s\noticket 0\nfshare 0\nacl NONE\nxacl NONE\n' $project | put prj $project
    done
}

trial() {  # whether a job runs
    rm -f "$RUN/trial"
    (cd / && timeout 20 qsub -terse -b y -N trial -q all.q -o "$RUN/trial" -j y -S /bin/sh /bin/echo well) \
        > "$RUN/trial.log" 2>&1 < /dev/null 9>&- && await 20 grep -q well "$RUN/trial"
}

start_qmaster() {
    start_daemon qmaster "$SPOOL/qmaster/qmaster.pid"
    await 60 qconf -sh || fail "qmaster does not answer: $(tail -3 $SPOOL/qmaster/messages)"
}
start_execd() {
    mkdir -p $SPOOL/execd
    chown sgeadmin: $SPOOL/execd
    start_daemon execd "$SPOOL/execd/*/execd.pid"
}

# After a crash of qmaster jobs begin again about 30 s after its start, when execd has found it.
start() {
    install_packages
    if alive qmaster > /dev/null && alive execd > /dev/null && [[ -e $RUN/ready ]] && timeout 10 qstat > /dev/null; then
        return 0
    fi
    rm -f "$RUN/ready"
    build_shim
    name_host
    start_qmaster
    if [[ ! -e $RUN/configured ]]; then
        configure > "$RUN/configure.log" 2>&1 || { cat "$RUN/configure.log" >&2; fail "cannot configure"; }
        touch "$RUN/configured"
    fi
    start_execd
    await 90 trial || fail "no job runs: $(cat "$RUN/trial.log")"
    touch "$RUN/ready"
}

no_jobs() { [[ -z $(qstat -u '*') ]]; }
stop() {
    rm -f "$RUN/ready" "$RUN/configured"
    if alive qmaster > /dev/null; then  # execd alone would leave them running
        timeout 20 qdel -u '*' > /dev/null 2>&1 || true
        await 15 no_jobs || timeout 20 qdel -f -u '*' > /dev/null 2>&1 || true
    fi
    end_daemon execd TERM
    end_daemon qmaster TERM
}

status() {
    local name pid code=0
    for name in qmaster execd; do
        if pid=$(alive $name); then echo "$name: up, process $pid"; else echo "$name: down"; code=3; fi
    done
    return $code
}

case "${1:-} ${2:-}" in
    'status ') status ;;
    'start ' | 'stop ' | 'kill qmaster' | 'kill execd' | 'start qmaster' | 'start execd')
        [[ $(id -u) == 0 ]] || fail "must be run as root"
        mkdir -p "$RUN"
        exec 9> "$RUN/lock"
        flock -w 300 9 || fail "another start or stop is under way"
        case "$1 ${2:-}" in
            kill*) end_daemon "$2" KILL ;;
            *) "$1${2:+_$2}" ;;
        esac ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
