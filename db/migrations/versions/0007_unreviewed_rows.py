"""unreviewed rows"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # What was frozen before holds approved texts only.
    new = sa.Column("is_unreviewed", sa.Boolean(), nullable=False, server_default=sa.false())
    op.add_column("dataset_rows", new)


def downgrade() -> None:
    op.drop_column("dataset_rows", "is_unreviewed")
