"""Keep what goes back to vendors: one line for each faulty device that a visit brings

Nothing is filled in: what came off the walls before was recorded without a cause.
"""

import sqlalchemy as sa
from alembic import op

INSTANT = sa.DateTime(timezone=True)

revision = "20261128b"
down_revision = "20261128a"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rma_line",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("serial", sa.String(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("work_order_id", sa.Uuid(), nullable=False),
        sa.Column("command_id", sa.Uuid(), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("sent_at", INSTANT, nullable=True),
        sa.Column("sent_by", sa.String(), nullable=True),
        sa.Column("settled_at", INSTANT, nullable=True),
        sa.Column("settled_by", sa.String(), nullable=True),
        sa.Column("settlement", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["serial"], ["asset.serial"], name=op.f("fk_rma_line_serial")),
        sa.ForeignKeyConstraint(["sku"], ["product.sku"], name=op.f("fk_rma_line_sku")),
        sa.ForeignKeyConstraint(["vendor_id"], ["vendor.id"], name=op.f("fk_rma_line_vendor_id")),
        sa.ForeignKeyConstraint(["work_order_id"], ["work_order.id"], name=op.f("fk_rma_line_work_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rma_line")),
        sa.UniqueConstraint("command_id", "serial", name=op.f("uq_rma_line_command_id_serial")),
    )
    op.create_index("ix_rma_line_state_opened_at", "rma_line", ["state", "opened_at"])
    op.create_index("ix_rma_line_work_order_id_serial", "rma_line", ["work_order_id", "serial"])


def downgrade() -> None:
    op.drop_table("rma_line")
