"""A version worked out before it is frozen: planned in the background, looked at, then frozen as it is."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from bioui.components.freeze_form import Chosen
from bioui.components.freeze_screening import screening_of
from bioui.components.progress import progress_value
from bioui.components.version_report import report_value
from bioui.present import counted, duration
from bioui.work import Work
from db import datasets
from db.freezing import Plan, plan_version
from db.session import Session, read

SLOW_SECONDS = 1  # before that, how long it has taken tells nobody anything


@dataclass(frozen=True)
class Looked:
    """The plan on the page, and what the form said when it was made."""

    project_id: int = 0
    chosen: Chosen = field(default_factory=Chosen)
    plan: Plan | None = None

    def plan_for(self, project_id: int, chosen: Chosen) -> Plan | None:
        """The plan, when it is of these very settings."""
        return self.plan if (self.project_id, self.chosen) == (project_id, chosen) else None

    @property
    def report(self) -> dict:
        return self.plan.report if self.plan else {}


class Planning:
    """Works a plan out in a thread of its own. When nobody watches any more, it ends."""

    def __init__(self, project_id: int, chosen: Chosen) -> None:
        self._asked = project_id, chosen
        self._phase = ("starting", 0, 0)
        self._since = time.monotonic()
        self._work = Work(self._plan, stops=True)

    def watch(self) -> Iterator[dict]:
        """The progress, a few times a second."""
        for _ in self._work.watch():
            phase, done, total = self._phase
            elapsed = self._work.seconds
            note = f"{duration(elapsed)} so far" if elapsed > SLOW_SECONDS else ""
            yield progress_value(
                phase, done, total, unit="rows", seconds=time.monotonic() - self._since, note=note
            )

    def result(self) -> Plan:
        """The plan; raises what planning raised."""
        return self._work.result()

    def _plan(self, report) -> Plan:
        def tell(phase: str, done: int, total: int) -> None:
            if phase != self._phase[0]:
                self._since = time.monotonic()
            self._phase = phase, done, total
            report(done)

        project_id, chosen = self._asked
        with read() as session:
            screening = screening_of(session, project_id, chosen.sought)
            return plan_version(session, project_id, chosen.recipe, screening, tell=tell)


def plan_value(session: Session, plan: Plan, name: str) -> dict:
    """What freezing this plan under `name` would make, and whether that would be anything new."""
    rows = counted(len(plan.rows), "row")
    same = _same(session, plan, name)
    if plan.refusal:
        title, said = "It cannot be frozen like this", plan.refusal.partition(": ")[2]
        said = said[:1].upper() + said[1:]
    elif same:
        title, said = "Nothing new", same
    else:
        unread = plan.report["unreviewed"]["rows"]
        none = f" {unread:,} of them nobody has reviewed." if unread else ""
        title, said = f"{rows} would be frozen", f"Their hash would be {plan.content_hash[:12]}.{none}"
    return report_value(plan.project_id, plan.recipe, plan.report, title=title, sentence=said)


def _same(session: Session, plan: Plan, name: str) -> str:
    named = [row for row in datasets.list_datasets(session, plan.project_id) if row.name == name]
    same = datasets.same_version(session, named[0].id, plan.content_hash) if named else None
    return datasets.same_sentence(same) if same else ""
