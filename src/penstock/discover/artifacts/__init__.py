"""Collectors of model files: what a file would do when it is loaded becomes part of what is known of the model."""
