"""Keep of each device what it said only it has, so that a lost one is known by more than a number"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

revision = "20261128d"
down_revision = "20261128c"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("device") as batch:
        batch.add_column(sa.Column("unsent", JSON, nullable=False, server_default="[]"))


def downgrade() -> None:
    with op.batch_alter_table("device") as batch:
        batch.drop_column("unsent")
