"""What Slurm is handed for an attempt: options, a batch script, and beside it a file with its environment.

All lie in the job's folder, readable by their owner alone. The script and the options name no secret, for
Slurm shows and keeps them; the environment, with the database's address, is read by the script from its
file. The data folder has to be on a disk that the nodes share.
"""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from db.settings import REPOSITORY, Settings
from trainer.launch_command import command_of, environment_for, stop_file

WARNING = 60  # seconds before the time limit at which the run is told to save
# What of the worker's environment a run may need: where weights, keys of artifact stores and proxies are.
_PREFIXES = (
    "STUDIO_", "HF_", "HUGGING_FACE_", "TRANSFORMERS_", "TORCH", "PYTORCH_", "NCCL_", "GLOO_", "OMP_", "MKL_",
    "AWS_", "AZURE_STORAGE_", "FSSPEC_", "GOOGLE_APPLICATION_", "XDG_", "SSL_CERT_",
)  # fmt: skip
_NAMES = {
    "PATH", "HOME", "LANG", "TZ", "LD_LIBRARY_PATH", "PYTHONPATH", "REQUESTS_CA_BUNDLE",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
}  # fmt: skip
_NEVER = {"STUDIO_ATTEMPT"}  # a local child's mark


def write(settings: Settings, job_id: int, attempt: int, spec: Mapping[str, Any], *, has_gpus: bool) -> Path:
    """Write the script and its environment; returns the script's path. Raises OSError."""
    folder = settings.jobs_dir / str(job_id)
    folder.mkdir(parents=True, exist_ok=True)
    environment = _environment(settings, spec, has_gpus=has_gpus)
    lines = [f"export {name}={shlex.quote(value)}" for name, value in sorted(environment.items())]
    _write_private(folder / f"slurm.{attempt}.env", "\n".join(lines) + "\n")
    script = folder / f"slurm.{attempt}.sh"
    _write_private(script, text(folder, job_id, attempt, spec))
    return script


def clear_up(folder: Path, attempt: int) -> None:
    """Remove what an attempt that ended needs no more: its environment, and the word to stop."""
    for path in (folder / f"slurm.{attempt}.env", stop_file(folder, attempt)):
        path.unlink(missing_ok=True)


def options(folder: Path, name: str, spec: Mapping[str, Any], *, has_gpus: bool) -> list[str]:
    """What sbatch is told. Slurm is not to queue the run anew by itself: the studio's queue does."""
    processes = spec.get("processes", 1)
    asked = [
        f"--job-name={name}",
        f"--nodes={spec.get('machines', 1)}",
        "--ntasks-per-node=1",  # the launcher, which starts the processes
        f"--gpus-per-node={processes}" if has_gpus else f"--cpus-per-task={processes}",
        f"--chdir={folder}",
        "--output=log.txt",
        "--open-mode=append",
        "--no-requeue",
        f"--signal=B:TERM@{WARNING}",
    ]
    for option, value in (("partition", "partition"), ("account", "account"), ("time", "minutes")):
        if spec.get(value):
            asked.append(f"--{option}={spec[value]}")
    return asked


def text(folder: Path, job_id: int, attempt: int, spec: Mapping[str, Any]) -> str:
    """The batch script. On TERM, which Slurm sends it before the time limit, it asks the run to save and
    stop, and waits on: passed on to a launcher, TERM would give its processes half a minute."""
    environment = shlex.quote(str(folder / f"slurm.{attempt}.env"))
    return f"""\
#!/bin/bash
# Attempt {attempt} at job {job_id} of BioInstruct Studio.
. {environment} || exit 1
cd {shlex.quote(str(REPOSITORY))} || exit 1
stop_file={shlex.quote(str(stop_file(folder, attempt)))}
trap 'stopped=1; touch "$stop_file"' TERM
{_start(job_id, attempt, spec)} &
while true; do
  stopped=
  wait $!
  code=$?
  [ -z "$stopped" ] && exit "$code"
done
"""


def _start(job_id: int, attempt: int, spec: Mapping[str, Any]) -> str:
    """The command line of the run; on several machines srun starts a launcher on each, and all meet on the
    first, where this script runs, at the address Slurm itself has of it and a port of the job's number."""
    processes, machines = spec.get("processes", 1), spec.get("machines", 1)
    if machines == 1:
        return shlex.join(command_of(job_id, attempt, processes=processes))
    meeting = (
        *("--num_machines", str(machines), "--same_network", "--machine_rank", "$SLURM_NODEID"),
        *("--main_process_ip", "$STUDIO_FIRST_NODE", "--main_process_port", "$STUDIO_PORT_TO_MEET"),
    )
    command = command_of(job_id, attempt, processes=processes * machines, meeting=meeting)
    words = " ".join(f'"{word}"' if word.startswith("$") else shlex.quote(word) for word in command)
    return f"""\
first=$(scontrol --oneliner show node "$SLURMD_NODENAME" | grep -o "NodeAddr=[^ ]*")
export STUDIO_FIRST_NODE="${{first#*=}}"
export STUDIO_PORT_TO_MEET=$((20000 + SLURM_JOB_ID % 10000))
srun --ntasks-per-node=1 ${{SLURM_CPUS_PER_TASK:+--cpus-per-task=$SLURM_CPUS_PER_TASK}} \
  --kill-on-bad-exit=1 bash -c {shlex.quote("exec " + words)}"""


def _environment(settings: Settings, spec: Mapping[str, Any], *, has_gpus: bool) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if (name in _NAMES or name.startswith(_PREFIXES)) and name not in _NEVER
    }
    count = spec.get("processes", 1) * spec.get("machines", 1)
    return {
        **kept,
        **settings.environment(),
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore::FutureWarning",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        **environment_for(count, has_gpus=has_gpus),
    }


def _write_private(path: Path, content: str) -> None:
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(content)
