"""The card of a frozen version, in the form the Hugging Face Hub reads: YAML front matter, then Markdown.

The same version gives the same card, byte for byte. Only what is recorded is said; what is not known is
called so.
"""

import re
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.datasets import get_version
from db.enums import Category, Split
from db.exchange.records import columns_of_version
from db.tables import DatasetRow, DatasetVersion
from db.unreviewed import unreviewed_sentence

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_TASK_CATEGORIES = {
    Category.QA: "question-answering",
    Category.IE: "token-classification",
    Category.GEN: "text-generation",
}
# The Hub's names of licences, by how people write them, without case and punctuation.
_LICENCES = {
    "ccby40": "cc-by-4.0", "ccbysa40": "cc-by-sa-4.0", "ccbync40": "cc-by-nc-4.0",
    "ccbyncsa40": "cc-by-nc-sa-4.0", "ccbynd40": "cc-by-nd-4.0", "ccbyncnd40": "cc-by-nc-nd-4.0",
    "ccby30": "cc-by-3.0", "ccby20": "cc-by-2.0", "cc010": "cc0-1.0", "cc0": "cc0-1.0", "mit": "mit",
    "apache20": "apache-2.0", "odcby": "odc-by", "odbl": "odbl", "pddl": "pddl", "unknown": "unknown",
}  # fmt: skip
_MEANINGS = {
    "split": "train, validation or test",
    "instruction": "what the model is asked to do",
    "input": "the text it is asked about; may be empty",
    "output": "the approved answer",
    "category": "QA, IE, GEN or OTHER",
    "task": "the task's name",
    "specialty": "the medical specialty; may be empty",
    "difficulty": "1, a student knows, to 5, a specialist thinks",
    "tags": "free labels",
    "source": "where the text was taken from",
    "origin": "seed, generated, converted, imported or feedback",
    "provenance": "native (people wrote it), synthetic (a model did) or translated",
    "licence": "the row's own licence; empty where none is recorded",
    "key": "the record's name in the studio",
    "is_unreviewed": "true where nobody reviewed the row: its output is what a model wrote",
}
_KINDS = {"difficulty": "int64", "tags": "list of string", "is_unreviewed": "bool"}
_MARKS = re.compile(r"([\\`*_{}\[\]()#+!|<>&~-])")


def dataset_card(session: Session, version_id: int, *, languages: Sequence[str] = ("en",)) -> str:
    """The card of a version; `languages` are ISO 639-1 codes. Raises LookupError where there is none."""
    import yaml

    version = get_version(session, version_id)
    columns = columns_of_version(session, version_id)
    front = yaml.safe_dump(
        _front_matter(version, columns, _exported(session, version), languages),
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
    )
    sections = (
        ("", _summary(version)),
        ("How it was made", _how_made(version)),
        ("Splits", _splits(version)),
        ("Fields", "\n".join(f"- `{name}` ({_kind(name)}): {_MEANINGS[name]}" for name in columns)),
        ("Provenance", _provenance(version)),
        ("Privacy", _privacy(version)),
        ("Decontamination", _decontamination(version)),
        ("Licence", _licence(version)),
        ("Not for clinical use", _clinical()),
    )
    title = f"# {_plain(version.dataset.name)}, version {version.number}"
    body = "\n\n".join(f"## {name}\n\n{text}" if name else f"{title}\n\n{text}" for name, text in sections)
    return f"---\n{front}---\n\n{body}\n"


# Front matter --------------------------------------------------------------------------------------------


def _front_matter(
    version: DatasetVersion, columns: Sequence[str], exported: dict[Split, int], languages: Sequence[str]
) -> dict:
    """The keys that the Hub knows. `exported` counts the rows that may leave, by split."""
    return {
        "pretty_name": f"{_one_line(version.dataset.name)}, version {version.number}",
        **_licence_tags(version.licence),
        "language": list(languages),
        "size_categories": [_size(sum(exported.values()))],
        "task_categories": _task_categories(version),
        "tags": ["biomedical", "medical", "instruction-tuning"],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": split.value, "path": split_path(split)} for split in exported],
            }
        ],
        "dataset_info": {
            "features": [_feature(name) for name in columns],
            "splits": [{"name": split.value, "num_examples": rows} for split, rows in exported.items()],
        },
    }


def split_path(split: Split) -> str:
    """Where the card says a split lies, beside the card itself: as db.exchange.hub stages it."""
    return f"data/{split.value}-*.parquet"


def _exported(session: Session, version: DatasetVersion) -> dict[Split, int]:
    query = (
        select(DatasetRow.split, func.count())
        .where(DatasetRow.version_id == version.id, DatasetRow.is_restricted.is_(False))
        .group_by(DatasetRow.split)
    )
    counted = dict(map(tuple, session.execute(query)))
    return {split: counted[split] for split in Split if split in counted}


def _kind(column: str) -> str:
    return _KINDS.get(column, "string")


def _feature(column: str) -> dict:
    kind = _kind(column)
    if kind.startswith("list of "):
        return {"name": column, "list": kind.removeprefix("list of ")}
    return {"name": column, "dtype": kind}


def _licence_tags(licence: str) -> dict:
    written = re.sub(r"[\W_]+", "", licence.casefold())
    known = _LICENCES.get(written or "unknown")
    return {"license": known} if known else {"license": "other", "license_name": _one_line(licence)}


def _size(rows: int) -> str:
    return next((name for most, name in _SIZES if rows < most), "n>1M")


def _task_categories(version: DatasetVersion) -> list[str]:
    categories = version.report.get("counts", {}).get("category", {})
    return [name for category, name in _TASK_CATEGORIES.items() if category in categories] or ["other"]


# Sections ------------------------------------------------------------------------------------------------


def _summary(version: DatasetVersion) -> str:
    total = sum(version.counts.values())
    said = _plain(version.dataset.description)
    first = f"{said}\n\n" if said else ""
    return (
        f"{first}{total:,} biomedical instructions with their inputs and answers, frozen in BioInstruct "
        f"Studio on {version.frozen_at:%Y-%m-%d}.\n\nSHA-256 over the rows: `{version.content_hash}`"
    )


def _how_made(version: DatasetVersion) -> str:
    recipe, groups = version.recipe, version.report.get("groups")
    if recipe.get("study"):
        return (
            f"Drawn with seed {recipe['seed']} from the train rows of another version, for the arm "
            f"{_plain(recipe['arm'])} of the study {_plain(recipe['study_name'])}."
        )
    if groups is None:
        return "The rows were put together outside the studio's own filters, and split by whoever did so."
    filters = [
        f"- {name}: {_plain(', '.join(value) if isinstance(value, list | tuple) else str(value))}"
        for name in ("categories", "origins", "provenances", "task", "specialty", "tags", "licence", "text")
        if (value := recipe.get(name))
    ]
    chosen = (
        "\n".join(["Approved instructions, chosen by:", "", *filters])
        if filters
        else ("All approved instructions of a project.")
    )
    return (
        f"{chosen}\n\n{_approval(version)} Rows were split with seed {recipe['seed']}; a "
        f"share of {recipe['validation']:g} was asked for validation and {recipe['test']:g} for test. Rows "
        f"with a ROUGE-L F1 above {groups['near']:g} on their {_compared(groups)}, rows of one source "
        f"document and rows with one parent share a split: {groups['rows']:,} rows are in "
        f"{groups['groups']:,} such groups, the largest of {groups['largest']:,}. {groups['note']}".rstrip()
        + _kept_splits(groups)
    )


def _approval(version: DatasetVersion) -> str:
    """Who read the texts, and what is known of those that nobody did."""
    unreviewed = unreviewed_sentence(version.report)
    if not unreviewed:
        return "Each text was approved by a reviewer."
    return (
        f"{unreviewed} Those rows are as a model wrote them, and say so in `is_unreviewed`. Each other text "
        "was approved by a reviewer."
    )


def _kept_splits(groups: dict) -> str:
    """What the sources had split already."""
    if not groups.get("by_source"):
        return ""
    torn = groups["straddling"]
    near = f", among them near copies in different splits ({torn:,} groups)" if torn else ""
    return f" {groups['by_source']:,} rows of published corpora kept the split of their source{near}."


def _compared(groups: dict) -> str:
    return "input" if groups["near_on"] == "input" else "instruction and input"


def _splits(version: DatasetVersion) -> str:
    by_category = version.report.get("counts", {}).get("category", {})
    names = [category.value for category in Category if category in by_category]
    lines = [["Split", "Rows", *names], ["---", *["--:"] * (len(names) + 1)]]
    for split in Split:
        if version.counts.get(split):
            cells = [f"{by_category[name].get(split, 0):,}" for name in names]
            lines.append([split.value, f"{version.counts[split]:,}", *cells])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _provenance(version: DatasetVersion) -> str:
    counts = version.report.get("counts", {})
    lines = [
        f"- {name}: " + ", ".join(f"{_plain(value)} {sum(rows.values()):,}" for value, rows in found.items())
        for name in ("origin", "provenance")
        if (found := counts.get(name))
    ]
    return "\n".join([*lines, "", "Every row carries its own origin, provenance and licence."]).strip()


def _privacy(version: DatasetVersion) -> str:
    found = version.report.get("privacy")
    if found is None:
        return "No privacy check is recorded for this version."
    return (
        "A record with an open privacy flag cannot be frozen. On the texts of this version "
        f"{found['cleared']:,} flags were raised and cleared by a person who gave a reason.\n\n"
        "The check looks for patterns of identifiers such as record numbers, dates, telephone numbers, "
        "addresses and ages over 89. It does not prove that no person can be recognised: names and places "
        "without a model of the language, rare diseases and unusual stories can pass it."
    )


def _decontamination(version: DatasetVersion) -> str:
    found = version.report.get("contamination") or {}
    if not found.get("against"):
        return "This version was compared with no evaluation set. Overlap with any benchmark is unknown."
    sets = "\n".join(f"- {_plain(each['name'])}: {each['texts']:,} texts" for each in found["against"])
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in found["kinds"].items())
    outcome = {
        "refuse": "No row was contaminated.",
        "drop": f"{found['dropped']:,} contaminated rows were left out.",
        "waive": f"{found['rows']:,} contaminated rows stayed in. Why: {_plain(found['reason'])}",
    }[found["then"]]
    return (
        f"Compared with:\n\n{sets}\n\n{found['rule']} Hits: {kinds}. {outcome}\n\n"
        "A paraphrase, a translation or the same facts in other words are not found."
    )


def _licence(version: DatasetVersion) -> str:
    found = version.report.get("counts", {}).get("licence", {})
    lines = [f"- {_plain(name)}: {sum(rows.values()):,} rows" for name, rows in found.items()]
    restricted = version.report.get("restricted", 0)
    kept = f"{restricted:,} rows under a data-use agreement stay in the studio and are not exported."
    parts = [f"The version's licence: {_plain(version.licence or 'unknown')}.", "\n".join(lines)]
    return "\n\n".join(filter(None, [*parts, kept if restricted else ""]))


def _clinical() -> str:
    return (
        "This is material for research on language models. It is no medical advice, it may hold errors, and "
        "neither it nor a model trained on it may guide the care of a patient."
    )


def _plain(text: str) -> str:
    """Text of a person on one line, with nothing in it that Markdown or HTML would act on."""
    return _MARKS.sub(r"\\\1", _one_line(text))


def _one_line(text: str) -> str:
    return " ".join(text.split())
