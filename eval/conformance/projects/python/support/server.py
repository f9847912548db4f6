from mcp.server.fastmcp import FastMCP

mcp = FastMCP("orders")


@mcp.tool()
def order_status(order_id: str) -> str:
    """Status of an order."""
    return order_id
