"""A split's rows made ready to be trained on: once, then from a file.

Template, tokens, label mask and cut are kept under a name made of all they depend on: the rows' texts, the
tokenizer with its template, the settings, the versions of code. The ids are memory-mapped, so a row takes
memory only while it is looked at. It knows tokenizers and files; nothing of models or the database.
"""

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock, Timeout

from db.enums import Split
from db.train_spec import TrainSpec
from trainer import prompts
from trainer.data import cache
from trainer.data.encode import Row, Tick, encode_rows
from trainer.data.examples import Encoded, Examples

CODE = 1  # raise it when the same rows would be encoded differently
_COUNTS = ("too_long", "empty_answer", "cut", "duplicates", "endless")
_ASK = 1.0  # seconds between two looks while another process builds


def prepare(
    tokenizer,
    rows: Mapping[Split, Sequence[Row]],
    split: Split,
    spec: TrainSpec,
    longest: int,
    cache_dir: Path,
    tick: Tick = lambda done, total: None,
) -> Encoded:
    """The rows of a split as examples of at most `longest` tokens; longer ones as `spec.too_long` says.

    Of several processes that ask at once, one does the work. `tick` is called now and then with the rows done
    and the rows in all, and may raise. Raises ValueError for a template that cannot be trained with, OSError
    when the disk is full.
    """
    folder = cache_dir / _name(tokenizer, rows[split], spec.too_long, longest)
    if found := _load(folder):
        return found
    cache_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(cache_dir / "lock")
    _acquire(lock, tick)
    try:
        if found := _load(folder):  # by now
            return found
        encoded = encode_rows(tokenizer, rows[split], longest, spec.too_long, tick)
        _store(folder, encoded)
        cache.clean(cache_dir, keep=folder)
    finally:
        lock.release()
    return _load(folder) or encoded


def _acquire(lock: FileLock, tick: Tick) -> None:
    while True:
        try:
            lock.acquire(timeout=_ASK)
            return
        except Timeout:
            tick(0, 0)


def _load(folder: Path) -> Encoded | None:
    entry = cache.load(folder)
    if entry is None:
        return None
    counts, arrays = entry
    try:
        examples = Examples(arrays.pop("ids"), arrays.pop("offsets"), arrays.pop("starts"))
        return Encoded(examples, **arrays, **counts)
    except (KeyError, TypeError):  # whole, but of another make
        return None


def _store(folder: Path, encoded: Encoded) -> None:
    examples = encoded.examples
    arrays = {
        "ids": examples.ids,
        "offsets": examples.offsets,
        "starts": examples.starts,
        "lengths": encoded.lengths,
        "positions": encoded.positions,
        "questions": encoded.questions,
    }
    cache.store(folder, {name: int(getattr(encoded, name)) for name in _COUNTS}, arrays)


def _name(tokenizer, rows: Sequence[Row], too_long: str, longest: int) -> str:
    """SHA-256, as hexadecimal, of everything the ids depend on."""
    whole = sha256()
    for row in rows:
        whole.update(json.dumps([row.instruction, row.input, row.output]).encode() + b"\n")
    whole.update(tokenizer_hash(tokenizer).encode())
    whole.update(json.dumps([CODE, too_long, longest, prompts.TEMPLATE_SWITCHES], sort_keys=True).encode())
    return whole.hexdigest()


def tokenizer_hash(tokenizer) -> str:
    """SHA-256, as hexadecimal, of a tokenizer, its chat template and the code that runs it."""
    told = {
        "class": type(tokenizer).__name__,
        "vocabulary": tokenizer.backend_tokenizer.to_str() if tokenizer.is_fast else tokenizer.get_vocab(),
        "special": {name: str(token) for name, token in tokenizer.special_tokens_map.items()},
        "template": tokenizer.chat_template,
        "settings": {name: value for name, value in tokenizer.init_kwargs.items() if _is_told(name, value)},
        "packages": [version(name) for name in ("transformers", "tokenizers", "Jinja2")],
    }
    return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _is_told(name: str, value) -> bool:
    """Not where its files lie, nor what is told elsewhere."""
    return isinstance(value, bool | int | float | str) and not name.endswith(("_file", "_path", "_template"))
