"""What the texts of an MCP message are: which leave, which come from the server, which describe a tool."""

from __future__ import annotations

from penstock.protect.exchange import Part
from penstock.protect.jsontext import Path
from penstock.protect.surfaces import openai_errors
from penstock.protect.surfaces.json_surface import JsonSurface, Place
from penstock.protect.surfaces.surface import Failure, Route, Tree

#: Words that must come through as they are: whoever reads them compares them. They may be stopped, never masked.
_FIXED = frozenset(
    {"id", "requestId", "progressToken", "cursor", "nextCursor", "requestState", "protocolVersion", "subscriptionId",
     "io.modelcontextprotocol/protocolVersion", "taskId"}
)  # fmt: skip
#: Requests of a server that its client answers, and lists that describe what a server offers.
_LISTS = frozenset({"tools", "prompts", "resources", "resourceTemplates"})


class McpMessages(JsonSurface):
    """``request`` reads what a client sends, ``reply`` what a server sends; whichever of them answers the other."""

    name = "mcp"
    family = "mcp"
    routes: tuple[Route, ...] = ()
    words = frozenset({"jsonrpc", "type", "mimeType", "role"})

    def is_word(self, path: Path) -> bool:
        return path == ("method",) or super().is_word(path)

    def is_value(self, path: Path) -> bool:
        return path in (("params", "arguments"), ("result", "structuredContent"))

    def asked_place(self, tree: Tree, path: Path) -> Place | None:
        if self.is_word(path):
            return None
        channel = "tool_call" if "params" in tree else "user"
        return Place("", channel, path[-1] in _FIXED)

    def answered_place(self, tree: Tree, path: Path) -> Place | None:
        if self.is_word(path):
            return None
        described = len(path) > 1 and path[0] == "result" and path[1] in _LISTS
        return Place("", "tool_definition" if described else "tool_result", path[-1] in _FIXED)

    def failure(self, status: int, message: str, code: str) -> Failure:
        return openai_errors.failure(status, message, code)

    def parts(self, body: bytes, *, sent: bool) -> tuple[Part, ...]:
        """The texts of one message.

        Raises:
            NotUnderstood: it is not valid, or nests too deeply.
        """
        from penstock.protect.jsontext import read

        tree, found = read(body, self.is_value)
        return self._parts(tree, found, self.asked_place if sent else self.answered_place, body)[0]


MESSAGES = McpMessages()
