"""Files are told by their content; what cannot be read is said by line."""

import json
import stat
import zipfile

import pytest

from db.exchange import readers, sniff
from db.exchange.arrow import unpacked
from db.exchange.faults import RowError, error_file
from db.exchange.mapping import guess_mapping, read_given
from db.exchange.sniff import Container
from tests.db.exchange_files import (
    ROWS,
    save_folder,
    turns,
    write_json,
    write_jsonl,
    write_parquet,
    zip_folder,
)


def rows_of(path):
    """(layout, rows) as an import reads them."""
    layout = sniff.sniff(path)
    sniff.fingerprint_file(path, layout)
    return layout, list(readers.read_rows(path, layout))


def contents_of(path):
    _, rows = rows_of(path)
    assert [row.fault for row in rows] == [""] * len(rows)
    mapping = guess_mapping(list(rows[0].values), [row.values for row in rows])
    return [read_given(row.values, mapping).content() for row in rows]


def triples(contents):
    return [(one.instruction, one.input, one.output) for one in contents]


EXPECTED = [tuple(row.values()) for row in ROWS]


@pytest.mark.parametrize("name", ["rows.txt", "rows.csv", "rows"])
def test_every_format_is_known_by_its_content_whatever_its_name(tmp_path, name):
    path = tmp_path / name
    lines = "instruction\tinput\toutput\r\n" + "".join(
        "\t".join(f'"{cell}"' for cell in row.values()) + "\r\n" for row in ROWS
    )
    writers = {
        Container.JSON: lambda: write_json(path, ROWS),
        Container.JSONL: lambda: write_jsonl(path, ROWS),
        Container.PARQUET: lambda: write_parquet(path, ROWS),
        Container.DATASETS: lambda: zip_folder(save_folder(tmp_path / f"saved-{name}", ROWS), path),
        Container.CSV: lambda: path.write_text(lines, encoding="utf-8", newline=""),
    }
    for container, write in writers.items():
        write()
        assert sniff.sniff(path).container is container
        assert triples(contents_of(path)) == EXPECTED


@pytest.mark.parametrize(("mark", "name"), [(",", "commas"), (";", "semicolons"), ("|", "bars")])
def test_the_delimiter_is_found_though_the_text_is_full_of_others(tmp_path, mark, name):
    path = tmp_path / "rows"
    path.write_text(f'question{mark}answer\n"a, b; c | d?"{mark}"Yes, ""both""; or | none."\n', newline="")
    layout, [row] = rows_of(path)
    assert layout.name == f"CSV with {name}"
    assert row.values == {"question": "a, b; c | d?", "answer": 'Yes, "both"; or | none.'}


def test_a_saved_folder_is_read_by_its_path_split_after_split(tmp_path):
    for split in ("train", "test"):
        save_folder(tmp_path / "saved" / split, ROWS[:2])
    (tmp_path / "saved" / "train" / "cache-1.arrow").write_bytes(b"left over")
    layout, rows = rows_of(tmp_path / "saved")
    assert layout.container is Container.DATASETS
    assert [row.values["split"] for row in rows] == ["test"] * 2 + ["train"] * 2


@pytest.mark.parametrize(
    "chat", [("role", "content", "user", "assistant"), ("from", "value", "human", "gpt")]
)
def test_messages_and_sharegpt_are_known_by_their_turns(tmp_path, chat):
    path = write_jsonl(
        tmp_path / "talk", [{"dialog": turns(row, *chat), "input": row["input"]} for row in ROWS]
    )
    assert triples(contents_of(path)) == EXPECTED


def test_a_byte_order_mark_and_mixed_line_ends_change_nothing(tmp_path):
    lines = [json.dumps(row, ensure_ascii=False) for row in ROWS]
    path = tmp_path / "rows"
    path.write_bytes("\r\n".join([lines[0] + "\n" + lines[1], lines[2]]).encode("utf-8-sig"))
    assert triples(contents_of(path)) == EXPECTED
    path.write_bytes('instruction,output\r\n"two\r\nlines",a\n\rlast,b'.encode("utf-8-sig"))
    assert triples(contents_of(path)) == [("two\r\nlines", "", "a"), ("last", "", "b")]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ("frage,antwort\nFieber?,größer\n".encode("latin-1"), "not UTF-8 text (byte 0xf6 in line 2)"),
        ("instruction\tx\n".encode("utf-16"), "UTF-16"),
        (b"\x1f\x8b\x08\x00", "compressed"),
        (b"PK\x03\x04" + b"\0" * 26 + b"[Content_Types].xml", "Excel workbook"),
        (b"\n  \n", "no rows"),
        (b'{\n  "data": []\n}\n', "one JSON object over many lines"),
        (b"Just a paragraph of prose.\nAnd another one, with a comma.\n", "nothing this page can read"),
        (b"PAR1 and then nothing of Parquet", "Parquet in it is broken"),
        (b"PK\x03\x04 no zip at all", "zip is broken"),
    ],
)
def test_what_cannot_be_read_gets_one_sentence_with_its_mend(tmp_path, data, sentence):
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(ValueError) as refused:
        rows_of(path)
    assert sentence in str(refused.value)


def test_bytes_that_are_no_text_far_down_a_file_are_found_with_their_line(tmp_path):
    path = tmp_path / "rows"
    line = json.dumps(ROWS[0]).encode() + b"\n"
    path.write_bytes(line * 20_000 + b'{"instruction": "\xff"}\n')
    with pytest.raises(ValueError, match="byte 0xff in line 20,001"):
        rows_of(path)


def test_a_file_above_the_limit_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "big"
    with path.open("wb") as file:
        file.truncate(sniff.MAX_BYTES + 1)
    with pytest.raises(ValueError, match="256 MiB is the most"):
        sniff.sniff(path)


def test_an_array_is_read_on_to_its_first_break_with_the_line_of_every_row(tmp_path):
    path = tmp_path / "rows"
    path.write_text('[\n{"instruction": "a"},\n7,\n{"instruction":\n"b"}\n{"instruction": "c"}]')
    _, rows = rows_of(path)
    assert [(row.line, row.number, row.fault.split(";")[0].split(":")[0]) for row in rows] == [
        (2, 1, ""), (3, 2, "not an object"), (4, 3, ""), (6, 4, "not JSON"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ['[{"a": 1}', '[{"a": 1}] and more', "[" * 100_000, '[{"a": ' + "9" * 5000 + "}]", '[{"a": tru}]', "[,]"],
)
def test_a_broken_array_ends_in_a_fault_and_never_in_a_crash(tmp_path, text):
    path = tmp_path / "rows"
    path.write_text(text)
    _, rows = rows_of(path)
    assert rows[-1].fault
    assert len(rows) <= 2


def test_a_row_across_the_edges_of_the_window_is_whole(tmp_path):
    long = [{"instruction": f"{n} " + "é" * 90_000, "output": "x"} for n in range(12)]
    _, rows = rows_of(write_json(tmp_path / "rows", long))
    assert [row.values for row in rows] == long


def test_lines_that_are_no_json_do_not_stop_the_reading(tmp_path):
    path = tmp_path / "rows"
    path.write_text(
        '{"instruction": "a"}\n\n{"instruction": \n[1]\n' + "{" * 200_000 + '\n{"instruction": "b"}'
    )
    _, rows = rows_of(path)
    assert [(row.line, bool(row.fault)) for row in rows] == [
        (1, False), (3, True), (4, True), (5, True), (6, False),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("instruction,output\na,b\nc,d,e\n", 3, "3 cells, the first line has 2"),
        ('instruction,output\na,"never closed\nb,c\n', 2, "has no end"),
        ('instruction,output\na,b\n"c" d,e\n', 3, "write it twice"),
        ("instruction,output\na," + "x" * 140_000 + "\n", 2, "closing quote may be missing"),
    ],
)
def test_a_torn_table_is_told_by_line(tmp_path, text, line, sentence):
    path = tmp_path / "rows"
    path.write_text(text)
    _, rows = rows_of(path)
    [fault] = [row for row in rows if row.fault]
    assert fault.line == line
    assert sentence in fault.fault


def test_a_table_without_a_header_names_its_columns_by_number(tmp_path):
    path = tmp_path / "rows"
    path.write_text(
        "What is a stent?\tA tube that holds a vessel open.\nWhat is a shunt?\tA way around, 2 mm.\n"
    )
    layout, rows = rows_of(path)
    assert not layout.has_header
    assert rows[0].values["column 1"] == "What is a stent?"


# zips ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["../out.arrow", "/abs.arrow", "a/../../out.json", "..\\out.arrow", "C:/x.arrow"]
)
def test_no_path_of_a_zip_leads_out_of_its_folder(tmp_path, name):
    path = tmp_path / "evil.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(ValueError, match="leads out"), unpacked(path):
        pass
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_in_a_zip_is_refused(tmp_path):
    path = tmp_path / "link.zip"
    link = zipfile.ZipInfo("data.arrow")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ValueError, match="leads out"), unpacked(path):
        pass


def test_a_zip_that_unpacks_to_more_than_the_limit_is_refused_by_what_comes_out(tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.arrow", bytes((8 << 20) + 1))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(ValueError, match="more than 8 MiB"), unpacked(path, 8 << 20):
        pass


def test_a_zip_of_something_else_is_refused(tmp_path):
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("rows.csv", "instruction\na\n")
    with pytest.raises(ValueError, match="no saved dataset"):
        rows_of(path)


# rows -----------------------------------------------------------------------------------------------------


def given_of(values, **how):
    return read_given(values, guess_mapping(list(values), [values]), **how)


def test_names_of_columns_are_guessed_and_a_mere_counter_is_no_key():
    columns = ["id", "Question", "Context", "Answer", "License", "notes"]
    counted = [{"id": number} for number in range(3)]
    assert guess_mapping(columns, counted) == {
        "instruction": "Question", "input": "Context", "output": "Answer", "licence": "License",
    }  # fmt: skip
    assert guess_mapping(columns, [{"id": "PMC-17"}])["key"] == "id"
    assert guess_mapping(["key", "prompt"], [{"key": 1}])["key"] == "key"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"prompt": None}, "instruction: missing."),
        ({"prompt": "a\0b"}, "instruction: a null character at 2"),
        ({"prompt": "a \ud83d"}, "instruction: half a character at 3"),
        ({"prompt": "x" * 100_000}, "instruction: 100,000 characters; shorten it to 20,000"),
        ({"prompt": "q", "answer": 5}, "output: must be text, not int"),
        (
            {"prompt": "q", "category": "surgery on " + "a" * 99},
            "category: surgery on aaaaaaaaaaaaaaaaaaa… is",
        ),
        ({"prompt": "q", "difficulty": True}, "difficulty: True is not"),
        ({"prompt": "q", "tags": '["a"'}, "tags: not a JSON list"),
        ({"prompt": "q", "tags": [1]}, "tags: must be text, not int"),
        ({"prompt": "q", "key": "k" * 201}, "key: it must be one line"),
        ({"prompt": "q", "provenance": "found"}, "provenance: found is not one of"),
    ],
)
def test_a_faulty_row_names_its_field_and_hardly_quotes_it(values, sentence):
    with pytest.raises(ValueError) as refused:
        given_of(values).content()
    assert sentence in str(refused.value)
    assert len(str(refused.value)) < 140


@pytest.mark.parametrize("cell", ["a; b", "a | b", "a, b", '["a", "b"]'])
def test_tags_of_a_cell_are_split_where_people_split_them(cell):
    assert given_of({"prompt": "q", "tags": cell}).content().tags == ("a", "b")


def said(*spoken: tuple[str, str]) -> dict:
    return {"messages": [{"role": role, "content": text} for role, text in spoken]}


LONG = said(
    ("system", "Be brief."),
    ("user", "Fever?"),
    ("assistant", "Since when?"),
    ("user", "Monday."),
    ("assistant", "Rest."),
)


def test_a_longer_conversation_is_refused_or_its_middle_written_into_the_input():
    with pytest.raises(ValueError, match="conversation: 4 turns"):
        given_of(LONG)
    flat = given_of(LONG, flatten=True)
    assert flat.has_system
    assert flat.fields == {
        "instruction": "Fever?",
        "input": "Assistant: Since when?\n\nUser: Monday.",
        "output": "Rest.",
    }
    assert given_of(LONG, flatten=True, keep_system=True).fields["instruction"] == "Be brief.\n\nFever?"


@pytest.mark.parametrize(
    ("talk", "sentence"),
    [
        (said(("assistant", "Hello.")), "does not open with the user"),
        (said(("user", "a"), ("user", "b")), "does not end with the assistant"),
        (said(("user", "a"), ("tool", "b")), "a turn is neither"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "a turn is not text"),
    ],
)
def test_a_conversation_that_is_none_says_why(talk, sentence):
    with pytest.raises(ValueError, match=sentence):
        given_of(talk)


def test_the_error_file_opens_in_a_spreadsheet_and_runs_nothing():
    text = error_file([RowError(7, "=cmd() is wrong", 6), RowError(9, "output: must be text, not int.", 8)])
    assert text.decode("utf-8-sig").splitlines() == [
        "line,row,field,message",
        "7,6,,'=cmd() is wrong",
        '9,8,output,"output: must be text, not int."',
    ]
