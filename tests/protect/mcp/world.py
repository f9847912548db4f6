"""A real MCP server, the gateway in front of it, and real clients, all on loopback."""

import contextlib

import httpx2
from mcp.client.client import Client
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.transport_security import TransportSecuritySettings
from mcp.types import SamplingMessage, TextContent

from penstock.protect.gateway import build
from penstock.protect.sink import MemorySink
from penstock.protect.snapshot import Upstream
from penstock.protect.snapshot_source import FixedSnapshot
from tests.protect.gateway_world import KEY, served, snapshot

TOLD = "The customer is ada@analytical.co.uk"


class Shop:
    """A server whose tools can be changed while it runs. ``heard``: what its tools were called with."""

    def __init__(self):
        self.heard = []
        self.described = "Looks a customer up by number"
        self.server = MCPServer("shop")
        self.server.add_tool(self.lookup, description=self.described)
        self.server.add_tool(self.note, description="Keeps a note")
        self.server.add_tool(self.slow, description="Counts")
        self.server.add_tool(self.consult, description="Asks the client's model")

    async def lookup(self, number: str) -> str:
        self.heard.append(("lookup", number))
        return TOLD

    async def note(self, text: str) -> str:
        self.heard.append(("note", text))
        return "kept"

    async def slow(self, ctx: Context) -> str:
        for step in range(3):
            await ctx.report_progress(step, 3, f"step {step}")
        return "counted"

    async def consult(self, ctx: Context, text: str) -> str:
        answer = await ctx.session.create_message(
            [SamplingMessage(role="user", content=TextContent(type="text", text=text))], max_tokens=10
        )
        return f"the model says {answer.content.text}"

    def describe(self, text):
        self.server.remove_tool("lookup")
        self.server.add_tool(self.lookup, description=text)


OPEN = TransportSecuritySettings(enable_dns_rebinding_protection=False)


class Served:
    """``url`` is the server's address at the gateway; ``rules`` puts a policy in force."""

    def __init__(self, upstream, folder=None):
        self.source = FixedSnapshot(None, folder=folder)
        self.sink = MemorySink()
        self.upstreams = (Upstream(name="shop", base_url=upstream, surfaces=("mcp",)),)
        self.root = ""

    def rules(self, *rules, tools=(), approved=(), grants=(), **more):
        fresh = snapshot(*rules, tools=tools, **more)
        self.source.put(
            type(fresh)(**{name: getattr(fresh, name) for name in fresh.__struct_fields__}
                        | {"upstreams": self.upstreams, "tools": approved, "grants": grants})
        )  # fmt: skip

    @property
    def url(self):
        return f"{self.root}/mcp/shop"

    def client(self, mode="auto", **more):
        http = httpx2.AsyncClient(headers={"Authorization": f"Bearer {KEY}"}, timeout=10)
        return Client(streamable_http_client(self.url, http_client=http), mode=mode, **more)

    def old_client(self, **more):
        return Client(sse_client(self.url, headers={"Authorization": f"Bearer {KEY}"}), mode="legacy", **more)


@contextlib.contextmanager
def world(shop, folder=None, kind="http", **how):
    app = (
        shop.server.sse_app(transport_security=OPEN)
        if kind == "sse"
        else shop.server.streamable_http_app(transport_security=OPEN, **how)
    )
    with served(app) as root:
        here = Served(f"{root}/{'sse' if kind == 'sse' else 'mcp'}", folder)
        here.rules()
        with served(build(here.source, here.sink)) as root:
            here.root = root
            yield here


def text_of(result):
    return "".join(block.text for block in result.content)
