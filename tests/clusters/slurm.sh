#!/usr/bin/env bash
# A real Slurm cluster on this one host, for Jobmon's tests.
#
#   slurm.sh start      install (Debian packages), configure, start, and return 0
#                       once a job has really run and is in the accounting.
#                       What is up is left alone, what has died is started again.
#   slurm.sh stop       cancel the cluster's jobs and end the daemons that `start`
#                       started (by recorded pid, nothing by name).
#   slurm.sh status     one line per daemon; exit 0 if all are up, 3 if not.
#   slurm.sh end NAME   end one daemon politely, with all that it should save.
#   slurm.sh kill NAME  end one daemon by SIGKILL. `start` starts it again.
#
# Needs: root, Debian 12 (or a close relative), apt-get, no systemd.
#
# What it makes
#   munged, a private MariaDB (unix socket only), slurmdbd, slurmctld, one slurmd,
#   all bound to the address of the machine's own name (127.0.0.1 on a bare one)
#   node        node1, 16 CPUs and 64 GiB declared whatever the machine has
#   partitions  debug (default, no limit), short (5 minutes at most)
#   accounts    proj, lab (root is a member of both); limits are enforced
#   qos         normal (no limit), few (5 jobs of a user at most, 3 of them running)
#   accounting  slurmdbd, so sacct works in full
#   memory      a job over its --mem is killed: OUT_OF_MEMORY where the memory
#               cgroup (version 1) can be used, else FAILED with signal 9 (sampled
#               each second)
#   scheduling  at once on submit, backfill every second
#
# Settings, by environment (the defaults suit a test suite):
#   SLURM_TEST_NODE=node1  SLURM_TEST_CPUS=16  SLURM_TEST_MEMORY=65536 (MiB)
#   SLURM_TEST_RUN_DIR=/run/jobmon-test-slurm  SLURM_TEST_STATE_DIR=/var/lib/jobmon-test-slurm
#   SLURM_TEST_ACCOUNTS="proj lab"
#   SLURM_TEST_MIN_JOB_AGE=300   seconds that squeue and scontrol remember a job that ended
#   SLURM_TEST_SLURMD_TIMEOUT=10 seconds without slurmd until its jobs are NODE_FAIL
#   SLURM_TEST_USERS=root        users to be made members of the accounts
#   SLURM_TEST_MEMORY_KILL=auto  auto, cgroup or sampled (see above)
#   SLURM_TEST_VERBOSE=1 shows each step on standard error
set -euo pipefail

NODE=${SLURM_TEST_NODE:-node1}
CPUS=${SLURM_TEST_CPUS:-16}
MEMORY=${SLURM_TEST_MEMORY:-65536}
RUN_DIR=${SLURM_TEST_RUN_DIR:-/run/jobmon-test-slurm}
STATE_DIR=${SLURM_TEST_STATE_DIR:-/var/lib/jobmon-test-slurm}
ACCOUNTS=${SLURM_TEST_ACCOUNTS:-"proj lab"}
MIN_JOB_AGE=${SLURM_TEST_MIN_JOB_AGE:-300}
USERS=${SLURM_TEST_USERS:-root}
MEMORY_KILL=${SLURM_TEST_MEMORY_KILL:-auto}
SLURMD_TIMEOUT=${SLURM_TEST_SLURMD_TIMEOUT:-10}
CONF=/etc/slurm
PACKAGES="slurmctld slurmd slurmdbd slurm-client slurm-wlm-basic-plugins slurm-wlm-mysql-plugin munge mariadb-server"
MARK="# made by slurm.sh for a test suite"
export LC_ALL=C.UTF-8

say()  { if [ -n "${SLURM_TEST_VERBOSE:-}" ]; then printf 'slurm.sh: %s\n' "$*" >&2; fi; }
die()  { printf 'slurm.sh: %s\n' "$*" >&2; exit 1; }

# --- pids -------------------------------------------------------------------
# A pid file holds "PID STARTTIME": the kernel's start time of that process
# tells it from a later process that happens to get the same number.
start_time() { awk '{ sub(/^.*\) /, ""); print $20 }' "/proc/$1/stat" 2>/dev/null || true; }

record() {                                   # record NAME PID
  printf '%s %s\n' "$2" "$(start_time "$2")" > "$RUN_DIR/$1.pid"
}
live_pid() {                                 # live_pid NAME -> pid, or nothing
  local pid began
  [ -r "$RUN_DIR/$1.pid" ] || return 1
  read -r pid began < "$RUN_DIR/$1.pid" || return 1
  [ -n "$pid" ] && [ -n "$began" ] && [ "$(start_time "$pid")" = "$began" ] || return 1
  # A zombie is not alive.
  case "$(awk '{ sub(/^.*\) /, ""); print $1 }' "/proc/$pid/stat" 2>/dev/null)" in
    Z|X|'') return 1 ;;
  esac
  echo "$pid"
}
end_pid() {                                  # end_pid NAME: TERM, then KILL
  local pid i
  pid=$(live_pid "$1") || { rm -f "$RUN_DIR/$1.pid"; return 0; }
  kill -TERM "$pid" 2>/dev/null || true
  for i in $(seq 150); do
    live_pid "$1" >/dev/null || break
    sleep 0.1
  done
  if live_pid "$1" >/dev/null; then kill -KILL "$pid" 2>/dev/null || true; sleep 0.2; fi
  rm -f "$RUN_DIR/$1.pid"
}

# --- packages ---------------------------------------------------------------
install_packages() {
  local missing="" p made_policy="" rc=0
  for p in $PACKAGES; do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
  done
  command -v flock >/dev/null 2>&1 || missing="$missing util-linux"
  [ -n "$missing" ] || return 0
  say "installing$missing"
  # Keep the packages from starting their daemons before they are configured.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    made_policy=1
  fi
  apt_get() { DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
              -o Dpkg::Options::=--force-confold "$@"; }
  # shellcheck disable=SC2086
  { apt_get install --no-install-recommends $missing ||
    { apt_get update && apt_get install --no-install-recommends $missing; }
  } > "$RUN_DIR/install.log" 2>&1 < /dev/null || rc=$?
  [ -z "$made_policy" ] || rm -f /usr/sbin/policy-rc.d
  [ "$rc" = 0 ] || { tail -n 20 "$RUN_DIR/install.log" >&2; die "could not install$missing"; }
}

# --- configuration ----------------------------------------------------------
configure_names() {
  if ! getent ahostsv4 "$NODE" | grep -q '^127\.'; then
    getent hosts "$NODE" >/dev/null && die "$NODE resolves to another machine: set SLURM_TEST_NODE"
    printf '127.0.0.1 %s\n' "$NODE" >> /etc/hosts
  fi
  getent hosts "$(hostname)" >/dev/null || printf '127.0.0.1 %s\n' "$(hostname)" >> /etc/hosts
}

# The daemons bind to the address of the machine's own name (see NoInAddrAny
# below), so that is the address all of them are given.
own_address() { getent ahostsv4 "$(hostname)" | awk 'NR == 1 { print $1 }'; }

# Can this machine's memory cgroup be used?
memory_cgroup() {
  local d=/sys/fs/cgroup/memory/jobmon-test-probe
  [ -e /sys/fs/cgroup/memory/memory.limit_in_bytes ] || return 1
  mkdir "$d" 2>/dev/null || return 1
  local rc=0
  echo 1073741824 2>/dev/null > "$d/memory.limit_in_bytes" || rc=1
  rmdir "$d"
  return $rc
}

own() { [ ! -e "$1" ] || grep -qF "$MARK" "$1" || die "$1 belongs to another Slurm installation"; }

configure_cluster() {
  mkdir -p "$CONF" "$STATE_DIR"/{ctld,slurmd,log}
  chown slurm: "$STATE_DIR/ctld" "$STATE_DIR/log"
  chmod 755 "$STATE_DIR"
  own $CONF/slurm.conf; own $CONF/slurmdbd.conf; own $CONF/cgroup.conf
  local kill=$MEMORY_KILL task=none params=""
  if [ "$kill" = auto ]; then if memory_cgroup; then kill=cgroup; else kill=sampled; fi; fi
  say "jobs over their memory: $kill"
  if [ "$kill" = cgroup ]; then
    task=cgroup
    printf '%s\n' "$MARK" CgroupPlugin=cgroup/v1 CgroupMountpoint=/sys/fs/cgroup \
      ConstrainRAMSpace=yes > $CONF/cgroup.conf
  else
    params=JobAcctGatherParams=OverMemoryKill
    rm -f $CONF/cgroup.conf
  fi
  # NoInAddrAny and NoCtldInAddrAny: listen on the address of the machine's own
  # name (127.0.0.1 if /etc/hosts says so), not on all.
  # config_overrides: take the declared CPUs and memory for true.
  cat > $CONF/slurm.conf <<S
$MARK
ClusterName=jobmontest
SlurmctldHost=$(hostname -s)($(own_address))
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=slurm
AuthType=auth/munge
AuthInfo=socket=$RUN_DIR/munge/munge.socket
CryptoType=crypto/munge
StateSaveLocation=$STATE_DIR/ctld
SlurmdSpoolDir=$STATE_DIR/slurmd
SlurmctldPidFile=$RUN_DIR/slurm-pids/slurmctld.pid
SlurmdPidFile=$RUN_DIR/slurm-pids/slurmd.pid
SlurmctldLogFile=$STATE_DIR/log/slurmctld.log
SlurmdLogFile=$STATE_DIR/log/slurmd.log
SlurmctldPort=6817
SlurmdPort=6818
ProctrackType=proctrack/linuxproc
TaskPlugin=task/$task
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SlurmdTimeout=$SLURMD_TIMEOUT
SlurmctldTimeout=30
InactiveLimit=0
KillWait=2
MinJobAge=$MIN_JOB_AGE
MaxArraySize=1000001
MaxJobCount=200000
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,bf_continue,sched_interval=1,batch_sched_delay=0,max_rpc_cnt=0
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
PriorityType=priority/basic
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
$params
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageEnforce=limits,qos
AccountingStorageHost=$(own_address)
AccountingStoragePort=6819
AccountingStoragePass=$RUN_DIR/munge/munge.socket
SlurmdParameters=config_overrides
DefMemPerCPU=256
NodeName=$NODE NodeHostname=$(hostname -s) NodeAddr=$(own_address) CPUs=$CPUS RealMemory=$MEMORY State=UNKNOWN
PartitionName=debug Nodes=$NODE Default=YES MaxTime=INFINITE State=UP
PartitionName=short Nodes=$NODE Default=NO MaxTime=5 State=UP
S
  # The database is reached through its socket (MYSQL_UNIX_PORT, see below).
  rm -f $CONF/slurmdbd.conf
  cat > $CONF/slurmdbd.conf <<S
$MARK
AuthType=auth/munge
AuthInfo=socket=$RUN_DIR/munge/munge.socket
DbdHost=$(hostname -s)
DbdAddr=$(own_address)
CommunicationParameters=NoInAddrAny
DbdPort=6819
SlurmUser=slurm
LogFile=$STATE_DIR/log/slurmdbd.log
PidFile=$RUN_DIR/slurm-pids/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=slurm
StorageLoc=slurm_acct_db
S
  chown slurm: $CONF/slurmdbd.conf
  chmod 600 $CONF/slurmdbd.conf
  # slurmdbd drops its privileges before it writes its pid file.
  install -d -o slurm -g slurm "$RUN_DIR/slurm-pids"
}

# --- daemons ----------------------------------------------------------------
# Every daemon stays in the foreground of a session of its own, so that its pid
# is the one recorded here, and holds none of the caller's files open.
launch() {                                   # launch NAME COMMAND...
  local name=$1; shift
  say "starting $name"
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
      MYSQL_UNIX_PORT="$RUN_DIR/mysql/mysql.sock" \
      setsid "$@" < /dev/null > "$RUN_DIR/$name.log" 2>&1 9>&- &
  record "$name" $!
}

wait_for() {                                 # wait_for SECONDS COMMAND...
  local until=$(( $(date +%s) + $1 )); shift
  until "$@" >/dev/null 2>&1; do
    [ "$(date +%s)" -lt "$until" ] || return 1
    sleep 0.1
  done
}
await() {                                    # await NAME SECONDS COMMAND...: up, or say why not
  local name=$1 seconds=$2; shift 2
  local until=$(( $(date +%s) + seconds ))
  while live_pid "$name" >/dev/null && [ "$(date +%s)" -lt "$until" ]; do
    if "$@" >/dev/null 2>&1; then return 0; fi
    sleep 0.1
  done
  tail -n 20 "$RUN_DIR/$name.log" >&2 || true
  die "$name does not answer"
}

munge_works() { munge -S "$RUN_DIR/munge/munge.socket" -n | unmunge -S "$RUN_DIR/munge/munge.socket"; }
start_munged() {
  live_pid munged >/dev/null && return 0
  local d=$RUN_DIR/munge
  install -d -o munge -g munge -m 755 "$d"
  install -d -o munge -g munge -m 700 "$STATE_DIR/munge"
  if [ ! -s "$STATE_DIR/munge/key" ]; then
    (umask 077; head -c 1024 /dev/urandom > "$STATE_DIR/munge/key"); chown munge: "$STATE_DIR/munge/key"
  fi
  rm -f "$d"/munge.socket*
  launch munged setpriv --reuid munge --regid munge --init-groups \
    munged --foreground --num-threads=10 --socket "$d/munge.socket" --pid-file "$d/munged.pid" \
           --key-file "$STATE_DIR/munge/key" --log-file "$STATE_DIR/munge/log" --seed-file "$STATE_DIR/munge/seed"
  await munged 20 munge_works
}

sql() { mariadb --no-defaults -S "$RUN_DIR/mysql/mysql.sock" -u root "$@"; }
start_database() {
  live_pid mariadbd >/dev/null && return 0
  install -d -o mysql -g mysql "$RUN_DIR/mysql" "$STATE_DIR/mysql"
  if [ ! -d "$STATE_DIR/mysql/mysql" ]; then
    say "making the database"
    mariadb-install-db --no-defaults --user=mysql --datadir="$STATE_DIR/mysql" --skip-test-db \
      > "$RUN_DIR/mariadb-install.log" 2>&1 < /dev/null 9>&- || { tail "$RUN_DIR/mariadb-install.log" >&2; die "no database"; }
  fi
  # Nothing here has to survive a power cut: do not wait for the disk.
  launch mariadbd mariadbd --no-defaults --user=mysql --datadir="$STATE_DIR/mysql" \
    --socket="$RUN_DIR/mysql/mysql.sock" --pid-file="$RUN_DIR/mysql/mysql.pid" --skip-networking \
    --innodb-buffer-pool-size=128M --innodb-lock-wait-timeout=900 --innodb-flush-log-at-trx-commit=0 \
    --max-allowed-packet=16M --skip-log-bin
  await mariadbd 60 sql -e 'select 1'
  sql -e "create database if not exists slurm_acct_db;
          create user if not exists slurm@localhost identified via unix_socket;
          grant all on slurm_acct_db.* to slurm@localhost;" || die "cannot set up the database"
}

port_open() { (exec 3<> "/dev/tcp/$(own_address)/$1") 2>/dev/null; }
start_slurmdbd() {
  live_pid slurmdbd >/dev/null && return 0
  launch slurmdbd slurmdbd -D
  await slurmdbd 60 port_open 6819
}
start_slurmctld() {
  live_pid slurmctld >/dev/null && return 0
  launch slurmctld slurmctld -D
  await slurmctld 60 controller_up
}
controller_up() { scontrol ping | grep -q ' UP'; }
start_slurmd() {
  live_pid slurmd >/dev/null && return 0
  launch slurmd slurmd -D
  await slurmd 60 node_ready
}
node_up() { sinfo -h -N -n "$NODE" -o %t | grep -Eqx 'idle|mix|alloc'; }

# The controller closes a node it cannot trust (after a crash, say, for a job id
# it finds used twice): open it again.
node_ready() {
  node_up && return 0
  scontrol update NodeName="$NODE" State=RESUME >/dev/null 2>&1 || true
  sleep 0.5
  node_up
}

configure_accounts() {
  local a u
  sacctmgr -i add qos few set MaxSubmitJobsPerUser=5 MaxJobsPerUser=3 > /dev/null 2>&1 || true
  for a in $ACCOUNTS; do
    sacctmgr -i add account "$a" cluster=jobmontest description="$a" organization=test > /dev/null 2>&1 || true
    for u in $USERS; do
      sacctmgr -i add user "$u" account="$a" cluster=jobmontest > /dev/null 2>&1 || true
    done
  done
  for u in $USERS; do sacctmgr -i modify user "$u" set qos+=few > /dev/null 2>&1 || true; done
}

# --- readiness --------------------------------------------------------------
probe() {                                    # does a job really run, and is it accounted?
  local id
  node_ready || return 1
  id=$(cd / && timeout 30 sbatch --parsable -J probe -o /dev/null --wrap true 2> "$RUN_DIR/probe.log") || return 1
  wait_for 20 accounted "$id" || { scancel --quiet "$id" || true; return 1; }
}
accounted() { [ "$(sacct -n -X -P -j "$1" -o State 2>/dev/null)" = COMPLETED ]; }

start() {
  install_packages
  local d all=1
  for d in munged mariadbd slurmdbd slurmctld slurmd; do live_pid $d >/dev/null || all=0; done
  if [ $all = 1 ] && [ -e "$RUN_DIR/ready" ] && controller_up && node_up; then say "already up"; return 0; fi
  rm -f "$RUN_DIR/ready"
  if [ ! -e "$RUN_DIR/configured" ]; then configure_names; configure_cluster; touch "$RUN_DIR/configured"; fi
  start_munged
  start_database
  start_slurmdbd
  start_slurmctld
  start_slurmd
  configure_accounts
  wait_for 90 probe || { tail -n 20 "$STATE_DIR"/log/*.log >&2 || true; die "no job could be run"; }
  touch "$RUN_DIR/ready"
  say "up"
}

no_jobs() { [ -z "$(squeue -h 2>/dev/null)" ]; }

stop() {
  # Jobs first: slurmd on its own leaves them running when it goes.
  if live_pid slurmctld >/dev/null && controller_up; then
    timeout 20 scancel --quiet --state=PENDING >/dev/null 2>&1 || true
    timeout 20 scancel --quiet --state=RUNNING --signal=KILL --full >/dev/null 2>&1 || true
    timeout 20 scancel --quiet >/dev/null 2>&1 || true
    timeout 20 squeue -h -o %A 2>/dev/null | sort -u | xargs -r -n 500 timeout 20 scancel --quiet >/dev/null 2>&1 || true
    wait_for 15 no_jobs || true
  fi
  rm -f "$RUN_DIR/ready" "$RUN_DIR/configured"
  end_pid slurmd
  end_pid slurmctld
  end_pid slurmdbd
  end_pid mariadbd
  end_pid munged
}

status() {
  local name rc=0 pid
  for name in munged mariadbd slurmdbd slurmctld slurmd; do
    if pid=$(live_pid $name); then echo "$name: up, pid $pid"; else echo "$name: down"; rc=3; fi
  done
  return $rc
}

[ $# = 1 ] || [ $# = 2 ] || { sed -n '2,13s/^# \{0,1\}//p' "$0" >&2; exit 2; }
case $1 in
  status) status ;;
  end)  end_pid "$2" ;;
  kill)
    pid=$(live_pid "$2") || die "$2 is not up"
    kill -KILL "$pid"
    while live_pid "$2" >/dev/null; do sleep 0.05; done ;;
  start|stop)
    [ "$(id -u)" = 0 ] || die "must be run as root"
    mkdir -p "$RUN_DIR"
    # One start or stop at a time.
    exec 9> "$RUN_DIR/lock"
    if command -v flock >/dev/null 2>&1; then flock -w 300 9 || die "another start or stop is under way"; fi
    "$1" ;;
  *) die "unknown verb $1 (start, stop, status)" ;;
esac
