#!/bin/bash
# A suite under Slurm, on one machine or several, which goes on after its time is over:
#   sbatch --nodes=2 --gpus-per-node=8 --cpus-per-task=64 launch/slurm.sh gpus --suite sentiment --seeds 3 --out /shared/out
# The first word is the name of a launch file, by which each machine starts a process for each of its GPUs; all others are
# options of `tunebench run`. --cpus-per-task is how many cores the processes of a machine share; without it Slurm may give one.
# --out must be on a disk that all machines see; $TUNEBENCH_CACHE may be one for all, or one for each.
#SBATCH --job-name=tunebench
#SBATCH --ntasks-per-node=1
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:USR1@180

# 180 seconds before its time is over this shell gets SIGUSR1. srun hands it on, every process ends its step and keeps its
# training, and the status is 75: stopped, the same command goes on. Then the job is queued again. SIGTERM, of a preemption or of
# scancel --batch, is handed on as SIGUSR1 too, as srun kills its processes at a SIGTERM of its own; whether the job comes again is
# Slurm's to say. A plain scancel signals the processes themselves. Where memory ran out, the command is given again at once.
set -u
launch=${1:?name a launch file first, such as gpus}
shift
MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
MASTER_PORT=$((20000 + SLURM_JOB_ID % 10000)) # two jobs on one machine must not meet
export MASTER_ADDR MASTER_PORT
# Since Slurm 22.05 srun does not take over what the job was given.
[ -n "${SLURM_CPUS_PER_TASK:-}" ] && export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK

told='' stopped='' over='' broken_off=0
trap 'told=yes stopped=yes over=yes; kill -USR1 "$step"' USR1
trap 'told=yes stopped=yes; kill -USR1 "$step"' TERM
while :; do
  srun tunebench run --launch "$launch" "$@" &
  step=$!
  while :; do # a signal ends `wait`, and not the step
    told=''
    wait "$step"
    status=$?
    [ -z "$told" ] && break
  done
  # 71: memory ran out under several processes. The same command goes on in micro-batches of half the size, and ends with another
  # status where nothing smaller is left. 16 halvings are more than there can be, unless that size could not be written.
  [ "$status" -eq 71 ] && [ -z "$stopped" ] && [ "$broken_off" -lt 16 ] || break
  broken_off=$((broken_off + 1))
done
if [ -n "$over" ] && { [ "$status" -eq 75 ] || [ "$status" -eq 71 ]; }; then
  scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"
