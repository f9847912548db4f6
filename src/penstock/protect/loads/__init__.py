"""Loaders of models that look before they load: ``penstock model guard``."""
