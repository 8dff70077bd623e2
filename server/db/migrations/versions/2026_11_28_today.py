"""Find the places of a cabinet and the orders of a customer: what is known of a place is asked often"""

from alembic import op

revision = "20261128c"
down_revision = "20261128b"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_service_location_cabinet", "service_location", ["cabinet"])
    op.create_index("ix_work_order_customer_id", "work_order", ["customer_id"])


def downgrade() -> None:
    op.drop_index("ix_work_order_customer_id", "work_order")
    op.drop_index("ix_service_location_cabinet", "service_location")
