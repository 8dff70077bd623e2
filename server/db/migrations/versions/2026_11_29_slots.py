"""Hold a time slot for a customer who is choosing."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
INSTANT = sa.DateTime(timezone=True)

revision = "20261129s"
down_revision = "20261128x"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "slot_hold",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("window_start", INSTANT, nullable=False),
        sa.Column("window_end", INSTANT, nullable=False),
        sa.Column("work_order_id", sa.Uuid(), nullable=True),
        sa.Column("location_id", sa.Uuid(), nullable=False),
        sa.Column("wish", JSON, nullable=False),
        sa.Column("needs", JSON, nullable=False),
        sa.Column("technician_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("travel_minutes", sa.Integer(), nullable=False),
        sa.Column("added_minor", sa.Integer(), nullable=False),
        sa.Column("delays", JSON, nullable=False),
        sa.Column("held_by", sa.String(), nullable=False),
        sa.Column("held_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("given_back_at", INSTANT, nullable=True),
        sa.Column("confirmed_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["work_order_id"], ["work_order.id"], name=op.f("fk_slot_hold_work_order_id")
        ),
        sa.ForeignKeyConstraint(
            ["location_id"], ["service_location.id"], name=op.f("fk_slot_hold_location_id")
        ),
        sa.ForeignKeyConstraint(
            ["technician_id"], ["technician.id"], name=op.f("fk_slot_hold_technician_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slot_hold")),
        sa.UniqueConstraint("key", name=op.f("uq_slot_hold_key")),
    )
    op.create_index(op.f("ix_slot_hold_work_order_id"), "slot_hold", ["work_order_id"])
    op.create_index("ix_slot_hold_day_expires_at", "slot_hold", ["day", "expires_at"])


def downgrade() -> None:
    op.drop_table("slot_hold")
