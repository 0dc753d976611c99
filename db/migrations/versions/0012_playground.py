"""playground: prompts in versions, answers of many sides, blind votes with a rubric, rounds"""

import sqlalchemy as sa
from alembic import op

from db.migrations import playground_rows

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # SQLite alters a table by replacing it, which it refuses while others point at its rows.
    lifted = playground_rows.lift(op.get_bind(), ("votes", "answers", "comparisons", "prompts"))
    op.create_table(
        "rounds",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("rubric", sa.JSON(), nullable=False),
        sa.Column("overlap", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_rounds_created_by_id_users")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_rounds_project_id_projects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rounds")),
    )
    with op.batch_alter_table("rounds", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_rounds_project_id"), ["project_id"], unique=False)

    op.create_table(
        "prompt_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("prompt_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column(
            "category",
            sa.Enum("QA", "IE", "GEN", "OTHER", name="category", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("specialty", sa.String(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("instruction", sa.String(), nullable=False),
        sa.Column("input", sa.String(), nullable=False),
        sa.Column("expected", sa.JSON(), nullable=False),
        sa.Column("watch_for", sa.String(), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["users.id"], name=op.f("fk_prompt_versions_created_by_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["prompt_id"], ["prompts.id"], name=op.f("fk_prompt_versions_prompt_id_prompts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prompt_versions")),
        sa.UniqueConstraint("prompt_id", "number", name=op.f("uq_prompt_versions_prompt_id_number")),
    )
    op.create_table(
        "round_pairs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("round_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("comparison_id", sa.Integer(), nullable=False),
        sa.Column("one_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["comparison_id"], ["comparisons.id"], name=op.f("fk_round_pairs_comparison_id_comparisons")
        ),
        sa.ForeignKeyConstraint(["one_id"], ["answers.id"], name=op.f("fk_round_pairs_one_id_answers")),
        sa.ForeignKeyConstraint(["other_id"], ["answers.id"], name=op.f("fk_round_pairs_other_id_answers")),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_round_pairs_round_id_rounds")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round_pairs")),
        sa.UniqueConstraint(
            "round_id", "one_id", "other_id", name=op.f("uq_round_pairs_round_id_one_id_other_id")
        ),
    )
    op.create_table(
        "assignments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("pair_id", sa.Integer(), nullable=False),
        sa.Column("rater_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_flipped", sa.Boolean(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("skipped", sa.String(), nullable=False),
        sa.Column("vote_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["pair_id"], ["round_pairs.id"], name=op.f("fk_assignments_pair_id_round_pairs")
        ),
        sa.ForeignKeyConstraint(["rater_id"], ["users.id"], name=op.f("fk_assignments_rater_id_users")),
        sa.ForeignKeyConstraint(["vote_id"], ["votes.id"], name=op.f("fk_assignments_vote_id_votes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignments")),
        sa.UniqueConstraint("pair_id", "rater_id", name=op.f("uq_assignments_pair_id_rater_id")),
    )
    with op.batch_alter_table("assignments", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_assignments_rater_id"), ["rater_id"], unique=False)

    with op.batch_alter_table("answers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("position", sa.Integer(), nullable=False))
        batch_op.add_column(sa.Column("base_model_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("adapter_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("step", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("endpoint_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("model", sa.String(), nullable=False))
        batch_op.add_column(sa.Column("tokens", sa.Integer(), nullable=False))
        batch_op.add_column(sa.Column("tokens_per_second", sa.Double(), nullable=False))
        batch_op.add_column(sa.Column("first_token_seconds", sa.Double(), nullable=True))
        batch_op.drop_constraint(batch_op.f("uq_answers_comparison_id_side"), type_="unique")
        batch_op.create_index(batch_op.f("ix_answers_adapter_id"), ["adapter_id"], unique=False)
        batch_op.create_unique_constraint(
            batch_op.f("uq_answers_comparison_id_position"), ["comparison_id", "position"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_answers_endpoint_id_endpoints"), "endpoints", ["endpoint_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_answers_adapter_id_adapters"), "adapters", ["adapter_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_answers_base_model_id_base_models"), "base_models", ["base_model_id"], ["id"]
        )
        batch_op.drop_column("side")

    with op.batch_alter_table("comparisons", schema=None) as batch_op:
        batch_op.add_column(sa.Column("prompt_version_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("follows_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("job_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("key", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("expected", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("slice", sa.String(), nullable=False))
        batch_op.add_column(sa.Column("system", sa.String(), nullable=False))
        batch_op.add_column(sa.Column("emptied_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("prompt_hash", sa.String(), nullable=True))
        batch_op.drop_index(batch_op.f("ix_comparisons_adapter_id"))
        batch_op.create_index(batch_op.f("ix_comparisons_follows_id"), ["follows_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_comparisons_project_id_id"), ["project_id", "id"], unique=False)
        batch_op.create_unique_constraint(batch_op.f("uq_comparisons_job_id_key"), ["job_id", "key"])
        batch_op.drop_constraint(batch_op.f("fk_comparisons_adapter_id_adapters"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_comparisons_prompt_id_prompts"), type_="foreignkey")
        batch_op.create_foreign_key(
            batch_op.f("fk_comparisons_prompt_version_id_prompt_versions"),
            "prompt_versions",
            ["prompt_version_id"],
            ["id"],
        )
        batch_op.create_foreign_key(batch_op.f("fk_comparisons_job_id_jobs"), "jobs", ["job_id"], ["id"])
        batch_op.create_foreign_key(
            batch_op.f("fk_comparisons_follows_id_comparisons"), "comparisons", ["follows_id"], ["id"]
        )
        batch_op.drop_column("prompt_id")
        batch_op.drop_column("adapter_id")

    with op.batch_alter_table("login_sessions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True))

    op.add_column("processes", sa.Column("leave_reason", sa.String(), nullable=False, server_default=""))

    with op.batch_alter_table("prompts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.drop_column("specialty")
        batch_op.drop_column("task")
        batch_op.drop_column("watch_for")
        batch_op.drop_column("category")
        batch_op.drop_column("instruction")
        batch_op.drop_column("input")

    with op.batch_alter_table("votes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("one_id", sa.Integer(), nullable=False))
        batch_op.add_column(sa.Column("other_id", sa.Integer(), nullable=False))
        batch_op.add_column(sa.Column("round_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("is_blind", sa.Boolean(), nullable=False))
        batch_op.add_column(sa.Column("settles", sa.Boolean(), nullable=False))
        batch_op.add_column(sa.Column("first_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("seconds", sa.Double(), nullable=True))
        batch_op.add_column(sa.Column("instruction_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False))
        batch_op.drop_constraint(batch_op.f("uq_votes_comparison_id_voter_id"), type_="unique")
        batch_op.create_index(batch_op.f("ix_votes_round_id"), ["round_id"], unique=False)
        batch_op.create_unique_constraint(
            batch_op.f("uq_votes_one_id_other_id_voter_id_round_id_settles"),
            ["one_id", "other_id", "voter_id", "round_id", "settles"],
        )
        batch_op.create_index(batch_op.f("ix_votes_comparison_id"), ["comparison_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_votes_instruction_id"), ["instruction_id"], unique=False)
        batch_op.create_index(
            "ix_votes_outside_rounds",
            ["one_id", "other_id", "voter_id"],
            unique=True,
            sqlite_where=sa.text("round_id IS NULL"),
            postgresql_where=sa.text("round_id IS NULL"),
        )
        batch_op.create_foreign_key(batch_op.f("fk_votes_one_id_answers"), "answers", ["one_id"], ["id"])
        batch_op.create_foreign_key(
            batch_op.f("fk_votes_instruction_id_instructions"), "instructions", ["instruction_id"], ["id"]
        )
        batch_op.create_foreign_key(batch_op.f("fk_votes_round_id_rounds"), "rounds", ["round_id"], ["id"])
        batch_op.create_foreign_key(batch_op.f("fk_votes_other_id_answers"), "answers", ["other_id"], ["id"])
        batch_op.create_foreign_key(batch_op.f("fk_votes_first_id_answers"), "answers", ["first_id"], ["id"])

    playground_rows.lay_down(op.get_bind(), playground_rows.to_many_sides(lifted))


def downgrade() -> None:
    """What two sides and one version a prompt cannot say is lost: other sides, rounds, later turns."""
    lifted = playground_rows.lift(op.get_bind(), playground_rows.NEWER)
    with op.batch_alter_table("votes", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_votes_first_id_answers"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_votes_other_id_answers"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_votes_round_id_rounds"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_votes_instruction_id_instructions"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_votes_one_id_answers"), type_="foreignkey")
        batch_op.drop_constraint(
            batch_op.f("uq_votes_one_id_other_id_voter_id_round_id_settles"), type_="unique"
        )
        batch_op.drop_index("ix_votes_outside_rounds")
        batch_op.drop_index(batch_op.f("ix_votes_instruction_id"))
        batch_op.drop_index(batch_op.f("ix_votes_comparison_id"))
        batch_op.drop_index(batch_op.f("ix_votes_round_id"))
        batch_op.create_unique_constraint(
            batch_op.f("uq_votes_comparison_id_voter_id"), ["comparison_id", "voter_id"]
        )
        batch_op.drop_column("updated_at")
        batch_op.drop_column("instruction_id")
        batch_op.drop_column("seconds")
        batch_op.drop_column("first_id")
        batch_op.drop_column("settles")
        batch_op.drop_column("is_blind")
        batch_op.drop_column("round_id")
        batch_op.drop_column("other_id")
        batch_op.drop_column("one_id")

    with op.batch_alter_table("prompts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("input", sa.VARCHAR(), nullable=False))
        batch_op.add_column(sa.Column("instruction", sa.VARCHAR(), nullable=False))
        batch_op.add_column(sa.Column("category", sa.VARCHAR(length=32), nullable=False))
        batch_op.add_column(sa.Column("watch_for", sa.VARCHAR(), nullable=False))
        batch_op.add_column(sa.Column("task", sa.VARCHAR(), nullable=False))
        batch_op.add_column(sa.Column("specialty", sa.VARCHAR(), nullable=False))
        batch_op.drop_column("removed_at")

    with op.batch_alter_table("processes", schema=None) as batch_op:
        batch_op.drop_column("leave_reason")

    with op.batch_alter_table("login_sessions", schema=None) as batch_op:
        batch_op.drop_column("acknowledged_at")

    with op.batch_alter_table("comparisons", schema=None) as batch_op:
        batch_op.add_column(sa.Column("adapter_id", sa.INTEGER(), nullable=False))
        batch_op.add_column(sa.Column("prompt_id", sa.INTEGER(), nullable=True))
        batch_op.drop_constraint(batch_op.f("fk_comparisons_follows_id_comparisons"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_comparisons_job_id_jobs"), type_="foreignkey")
        batch_op.drop_constraint(
            batch_op.f("fk_comparisons_prompt_version_id_prompt_versions"), type_="foreignkey"
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_comparisons_prompt_id_prompts"), "prompts", ["prompt_id"], ["id"]
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_comparisons_adapter_id_adapters"), "adapters", ["adapter_id"], ["id"]
        )
        batch_op.drop_constraint(batch_op.f("uq_comparisons_job_id_key"), type_="unique")
        batch_op.drop_index(batch_op.f("ix_comparisons_project_id_id"))
        batch_op.drop_index(batch_op.f("ix_comparisons_follows_id"))
        batch_op.create_index(batch_op.f("ix_comparisons_adapter_id"), ["adapter_id"], unique=False)
        batch_op.drop_column("prompt_hash")
        batch_op.drop_column("emptied_at")
        batch_op.drop_column("system")
        batch_op.drop_column("slice")
        batch_op.drop_column("expected")
        batch_op.drop_column("key")
        batch_op.drop_column("job_id")
        batch_op.drop_column("follows_id")
        batch_op.drop_column("prompt_version_id")

    with op.batch_alter_table("answers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("side", sa.VARCHAR(length=32), nullable=False))
        batch_op.drop_constraint(batch_op.f("fk_answers_base_model_id_base_models"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_answers_adapter_id_adapters"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("fk_answers_endpoint_id_endpoints"), type_="foreignkey")
        batch_op.drop_constraint(batch_op.f("uq_answers_comparison_id_position"), type_="unique")
        batch_op.drop_index(batch_op.f("ix_answers_adapter_id"))
        batch_op.create_unique_constraint(
            batch_op.f("uq_answers_comparison_id_side"), ["comparison_id", "side"]
        )
        batch_op.drop_column("first_token_seconds")
        batch_op.drop_column("tokens_per_second")
        batch_op.drop_column("tokens")
        batch_op.drop_column("model")
        batch_op.drop_column("endpoint_id")
        batch_op.drop_column("step")
        batch_op.drop_column("adapter_id")
        batch_op.drop_column("base_model_id")
        batch_op.drop_column("position")

    with op.batch_alter_table("assignments", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_assignments_rater_id"))

    op.drop_table("assignments")
    op.drop_table("round_pairs")
    op.drop_table("prompt_versions")
    with op.batch_alter_table("rounds", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_rounds_project_id"))

    op.drop_table("rounds")
    playground_rows.lay_down(op.get_bind(), playground_rows.to_two_sides(lifted))
