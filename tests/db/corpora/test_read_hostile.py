"""What is wrong with a file is said in one sentence, and no file takes the memory or reads another."""

import gzip
import json
import tracemalloc
import zipfile
from dataclasses import asdict

import pytest

from db.convert_spec import Source
from db.corpora.converting import rows_of
from db.corpora.files import folder_of
from db.corpora.readers import FORMATS, detect, read
from db.corpora.readers.text import MAX_LINE
from db.corpora.schema import CorpusError
from tests.db.corpora.reading import FILES, fault_of, written

SAMPLES = {
    "iob": "iob2.tsv",
    "pubtator": "pubtator.txt",
    "bioc_xml": "bioc.xml",
    "bioc_json": "bioc.json",
    "marked_pair": "wrapped.jsonl",
    "masked_pair": "masked.tsv",
    "pairs": "nli.jsonl",
    "labels": "hoc.jsonl",
    "medqa": "medqa.jsonl",
    "medmcqa": "medmcqa.json",
    "mmlu": "mmlu.jsonl",
    "pubmedqa": "pubmedqa.json",
    "bioasq": "bioasq.json",
    "questions": "questions.jsonl",
    "instruction_output": "chats.json",
    "dialogue_note": "mts.csv",
    "medquad_xml": "medquad/0000001.xml",
    "mediqa_qa": "mediqa_qa.xml",
    "mediqa_rqe": "mediqa_rqe.xml",
    "brat": "brat",
}


def refusal(path, format):
    """What the file is refused with; empty where it is read."""
    try:
        for row in read(path, format):
            json.dumps(asdict(row), ensure_ascii=False).encode()  # whatever is read can be stored
    except CorpusError as error:
        return str(error)
    return ""


def assert_one_sentence_or_none(said):
    assert not said or said.startswith("file: ")
    assert "\n" not in said


def test_there_is_a_sample_of_every_format():
    assert SAMPLES.keys() == FORMATS.keys()


@pytest.mark.parametrize("format", SAMPLES)
def test_every_sample_is_told_and_gives_rows_of_the_shape_that_is_promised(format):
    path = FILES / SAMPLES[format]
    assert detect(path) == format
    rows = list(read(path, format))
    assert rows
    assert {type(row) for row in rows} == {FORMATS[format].row}


@pytest.mark.parametrize("name", ["iob1.conll", "iobes.tsv", "typeless.tsv"])
def test_tagged_tokens_are_told_in_every_scheme(name):
    assert detect(FILES / name) == "iob"


@pytest.mark.parametrize("format", [name for name in SAMPLES if name != "brat"])
def test_an_empty_file_is_refused(tmp_path, format):
    assert detect(written(tmp_path, "")) is None
    assert "empty" in fault_of(written(tmp_path, ""), format)


@pytest.mark.parametrize("format", [name for name in SAMPLES if name != "brat"])
def test_a_file_cut_anywhere_gives_rows_or_one_sentence(tmp_path, format):
    whole = (FILES / SAMPLES[format]).read_bytes()
    for end in range(1, len(whole), max(1, len(whole) // 60)):
        path = written(tmp_path, whole[:end])
        detect(path)
        assert_one_sentence_or_none(refusal(path, format))


@pytest.mark.parametrize("format", SAMPLES)
@pytest.mark.parametrize("other", SAMPLES)
def test_a_file_read_as_another_format_gives_rows_or_one_sentence(format, other):
    assert_one_sentence_or_none(refusal(FILES / SAMPLES[other], format))


def variants(value):
    """The JSON value with each of its parts in turn left out, and replaced by something of another kind."""
    yield from (None, 7, -1, 1.5, True, "", "x", "\ud800", [], {}, [None], [[]], {"a": [1]})
    if isinstance(value, dict):
        for name in value:
            yield {key: part for key, part in value.items() if key != name}
            yield from (value | {name: part} for part in variants(value[name]))
    elif isinstance(value, list):
        for place in range(len(value)):
            yield from ([*value[:place], part, *value[place + 1 :]] for part in variants(value[place]))


@pytest.mark.parametrize("format", [name for name, file in SAMPLES.items() if ".json" in file])
def test_a_field_of_the_wrong_kind_is_refused_in_one_sentence(tmp_path, format):
    text = (FILES / SAMPLES[format]).read_text()
    is_lines = text.startswith("{") and text.count("\n{") == text.count("\n") - 1
    refused = 0
    for value in variants(json.loads(text.splitlines()[0] if is_lines else text)):
        said = refusal(written(tmp_path, json.dumps(value)), format)
        assert_one_sentence_or_none(said)
        refused += bool(said)
    assert refused > 20


# Encodings --------------------------------------------------------------------------------------------


def test_another_encoding_is_refused_by_line_and_named(tmp_path):
    text = "Ménière\tB-Disease\n" * 3
    path = written(tmp_path, b"Vertigo\tB-Disease\n\n" + text.encode("cp1252"), "train.tsv")
    said = fault_of(path, "iob")
    assert 'line 3: byte 0xe9 is not UTF-8 text; it may be cp1252: read it with encoding="cp1252"' in said
    assert list(read(path, "iob", encoding="cp1252"))[1].text == "Ménière Ménière Ménière"


def test_utf_16_is_named_and_read(tmp_path):
    path = written(tmp_path, "a\tO\nß\tB-X\n".encode("utf-16"))
    assert 'it may be utf-16: read it with encoding="utf-16"' in fault_of(path, "iob")
    assert next(read(path, "iob", encoding="utf-16")).text == "a ß"
    assert "is not utf-16 text" in fault_of(written(tmp_path, "abc\tO\n"), "iob", encoding="utf-16")


def test_a_wrong_byte_far_into_a_file_has_its_line(tmp_path):
    lines = "token\tO\n" * 60_000 + "\n"
    path = written(tmp_path, (lines * 3).encode() + b"caf\xe9\tO\n")
    assert f"line {3 * 60_001 + 1}: byte 0xe9" in fault_of(path, "iob")


def test_a_brat_text_in_another_encoding_is_refused_by_its_name(tmp_path):
    written(tmp_path, "caf\xe9".encode("cp1252"), "a.txt")
    written(tmp_path, "", "a.ann")
    assert "record a.txt, line 1: byte 0xe9 is not UTF-8 text" in fault_of(tmp_path, "brat")
    assert next(read(tmp_path, "brat", encoding="cp1252")).text == "café"


@pytest.mark.parametrize("name", ["nonsense", "base64", "rot13"])
def test_an_encoding_that_is_none_is_refused_at_once(name):
    with pytest.raises(ValueError, match="encoding: .* is not known"):
        read(FILES / "iob2.tsv", "iob", encoding=name)


def test_half_a_character_in_json_is_refused(tmp_path):
    path = written(tmp_path, r'{"question": "What is \ud800?", "answer": "a"}')
    assert "line 1: it holds half of a character" in fault_of(path, "questions")


# What is asked ----------------------------------------------------------------------------------------


def test_wrong_names_are_refused_before_anything_is_read(tmp_path):
    with pytest.raises(ValueError, match="format: 'xls' is not known; choose one of"):
        read(FILES / "iob2.tsv", "xls")
    with pytest.raises(ValueError, match="kind: iob has no such option; it knows type, scheme"):
        read(FILES / "iob2.tsv", "iob", kind="x")
    with pytest.raises(ValueError, match="scheme: 'BILOU' is none of auto, IOB1"):
        read(FILES / "iob2.tsv", "iob", scheme="BILOU")
    with pytest.raises(ValueError, match="tag_column: 'last' is no whole number"):
        read(FILES / "iob2.tsv", "iob", tag_column="last")
    with pytest.raises(ValueError, match="file: absent.tsv does not exist"):
        read(tmp_path / "absent.tsv", "iob")
    with pytest.raises(ValueError, match="is a folder"):
        read(tmp_path, "iob")


def test_reading_is_lazy(tmp_path):
    good = (FILES / "questions.jsonl").read_text()
    rows = read(written(tmp_path, good + "{broken\n"), "questions")
    assert next(rows).question == "What is scurvy?"
    with pytest.raises(ValueError, match="line 2: not JSON"):
        next(rows)


# Size -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("format", "start"),
    [
        ("iob", "a"),
        ("pubtator", "1|t|"),
        ("questions", '{"question": "'),
        ("dialogue_note", "dialogue,note\n"),
    ],
)
def test_a_huge_line_is_refused(tmp_path, format, start):
    path = written(tmp_path, start + "a" * (MAX_LINE + 10))
    assert "4,000,000 characters" in fault_of(path, format) or "131,072 characters" in fault_of(path, format)


def test_a_huge_member_of_a_json_array_is_refused(tmp_path):
    path = written(tmp_path, '[{"question": "' + "a" * 17_000_000)
    assert "a record of more than 16,000,000 characters" in fault_of(path, "questions")


def test_a_gzip_bomb_is_refused(tmp_path):
    path = tmp_path / "bomb.jsonl.gz"
    with gzip.open(path, "wb", compresslevel=9) as file:
        for _ in range(70):
            file.write(b"\n" * (1 << 20))
    assert "grows more than 200-fold" in fault_of(path, "questions")


def test_a_zip_bomb_is_refused(tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(2):
            archive.writestr(f"{number}.txt", b"a" * (40 << 20))
            archive.writestr(f"{number}.ann", b"")
    assert "grows more than 200-fold" in fault_of(path, "brat")


def test_broken_archives_are_refused(tmp_path):
    packed = gzip.compress((FILES / "questions.jsonl").read_bytes())
    assert "gzip file is broken or cut off" in fault_of(written(tmp_path, packed[:-9]), "questions")
    assert "holds no row" in fault_of(written(tmp_path, b"PK\x03\x04 no zip", "a.zip"), "brat")


def test_a_locked_zip_is_refused(tmp_path):
    path = tmp_path / "locked.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "Fever.")
        archive.writestr("a.ann", "")
    data = bytearray(path.read_bytes())
    for header, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the flag that says: encrypted
        start = -1
        while (start := data.find(header, start + 1)) >= 0:
            data[start + place] |= 1
    path.write_bytes(data)
    assert "the zip is locked with a password" in fault_of(path, "brat")


def test_a_deeply_nested_record_is_refused(tmp_path):
    path = written(tmp_path, '{"question": ' + "[" * 100_000 + "\n")
    assert "line 1: not JSON" in fault_of(path, "questions")


def test_a_large_file_is_read_in_little_memory(tmp_path):
    line = (FILES / "questions.jsonl").read_text()
    lines, array = tmp_path / "large.jsonl", tmp_path / "large.json"
    with lines.open("w") as one, array.open("w") as other:
        other.write("[" + line)
        for _ in range(40_000):
            one.write(line)
            other.write("," + line)
        other.write("]")
    for path in (lines, array):
        tracemalloc.start()
        count = sum(1 for _ in read(path, "questions"))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count >= 40_000
        assert peak < 3_000_000  # the files are 6 MB each


# XML --------------------------------------------------------------------------------------------------

BOMB = """<?xml version="1.0"?>
<!DOCTYPE collection [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]>
<collection><document><id>1</id><passage><offset>0</offset><text>&d;</text></passage></document></collection>
"""


def test_entities_are_refused_before_one_is_expanded(tmp_path):
    assert "entities" in fault_of(written(tmp_path, BOMB), "bioc_xml")


def test_no_other_file_is_read_through_xml(tmp_path):
    secret = written(tmp_path, "the secret", "secret.txt")
    text = BOMB.replace('<!ENTITY a "aaaaaaaaaa">', f'<!ENTITY a SYSTEM "{secret.as_uri()}">')
    said = fault_of(written(tmp_path, text.replace("&d;", "&a;")), "bioc_xml")
    assert "entities" in said
    assert "secret" not in said
    dtd = written(tmp_path, '<!ENTITY x "the secret">', "evil.dtd")
    text = f'<!DOCTYPE collection SYSTEM "{dtd.as_uri()}">' + BOMB.partition("]>")[2].replace("&d;", "&x;")
    said = fault_of(written(tmp_path, text), "bioc_xml")
    assert "entities" in said
    assert "secret" not in said


def test_broken_xml_in_a_folder_is_named(tmp_path):
    written(tmp_path, "<Document><QAPair></Document>", "broken.xml")
    assert "broken.xml, line 1: the XML is broken" in fault_of(tmp_path, "medquad_xml")


def test_xml_that_is_nested_too_deep_is_refused(tmp_path):
    assert "nested too deep" in fault_of(written(tmp_path, "<a>" * 100_000), "bioc_xml")


# Many broken lines ----------------------------------------------------------------------------------------

PAIR = '{"sentence1": "A.", "sentence2": "B.", "gold_label": "neutral"}\n'


def all_faults(path, format):
    """What a conversion says of the file, line by line."""
    source = Source("wards", path.name, format, "nli-clinical")
    folder_of(path.parent).mkdir(exist_ok=True)
    path.rename(folder_of(path.parent) / path.name)
    with pytest.raises(CorpusError) as told:
        list(rows_of(source, path.parent))
    return str(told.value).splitlines()


def test_every_broken_line_of_a_tagged_file_is_named(tmp_path):
    good = "Patient\tO\ngout\tB-Disease\n\n"
    text = f"{good}Patient\n\n{good}gout\tX\n\n{good}Muscle\tO\npain\tI-Disease\n"
    first, second, third = all_faults(written(tmp_path, text, "wards.tsv"), "iob")
    assert first == "file: line 4: a token without a tag; write the token, a tab and its tag."
    assert second == "Line 9: 'X' is no tag; write O, B-Type or I-Type."
    assert third.startswith("Line 15: I-Disease continues no Disease")


def test_every_broken_line_of_json_lines_is_named_up_to_twenty(tmp_path):
    text = PAIR + '{"sentence1": \n' + PAIR + '{"sentence1": "A.", "gold_label": "neutral"}\n'
    first, second = all_faults(written(tmp_path, text, "pairs.jsonl"), "pairs")
    assert first.startswith("file: line 2: not JSON")
    assert second.startswith("Line 4: ")
    many = all_faults(written(tmp_path, (PAIR + "{\n") * 30, "many.jsonl"), "pairs")
    assert (len(many), many[-1]) == (21, "There are more.")
    assert many[19].startswith("Line 40: ")


def test_a_file_of_which_each_line_is_broken_is_refused_in_one_sentence(tmp_path):
    assert len(all_faults(written(tmp_path, "{\n" * 30, "none.jsonl"), "pairs")) == 1
