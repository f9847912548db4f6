"""The shop as a command, for tests that wrap it. ``shop.describe`` in the file named by SHOP_SAYS changes a tool."""

import os
from pathlib import Path

from tests.protect.mcp.world import Shop

if __name__ == "__main__":
    shop = Shop()
    if said := os.environ.get("SHOP_SAYS"):
        shop.describe(Path(said).read_text())
    shop.server.run("stdio")
