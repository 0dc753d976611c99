"""curation"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


NEW_COLUMNS = {
    "dataset_rows": (
        ("origin", sa.String(), ""),
        ("provenance", sa.String(), ""),
        ("licence", sa.String(), ""),
        ("is_restricted", sa.Boolean(), sa.false()),
        ("near_group", sa.Integer(), "0"),
    ),
    "dataset_versions": (("report", sa.JSON(), "{}"), ("licence", sa.String(), "")),
    "instructions": (
        ("overlap", sa.Integer(), "1"),
        ("licence", sa.String(), ""),
        ("is_restricted", sa.Boolean(), sa.false()),
    ),
    "reviews": (
        ("reasons", sa.JSON(), "[]"),
        ("checklist", sa.JSON(), "[]"),
        ("is_adjudication", sa.Boolean(), sa.false()),
    ),
}
REFERENCES = (("instructions", "assignee_id", "users"), ("reviews", "guideline_id", "guidelines"))
"""Added by hand: Alembic would copy the whole table for a foreign key, with every row that points at it."""


def upgrade() -> None:
    op.create_table(
        "bulk_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name=op.f("fk_bulk_changes_actor_id_users")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_bulk_changes_project_id_projects")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_changes")),
    )
    with op.batch_alter_table("bulk_changes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bulk_changes_project_id"), ["project_id"], unique=False)

    op.create_table(
        "guidelines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("author_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["users.id"], name=op.f("fk_guidelines_author_id_users")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_guidelines_project_id_projects")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guidelines")),
        sa.UniqueConstraint("project_id", "number", name=op.f("uq_guidelines_project_id_number")),
    )
    op.create_table(
        "saved_filters",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("query", sa.JSON(), nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_saved_filters_owner_id_users")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_saved_filters_project_id_projects")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_filters")),
        sa.UniqueConstraint(
            "project_id", "owner_id", "name", name=op.f("uq_saved_filters_project_id_owner_id_name")
        ),
    )
    op.create_table(
        "typed_texts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("instruction_id", sa.Integer(), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.Column("typed", sa.JSON(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_typed_texts_project_id_projects")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_typed_texts_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_typed_texts")),
        sa.UniqueConstraint(
            "user_id",
            "project_id",
            "instruction_id",
            name=op.f("uq_typed_texts_user_id_project_id_instruction_id"),
        ),
    )
    op.create_table(
        "duplicate_waivers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("instruction_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("near_id", sa.Integer(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name=op.f("fk_duplicate_waivers_actor_id_users")),
        sa.ForeignKeyConstraint(
            ["instruction_id"],
            ["instructions.id"],
            name=op.f("fk_duplicate_waivers_instruction_id_instructions"),
        ),
        sa.ForeignKeyConstraint(
            ["near_id"], ["instructions.id"], name=op.f("fk_duplicate_waivers_near_id_instructions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicate_waivers")),
    )
    with op.batch_alter_table("duplicate_waivers", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_duplicate_waivers_instruction_id"), ["instruction_id"], unique=False
        )

    op.create_table(
        "leases",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("instruction_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["instruction_id"], ["instructions.id"], name=op.f("fk_leases_instruction_id_instructions")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_leases_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leases")),
    )
    with op.batch_alter_table("leases", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_leases_instruction_id_expires_at"), ["instruction_id", "expires_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_leases_user_id"), ["user_id"], unique=False)

    op.create_table(
        "privacy_flags",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("instruction_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(), nullable=False),
        sa.Column("span_start", sa.Integer(), nullable=False),
        sa.Column("span_end", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cleared_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cleared_by_id", sa.Integer(), nullable=True),
        sa.Column("cleared_reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["cleared_by_id"], ["users.id"], name=op.f("fk_privacy_flags_cleared_by_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["instruction_id"], ["instructions.id"], name=op.f("fk_privacy_flags_instruction_id_instructions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_privacy_flags")),
    )
    with op.batch_alter_table("privacy_flags", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_privacy_flags_instruction_id_version"), ["instruction_id", "version"], unique=False
        )

    for table, columns in NEW_COLUMNS.items():
        for name, kind, default in columns:
            op.add_column(table, sa.Column(name, kind, nullable=False, server_default=default))
    for table, name, target in REFERENCES:
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN {name} INTEGER "
            f"CONSTRAINT fk_{table}_{name}_{target} REFERENCES {target} (id)"
        )


def downgrade() -> None:
    for table, name, _ in REFERENCES:
        op.drop_column(table, name)
    for table, columns in NEW_COLUMNS.items():
        for name, _, _ in reversed(columns):
            op.drop_column(table, name)
    with op.batch_alter_table("privacy_flags", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_privacy_flags_instruction_id_version"))

    op.drop_table("privacy_flags")
    with op.batch_alter_table("leases", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_leases_user_id"))
        batch_op.drop_index(batch_op.f("ix_leases_instruction_id_expires_at"))

    op.drop_table("leases")
    with op.batch_alter_table("duplicate_waivers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_duplicate_waivers_instruction_id"))

    op.drop_table("duplicate_waivers")
    op.drop_table("typed_texts")
    op.drop_table("saved_filters")
    op.drop_table("guidelines")
    with op.batch_alter_table("bulk_changes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_bulk_changes_project_id"))

    op.drop_table("bulk_changes")
