"""What every job's spec is made of: a field with its sentence of help, and checks that name the field."""

from dataclasses import field


def option(default, help: str):
    """A field of a spec: its default, and what forms and the shell say of it."""
    return field(default=default, metadata={"help": help})


def require_number(spec, name: str, low: float, high: float) -> None:
    """Raise ValueError unless the field holds a number from `low` to `high`."""
    value, label = getattr(spec, name), name.replace("_", " ")
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise ValueError(f"{label}: {value} cannot be; give a number from {low:g} to {high:g}.")


def require_whole(spec, name: str, low: int, high: int) -> None:
    """Raise ValueError unless the field holds a whole number from `low` to `high`; 3.0 becomes 3."""
    value, label = getattr(spec, name), name.replace("_", " ")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
        object.__setattr__(spec, name, value)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{label}: {value} cannot be; give a whole number from {low:,} to {high:,}.")


def require_choice(spec, name: str, choices: tuple[str, ...]) -> None:
    """Raise ValueError unless the field holds one of `choices`."""
    value = getattr(spec, name)
    if value not in choices:
        raise ValueError(f"{name.replace('_', ' ')}: {value!r} is not one of {', '.join(choices)}.")
