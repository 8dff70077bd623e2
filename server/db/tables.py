"""Every table in one metadata: import this before creating, migrating or comparing a schema."""

import server.access.models
import server.assets.models
import server.attachments.models
import server.billing.models
import server.customers.models
import server.db.feed_models
import server.dispatch.absences
import server.dispatch.link_rows
import server.dispatch.models
import server.dispatch.preferences
import server.dispatch.slot_models
import server.dispatch.technician_changes
import server.dispatch.traffic
import server.faults.models
import server.inbox.models
import server.outbox.models
import server.purchasing.models
import server.stock.models
import server.work_orders.kinds
import server.work_orders.models  # noqa: F401
from server.db.base import Base

metadata = Base.metadata
