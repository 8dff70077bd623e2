"""Breaks of a shift beside lunch, and where a plan has put them: none until somebody says so."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

JSON = sa.JSON().with_variant(JSONB(), "postgresql")

revision = "20261130s"
down_revision = "20261130r"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("technician", sa.Column("breaks", JSON, nullable=False, server_default="[]"))
    op.add_column("day_plan", sa.Column("breaks", JSON, nullable=False, server_default="{}"))


def downgrade() -> None:
    op.drop_column("day_plan", "breaks")
    op.drop_column("technician", "breaks")
