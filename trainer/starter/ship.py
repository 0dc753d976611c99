"""Make a tuned adapter the one that ships with the studio: `python -m trainer.starter.ship NAME`.

Copies the adapter of that name, tuned by the studio on the demo set, and what is known of its making.
"""

import argparse
import json
import shutil
from pathlib import Path

from db import registry, settings
from db.session import connect, read
from db.tables import Adapter

ADAPTER = Path(__file__).parent / "adapter"
PROVENANCE = ("base_revision", "template_hash", "data_hash", "seed", "spec", "packages")


def ship(adapter: Adapter, target: Path = ADAPTER) -> None:
    """Replace the folder `target` by `adapter`'s weights, config and provenance."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    shutil.copy(Path(adapter.path) / "adapter_model.safetensors", target)
    config = json.loads((Path(adapter.path) / "adapter_config.json").read_text(encoding="utf-8"))
    # The folder of the base on the machine that tuned it means nothing elsewhere.
    config["base_model_name_or_path"] = registry.STARTER
    (target / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    provenance = {name: getattr(adapter, name) for name in PROVENANCE}
    (target / "provenance.json").write_text(json.dumps(provenance, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", help="the adapter's name in the studio")
    connect(settings.from_environment().url)
    with read() as session:
        ship(registry.find_model(session, parser.parse_args().name))


if __name__ == "__main__":
    main()
