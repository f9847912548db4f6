"""Runs migrations on the connection it was handed, inside the transaction that is already open there."""

from __future__ import annotations

from alembic import context

from penstock.graph.store.schema import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, version_table=VERSION_TABLE
)
with context.begin_transaction():
    context.run_migrations()
