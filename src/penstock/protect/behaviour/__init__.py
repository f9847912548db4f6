"""Behaviour over time: what is usual for each application, and what is worth a person's look.

``watch.Watch`` stands before the spool and sees every event; all state is bounded and lives in the gateway.
"""
