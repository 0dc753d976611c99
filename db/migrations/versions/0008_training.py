"""training: the queue's order, alerts, sample answers, notes"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

CURVES = "ix_metrics_job_id_name_attempt_step_value"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("position", sa.Double(), nullable=True))
    op.add_column("jobs", sa.Column("resumed", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("stop_mode", sa.String(length=32), nullable=True))
    op.add_column("jobs", sa.Column("note", sa.String(), nullable=False, server_default=""))
    op.add_column("attempts", sa.Column("device", sa.String(), nullable=False, server_default=""))
    op.add_column("attempts", sa.Column("external_id", sa.String(), nullable=False, server_default=""))
    made_by = sa.Column("job_id", sa.Integer(), sa.ForeignKey("jobs.id", name="fk_base_models_job_id_jobs"))
    op.add_column("base_models", made_by, inline_references=True)
    op.create_index(CURVES, "metrics", ["job_id", "name", "attempt", "step", "value"])
    op.execute("UPDATE jobs SET kind = 'train' WHERE kind = 'train_lora'")
    _create_alerts()
    _create_samples()


def downgrade() -> None:
    op.drop_table("sample_answers")
    op.drop_table("alerts")
    op.execute("UPDATE jobs SET kind = 'train_lora' WHERE kind = 'train'")
    op.drop_index(CURVES, "metrics")
    op.drop_column("base_models", "job_id")
    for name in ("external_id", "device"):
        op.drop_column("attempts", name)
    for name in ("note", "stop_mode", "resumed", "position"):
        op.drop_column("jobs", name)


def _create_alerts() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("sentence", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_alerts_job_id_jobs"),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
    )
    op.create_index("ix_alerts_job_id", "alerts", ["job_id"])


def _create_samples() -> None:
    op.create_table(
        "sample_answers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("prompt", sa.String(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_sample_answers_job_id_jobs"),
        sa.PrimaryKeyConstraint("id", name="pk_sample_answers"),
    )
    op.create_index("ix_sample_answers_job_id_step", "sample_answers", ["job_id", "step"])
