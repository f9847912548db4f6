"""What clouds hold: exports of whole accounts and states of infrastructure tools, read as resources of one table."""
