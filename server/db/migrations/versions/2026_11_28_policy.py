"""Weigh plans by versions of a policy, and know certificates and territories"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
INSTANT = sa.DateTime(timezone=True)

revision = "20261128w"
down_revision = "20261128p"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("technician") as batch:
        batch.add_column(sa.Column("valid_until", JSON, nullable=False, server_default="{}"))
        batch.add_column(sa.Column("territories", JSON, nullable=False, server_default="[]"))
        batch.add_column(sa.Column("stays", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "planning_policy",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("made_at", INSTANT, nullable=False),
        sa.Column("made_by", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("weights", JSON, nullable=False),
        sa.Column("territories", JSON, nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_planning_policy")),
    )


def downgrade() -> None:
    op.drop_table("planning_policy")
    with op.batch_alter_table("technician") as batch:
        batch.drop_column("stays")
        batch.drop_column("territories")
        batch.drop_column("valid_until")
