"""What documents of other tools say about where data and models came from: one reader a format."""
