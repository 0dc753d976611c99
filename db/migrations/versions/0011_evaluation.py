"""evaluation: frozen tasks, scores with their predictions, gains, leaks, judgements, encoders, studies"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "judgements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("order", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("scores", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_judgements_job_id_jobs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_judgements")),
        sa.UniqueConstraint("job_id", "position", "order", name=op.f("uq_judgements_job_id_position_order")),
    )
    op.create_table(
        "studies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "category_transfer",
                "composition",
                "data_scale",
                "rank",
                "experts",
                name="studykind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_studies_created_by_id_users")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_studies_job_id_jobs")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_studies_project_id_projects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_studies")),
    )
    op.create_table(
        "task_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column(
            "category",
            sa.Enum("QA", "IE", "GEN", "OTHER", name="category", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("is_general", sa.Boolean(), nullable=False),
        sa.Column("split", sa.String(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("examples", sa.JSON(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("licence", sa.String(), nullable=False),
        sa.Column("is_restricted", sa.Boolean(), nullable=False),
        sa.Column("dataset_version_id", sa.Integer(), nullable=True),
        sa.Column("created_by_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["users.id"], name=op.f("fk_task_versions_created_by_id_users")
        ),
        sa.ForeignKeyConstraint(
            ["dataset_version_id"],
            ["dataset_versions.id"],
            name=op.f("fk_task_versions_dataset_version_id_dataset_versions"),
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_task_versions_project_id_projects")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_versions")),
        sa.UniqueConstraint(
            "project_id", "content_hash", name=op.f("uq_task_versions_project_id_content_hash")
        ),
    )
    op.create_table(
        "encoders",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("location", sa.String(), nullable=False),
        sa.Column("revision", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("weights_hash", sa.String(), nullable=False),
        sa.Column("head", sa.String(), nullable=False),
        sa.Column("task_version_id", sa.Integer(), nullable=False),
        sa.Column("is_stand_in", sa.Boolean(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("packages", sa.JSON(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_encoders_job_id_jobs")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_encoders_project_id_projects")
        ),
        sa.ForeignKeyConstraint(
            ["task_version_id"], ["task_versions.id"], name=op.f("fk_encoders_task_version_id_task_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_encoders")),
        sa.UniqueConstraint("name", name=op.f("uq_encoders_name")),
    )
    op.create_table(
        "leak_checks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("task_version_id", sa.Integer(), nullable=False),
        sa.Column("dataset_version_id", sa.Integer(), nullable=False),
        sa.Column("limits", sa.JSON(), nullable=False),
        sa.Column("rows_found", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_version_id"],
            ["dataset_versions.id"],
            name=op.f("fk_leak_checks_dataset_version_id_dataset_versions"),
        ),
        sa.ForeignKeyConstraint(
            ["task_version_id"],
            ["task_versions.id"],
            name=op.f("fk_leak_checks_task_version_id_task_versions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leak_checks")),
        sa.UniqueConstraint(
            "task_version_id",
            "dataset_version_id",
            name=op.f("uq_leak_checks_task_version_id_dataset_version_id"),
        ),
    )
    op.create_table(
        "study_arms",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("dataset_version_id", sa.Integer(), nullable=True),
        sa.Column("train_job_id", sa.Integer(), nullable=True),
        sa.Column("adapter_id", sa.Integer(), nullable=True),
        sa.Column("evaluate_job_id", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["adapter_id"], ["adapters.id"], name=op.f("fk_study_arms_adapter_id_adapters")
        ),
        sa.ForeignKeyConstraint(
            ["dataset_version_id"],
            ["dataset_versions.id"],
            name=op.f("fk_study_arms_dataset_version_id_dataset_versions"),
        ),
        sa.ForeignKeyConstraint(
            ["evaluate_job_id"], ["jobs.id"], name=op.f("fk_study_arms_evaluate_job_id_jobs")
        ),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_study_arms_study_id_studies")),
        sa.ForeignKeyConstraint(["train_job_id"], ["jobs.id"], name=op.f("fk_study_arms_train_job_id_jobs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_arms")),
        sa.UniqueConstraint("study_id", "position", name=op.f("uq_study_arms_study_id_position")),
    )
    op.create_table(
        "task_rows",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("task_version_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("instruction", sa.String(), nullable=False),
        sa.Column("input", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("source", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_version_id"], ["task_versions.id"], name=op.f("fk_task_rows_task_version_id_task_versions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task_rows")),
        sa.UniqueConstraint(
            "task_version_id", "position", name=op.f("uq_task_rows_task_version_id_position")
        ),
    )
    op.create_table(
        "evaluations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("task_version_id", sa.Integer(), nullable=False),
        sa.Column("base_model_id", sa.Integer(), nullable=True),
        sa.Column("adapter_id", sa.Integer(), nullable=True),
        sa.Column("encoder_id", sa.Integer(), nullable=True),
        sa.Column(
            "way",
            sa.Enum("generation", "likelihood", "encoder", name="way", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("rows_done", sa.Integer(), nullable=False),
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("tables", sa.JSON(), nullable=False),
        sa.Column("provenance", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["adapter_id"], ["adapters.id"], name=op.f("fk_evaluations_adapter_id_adapters")
        ),
        sa.ForeignKeyConstraint(
            ["base_model_id"], ["base_models.id"], name=op.f("fk_evaluations_base_model_id_base_models")
        ),
        sa.ForeignKeyConstraint(
            ["encoder_id"], ["encoders.id"], name=op.f("fk_evaluations_encoder_id_encoders")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_evaluations_job_id_jobs")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_evaluations_project_id_projects")
        ),
        sa.ForeignKeyConstraint(
            ["task_version_id"],
            ["task_versions.id"],
            name=op.f("fk_evaluations_task_version_id_task_versions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluations")),
        sa.UniqueConstraint(
            "job_id", "task_version_id", "way", name=op.f("uq_evaluations_job_id_task_version_id_way")
        ),
    )
    with op.batch_alter_table("evaluations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_evaluations_adapter_id"), ["adapter_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_evaluations_project_id_task_version_id"),
            ["project_id", "task_version_id"],
            unique=False,
        )

    op.create_table(
        "leaks",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("leak_check_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("dataset_position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["leak_check_id"], ["leak_checks.id"], name=op.f("fk_leaks_leak_check_id_leak_checks")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leaks")),
    )
    with op.batch_alter_table("leaks", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_leaks_leak_check_id_position"), ["leak_check_id", "position"], unique=False
        )

    op.create_table(
        "gains",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("evaluation_id", sa.Integer(), nullable=False),
        sa.Column("against_id", sa.Integer(), nullable=False),
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("result", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["against_id"], ["evaluations.id"], name=op.f("fk_gains_against_id_evaluations")
        ),
        sa.ForeignKeyConstraint(
            ["evaluation_id"], ["evaluations.id"], name=op.f("fk_gains_evaluation_id_evaluations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gains")),
        sa.UniqueConstraint(
            "evaluation_id", "against_id", "measure", name=op.f("uq_gains_evaluation_id_against_id_measure")
        ),
    )
    op.create_table(
        "predictions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("evaluation_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("is_right", sa.Boolean(), nullable=False),
        sa.Column("has_faults", sa.Boolean(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("said", sa.JSON(), nullable=False),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["evaluation_id"], ["evaluations.id"], name=op.f("fk_predictions_evaluation_id_evaluations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_predictions")),
        sa.UniqueConstraint("evaluation_id", "position", name=op.f("uq_predictions_evaluation_id_position")),
    )
    with op.batch_alter_table("predictions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_predictions_evaluation_id_has_faults_position"),
            ["evaluation_id", "has_faults", "position"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_predictions_evaluation_id_is_right_position"),
            ["evaluation_id", "is_right", "position"],
            unique=False,
        )
        batch_op.create_index(
            batch_op.f("ix_predictions_evaluation_id_position_score"),
            ["evaluation_id", "position", "score"],
            unique=False,
        )
    if op.get_bind().dialect.name == "sqlite":
        _add_full_text()


def _add_full_text() -> None:
    """Indexes of words without a copy of the text. A row's number is its evaluation's, or its task version's,
    times 2^32, and its position: a search of one evaluation comes out in order, from any position on.

    Predictions and task rows are never changed or deleted, so nothing else keeps these in step.
    """
    for name, table, parent, text in (
        ("prediction_search", "predictions", "evaluation_id", "new.answer"),
        (
            "task_search",
            "task_rows",
            "task_version_id",
            "new.instruction || char(10) || new.input || char(10) || new.reference",
        ),
    ):
        op.execute(
            f"CREATE VIRTUAL TABLE {name} USING fts5(text, content='', columnsize=0, prefix='2 3 4',"
            " tokenize='unicode61 remove_diacritics 2')"
        )
        op.execute(
            f"CREATE TRIGGER {name}_insert AFTER INSERT ON {table} BEGIN INSERT INTO {name} (rowid, text)"
            f" VALUES (new.{parent} * 4294967296 + new.position, {text}); END"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in ("prediction_search", "task_search"):
            op.execute(f"DROP TRIGGER {name}_insert")
            op.execute(f"DROP TABLE {name}")
    with op.batch_alter_table("predictions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_predictions_evaluation_id_position_score"))
        batch_op.drop_index(batch_op.f("ix_predictions_evaluation_id_is_right_position"))
        batch_op.drop_index(batch_op.f("ix_predictions_evaluation_id_has_faults_position"))

    op.drop_table("predictions")
    op.drop_table("gains")
    with op.batch_alter_table("leaks", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_leaks_leak_check_id_position"))

    op.drop_table("leaks")
    with op.batch_alter_table("evaluations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_evaluations_project_id_task_version_id"))
        batch_op.drop_index(batch_op.f("ix_evaluations_adapter_id"))

    op.drop_table("evaluations")
    op.drop_table("task_rows")
    op.drop_table("study_arms")
    op.drop_table("leak_checks")
    op.drop_table("encoders")
    op.drop_table("task_versions")
    op.drop_table("studies")
    op.drop_table("judgements")
