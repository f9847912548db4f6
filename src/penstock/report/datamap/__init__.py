"""The data map: which data comes from where, goes through what, and reaches whom; and why we say so."""
