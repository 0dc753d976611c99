"""A real Slurm on one machine for the tests: munge, a controller and two nodes of our own, in one folder.

Debian's slurmctld, slurmd, slurm-client and munge, run by root; installed by apt where they are missing. All
state lies in the folder, so nothing of a Slurm that the machine has anyway is read or written.
"""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

PACKAGES = ("slurmctld", "slurmd", "slurm-client", "munge")
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "scontrol", "munged")
LEAVE_OUT = 'or leave these tests out with -m "not slurm".'
NODES = ("ward1", "ward2")  # both on this machine
CPUS = 4  # of a node, whatever the machine has: its processes share
_SECONDS = 30.0  # for a daemon to answer


class CannotStart(Exception):
    """One sentence: what is missing or broken, and the mend."""


class Slurm:
    """Started by `start`, ended by `stop`. `environment` is what its clients need to find it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"SLURM_CONF": str(folder / "slurm.conf")}
        self._daemons: list[subprocess.Popen] = []
        self._is_up = False

    def start(self) -> None:
        """Raises CannotStart."""
        install()
        if os.geteuid() != 0:
            raise CannotStart(
                f"The Slurm tests start its daemons, which takes root: run as root, {LEAVE_OUT}"
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            self._start_munge()
            self._start_slurm()
            self._is_up = True
        except CannotStart:
            self.stop()
            raise

    def stop(self) -> None:
        """End what jobs are left, then the daemons, the last one first."""
        if self._is_up and self.ask("squeue", "-h"):
            self.ask("scancel", "--me")
            end = time.monotonic() + _SECONDS
            while self.ask("squeue", "-h") and time.monotonic() < end:
                time.sleep(0.2)
        for daemon in reversed(self._daemons):
            daemon.terminate()
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        self._daemons.clear()

    def _start_munge(self) -> None:
        """Munge insists that no one but its own user may write to its folders, their parents included."""
        home = self.folder / "munge"
        home.mkdir(mode=0o711)
        key, socket_path = home / "munge.key", home / "munge.socket"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        self._spawn(
            "munged", "--foreground", "--force", f"--key-file={key}", f"--socket={socket_path}",
            f"--log-file={home / 'munged.log'}", f"--pid-file={home / 'munged.pid'}",
            f"--seed-file={home / 'munged.seed'}",
        )  # fmt: skip
        self._wait_for(socket_path.exists, "munged")

    def _start_slurm(self) -> None:
        for name in ("state", "spool"):
            (self.folder / name).mkdir(mode=0o700)
        conf = self.folder / "slurm.conf"
        conf.write_text(self._settings())
        self._spawn("slurmctld", "-D", "-f", str(conf))  # a relative path hangs it
        for node in NODES:
            self._spawn("slurmd", "-D", "-N", node, "-f", str(conf))
        self._wait_for(
            lambda: self.ask("sinfo", "-h", "-N", "-o", "%T").split() == ["idle"] * len(NODES),
            "slurmctld and slurmd",
        )

    def ask(self, *command: str) -> str:
        """What a client program prints; empty when it fails, or nobody answers it."""
        env = {**os.environ, **self.environment}
        try:
            done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=10)
        except subprocess.TimeoutExpired:
            return ""
        return done.stdout if done.returncode == 0 else ""

    def _settings(self) -> str:
        host = socket.gethostname().split(".")[0]
        controller_port, *node_ports = _free_ports(1 + len(NODES))
        nodes = "\n".join(
            f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={CPUS} State=UNKNOWN"
            for node, port in zip(NODES, node_ports, strict=True)
        )
        return f"""\
ClusterName=studio
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={self.folder / "munge" / "munge.socket"}
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
KillWait=10
StateSaveLocation={self.folder / "state"}
SlurmdSpoolDir={self.folder / "spool"}/%n
SlurmdParameters=config_overrides
SlurmctldPidFile={self.folder / "slurmctld.pid"}
SlurmdPidFile={self.folder / "slurmd.%n.pid"}
SlurmctldLogFile={self.folder / "slurmctld.log"}
SlurmdLogFile={self.folder / "slurmd.%n.log"}
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0
{nodes}
PartitionName=wards Nodes=ALL Default=YES MaxTime=60 State=UP
"""

    def _spawn(self, program: str, *arguments: str) -> None:
        with (self.folder / f"{program}.out").open("ab") as out:
            self._daemons.append(
                subprocess.Popen(
                    [find(program), *arguments],
                    cwd=self.folder,
                    env={**os.environ, **self.environment},
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                )
            )

    def _wait_for(self, done, what: str) -> None:
        end = time.monotonic() + _SECONDS
        while not done():
            gone = [daemon for daemon in self._daemons if daemon.poll() is not None]
            if gone or time.monotonic() > end:
                raise CannotStart(
                    f"Slurm is installed and {what} did not start: {self._last_words()!r}. Mend it (apt-get "
                    f"install --reinstall {' '.join(PACKAGES)}), {LEAVE_OUT}"
                )
            time.sleep(0.1)

    def _last_words(self) -> str:
        files = [*self.folder.glob("*.out"), *self.folder.glob("*.log"), *self.folder.glob("munge/*.log")]
        said = [path.read_text(errors="replace").strip().splitlines() for path in files]
        return " | ".join(lines[-1] for lines in said if lines)


def install() -> None:
    """Bring the packages by apt where they are missing. Raises CannotStart where that cannot be."""
    missing = [program for program in PROGRAMS if find(program) is None]
    if not missing:
        return
    mend = f"run `apt-get install {' '.join(PACKAGES)}` as root, {LEAVE_OUT}"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise CannotStart(f"The Slurm tests found no {', '.join(missing)}: {mend}")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    install_all = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES]
    for command in (["apt-get", "update", "-qq"], install_all):
        done = subprocess.run(command, env=quiet, capture_output=True, text=True)
        if done.returncode != 0:
            words = done.stderr.strip().splitlines()[-1:]
            raise CannotStart(f"The Slurm tests could not install {', '.join(missing)} ({words}): {mend}")


def find(program: str) -> str | None:
    """Its path, though the folder of daemons may not be in PATH."""
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
