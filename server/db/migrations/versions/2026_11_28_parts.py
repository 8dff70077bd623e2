"""Requests for parts, where a depot is, and faults of cabinets that technicians report"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

INSTANT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

revision = "20261128p"
down_revision = "20261128e"
branch_labels = None
depends_on = None


def _refers(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [other], name=f"fk_{table}_{column}")


def upgrade() -> None:
    for column in (
        sa.Column("address", sa.String(), nullable=True),
        sa.Column("hours", sa.String(), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
    ):
        op.add_column("stock_place", column)
    op.create_table(
        "part_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.String(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("asker_id", sa.Uuid(), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=False),
        sa.Column("for_order_id", sa.Uuid(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("asked_at", INSTANT, nullable=False),
        sa.Column("answered_at", INSTANT, nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("supplied", sa.Integer(), nullable=False),
        sa.Column("closed_at", INSTANT, nullable=True),
        _refers("part_request", "sku", "product.sku"),
        _refers("part_request", "asker_id", "technician.id"),
        _refers("part_request", "holder_id", "stock_place.id"),
        _refers("part_request", "for_order_id", "work_order.id"),
        sa.PrimaryKeyConstraint("id", name="pk_part_request"),
    )
    op.create_index("ix_part_request_asker_id_closed_at", "part_request", ["asker_id", "closed_at"])
    op.create_index("ix_part_request_holder_id_closed_at", "part_request", ["holder_id", "closed_at"])
    op.create_table(
        "network_fault",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("cabinet", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("closed_at", INSTANT, nullable=True),
        sa.Column("acts", JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_network_fault"),
    )
    op.create_index(
        "uq_network_fault_open",
        "network_fault",
        ["cabinet"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index("ix_network_fault_cabinet_closed_at", "network_fault", ["cabinet", "closed_at"])
    op.create_table(
        "network_fault_report",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("fault_id", sa.Uuid(), nullable=False),
        sa.Column("technician_id", sa.Uuid(), nullable=False),
        sa.Column("sign", sa.String(), nullable=False),
        sa.Column("ports", sa.Integer(), nullable=True),
        sa.Column("customers", sa.Integer(), nullable=True),
        sa.Column("safe", sa.Boolean(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("photos", JSON, nullable=False),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column("seen_at", INSTANT, nullable=False),
        sa.Column("for_order_id", sa.Uuid(), nullable=True),
        _refers("network_fault_report", "fault_id", "network_fault.id"),
        _refers("network_fault_report", "technician_id", "technician.id"),
        _refers("network_fault_report", "for_order_id", "work_order.id"),
        sa.PrimaryKeyConstraint("id", name="pk_network_fault_report"),
    )
    op.create_index("ix_network_fault_report_fault_id", "network_fault_report", ["fault_id"])


def downgrade() -> None:
    for name in ("network_fault_report", "network_fault", "part_request"):
        op.drop_table(name)
    for name in ("lon", "lat", "hours", "address"):
        op.drop_column("stock_place", name)
