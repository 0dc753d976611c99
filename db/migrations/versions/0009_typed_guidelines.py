"""typed guidelines"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "typed_guidelines",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("base_number", sa.Integer(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_typed_guidelines_project_id_projects")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_typed_guidelines_user_id_users")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_typed_guidelines")),
        sa.UniqueConstraint("user_id", "project_id", name=op.f("uq_typed_guidelines_user_id_project_id")),
    )


def downgrade() -> None:
    op.drop_table("typed_guidelines")
