"""The forms of named entity recognition: written, and read back from what models really say."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.corpora.forms import FORMS, CannotWrite, Label, Obstacle, can_write, make_form, obstacle
from db.corpora.forms.form import SHAPES
from db.corpora.forms.prediction import FaultKind, Mention, Mentions, tally
from db.corpora.schema import Entity, KbRow, QaRow, Relation
from tests.db.corpora.rows import BOTH, CANCER, DISEASE, spanned, tagged

TAGS = make_form("token_tags", DISEASE)
JSON = make_form("json_entities", BOTH)
INLINE = make_form("inline_tags", BOTH)
LIST = make_form("typed_list", BOTH)
WRITTEN = TAGS.write(CANCER)
GOLD = {Mention("Disease", ((0, 20),)), Mention("Disease", ((25, 31),))}


def kinds(prediction: Mentions) -> list[FaultKind]:
    return [fault.kind for fault in prediction.faults]


def test_the_papers_lines_have_one_tag_a_token():
    lines = WRITTEN.split("\n")
    assert lines[:5] == ["Cancer : B", "of : I", "the : I", "breast : I", ": : O"]
    assert len(lines) == len(CANCER.tokens)


@pytest.mark.parametrize(
    "reply",
    [
        "Sure, here it is:\n```text\n" + WRITTEN + "\n```\nHope that helps: good luck",
        "```\n" + WRITTEN,
        "<think>Breast : O?</think>" + WRITTEN,
        WRITTEN.replace(" : ", "\t"),
        WRITTEN.replace(" : ", ":"),
        WRITTEN.replace(" : ", " "),
        WRITTEN.replace(" : ", " -> "),
        WRITTEN.lower(),
        WRITTEN.replace("\n", " "),
        WRITTEN.replace("\n", ", "),
        WRITTEN.replace(": B", ": B-Disease").replace(": I", ": I-DISEASE"),
        "\n".join(f"{n}. {line}" for n, line in enumerate(WRITTEN.split("\n"), start=1)),
        "\n".join(f"- {line}" for line in WRITTEN.split("\n")),
        WRITTEN.replace("Cancer : B", "**Cancer** : `B`"),
        WRITTEN.replace("breast : I", "breast : E").replace("cancer : B", "cancer : S"),
        WRITTEN.replace("of : I\nthe : I", "of the : I"),
        WRITTEN.replace("BRCA1 : O", "BR : O\nCA1 : O"),
        WRITTEN + "\nNote: these are all.",
    ],
)
def test_a_sloppy_tagging_is_read_without_a_loss(reply):
    assert TAGS.parse(reply, CANCER).items == GOLD


def test_repeated_words_and_a_colon_keep_their_own_tags():
    row = tagged("the tumor : the tumor the tumor", ("tumor", "Disease"))
    answer = TAGS.write(row)
    assert TAGS.parse(answer, row) == TAGS.gold(row)
    assert TAGS.parse(answer, row).tags == ("O", "B", "O", "O", "O", "O", "O")


def test_a_token_left_out_shifts_nothing_and_is_no_o():
    read = TAGS.parse(WRITTEN.replace("\n: : O", ""), CANCER)
    assert read.items == GOLD
    assert kinds(read) == [FaultKind.MISSING]
    assert read.tags[4] is None


def test_a_token_said_twice_shifts_nothing():
    read = TAGS.parse(WRITTEN.replace("a : O", "a : O\na : O"), CANCER)
    assert (read.items, kinds(read)) == (GOLD, [FaultKind.REPEATED])


def test_invented_tokens_and_other_types_count_for_nothing():
    read = TAGS.parse("asthma : B\n" + WRITTEN.replace("cancer : B", "cancer : B-Gene"), CANCER)
    assert read.items == {Mention("Disease", ((0, 20),))}
    assert kinds(read) == [FaultKind.INVENTED, FaultKind.UNKNOWN_LABEL]


def test_an_i_that_continues_nothing_begins_nothing():
    read = TAGS.parse(WRITTEN.replace(": B", ": I"), CANCER)
    assert (read.items, set(kinds(read))) == (frozenset(), {FaultKind.BROKEN})


def test_a_cut_off_reply_keeps_what_it_said():
    read = TAGS.parse("\n".join(WRITTEN.split("\n")[:4]), CANCER)
    assert read.items == {Mention("Disease", ((0, 20),))}
    assert kinds(read) == [FaultKind.MISSING] * 7


@pytest.mark.parametrize(("reply", "kind"), [("", FaultKind.EMPTY), ("Two diseases.", FaultKind.UNPARSABLE)])
@pytest.mark.parametrize("form", [TAGS, JSON, INLINE, LIST])
def test_what_is_no_answer_is_a_fault_and_no_mention(form, reply, kind):
    read = form.parse(reply, tagged("Asthma is common .", ("Asthma", "Disease")))
    assert (read.mentions, kinds(read)) == ((), [kind])


def test_adjacent_mentions_stay_two():
    row = tagged("asthma eczema .", ("asthma", "Disease"), ("eczema", "Disease"))
    for form in (TAGS, JSON, INLINE, LIST):
        assert form.parse(form.write(row), row) == form.gold(row)


def test_several_types_are_tagged_by_type():
    row = tagged("BRCA1 in breast cancer", ("BRCA1", "Gene"), ("breast cancer", "Disease"))
    form = make_form("token_tags", BOTH)
    assert form.write(row) == "BRCA1 : B-gene\nin : O\nbreast : B-disease\ncancer : I-disease"
    assert form.parse(form.write(row), row) == form.gold(row)


def test_the_label_for_everything_takes_every_type():
    row = tagged("BRCA1 in breast cancer", ("BRCA1", "Gene"), ("breast cancer", "Disease"))
    form = make_form("token_tags", (Label("*", "entity"),))
    assert form.write(row) == "BRCA1 : B\nin : O\nbreast : B\ncancer : I"
    assert {mention.type for mention in form.gold(row).mentions} == {"*"}


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        ('Here:\n```json\n[{"text": "Cancer of the breast", "type": "Disease"}]\n```\nDone.', {(0, 20)}),
        ('[{"text": "Cancer of the breast", "type": "disease"}, {"text": "can', {(0, 20)}),
        ('[{"text": "cancer", "type": "disease"},]', {(25, 31)}),
        ("[{'text': 'cancer', 'type': 'disease'}]", {(25, 31)}),
        ('{"entities": [{"entity": "cancer", "label": "DISEASE"}]}', {(25, 31)}),
        ('{"disease": ["Cancer of the breast", "cancer"], "gene": ["BRCA1"]}', {(0, 20), (25, 31), (35, 40)}),
        ('{"text": "cancer", "type": "disease"}\n{"text": "BRCA1", "type": "gene"}', {(25, 31), (35, 40)}),
        ('As asked [sic]: [{"text": "cancer", "type": "disease"}]', {(25, 31)}),
        ('[{"text": "cancer  OF the\\nbreast", "type": "disease"}]', {(0, 20)}),
        ("None", set()),
        ("[]", set()),
    ],
)
def test_json_is_salvaged(reply, found):
    assert {mention.offsets[0] for mention in JSON.parse(reply, CANCER).mentions} == found


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ('[{"text": "asthma", "type": "disease"}]', FaultKind.INVENTED),
        ('[{"text": "BRCA1", "type": "protein"}]', FaultKind.UNKNOWN_LABEL),
        ('[{"text": 5, "type": "gene"}]', FaultKind.BROKEN),
        ('["BRCA1"]', FaultKind.UNKNOWN_LABEL),
    ],
)
def test_what_json_makes_up_is_not_counted(reply, kind):
    read = JSON.parse(reply, CANCER)
    assert (read.mentions, kinds(read)) == ((), [kind])


def test_a_mention_named_more_often_than_it_stands_counts_once():
    read = JSON.parse('[{"text":"BRCA1","type":"gene"},{"text":"BRCA1","type":"gene"}]', CANCER)
    assert (len(read.mentions), kinds(read)) == (1, [FaultKind.REPEATED])


def test_json_says_which_place_is_meant():
    row = tagged("cancer and cancer", ("cancer", "Disease"))
    second = spanned(row.text, ("Disease", ((11, 17),)))
    assert '"occurrence"' not in JSON.write(row)
    assert '"occurrence": 2' in JSON.write(second)
    assert JSON.parse(JSON.write(second), second) == JSON.gold(second)


def test_json_carries_overlapping_and_broken_up_mentions():
    text = "breast and ovarian cancer"
    row = spanned(text, ("Disease", ((0, 6), (19, 25))), ("Disease", ((11, 25),)), ("Gene", ((11, 18),)))
    assert JSON.parse(JSON.write(row), row) == JSON.gold(row)


def test_tags_stand_in_the_escaped_text():
    row = tagged("p < 0.05 & asthma > eczema", ("asthma", "Disease"))
    assert INLINE.write(row) == "p &lt; 0.05 &amp; <disease>asthma</disease> &gt; eczema"
    assert INLINE.parse(INLINE.write(row), row) == INLINE.gold(row)
    unescaped = "p < 0.05 & <disease>asthma</disease> > eczema"
    assert INLINE.parse(unescaped, row) == INLINE.gold(row)


def test_nested_tags_come_back():
    row = spanned(
        "breast cancer gene", ("Disease", ((0, 13),)), ("Gene", ((0, 18),)), ("Disease", ((7, 13),))
    )
    assert INLINE.parse(INLINE.write(row), row) == INLINE.gold(row)


@pytest.mark.parametrize(
    ("change", "faults"),
    [
        (lambda text: "The tagged text:\n" + text, []),
        (lambda text: text + "\n\nTwo mentions were tagged.", []),
        (lambda text: text.replace("disease", "DISEASE"), []),
        (lambda text: text.replace("<disease>", "<disease> ").replace(" :", ":"), []),
        (lambda text: text.replace("carriers", "bearers"), [FaultKind.MISSING]),
        (lambda text: text.replace(" a ", " "), [FaultKind.MISSING]),
        (lambda text: text.replace("BRCA1", "<protein>BRCA1</protein>"), [FaultKind.UNKNOWN_LABEL]),
        (lambda text: text + " <disease>asthma</disease>", [FaultKind.INVENTED]),
    ],
)
def test_a_changed_copy_is_laid_against_the_text(change, faults):
    read = INLINE.parse(change(INLINE.write(CANCER)), CANCER)
    assert (read.items, kinds(read)) == (GOLD, faults)


def test_a_tag_never_closed_marks_nothing():
    read = INLINE.parse(INLINE.write(CANCER).replace("</disease> :", " :"), CANCER)
    assert (len(read.mentions), kinds(read)) == (1, [FaultKind.BROKEN])


@pytest.mark.parametrize(
    "reply",
    [
        "disease: Cancer of the breast, cancer\ngene: none",
        "Diseases: Cancer of the breast; cancer",
        "**Disease**:\n- Cancer of the breast\n- cancer\nGene:\n",
        '```\ndisease: "Cancer of the breast", cancer.\n```',
        "The entities are as follows.\nDisease:\n1. Cancer of the breast\n2. cancer",
    ],
)
def test_a_sloppy_list_is_read_without_a_loss(reply):
    assert LIST.parse(reply, CANCER).items == GOLD


def test_a_mention_with_a_comma_stands_in_quotes():
    row = tagged("diabetes, type 2, and asthma", ("diabetes, type 2", "Disease"), ("asthma", "Disease"))
    assert LIST.write(row).split("\n")[0] == 'disease: "diabetes, type 2", asthma'
    assert LIST.parse(LIST.write(row), row) == LIST.gold(row)


def test_nitric_oxide_is_no_refusal():
    form = make_form("typed_list", (Label("Chemical", "chemical"),))
    row = tagged("release of NO", ("NO", "Chemical"))
    assert form.parse("chemical: NO", row).items == form.gold(row).items


@pytest.mark.parametrize(
    ("form", "row", "why"),
    [
        (
            TAGS,
            spanned("breast cancer", ("Disease", ((0, 13),)), ("Disease", ((7, 13),))),
            Obstacle.OVERLAPPING,
        ),
        (TAGS, spanned("breast cancer", ("Disease", ((0, 3), (7, 13)))), Obstacle.BROKEN_UP),
        (TAGS, spanned("nonsmallcell", ("Disease", ((3, 12),))), Obstacle.INSIDE_TOKEN),
        (INLINE, spanned("a b c", ("Disease", ((0, 3),)), ("Gene", ((2, 5),))), Obstacle.CROSSING),
        (LIST, spanned("cancer and cancer", ("Disease", ((11, 17),))), Obstacle.SAME_WORDS),
        (LIST, QaRow("1", "1", "q", "free", ("a",)), Obstacle.WRONG_SHAPE),
    ],
)
def test_a_form_says_up_front_what_it_cannot_carry(form, row, why):
    assert obstacle(form, row) is why
    assert not can_write(form, row)
    if why is not Obstacle.WRONG_SHAPE:
        with pytest.raises(CannotWrite, match="row: .*choose another form"):
            form.write(row)


@pytest.mark.parametrize("labels", [(), (Label("A"), Label("a")), (Label("A", "x"), Label("B", "X"))])
def test_labels_that_cannot_be_told_apart_are_refused(labels):
    with pytest.raises(ValueError, match="labels: "):
        make_form("token_tags", labels)


def test_the_tally_counts_each_item_once():
    said = TAGS.parse(
        WRITTEN.replace("\ncancer : B", "\ncancer : O").replace("BRCA1 : O", "BRCA1 : B"), CANCER
    )
    counts = tally(said, TAGS.gold(CANCER))
    assert (counts.right, counts.wrong, counts.missed, counts.f1) == (1, 1, 1, 0.5)


SIGNS = [
    "(",
    ")",
    ":",
    "-",
    ".",
    ",",
    ";",
    '"',
    "<",
    "&lt;",
    "<disease>",
    "[2]",
    "``",
    "\\",
    "'",
    "*",
    "{",
    "]",
]
SPACES = ["\u00a0", "\n"]
PLAIN = ["a", "of", "p53", "tumor", "Ménière", "B", "O", "none", "1.", "β", "disease:", "ß"]
WORDS = st.sampled_from([*PLAIN, *SIGNS, *SPACES])


@st.composite
def annotated(draw) -> KbRow:
    words = draw(st.lists(WORDS, min_size=1, max_size=12))
    spaces = draw(st.lists(st.sampled_from([" ", " ", "", "  ", "\n"]), min_size=12, max_size=12))
    text, spans = "", []
    for word, space in zip(words, spaces, strict=False):
        spans.append((len(text), len(text) + len(word)))
        text += word + space
    entities = []
    for number in range(draw(st.integers(0, 4))):
        first = draw(st.integers(0, len(words) - 1))
        last = draw(st.integers(first, min(len(words) - 1, first + 3)))
        offsets = ((spans[first][0], spans[last][1]),)
        if last > first and draw(st.booleans()):
            offsets = (spans[first], spans[last])
        type = draw(st.sampled_from(["Disease", "Gene"]))
        entities.append(Entity(f"T{number}", type, tuple(text[a:b] for a, b in offsets), offsets))
    ids = st.sampled_from([entity.id for entity in entities] or ["T0"])
    count = draw(st.integers(0, 2)) if entities else 0
    relations = tuple(
        Relation(f"R{n}", draw(st.sampled_from("XY")), draw(ids), draw(ids)) for n in range(count)
    )
    return KbRow("1", "1", text, tuple(entities), relations, tuple(spans) if draw(st.booleans()) else ())


CARRIERS = (
    TAGS,
    JSON,
    INLINE,
    LIST,
    make_form("token_tags", BOTH),
    make_form("typed_list", DISEASE),
    make_form("triples", (Label("X"), Label("Y", "yields"))),
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(annotated())
def test_whatever_a_form_writes_it_reads_back(row):
    for form in CARRIERS:
        if can_write(form, row):
            assert form.parse(form.write(row), row) == form.gold(row), form.name


PIECES = ["[", "{", '"text"', ":", '"type"', '"p53"', ",", "]", "}", "1", "null", "<disease>", "</disease>"]
PIECES += ["(", ";", ")", "\n", "```", "- ", "answer: ", "</think>"]
NOISE = st.one_of(
    st.text(max_size=60),
    st.lists(WORDS, max_size=15).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=15).map("".join),
)


@settings(max_examples=300, deadline=None)
@given(NOISE)
def test_no_reply_makes_a_parser_fail(reply):
    labels = (Label("Disease"), Label("a", "b"))
    for name, form in FORMS.items():
        row = {"kb": CANCER, "qa": QaRow("1", "1", "q", "free", ("a",), ("a", "Vitamin B"))}.get(form.shape)
        if row is not None:
            assert isinstance(row, SHAPES[form.shape])
            make_form(name, labels if form.labelled else ()).parse(reply, row).items  # noqa: B018
