"""Real servers that tests run against, started here and thrown away after."""
