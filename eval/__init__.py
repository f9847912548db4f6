"""Accuracy on labelled material: ``make eval SET=DIR``."""
