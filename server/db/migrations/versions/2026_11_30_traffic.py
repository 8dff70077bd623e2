"""Traffic by the hour: how many times as long drives take in each, one row a version."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

JSON = sa.JSON().with_variant(JSONB(), "postgresql")

revision = "20261130u"
down_revision = "20261130t"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "traffic_hours",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("factors", JSON, nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_traffic_hours")),
    )


def downgrade() -> None:
    op.drop_table("traffic_hours")
