"""Where a generated record sprang from, for whoever reviews it: run and call, seeds, the reply as it came.

The reply is a stranger's text, and is shown as text.
"""

from pathlib import Path

from bioui.present import counted, shortened
from db import generation_runs, jobs
from db.enums import Origin
from db.session import Session
from db.tables import Instruction

# For inclusion where `this` holds spring_value(...), which may be None.
TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
LONGEST = 50_000  # characters of a reply
SEED_TEXT, SEED_ANSWER = 300, 200  # characters


def spring_value(session: Session, record: Instruction) -> dict | None:
    """None for what no run has made."""
    if record.origin is not Origin.GENERATED:
        return None
    spring = generation_runs.spring_of(session, record.id)
    if spring is None:
        return None
    query, call = f"?project={record.project_id}", spring.call
    return {
        "run": jobs.get_job(session, call.job_id).name,
        "href": f"/generate{query}&run={call.job_id}",
        "call": f"{call.number + 1:,}",
        "position": spring.candidate.position + 1,
        "count": counted(len(spring.seeds), "seed"),
        "parent": record.parent_id,
        "parent_href": f"/curate{query}&id={record.parent_id}",
        "seeds": [
            {
                "id": seed.instruction_id,
                "version": seed.number,
                "href": f"/curate{query}&id={seed.instruction_id}",
                "instruction": shortened(seed.instruction, SEED_TEXT),
                "output": shortened(seed.output, SEED_ANSWER),
            }
            for seed in spring.seeds
        ],
        "reply": call.reply[:LONGEST],
        "mends": list(spring.candidate.detail.get("mends", [])),
    }
