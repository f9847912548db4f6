"""Conditions: one CEL dialect for rules and policy, typed, bounded and three-valued."""

from penstock.conditions.condition import Condition, Unknown, compile
from penstock.conditions.schema import SCHEMAS, Field

__all__ = ["SCHEMAS", "Condition", "Field", "Unknown", "compile"]
