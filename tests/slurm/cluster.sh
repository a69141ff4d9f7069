#!/usr/bin/env bash
# A whole SLURM on one Debian machine, below one folder: two virtual nodes of 64 CPUs and 4 pretended
# GPUs, and accounting. Nothing outside the folder is touched but for the packages.
#
#   cluster.sh install      the packages (root); says in one line why it cannot
#   cluster.sh up DIR       starts it; prints the environment to work with it
#   cluster.sh down DIR     ends its daemons, by their ids
set -eEuo pipefail
export PATH=$PATH:/usr/sbin:/sbin
PACKAGES="slurmctld slurmd slurmdbd slurm-client slurm-wlm-basic-plugins munge mariadb-server"
NODES="n1 n2"
DAEMONS="n1/slurmd.pid n2/slurmd.pid ctld/slurmctld.pid dbd/slurmdbd.pid db/mariadb.pid munge/munged.pid"

install_packages() {
  command -v slurmctld slurmd slurmdbd munged mariadbd >/dev/null && return
  [[ $EUID == 0 ]] || { echo "SLURM is not installed, and only root can install it"; return 1; }
  command -v apt-get >/dev/null || { echo "SLURM is not installed, and this is no Debian"; return 1; }
  export DEBIAN_FRONTEND=noninteractive
  # Services that start by themselves would take the ports of ours.
  local guard=/usr/sbin/policy-rc.d made=
  [[ -e $guard ]] || { made=1; printf '#!/bin/sh\nexit 101\n' >$guard; chmod +x $guard; }
  local quick=(-o Acquire::http::Timeout=20 -o Acquire::Retries=0)
  { apt-get "${quick[@]}" update -qq && apt-get "${quick[@]}" install -y -qq --no-install-recommends $PACKAGES; } >/dev/null 2>&1 ||
    { echo "apt-get could not install $PACKAGES"; local failed=1; }
  [[ -z $made ]] || rm -f $guard
  [[ -z ${failed:-} ]]
}

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

wait_for() { # wait_for WHAT COMMAND...
  local what=$1; shift
  for _ in $(seq 100); do timeout 3 "$@" >/dev/null 2>&1 && return; sleep 0.1; done
  echo "no $what in time; the logs are below $D/log" >&2
  return 1
}

start_munge() {
  mkdir -p "$D"/{munge,private}
  chmod 700 "$D/private"; chmod 711 "$D/munge"
  (umask 077; head -c 128 /dev/urandom >"$D/private/key")
  munged --force --key-file="$D/private/key" --log-file="$D/private/munged.log" --seed-file="$D/private/seed" \
    --socket="$D/munge/socket" --pid-file="$D/munge/munged.pid"
}

start_accounting() {
  local port=$1
  mkdir -p "$D/db/data"
  [[ $EUID != 0 ]] || chown -R mysql "$D/db"
  local as=(--no-defaults --datadir="$D/db/data"); [[ $EUID != 0 ]] || as+=(--user=mysql)
  mariadb-install-db "${as[@]}" --auth-root-authentication-method=normal --skip-test-db >"$D/log/mariadb-install.log" 2>&1
  mariadbd "${as[@]}" --bind-address=127.0.0.1 --port="$port" --socket="$D/db/socket" --pid-file="$D/db/mariadb.pid" \
    --innodb-buffer-pool-size=32M --innodb-flush-log-at-trx-commit=0 >"$D/log/mariadb.log" 2>&1 &
  disown
  wait_for database mariadb-admin --no-defaults --socket="$D/db/socket" -u root ping
  mariadb --no-defaults --socket="$D/db/socket" -u root -e "create database slurm;
    create user slurm@'127.0.0.1' identified by 'slurm'; grant all on slurm.* to slurm@'127.0.0.1';
    create user slurm@localhost identified by 'slurm'; grant all on slurm.* to slurm@localhost;"
  (umask 077; cat >"$D/slurmdbd.conf") <<END
AuthType=auth/munge
AuthInfo=socket=$D/munge/socket
DbdHost=localhost
DbdPort=$DBD_PORT
SlurmUser=$U
LogFile=$D/log/slurmdbd.log
PidFile=$D/dbd/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort=$port
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm
END
  mkdir -p "$D/dbd"
  slurmdbd
  wait_for slurmdbd sacctmgr -i add cluster mini
  # Two cores: no more than three jobs run at a time, however many CPUs the nodes pretend to have.
  sacctmgr -i modify account root set GrpJobs=3 >/dev/null
  sacctmgr -i add account brain Description=tests Organization=tests >/dev/null
  sacctmgr -i add user "$U" Account=brain >/dev/null
}

write_configuration() {
  cat >"$D/slurm.conf" <<END
ClusterName=mini
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$1
SlurmUser=$U
SlurmdUser=$U
AuthType=auth/munge
# A requeued job waits until its credentials have run out: the least that SLURM takes.
AuthInfo=socket=$D/munge/socket,cred_expire=5
SlurmctldPidFile=$D/ctld/slurmctld.pid
SlurmdPidFile=$D/%n/slurmd.pid
SlurmdSpoolDir=$D/%n
StateSaveLocation=$D/ctld
SlurmctldLogFile=$D/log/slurmctld.log
SlurmdLogFile=$D/log/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
MpiDefault=none
ReturnToService=2
SlurmdTimeout=10
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=1,bf_interval=1,sched_min_interval=0
MinJobAge=3600
KillWait=5
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort=$DBD_PORT
AccountingStoragePass=$D/munge/socket
AccountingStorageEnforce=limits
AccountingStorageTRES=gres/gpu
AccountingStoreFlags=job_comment
GresTypes=gpu
PartitionName=cpu Nodes=ALL Default=YES DefaultTime=10 MaxTime=7-0 PriorityTier=1
PartitionName=gpu Nodes=ALL DefaultTime=10 MaxTime=7-0 PriorityTier=1
PartitionName=urgent Nodes=ALL DefaultTime=10 MaxTime=1-0 PriorityTier=10 PreemptMode=OFF
END
  for name in $NODES; do
    echo "NodeName=$name NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=$(free_port) CPUs=64 SocketsPerBoard=1" \
      "CoresPerSocket=64 ThreadsPerCore=1 RealMemory=512000 Gres=gpu:4" >>"$D/slurm.conf"
    echo "NodeName=$name Name=gpu File=$D/gpu/[0-3]" >>"$D/gres.conf"
  done
}

up() {
  [[ ! -e $D/slurm.conf ]] || { echo "$D holds a cluster already" >&2; exit 1; }
  mkdir -p "$D"/{ctld,log,bin,gpu}
  touch "$D"/gpu/{0..3}
  for name in $NODES; do mkdir -p "$D/$name"; done
  DBD_PORT=$(free_port)
  start_munge
  write_configuration "$(free_port)"
  start_accounting "$(free_port)"
  # The job step plugin of Snakemake takes SLURM_CONF out of the environment: srun needs it back.
  printf '#!/bin/sh\nSLURM_CONF=%s exec /usr/bin/srun "$@"\n' "$SLURM_CONF" >"$D/bin/srun"
  chmod +x "$D/bin/srun"
  slurmctld -c
  for name in $NODES; do slurmd -c -N "$name"; done
  wait_for nodes "$0" ready "$D"
  echo "export SLURM_CONF=$SLURM_CONF PATH=$D/bin:\$PATH"
}

two_idle_nodes() { [[ $(sinfo -h -N -t idle -o %N | sort -u | wc -l) == 2 ]]; }

down() {
  timeout 10 scancel -u "$U" 2>/dev/null || true
  for _ in $(seq 100); do [[ -n $(timeout 10 squeue -h 2>/dev/null || true) ]] || break; sleep 0.1; done
  for file in $DAEMONS; do
    [[ -s $D/$file ]] || continue
    local pid; pid=$(cat "$D/$file")
    kill "$pid" 2>/dev/null || continue
    # One that has ended may stay a zombie where nobody reaps it.
    for _ in $(seq 100); do case $(ps -o stat= -p "$pid" || true) in "" | Z*) break ;; esac; sleep 0.1; done
  done
}

[[ $1 == install ]] || D=$(realpath -m "$2")
U=$(id -un)
case $1 in
  install) install_packages ;;
  up) export SLURM_CONF=$D/slurm.conf; trap down ERR; up ;;
  ready) export SLURM_CONF=$D/slurm.conf; two_idle_nodes ;;
  down) export SLURM_CONF=$D/slurm.conf; down ;;
  *) sed -n '2,8p' "$0"; exit 2 ;;
esac
