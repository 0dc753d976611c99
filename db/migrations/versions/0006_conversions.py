"""conversions"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# A record that is deleted is looked for in each of these: without an index, in every row of them.
POINT_AT_RECORDS = (("dataset_rows", "instruction_id"), ("duplicate_waivers", "near_id"))


def upgrade() -> None:
    op.create_table(
        "conversions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("rows_read", sa.Integer(), nullable=False),
        sa.Column("tally", sa.JSON(), nullable=False),
        sa.Column("faults", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_back_by_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name="fk_conversions_author_id_users"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_conversions_job_id_jobs"),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name="fk_conversions_project_id_projects"),
        sa.ForeignKeyConstraint(
            ["taken_back_by_id"], ["users.id"], name="fk_conversions_taken_back_by_id_users"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_conversions"),
        sa.UniqueConstraint("job_id", name="uq_conversions_job_id"),
    )
    op.create_index("ix_conversions_project_id", "conversions", ["project_id"])
    op.create_table(
        "converted_rows",
        sa.Column("instruction_id", sa.Integer(), nullable=False),
        sa.Column("conversion_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("document_id", sa.String(), nullable=False),
        sa.Column("row_id", sa.String(), nullable=False),
        sa.Column("split", sa.String(length=32), nullable=True),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("template_version", sa.String(), nullable=False),
        sa.Column("wording", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversion_id"], ["conversions.id"], name="fk_converted_rows_conversion_id_conversions"
        ),
        sa.ForeignKeyConstraint(
            ["instruction_id"], ["instructions.id"], name="fk_converted_rows_instruction_id_instructions"
        ),
        sa.PrimaryKeyConstraint("instruction_id", name="pk_converted_rows"),
        sa.UniqueConstraint("conversion_id", "number", name="uq_converted_rows_conversion_id_number"),
    )
    has_parent = sa.text("parent_id IS NOT NULL")
    op.create_index(
        "ix_instructions_parent_id",
        "instructions",
        ["parent_id"],
        sqlite_where=has_parent,
        postgresql_where=has_parent,
    )
    for table, column in POINT_AT_RECORDS:
        op.create_index(f"ix_{table}_{column}", table, [column])


def downgrade() -> None:
    for table, column in POINT_AT_RECORDS:
        op.drop_index(f"ix_{table}_{column}", table)
    op.drop_index("ix_instructions_parent_id", "instructions")
    op.drop_table("converted_rows")
    op.drop_index("ix_conversions_project_id", "conversions")
    op.drop_table("conversions")
