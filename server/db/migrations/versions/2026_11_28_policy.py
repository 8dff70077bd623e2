"""Weigh plans by versions of a policy, pin visits by hand, and know certificates and territories"""

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
    op.create_table(
        "visit_pin",
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("technician", sa.Boolean(), nullable=False),
        sa.Column("start", sa.Boolean(), nullable=False),
        sa.Column("pinned_at", INSTANT, nullable=False),
        sa.Column("pinned_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["work_order_id"], ["work_order.id"], name=op.f("fk_visit_pin_work_order_id")
        ),
        sa.PrimaryKeyConstraint("work_order_id", name=op.f("pk_visit_pin")),
    )


def downgrade() -> None:
    op.drop_table("visit_pin")
    op.drop_table("planning_policy")
    with op.batch_alter_table("technician") as batch:
        batch.drop_column("stays")
        batch.drop_column("territories")
        batch.drop_column("valid_until")
