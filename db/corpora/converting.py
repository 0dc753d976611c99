"""From the files of corpora to instructions: one stream, in batches, of what a conversion stores.

Every row read has a number, its place among all rows of the conversion's files in their order. Batches follow
each other without a gap, so the last number of a stored batch says where to go on. Nothing is kept but the
batch at hand. Opens files and knows nothing of the database.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path, PurePosixPath

from db import privacy
from db.content import Content
from db.convert_spec import ConvertSpec, Source
from db.corpora import hub, readers, templates
from db.corpora.batches import Batch, Converted, Fault, OpenBatch, count
from db.corpora.drawing import Census, Draw, is_negative
from db.corpora.files import folder_of, locate
from db.corpora.mixture import Home
from db.corpora.schema import CorpusError, Row
from db.corpora.templates import Template
from db.privacy import Flag

_TOLD_EVERY = 2_000  # rows

Tell = Callable[[int], object]
"""Hears now and then how many rows have been read."""


def take_census(spec: ConvertSpec, data_dir: Path, tell: Tell = lambda rows: None) -> Census:
    """Read every file once and count. Raises CorpusError, with the line, where one cannot be read."""
    census = Census(spec.mixture)
    for name in spec.names:
        census.open(name)
    for number, source, template, row in read_rows(spec, data_dir):
        census.add(source.name, row.id, home_of(source, row), is_negative(row, template.task))
        if number % _TOLD_EVERY == 0:
            tell(number)
    return census


def read_rows(spec: ConvertSpec, data_dir: Path) -> Iterator[tuple[int, Source, Template, Row]]:
    """Every row of every file, numbered from 1 in the order of the sources."""
    number = 0
    for source in spec.sources:
        template = template_of(source)
        for row in rows_of(source, data_dir):
            number += 1
            yield number, source, template, row


def rows_of(source: Source, data_dir: Path) -> Iterator[Row]:
    """The rows of one file, by its reader, or of a copied dataset of the Hub. Raises CorpusError, ValueError.

    Files that its options name are the studio's own, too.
    """
    options = dict(source.options)
    if source.hub:
        columns = wanted_of(source).columns
        return hub.read_saved(locate(data_dir, source.path), source.format, columns=columns, **options)
    for option in readers.get_format(source.format).options:
        if option.kind == "file" and options.get(option.name):
            options[option.name] = str(locate(data_dir, options[option.name]))
    return _read(locate(data_dir, source.path), source.format, options)


def _read(path: Path, format: str, options: dict[str, object]) -> Iterator[Row]:
    try:
        yield from readers.read(path, format, **options)
    except CorpusError as error:
        raise readers.with_others(error, path, format, **options) from None


def convert(spec: ConvertSpec, data_dir: Path, draw: Draw, after: int = 0) -> Iterator[Batch]:
    """The batches that follow row `after`. A row that cannot become an instruction is counted as a fault."""
    batch = OpenBatch(after + 1)
    for number, source, template, row in read_rows(spec, data_dir):
        if number <= after:
            continue
        batch.read(source.name, number)
        if not draw.takes(source.name, row.id, home_of(source, row), is_negative(row, template.task)):
            count(batch.tally, source.name, "left_out")
        else:
            _take(batch, spec, source, template, number, row)
        if batch.is_full:
            yield batch.close()
            batch = OpenBatch(number + 1)
    if batch.last >= batch.first:
        yield batch.close()


def convert_row(spec: ConvertSpec, source: Source, template: Template, number: int, row: Row) -> Converted:
    """One row as an instruction. Raises ValueError, the field first, when it cannot be one."""
    rendered = templates.render(template, row, spec.mixture.seed)
    for name in ("instruction", "input", "output"):
        size = len(getattr(rendered, name))
        if size > spec.max_characters:
            raise ValueError(f"{name}: {size:,} characters, and {spec.max_characters:,} are allowed.")
    document = document_of(source, row)
    content = Content(
        rendered.instruction,
        rendered.input,
        rendered.output,
        template.category,
        template.task,
        # A row that is a document of its own often has but a running number.
        source=described(source.name, document if document != row.id else ""),
    )
    if not content.output:
        raise ValueError("output: it is empty; a row without an answer teaches nothing.")
    return Converted(
        number,
        content,
        source.name,
        document,
        row.id,
        home_of(source, row),
        source.template,
        str(template.version),
        rendered.wording,
        source.licence,
        source.is_restricted,
        source.provenance,
        find_flags(content) if spec.check_privacy else (),
    )


def wanted_of(source: Source) -> hub.Wanted:
    """The dataset of the Hub that a source names. Raises ValueError where it names something else."""
    try:
        return hub.Wanted(**source.hub)
    except TypeError as error:
        raise ValueError("hub: give name, config, split, revision and columns, and nothing else.") from error


def bring(source: Source, data_dir: Path) -> str:
    """Copy a source's dataset from the Hub, unless it is here; the commit that was fetched, or "".

    Raises ValueError, as `hub.fetch` does, and for a place outside the studio's folder of corpora.
    """
    folder = folder_of(data_dir).resolve()
    target = (folder / source.path).resolve()
    if target.parent.parent != folder:
        raise ValueError(f"path: {source.path} is no place for a dataset; add it to the mixture again.")
    return hub.fetch(wanted_of(source), target)


def home_of(source: Source, row: Row) -> Home:
    """The split a row is at home in: its own, else that of its file, else none."""
    return row.split or source.split


def document_of(source: Source, row: Row) -> str:
    """The document that the row is of; "" where its file tells none, and the reader named the file for it."""
    return "" if row.document_id in _names_of(source.path) else row.document_id


@lru_cache(maxsize=256)
def _names_of(path: str) -> tuple[str, str]:
    file = PurePosixPath(path)
    return file.stem, file.name.partition(".")[0]


def find_flags(content: Content) -> tuple[Flag, ...]:
    """`privacy.find_flags`; what thousands of rows share, wording and source, is looked at once."""
    own = privacy.find_flags(replace(content, instruction="-", source=""))
    return (*_shared_flags(content.instruction), *own, *_shared_flags("-", content.source))


@lru_cache(maxsize=4_096)
def _shared_flags(instruction: str, source: str = "") -> tuple[Flag, ...]:
    return privacy.find_flags(Content(instruction, source=source))


def described(name: str, document_id: str) -> str:
    """What a record says of where it comes from."""
    return f"{name}, document {document_id}" if document_id else name


def template_of(source: Source) -> Template:
    """The template of a source, compiled.

    Raises LookupError for an unknown one, ValueError when it has moved on, cannot be used, or is for rows of
    another shape than the source's format gives.
    """
    if source.own_template:
        found = templates.read_template({**source.own_template, "name": source.template})
    else:
        found = templates.get(source.template)
    if source.template_version not in ("", str(found.version)):
        raise ValueError(
            f"template: {found.name} is at version {found.version}, not {source.template_version}; "
            "choose it again."
        )
    if found.prepared.row_type is not readers.get_format(source.format).row:
        raise ValueError(
            f"template: {found.name} is for another kind of rows than {source.format} gives ({source.name}); "
            "choose another."
        )
    return found


def _take(
    batch: OpenBatch, spec: ConvertSpec, source: Source, template: Template, number: int, row: Row
) -> None:
    try:
        batch.add(convert_row(spec, source, template, number, row))
    except ValueError as error:
        count(batch.tally, source.name, "faulty")
        batch.faults.append(Fault(source.name, number, row.id, str(error)))
