"""the instruction factory"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


ENDPOINT_COLUMNS = (
    ("tokens_per_minute", sa.Integer(), None),
    ("concurrency", sa.Integer(), "4"),
    ("private_consent_at", sa.DateTime(timezone=True), None),
    ("knows_schema", sa.Boolean(), None),
    ("tested_at", sa.DateTime(timezone=True), None),
    ("test_failed_at", sa.DateTime(timezone=True), None),
    ("test_trouble", sa.String(), ""),
)
STATES = ("asked", "answered", "failed", "lost")


def upgrade() -> None:
    _make_templates()
    _make_runs()
    _make_calls()
    _make_candidates()
    _make_samples()
    _widen_endpoints()


def _make_templates() -> None:
    op.create_table(
        "generation_templates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("body_hash", sa.String(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        _points("generation_templates", "project_id", "projects"),
        _points("generation_templates", "created_by_id", "users"),
        sa.PrimaryKeyConstraint("id", name="pk_generation_templates"),
        sa.UniqueConstraint(
            "project_id", "name", "number", name="uq_generation_templates_project_id_name_number"
        ),
    )


def _make_runs() -> None:
    op.create_table(
        "generation_runs",
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("pool", sa.JSON(), nullable=False),
        sa.Column("template", sa.JSON(), nullable=False),
        sa.Column("template_version", sa.String(), nullable=False),
        sa.Column("profile", sa.JSON(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        _points("generation_runs", "job_id", "jobs"),
        sa.PrimaryKeyConstraint("job_id", name="pk_generation_runs"),
    )


def _make_calls() -> None:
    state = sa.Enum(*STATES, name="callstate", native_enum=False, create_constraint=False, length=32)
    op.create_table(
        "generation_calls",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("state", state, nullable=False),
        sa.Column("draw", sa.JSON(), nullable=False),
        sa.Column("prompt_hash", sa.String(), nullable=False),
        sa.Column("template_version", sa.String(), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("reply", sa.String(), nullable=False),
        sa.Column("finish_reason", sa.String(), nullable=False),
        sa.Column("tokens_in", sa.Integer(), nullable=False),
        sa.Column("tokens_out", sa.Integer(), nullable=False),
        sa.Column("is_estimate", sa.Boolean(), nullable=False),
        sa.Column("cost", sa.Double(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("unsettled", sa.Integer(), nullable=False),
        sa.Column("unsettled_tokens", sa.Integer(), nullable=False),
        sa.Column("unsettled_cost", sa.Double(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True),
        _points("generation_calls", "job_id", "generation_runs", "job_id"),
        sa.PrimaryKeyConstraint("id", name="pk_generation_calls"),
        sa.UniqueConstraint("job_id", "number", name="uq_generation_calls_job_id_number"),
    )
    op.create_index("ix_generation_calls_job_id_state", "generation_calls", ["job_id", "state"])


def _make_candidates() -> None:
    op.create_table(
        "candidates",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("instruction_id", sa.Integer(), nullable=True),
        _points("candidates", "job_id", "generation_runs", "job_id"),
        _points("candidates", "call_id", "generation_calls"),
        _points("candidates", "instruction_id", "instructions"),
        sa.PrimaryKeyConstraint("id", name="pk_candidates"),
        sa.UniqueConstraint("call_id", "position", name="uq_candidates_call_id_position"),
    )
    op.create_index("ix_candidates_job_id_stage_reason", "candidates", ["job_id", "stage", "reason"])
    op.create_index("ix_candidates_instruction_id", "candidates", ["instruction_id"])


def _make_samples() -> None:
    op.create_table(
        "audit_samples",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.Column("last_candidate_id", sa.Integer(), nullable=False),
        sa.Column("instruction_ids", sa.JSON(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        _points("audit_samples", "job_id", "generation_runs", "job_id"),
        _points("audit_samples", "created_by_id", "users"),
        sa.PrimaryKeyConstraint("id", name="pk_audit_samples"),
    )
    op.create_index("ix_audit_samples_job_id", "audit_samples", ["job_id"])


def _widen_endpoints() -> None:
    with op.batch_alter_table("endpoints") as table:
        for name, kind, default in ENDPOINT_COLUMNS:
            table.add_column(sa.Column(name, kind, nullable=default is None, server_default=default))
        table.add_column(sa.Column("private_consent_by_id", sa.Integer(), nullable=True))
        table.create_foreign_key(
            "fk_endpoints_private_consent_by_id_users", "users", ["private_consent_by_id"], ["id"]
        )
        table.drop_constraint("uq_endpoints_name", type_="unique")
    live = sa.text("deleted_at IS NULL")
    op.create_index(
        "uq_endpoints_name", "endpoints", ["name"], unique=True, sqlite_where=live, postgresql_where=live
    )


def _points(table: str, column: str, to: str, key: str = "id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.{key}"], name=f"fk_{table}_{column}_{to}")


def downgrade() -> None:
    for table in (
        "audit_samples",
        "candidates",
        "generation_calls",
        "generation_runs",
        "generation_templates",
    ):
        op.drop_table(table)
    _narrow_endpoints()


def _narrow_endpoints() -> None:
    op.drop_index("uq_endpoints_name", "endpoints")
    # Removed ones whose names were taken again get names of their own: below, names are unique among all.
    op.execute(
        "UPDATE endpoints SET name = name || ' (removed, number ' || id || ')' WHERE deleted_at IS NOT NULL"
        " AND EXISTS (SELECT 1 FROM endpoints AS other WHERE other.name = endpoints.name"
        " AND other.id <> endpoints.id)"
    )
    with op.batch_alter_table("endpoints") as table:
        table.create_unique_constraint("uq_endpoints_name", ["name"])
        table.drop_constraint("fk_endpoints_private_consent_by_id_users", type_="foreignkey")
        table.drop_column("private_consent_by_id")
        for name, _, _ in reversed(ENDPOINT_COLUMNS):
            table.drop_column(name)
