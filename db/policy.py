"""Who may do what: the one table of rights, asked in every handler before anything is done."""

from dataclasses import dataclass
from enum import StrEnum

from db.enums import Role


class PolicyError(Exception):
    """The actor may not do this. The message is written for the person."""


class Right(StrEnum):
    READ = "read this"
    WRITE = "write instructions"
    REVIEW = "review instructions"
    ADJUDICATE = "settle disagreements between reviewers"
    CLEAR_PRIVACY = "clear privacy flags"
    GUIDE = "write guidelines"
    FREEZE = "freeze dataset versions"
    TRAIN = "start or cancel training"
    EVALUATE = "start or cancel evaluations"
    RUN_FACTORY = "run the instruction factory"
    COMPARE = "compare answers"
    LEAD_ROUNDS = "lead blind rounds"
    MANAGE_USERS = "manage people"
    MANAGE_PROJECT = "change project settings"


_EVERYONE = frozenset(Role)

GRANTS: dict[Right, frozenset[Role]] = {
    Right.READ: _EVERYONE,
    Right.WRITE: frozenset({Role.AUTHOR, Role.REVIEWER, Role.ADMIN}),
    Right.REVIEW: frozenset({Role.REVIEWER, Role.ADMIN}),
    Right.ADJUDICATE: frozenset({Role.REVIEWER, Role.ADMIN}),
    Right.CLEAR_PRIVACY: frozenset({Role.REVIEWER, Role.ADMIN}),
    Right.GUIDE: frozenset({Role.REVIEWER, Role.ADMIN}),
    Right.FREEZE: frozenset({Role.REVIEWER, Role.TRAINER, Role.ADMIN}),
    Right.TRAIN: frozenset({Role.TRAINER, Role.ADMIN}),
    Right.EVALUATE: frozenset({Role.TRAINER, Role.ADMIN}),
    Right.RUN_FACTORY: frozenset({Role.REVIEWER, Role.TRAINER, Role.ADMIN}),
    Right.COMPARE: frozenset({Role.CLINICIAN, Role.TRAINER, Role.REVIEWER, Role.ADMIN}),
    Right.LEAD_ROUNDS: frozenset({Role.REVIEWER, Role.TRAINER, Role.ADMIN}),
    Right.MANAGE_USERS: frozenset({Role.ADMIN}),
    Right.MANAGE_PROJECT: frozenset({Role.ADMIN}),
}


@dataclass(frozen=True)
class Actor:
    """The person behind a request, as the database knew them when it arrived."""

    id: int
    username: str
    full_name: str
    roles: frozenset[Role]

    def can(self, right: Right) -> bool:
        return bool(self.roles & GRANTS[right])


def require(actor: Actor, right: Right) -> None:
    """Raise PolicyError unless one of the actor's roles grants `right`."""
    if not actor.can(right):
        roles = " or ".join(sorted(GRANTS[right]))
        raise PolicyError(f"You may not {right}: that needs the role {roles}. Ask an admin for it.")
