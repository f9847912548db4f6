"""An AWS account as it is: what rows of the pack ``cloud`` ask for, with permissions to list and describe alone."""
