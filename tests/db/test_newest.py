"""Pages of rows, the newest first."""

import pytest

from db import generation_calls, generation_figures
from db.enums import JobKind
from db.generation_calls import Planned
from db.newest import newest_first
from db.session import read, write
from db.tables import GenerationRun, Job


@pytest.fixture
def job_ids(people, project_id) -> list[int]:
    with write() as session:
        jobs = [
            Job(project_id=project_id, kind=kind, name=kind, spec={}, created_by_id=people.trainer.id)
            for kind in [JobKind.GENERATE] * 5 + [JobKind.CONVERT]
        ]
        session.add_all(jobs)
        session.flush()
        return [job.id for job in jobs]


def pages(limit: int, *conditions) -> list[list[int]]:
    """The ids of every page, followed from one to the next."""
    found, before = [], None
    with read() as session:
        while True:
            page = newest_first(session, Job, *conditions, before=before, limit=limit)
            found.append([row.id for row in page.rows])
            if (before := page.next_before) is None:
                return found


@pytest.mark.parametrize(("limit", "sizes"), [(2, [2, 2, 1]), (5, [5]), (4, [4, 1]), (9, [5])])
def test_the_pages_hold_every_row_that_meets_the_conditions_once(job_ids, limit, sizes):
    found = pages(limit, Job.kind == JobKind.GENERATE)
    assert [len(page) for page in found] == sizes
    assert [id for page in found for id in page] == job_ids[4::-1]


def test_no_rows_are_one_empty_page(job_ids):
    assert pages(3, Job.kind == JobKind.TRAIN) == [[]]


def test_a_row_that_comes_between_two_pages_moves_none_to_another(people, project_id, job_ids):
    with read() as session:
        first = newest_first(session, Job, before=None, limit=2)
    with write() as session:
        session.add(
            Job(project_id=project_id, kind="convert", name="new", spec={}, created_by_id=people.trainer.id)
        )
    with read() as session:
        second = newest_first(session, Job, before=first.next_before, limit=2)
    assert [row.id for row in (*first.rows, *second.rows)] == job_ids[:1:-1]
    assert (first.total, second.total) == (6, 7)


def test_calls_are_paged_by_their_number(job_ids):
    with write() as session:
        session.add(
            GenerationRun(job_id=job_ids[0], key="a", pool=[], template={}, template_version="", profile={})
        )
        for number in (3, 0, 2, 1):
            generation_calls.note_asked(session, job_ids[0], Planned(number, 1, (), "", "", 5, 100, 0.0))
    with read() as session:
        first = generation_figures.list_calls(session, job_ids[0], limit=3)
        second = generation_figures.list_calls(session, job_ids[0], before=first.next_before, limit=3)
    assert [call.number for call in first.calls] == [3, 2, 1]
    assert [call.number for call in second.calls] == [0]
    assert (first.next_before, second.next_before, second.total) == (1, None, 4)
