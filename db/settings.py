"""Where the studio listens and keeps its state, from flags and environment variables.

Knows nothing of Gradio or torch: the UI, the worker and the model server read the same settings.
"""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
STARTER_DIR = REPOSITORY / "trainer" / "starter"
SAMPLES_DIR = Path(__file__).resolve().parent / "samples"


@dataclass(frozen=True)
class Settings:
    """Every field has a flag of `app.py` and an environment variable of the same name, `STUDIO_` in front."""

    host: str = "127.0.0.1"
    port: int = 7860
    data_dir: Path = REPOSITORY / "data"
    database_url: str = ""  # DATABASE_URL; empty means SQLite under data_dir
    no_worker: bool = False
    artifacts: str = ""  # STUDIO_ARTIFACTS, an address of fsspec's: where results are kept once more

    def __post_init__(self) -> None:
        if not 1 <= self.port <= 65535:
            raise ValueError(f"port: {self.port} is not a port; give a number from 1 to 65535.")

    @property
    def url(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'studio.db'}"

    @property
    def address(self) -> str:
        """Where people find the studio: STUDIO_ADDRESS behind a proxy, else its own host and port."""
        host = machine_name() if self.host in ("0.0.0.0", "::") else self.host
        own = f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"
        return os.environ.get("STUDIO_ADDRESS", "").strip().rstrip("/") or own

    @property
    def jobs_dir(self) -> Path:
        return self.data_dir / "jobs"

    @property
    def adapters_dir(self) -> Path:
        return self.data_dir / "adapters"

    @property
    def models_dir(self) -> Path:
        """Whole models that were tuned here."""
        return self.data_dir / "models"

    @property
    def encoders_dir(self) -> Path:
        """Encoders with their heads, tuned here as baselines."""
        return self.data_dir / "encoders"

    @property
    def exports_dir(self) -> Path:
        """Adapters and models as other tools take them."""
        return self.data_dir / "exports"

    @property
    def logs_dir(self) -> Path:
        return self.data_dir / "logs"

    def environment(self) -> dict[str, str]:
        """The variables that give a child process these very settings."""
        return {
            "STUDIO_HOST": self.host,
            "STUDIO_PORT": str(self.port),
            "STUDIO_DATA_DIR": str(self.data_dir),
            "DATABASE_URL": self.database_url,
            "STUDIO_ARTIFACTS": self.artifacts,
        }

    def make_folders(self) -> None:
        """Create the data folder, readable by its owner alone.

        Raises ValueError when the folder cannot be made or written.
        """
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            for folder in (
                self.jobs_dir,
                self.adapters_dir,
                self.models_dir,
                self.encoders_dir,
                self.exports_dir,
                self.logs_dir,
            ):
                folder.mkdir(exist_ok=True)
        except OSError as error:
            raise ValueError(f"data_dir: cannot write {self.data_dir} ({error.strerror}).") from error


def from_environment() -> Settings:
    """Settings from STUDIO_HOST, STUDIO_PORT, STUDIO_DATA_DIR, STUDIO_NO_WORKER, STUDIO_ARTIFACTS and
    DATABASE_URL."""
    env = os.environ
    port = env.get("STUDIO_PORT", str(Settings.port))
    if not port.isdigit():
        raise ValueError(f"STUDIO_PORT: {port!r} is not a number; give a port from 1 to 65535.")
    return Settings(
        host=env.get("STUDIO_HOST", Settings.host),
        port=int(port),
        data_dir=Path(env.get("STUDIO_DATA_DIR", Settings.data_dir)).expanduser().resolve(),
        database_url=env.get("DATABASE_URL", ""),
        no_worker=env.get("STUDIO_NO_WORKER", "").lower() in ("1", "true", "yes"),
        artifacts=env.get("STUDIO_ARTIFACTS", "").strip(),
    )


def machine_name() -> str:
    """What this machine goes by among those that share a database: STUDIO_MACHINE, else its host name.

    Give one where the host name is not lasting, as in a container, or where two are alike.
    """
    return os.environ.get("STUDIO_MACHINE", "").strip() or socket.gethostname()


def ner_dir() -> Path | None:
    """The folder of a local spaCy pipeline that finds names, from STUDIO_NER_DIR; None: none are."""
    folder = os.environ.get("STUDIO_NER_DIR", "")
    return Path(folder).expanduser().resolve() if folder else None
