"""The card of an adapter, in the form the Hugging Face Hub reads: YAML front matter, then Markdown.

Only what is recorded is said: what the data are, the settings, the losses, where everything came from.
"""

from collections.abc import Iterable

import yaml
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import registry
from db.adapter_scores import evaluated
from db.enums import Split
from db.markdown import plain
from db.tables import Adapter, DatasetRow, Job
from db.tables.base import utc_now
from db.train_yaml import SETTINGS

_SHOWN = ("category", "origin", "provenance", "licence")
_CLINICAL = (
    "This model was tuned for research on instruction following. It is no medical device, was not evaluated "
    "for care, and states falsehoods fluently. Nothing it writes may reach a patient's record or a decision "
    "without a qualified person who checks it against the source."
)


def adapter_card(session: Session, adapter_id: int, *, form: str = "adapter") -> str:
    """The card of an adapter, or with form "merged" of the model it was worked into. Raises LookupError."""
    adapter = registry.get_adapter(session, adapter_id)
    job = session.get(Job, adapter.job_id) if adapter.job_id else None
    return _card(session, adapter, job.result if job else {}, form)


def card_before(session: Session, result: dict, **columns) -> str:
    """The card of an adapter that is about to be registered with these columns, by a run with that result."""
    adapter = Adapter(**columns, created_at=utc_now())
    session.enable_relationship_loading(adapter)
    return _card(session, adapter, result, "adapter")


def _card(session: Session, adapter: Adapter, result: dict, form: str) -> str:
    front = yaml.safe_dump(_front_matter(adapter, form), sort_keys=False, allow_unicode=True)
    sections = (
        ("", _summary(adapter, form)),
        ("Not for clinical use", _CLINICAL),
        ("Data", _data(session, adapter)),
        ("Training", _training(adapter)),
        ("Result", _result(result)),
        ("Evaluation", evaluated(session, adapter)),
        ("How to load it", _loading(adapter, form)),
        ("Provenance", _provenance(adapter)),
    )
    title = f"# {plain(adapter.name)}"
    body = "\n\n".join(f"## {name}\n\n{text}" if name else f"{title}\n\n{text}" for name, text in sections)
    return f"---\n{front}---\n\n{body}\n"


def _front_matter(adapter: Adapter, form: str) -> dict:
    base = adapter.base_model.location
    named = {} if base.startswith("/") else {"base_model": base}  # a folder means nothing elsewhere
    return {
        **named,
        "library_name": "peft" if form == "adapter" else "transformers",
        "pipeline_tag": "text-generation",
        "language": ["en"],
        "license": "other",
        "license_name": "as-the-base-and-the-data-allow",
        "tags": ["biomedical", "medical", "instruction-tuning", *(["lora"] if form == "adapter" else [])],
    }


def _summary(adapter: Adapter, form: str) -> str:
    what = "A LoRA adapter for" if form == "adapter" else "A LoRA adapter merged into"
    version = adapter.dataset_version
    data = (
        f"{plain(version.dataset.name)}, version {version.number}"
        if version
        else "data that are not recorded"
    )
    return f"{what} {plain(adapter.base_model.name)}, tuned on {data} with BioInstruct Studio."


def _data(session: Session, adapter: Adapter) -> str:
    version = adapter.dataset_version
    if version is None:
        return "The rows it was tuned on are not recorded."
    counts = ", ".join(f"{version.counts.get(split, 0):,} {split.value}" for split in Split)
    lines = [
        f"Rows: {counts}. Only the train rows were learned from, with the loss on the answers alone.",
        f"Content hash (SHA-256): `{adapter.data_hash}`.",
        f"Licence of the version: {plain(version.licence or 'none recorded')}.",
        "",
        "| | share of the train rows |",
        "|---|---|",
    ]
    total = max(1, version.counts.get(Split.TRAIN, 0))
    for name in _SHOWN:
        for value, count in _shares(session, version.id, name):
            lines.append(f"| {name}: {plain(str(value) or 'none recorded')} | {count / total:.1%} |")
    unreviewed = _count(session, version.id, DatasetRow.is_unreviewed)
    if unreviewed:
        lines += ["", f"{unreviewed:,} rows were frozen unreviewed; an audited sample spoke for them."]
    return "\n".join(lines)


def _shares(session: Session, version_id: int, name: str) -> list[tuple]:
    column = getattr(DatasetRow, name)
    query = (
        select(column, func.count())
        .where(DatasetRow.version_id == version_id, DatasetRow.split == Split.TRAIN)
        .group_by(column)
        .order_by(func.count().desc(), column)
        .limit(12)
    )
    return [tuple(row) for row in session.execute(query)]


def _count(session: Session, version_id: int, condition) -> int:
    query = select(func.count()).where(DatasetRow.version_id == version_id, condition.is_(True))
    return session.scalar(query) or 0


def _training(adapter: Adapter) -> str:
    known = {
        name: value for name, value in adapter.spec.items() if name in SETTINGS and value not in ("", [], ())
    }
    rows = [f"| {name.replace('_', ' ')} | {plain(_words(value))} |" for name, value in known.items()]
    return "\n".join(["| setting | value |", "|---|---|", *rows])


def _result(result: dict) -> str:
    if not result:
        return "The run that made it is not recorded."
    names = {
        "steps": "optimizer steps",
        "tokens": "tokens seen",
        "first_loss": "training loss at the start (nats per token)",
        "loss": "training loss at the end",
        "first_eval_loss": "validation loss of the base",
        "eval_loss": "validation loss at the end",
        "best_eval_loss": "best validation loss",
        "seconds": "seconds",
        "device": "device",
        "dtype": "number format",
    }
    rows = [f"| {said} | {plain(_words(result[key]))} |" for key, said in names.items() if key in result]
    return "\n".join(
        ["| | |", "|---|---|", *rows, "", "A loss tells how a run went, not how good the answers are."]
    )


def _loading(adapter: Adapter, form: str) -> str:
    base = adapter.base_model.location
    place = "the folder of the base model" if base.startswith("/") else base
    if form == "merged":
        code = (
            'model = AutoModelForCausalLM.from_pretrained("this repository or folder", dtype="auto")\n'
            'tokenizer = AutoTokenizer.from_pretrained("this repository or folder")'
        )
        return f"```python\nfrom transformers import AutoModelForCausalLM, AutoTokenizer\n\n{code}\n```"
    code = (
        f'model = AutoModelForCausalLM.from_pretrained("{place}", dtype="auto")\n'
        'model = PeftModel.from_pretrained(model, "this repository or folder")\n'
        'tokenizer = AutoTokenizer.from_pretrained("this repository or folder")'
    )
    imports = "from peft import PeftModel\nfrom transformers import AutoModelForCausalLM, AutoTokenizer"
    return (
        f"```python\n{imports}\n\n{code}\n```\n\nAsk through the tokenizer's chat template, as in training."
    )


def _provenance(adapter: Adapter) -> str:
    facts = {
        "base revision": adapter.base_revision,
        "chat template (SHA-256)": adapter.template_hash,
        "adapter weights (SHA-256)": adapter.adapter_hash,
        "seed": adapter.seed,
        "tuned": f"{adapter.created_at:%Y-%m-%d}",
        **{f"{name} version": version for name, version in adapter.packages.items()},
    }
    return "\n".join(["| | |", "|---|---|", *_rows(facts.items())])


def _rows(facts: Iterable[tuple]) -> list[str]:
    return [
        f"| {name} | `{str(value).replace('`', '')}` |" for name, value in facts if value not in ("", None)
    ]


def _words(value) -> str:
    if isinstance(value, list | tuple):
        return "; ".join(map(str, value))
    return (
        f"{value:g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
    )
