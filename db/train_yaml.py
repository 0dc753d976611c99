"""A training run as a YAML file: what the form shows and the shell takes, fit for version control.

Base, dataset and version go by name, so that a file written in one studio runs in another.
"""

from dataclasses import MISSING, dataclass, fields
from difflib import get_close_matches
from typing import Any

import yaml

from db.train_spec import TrainSpec

MOST_BYTES = 100_000
_NAMED = ("base", "dataset", "version", "name")
_OURS = {"base_model_id", "dataset_version_id", "adapter_name"}  # said by the names above
SETTINGS = tuple(option.name for option in fields(TrainSpec) if option.name not in _OURS)
DEFAULTS = {
    option.name: option.default
    for option in fields(TrainSpec)
    if option.name in SETTINGS and option.default is not MISSING
}


@dataclass(frozen=True)
class Recipe:
    """A run by names. `version` None is the dataset's latest; `settings` holds what the file says."""

    base: str
    dataset: str
    version: int | None
    name: str
    settings: dict[str, Any]

    def spec(self, base_model_id: int, dataset_version_id: int) -> TrainSpec:
        """The spec, once the names are looked up. Raises ValueError naming the field."""
        return TrainSpec(
            base_model_id=base_model_id,
            dataset_version_id=dataset_version_id,
            adapter_name=self.name,
            **self.settings,
        )


def write(spec: TrainSpec, *, base: str, dataset: str, version: int) -> str:
    """The whole run as YAML, every setting said."""
    said: dict[str, Any] = {"base": base, "dataset": dataset, "version": version, "name": spec.adapter_name}
    for name in SETTINGS:
        value = getattr(spec, name)
        said[name] = list(value) if isinstance(value, tuple) else value
    return yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=100)


def read(text: str) -> Recipe:
    """What a YAML file says. Raises ValueError with one sentence for what cannot be read."""
    if len(text.encode()) > MOST_BYTES:
        raise ValueError(f"file: it is larger than {MOST_BYTES:,} bytes; a run is described in a page.")
    try:
        given = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}" if mark else "file"
        raise ValueError(f"{where}: this is no YAML ({getattr(error, 'problem', 'unreadable')}).") from error
    if not isinstance(given, dict):
        raise ValueError("file: give one setting a line, such as rank: 16.")
    for key in given:
        _require_known(str(key))
    missing = [name for name in ("base", "dataset", "name") if not given.get(name)]
    if missing:
        raise ValueError(f"{missing[0]}: the file does not say it; add {missing[0]}: and its name.")
    return Recipe(
        base=str(given["base"]),
        dataset=str(given["dataset"]),
        version=_version(given.get("version")),
        name=str(given["name"]),
        settings={name: _value(name, given[name]) for name in SETTINGS if name in given},
    )


def _require_known(key: str) -> None:
    known = (*_NAMED, *SETTINGS)
    if key in known:
        return
    near = get_close_matches(key, known, n=1)
    mend = f"did you mean {near[0]}?" if near else "leave it out."
    raise ValueError(f"{key}: there is no such setting; {mend}")


def _version(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"version: {value} cannot be; give the number of a frozen version.")
    return value


def _value(name: str, value: Any) -> Any:
    """The value as the spec takes it: YAML 1.1 reads 3e-4 as text and `off` as false."""
    default = DEFAULTS[name]
    if isinstance(default, tuple):
        if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
            raise ValueError(f"{name.replace('_', ' ')}: give a list of texts, one a line.")
        return tuple(value)
    if isinstance(default, str) and isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(default, int | float) and isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            raise ValueError(f"{name.replace('_', ' ')}: {value!r} is no number.") from None
    return value
