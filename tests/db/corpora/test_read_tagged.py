import pytest

from db.corpora.readers import read
from tests.db.corpora.reading import fault_of, rows_of, written


def mentions(row):
    return [(entity.type, entity.text[0]) for entity in row.entities]


def test_sentences_come_with_their_document_tokens_and_mentions():
    rows = rows_of("iob2.tsv", "iob")
    assert [(row.document_id, row.text) for row in rows] == [
        ("7001", "Familial parkinsonism is rare ."),
        ("7001", "Aspirin and asthma wheeze"),
        ("7002", "No finding"),
    ]
    assert mentions(rows[0]) == [("Disease", "Familial parkinsonism")]
    assert mentions(rows[1]) == [("Drug", "Aspirin"), ("Disease", "asthma"), ("Disease", "wheeze")]
    assert [rows[0].text[start:end] for start, end in rows[0].tokens] == rows[0].text.split()


def test_iob1_begins_a_mention_with_i_and_parts_neighbours_with_b():
    (row,) = rows_of("iob1.conll", "iob")
    assert mentions(row) == [("Sign", "Fever"), ("Sign", "chest pain"), ("Sign", "cough")]


def test_iobes_is_known_by_its_tags():
    (row,) = rows_of("iobes.tsv", "iob")
    assert mentions(row) == [("Sign", "severe chest pain"), ("Sign", "fever")]


def test_tags_without_a_type_get_the_one_that_is_named():
    (row,) = rows_of("typeless.tsv", "iob", type="Gene")
    assert mentions(row) == [("Gene", "BRCA1 gene"), ("Gene", "TP53")]


def test_tags_without_a_type_are_refused_where_none_is_named():
    with pytest.raises(ValueError, match="line 1: the tag B names no type; say it, such as type=Disease"):
        rows_of("typeless.tsv", "iob")


def test_other_columns_and_delimiters_are_told(tmp_path):
    path = written(tmp_path, "1,B-Drug,aspirin\n2,O,helps\n")
    (row,) = read(path, "iob", delimiter="comma", token_column=2, tag_column=1)
    assert (row.text, mentions(row)) == ("aspirin helps", [("Drug", "aspirin")])


def test_a_token_that_is_a_hash_or_a_line_separator_is_a_token(tmp_path):
    path = written(tmp_path, "#\tO\n\u2028\tO\n5\tB-Drug\n")
    (row,) = read(path, "iob")
    assert row.text == "# \u2028 5"
    assert mentions(row) == [("Drug", "5")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\tB-X\nb\tO\nc\tI-X\n", "line 3: I-X continues no X; begin the mention with B-X"),
        ("a\tB-X\nb\tI-Y\n", "line 2: I-Y continues no Y"),
        ("a\tO\nb\tX-Gene\n", "line 2: 'X-Gene' is no tag"),
        ("a\tO\nb\n", "line 2: a token without a tag"),
        ("a\tO\n\tO\n", "line 2: a tag without a token"),
        ("a\tB-X\nb\tE-Y\n", "line 2: E-Y continues no Y"),
        ("a\tB-X\nb\tO\nc\tS-X\n", "line 1: the X that begins here is never ended"),
        ("a\tI-X\nb\tE-X\n", "line 1: I-X continues no X"),
    ],
)
def test_a_broken_tag_is_refused_by_its_line(tmp_path, text, said):
    assert said in fault_of(written(tmp_path, text), "iob")


def test_a_scheme_that_is_named_holds(tmp_path):
    path = written(tmp_path, "a\tI-X\nb\tO\n")
    assert "read with scheme=IOB1" in fault_of(path, "iob", scheme="IOB2")
    assert "read with scheme=IOBES" in fault_of(written(tmp_path, "a\tS-X\n"), "iob", scheme="IOB1")


def test_a_file_cut_off_in_a_line_is_refused(tmp_path):
    assert "line 2: a token without a tag" in fault_of(written(tmp_path, "a\tB-X\nb"), "iob")


def test_a_file_without_blank_lines_is_not_one_endless_sentence(tmp_path):
    said = fault_of(written(tmp_path, "a\tO\n" * 100_001), "iob")
    assert "line 100001: a sentence of more than 100,000 tokens" in said
