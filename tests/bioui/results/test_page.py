"""The page of results through its own handlers, on evaluations that were entered as jobs enter them."""

import csv
import io
import json
from types import SimpleNamespace

import pytest

from bioui.components import prediction_browser as browser
from bioui.components.result_tabs import EMPTY, TABS, show_fault
from bioui.pages import results as page
from bioui.predicted import Browsing
from bioui.resulting import Chosen
from db import predictions
from db.session import read, write
from db.tables import Project, TaskVersion
from tests.bioui.conftest import request_of
from tests.bioui.results.stored import HOSTILE


def shown(stored, people, **query):
    """What the page shows for an address: the lists, the head, what is chosen, and each tab's values."""
    values = page.show_page(stored.project_id, request_of(people.clinician, **query))
    task, evaluation, against, head, chosen, radio, *rest = values
    rest = iter(rest[len(TABS) :])
    tabs = {name: [next(rest) for _ in values] for name, values in EMPTY.items()}
    return {"lists": (task, evaluation, against), "head": head, "chosen": chosen, "radio": radio, **tabs}


def pair_of(stored, name, **query) -> dict:
    return {"evaluation": str(stored.tuned[name]), "against": str(stored.base[name]), **query}


def event(**said):
    return SimpleNamespace(**said)


def test_a_pair_shows_the_base_on_the_left_however_the_address_names_it(stored, people):
    tuned, base = stored.tuned["mednli"], stored.base["mednli"]
    for query in ({"evaluation": tuned, "against": base}, {"evaluation": base, "against": tuned}):
        found = shown(stored, people, **{name: str(id) for name, id in query.items()})
        sides = [(side["name"], side["hue"]) for side in found["head"]["sides"]]
        assert sides == [("Starter base", "base"), ("Ward adapter", "tuned")]
        assert found["chosen"] == Chosen(tuned, base)
    assert found["head"]["headline"].startswith("Accuracy. Starter base: 41.7 % (")
    badges = [badge["text"] for badge in found["head"]["sides"][1]["badges"]]
    assert badges == ["Leaks: 4 of 24 rows overlap the train rows"]
    facts = {fact["name"]: fact["text"] for fact in found["head"]["sides"][1]["facts"]}
    assert (facts["Template hash"], facts["Packages: transformers"]) == ("0c1f22b7d4e9", "5.23.0")


def test_nothing_named_opens_the_newest_and_a_task_opens_beside_its_base(stored, people):
    assert shown(stored, people)["chosen"] == Chosen(stored.likelihood)
    request = request_of(people.clinician)
    values = page.choose_task(stored.project_id, stored.tasks["ner-disease"], "figures", request)
    assert values[4] == Chosen(stored.tuned["ner-disease"], stored.base["ner-disease"])


def test_figures_stand_with_and_without_leaked_rows(stored, people):
    every, left, ways = shown(stored, people, **pair_of(stored, "mednli"))["figures"]
    assert [row["title"] for row in every["rows"]] == ["Accuracy", "Macro F1", "Parse failures"]
    assert [side["n"] for side in every["rows"][0]["sides"]] == ["24", "24"]
    assert (left["title"], left["rows"][0]["sides"][0]["n"]) == ("Figures without leaked rows", "20")
    assert ways["rows"] == []


def test_both_ways_of_asking_stand_side_by_side(stored, people):
    ways = shown(stored, people, evaluation=str(stored.likelihood))["figures"][2]
    assert [row["name"] for row in ways["rows"]] == ["Ward adapter"]
    assert ways["rows"][0]["generation"].startswith("Accuracy 79.2 %")
    assert ways["rows"][0]["likelihood"].startswith("Accuracy by likelihood ")
    assert ways["rows"][0]["failures"] == "0.0 %"


def test_gains_are_reckoned_with_progress_once_and_then_kept(stored, people):
    chosen = Chosen(stored.tuned["mednli"], stored.base["mednli"])
    first = list(page.show_gains(stored.project_id, chosen, request_of(people.clinician)))
    assert [progress["count"] for _, progress in first[:-1]] == [f"{n} of 4 measures" for n in range(4)]
    value = first[-1][0]
    assert [row["title"] for row in value["rows"]] == [
        "Accuracy", "Accuracy, without leaked rows", "Macro F1", "Parse failures",
    ]  # fmt: skip
    accuracy = value["rows"][0]
    assert (accuracy["gained"], accuracy["lost"], accuracy["test"]) == ("13", "4", "exact McNemar test")
    assert list(page.show_gains(stored.project_id, chosen, request_of(people.clinician))) == [first[-1]]


@pytest.mark.parametrize(("show", "count"), [("fixed", 13), ("broken", 4), ("right", 19), ("faulty", 0)])
def test_the_list_shows_what_its_filter_says(stored, people, show, count):
    filters, listed, reading, browsing = shown(stored, people, **pair_of(stored, "mednli", show=show))[
        "predictions"
    ]
    assert [one["name"] for one in filters["shows"] if one["current"]] == [show]
    assert (len(listed["rows"]), browsing.show, bool(reading["number"])) == (count, show, False)
    if show in ("fixed", "broken"):
        assert {row["change"] for row in listed["rows"]} == {f"{show} by tuning"}


def test_a_link_to_a_row_opens_it_at_the_head_of_its_list(stored, people):
    query = pair_of(stored, "mednli", show="broken", row="8")
    _, listed, reading, _ = shown(stored, people, **query)["predictions"]
    assert [row["position"] for row in listed["rows"] if row["current"]] == [8]
    assert listed["rows"][0]["position"] == 8
    assert (reading["number"], reading["change"]) == ("9", "broken by tuning")
    assert [answer["word"] for answer in reading["answers"]] == ["right", "wrong"]
    between = reading["answers"][1]["to_other"]["parts"]
    assert [part["text"] for part in between if part.get("removed")] == [reading["reference"]]


def test_a_row_of_mentions_shows_where_they_stand_in_the_text(stored, people):
    reading = shown(stored, people, **pair_of(stored, "ner-disease", row="4"))["predictions"][2]
    base, tuned = reading["marked"]
    assert base["tally"] == "2 found"
    assert tuned["tally"] == "1 missed, 1 spurious, 1 wrong boundary"
    words = [piece["verdicts"] for piece in tuned["pieces"] if piece.get("verdicts")]
    assert ["wrong boundary: Disease"] in words
    faulty = shown(stored, people, **pair_of(stored, "ner-disease", row="1"))["predictions"][2]
    assert faulty["answers"][0]["faults"][0]["kind"] == "not in the asked form"


def test_a_fault_in_the_table_opens_the_answers_that_have_it(stored, people):
    chosen = Chosen(stored.tuned["ner-disease"], stored.base["ner-disease"])
    request = request_of(people.clinician)
    for of, count in (("left", 14), ("", 0)):  # the base invents "gout" where it is neither right nor unread
        values = show_fault(stored.project_id, chosen, event(kind="invented", of=of), request)
        listed, browsing = values[-5], values[-3]
        assert (values[0].value, browsing.show, browsing.fault) == ("predictions", "faulty", "invented")
        assert len(listed["rows"]) == count
        for row in listed["rows"]:
            assert row["sides"][0]["outcome"] == "faulty"


def test_turning_pages_and_searching_stay_with_the_evaluation(stored, people):
    request = request_of(people.clinician)
    here = Browsing(stored.tuned["mednli"], stored.base["mednli"])
    listed, reading, found = browser.filter_rows(
        stored.project_id, here, event(show="all", text="ankles", fault=""), request
    )
    assert [row["position"] for row in listed["rows"]] == [4, 10, 16, 22]
    assert (reading["number"], found.text) == (0, "ankles")
    with pytest.raises(ValueError, match="no rows called"):
        browser.filter_rows(stored.project_id, here, event(show="best", text="", fault=""), request)
    listed, _, after = browser.next_rows(stored.project_id, here, request)
    assert (len(listed["rows"]), after.trail) == (24, here.trail)  # there is one page


def test_leaked_rows_stand_beside_the_train_rows_that_hold_them(stored, people):
    value, _ = shown(stored, people, **pair_of(stored, "mednli", tab="leaks"))["leaks"]
    exact = next(row for row in value["rows"] if row["kind"] == "The same words")
    marked = "".join(part["text"] for part in exact["asked"] if part["shared"])
    assert (exact["number"], "chest pain on exertion, bed 3" in marked) == ("4", True)
    reading = shown(stored, people, **pair_of(stored, "mednli", row="3"))["predictions"][2]
    assert reading["leak"].startswith("It was found among the train rows")
    nothing = shown(stored, people, **pair_of(stored, "medqa", tab="leaks"))["leaks"][0]
    assert nothing["empty"]["title"] == "Not looked for yet."


def test_another_projects_evaluation_is_not_shown_nor_one_of_another_task(stored, people):
    with write() as session:
        other = Project(name="Ward 8")
        session.add(other)
        session.flush()
        other_id = other.id
    request = request_of(people.clinician, evaluation=str(stored.base["medqa"]))
    with pytest.raises(LookupError, match="no evaluation number"):
        page.show_page(other_id, request)
    assert page.show_page(other_id, request_of(people.clinician))[3]["empty"]["title"] == "No evaluation yet."
    with pytest.raises(ValueError, match="it answered another task"):
        shown(stored, people, evaluation=str(stored.tuned["medqa"]), against=str(stored.base["mednli"]))


def test_what_the_list_shows_is_taken_away_as_a_file(stored, people, studio_of_stored):
    client = studio_of_stored.browser(people.clinician)
    ours, theirs = stored.tuned["mednli"], stored.base["mednli"]
    lines = client.get(f"/results/{ours}/predictions.jsonl?against={theirs}&show=fixed").text.splitlines()
    rows = [json.loads(line) for line in lines]
    assert (len(rows), [one["is_right"] for one in rows[0]["answers"]]) == (13, [False, True])
    assert HOSTILE in rows[0]["input"]
    table = client.get(f"/results/{theirs}/predictions.csv").text
    found = list(csv.DictReader(io.StringIO(table.removeprefix("\ufeff"))))
    assert (len(found), found[0]["Starter base: right"]) == (24, "yes")
    assert (
        client.get(f"/results/{ours}/predictions.csv?show=fixed").text.count("\r\n") == 25
    )  # no such filter: all
    assert client.get("/results/999/predictions.csv").status_code == 404
    assert client.get(f"/results/{ours}/predictions.exe").status_code == 404
    assert studio_of_stored.browser().get(f"/results/{ours}/predictions.csv").status_code in (401, 403, 303)


def test_rows_under_a_data_use_agreement_stay(stored, people, studio_of_stored):
    with write() as session:
        session.get(TaskVersion, stored.tasks["mednli"]).is_restricted = True
    listed = shown(stored, people, **pair_of(stored, "mednli", tab="predictions"))["predictions"][1]
    assert (listed["files"], listed["files_words"].split(":")[0]) == ([], "Under a data-use agreement")
    client = studio_of_stored.browser(people.clinician)
    answer = client.get(f"/results/{stored.tuned['mednli']}/predictions.csv")
    assert (answer.status_code, "data-use agreement" in answer.text) == (403, True)


def test_every_row_can_be_opened_of_every_task(stored, people):
    for name in stored.tasks:
        here = Browsing(stored.tuned[name], stored.base[name])
        for position in range(24):
            request = request_of(people.clinician)
            reading = browser.open_row(stored.project_id, here, event(id=position), request)
            assert reading["number"] == str(position + 1)
    for position in (24, -1, 10**30):
        with pytest.raises(LookupError, match="no row number"):
            browser.open_row(stored.project_id, here, event(id=position), request)
    with read() as session:
        assert predictions.find(session, stored.likelihood, 0).said["choice"] is not None
