"""Database values -> what a page shows: times, counts, statuses and audit lines in plain words."""

from collections.abc import Mapping
from datetime import datetime

from db.enums import InstructionStatus, JobStatus
from db.tables import AuditLine
from db.tables.base import utc_now

# status -> (the word, the hue of its chip)
STATUS_CHIPS: dict[str, tuple[str, str]] = {
    InstructionStatus.DRAFT: ("Draft", "draft"),
    InstructionStatus.IN_REVIEW: ("In review", "review"),
    InstructionStatus.CHANGES_REQUESTED: ("Changes requested", "attention"),
    InstructionStatus.APPROVED: ("Approved", "approved"),
    InstructionStatus.REJECTED: ("Rejected", "attention"),
    InstructionStatus.RETIRED: ("Retired", "draft"),
    JobStatus.QUEUED: ("Queued", "draft"),
    JobStatus.RUNNING: ("Running", "review"),
    JobStatus.FINISHED: ("Finished", "approved"),
    JobStatus.FAILED: ("Failed", "attention"),
    JobStatus.CANCELLED: ("Cancelled", "draft"),
    JobStatus.INTERRUPTED: ("Interrupted", "attention"),
}


def status_chip(status: str) -> tuple[str, str]:
    """The word for a status and the hue of its chip: draft, review, approved or attention."""
    return STATUS_CHIPS.get(status, (str(status).replace("_", " ").capitalize(), "draft"))


def ago(then: datetime | None, *, now: datetime | None = None) -> str:
    """`just now`, `5 min ago`, `3 h ago`; after a day the local date. "" for None."""
    if then is None:
        return ""
    seconds = ((now or utc_now()) - then).total_seconds()
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{seconds // 60:.0f} min ago"
    if seconds < 86400:
        return f"{seconds // 3600:.0f} h ago"
    local = then.astimezone()
    return f"{local.day} {local:%b %Y}"


def exact(then: datetime | None) -> str:
    """The local time to the second with its zone, for a tooltip. "" for None."""
    return f"{then.astimezone():%Y-%m-%d %H:%M:%S %Z}" if then else ""


def duration(seconds: float | None) -> str:
    """`8 s`, `3 min 20 s`, `2 h 05 min`. "" for None."""
    if seconds is None:
        return ""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def size_words(size: int) -> str:
    """`812 bytes`, `40 KB`, `1.2 MB`, `13.5 GB`."""
    if size < 1_000:
        return f"{size} bytes"
    for unit, bytes_of in (("KB", 1e3), ("MB", 1e6)):
        if size < 1_000 * bytes_of:
            return f"{size / bytes_of:,.{0 if unit == 'KB' else 1}f} {unit}"
    return f"{size / 1e9:,.1f} GB"


def counted(number: int, one: str, many: str = "") -> str:
    """`1 row`, `2,000 rows`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def shortened(text: str, characters: int = 160) -> str:
    """The beginning of `text` on one line, cut at a word with an ellipsis."""
    line = " ".join(text.split())
    if len(line) <= characters:
        return line
    return line[: characters + 1].rsplit(" ", 1)[0][:characters].rstrip(",;:.") + "…"


def initials(full_name: str) -> str:
    """The first letters of the first and the last name."""
    names = full_name.split()
    return "".join(name[0] for name in names[:1] + names[1:][-1:]).upper()


_DEEDS = {
    "created": "created",
    "submitted": "submitted",
    "approve": "approved",
    "request_changes": "asked for changes to",
    "reject": "rejected",
    "deleted": "deleted",
    "restored": "restored",
    "commented": "commented on",
    "imported": "imported instructions into",
    "generated": "kept generated instructions of",
    "ended_run": "ended",
    "changed_run": "changed the limits of",
    "drew_audit_sample": "drew",
    "saved_template": "saved",
    "generation_filters_set": "set the filters of generation in",
    "converted": "converted",
    "took_back": "took back",
    "private_consent": "decided on the private address of",
    "froze": "froze",
    "froze_task": "froze",
    "queued": "queued",
    "cancel_requested": "asked to cancel",
    "requeued": "resumed",
    "registered": "registered",
    "added": "added",
    "compared": "compared answers in",
    "voted": "voted on",
    "invited": "invited",
    "reinvited": "made a new link for",
    "roles_set": "changed the roles of",
    "activated": "let in",
    "deactivated": "deactivated",
    "solo_set": "changed the solo setting of",
    "reviewed": "decided blind on",
    "withdrew": "took back",
    "retired": "retired",
    "reinstated": "put back in force",
    "replied": "replied on",
    "resolved": "resolved a remark on",
    "reopened": "reopened a remark on",
    "cleared_privacy_flag": "cleared a privacy flag of",
    "duplicate_waived": "kept a near copy,",
    "bulk_changed": "made",
    "bulk_undone": "undid",
    "put_back": "put back",
    "tagged": "tagged",
    "marked": "marked",
    "untagged": "untagged",
    "assigned": "assigned",
    "exported": "exported",
    "pushed": "pushed to the Hub",
    "wrote": "wrote",
    "saved_filter": "saved",
    "changed_filter": "changed",
    "deleted_filter": "forgot",
    "review_settings_set": "changed how reviews are done in",
    "duplicates_set": "changed the bounds for near copies in",
    "unreviewed_rule_set": "changed what an audit sample must show in",
    "hub_token_variable_set": "changed the Hub token's variable of",
    "checked_privacy_again": "checked for patient data again in",
    "targets_set": "set the coverage targets of",
    "regression_points_set": "set the regression gate of",
    "gate_waived": "waived the regression gate for",
    "gate_waiver_withdrawn": "took back the waiver of the regression gate for",
    "brought": "brought the answers of",
    "moved": "moved in the queue",
    "prioritised": "changed the priority of",
    "noted": "wrote a note on",
    "webhook_set": "set the webhook of",
    "saved_prompt": "saved a new version of",
    "removed_prompt": "took off the shelf",
    "stored_prompts": "put the prompts into",
    "settled": "settled what raters disagreed on in",
    "opened": "opened",
    "skipped": "skipped",
    "undid": "took back the vote on",
    "revealed": "was told which side is which in",
    "reopened_round": "reopened",
    "closed": "closed",
    "retention_set": "changed how long texts of the playground are kept in",
    "emptied_old_texts": "emptied old texts of the playground in",
    "exported_preferences": "exported preference pairs of",
    "sent_despite_warning": "sent a prompt despite the warning of patient data in",
}
_NOUNS = {
    "users": "person",
    "instructions": "instruction",
    "projects": "project",
    "datasets": "dataset",
    "dataset_versions": "dataset version",
    "jobs": "job",
    "base_models": "base model",
    "adapters": "adapter",
    "comparisons": "comparison",
    "guidelines": "guidelines, entry",
    "bulk_changes": "bulk change",
    "saved_filters": "saved filter",
    "endpoints": "endpoint",
    "generation_templates": "prompt template, entry",
    "audit_samples": "audit sample",
    "conversions": "conversion",
    "task_versions": "task",
    "evaluations": "evaluation",
    "encoders": "encoder",
    "studies": "study",
    "prompts": "prompt",
    "rounds": "blind round",
    "assignments": "pair",
}


_OWN_DEEDS = {
    "set_up": "set up the studio",
    "chose_password": "chose a password",
    "logged_in": "logged in",
    "acknowledged": "said that no patient data will be typed into the playground",
}


def audit_sentence(line: AuditLine, people: Mapping[int, str] | None = None) -> str:
    """What an audit line tells, after the name of who did it: `submitted instruction 81`."""
    if line.action in _OWN_DEEDS:
        return _OWN_DEEDS[line.action]
    if line.subject == "users" and people and line.subject_id in people:
        return f"{_DEEDS.get(line.action, line.action)} {people[line.subject_id]}"
    deed = _DEEDS.get(line.action, line.action.replace("_", " "))
    noun = _NOUNS.get(line.subject, line.subject.replace("_", " "))
    return f"{deed} {noun} {line.subject_id}" if line.subject_id is not None else f"{deed} a {noun}"


def audit_row(line: AuditLine, people: Mapping[int, str] | None = None) -> dict[str, str]:
    """Who did what, and when. `people` maps ids to names, where those are to be told."""
    who = line.actor.full_name if line.actor else "The worker"
    return {"who": who, "what": audit_sentence(line, people), "ago": ago(line.at), "exact": exact(line.at)}
