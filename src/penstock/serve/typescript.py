"""The API's shapes as TypeScript, so that the console does not compile against an API that is not this one.

``python -m penstock.serve.typescript > console/src/api/shapes.ts``
"""

from __future__ import annotations

import re
from typing import Any

_SIMPLE = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def typescript(document: dict[str, Any]) -> str:
    """One interface for each schema of an OpenAPI document, in its order."""
    bodies = set(re.findall(r"'requestBody': .*?schemas/(\w+)", str(document["paths"])))
    parts = ["// Generated from the API's own types: python -m penstock.serve.typescript > console/src/api/shapes.ts\n"]
    for name, schema in document["components"]["schemas"].items():
        parts.append(_interface(name, schema, optional=name in bodies))
    return "\n".join(parts)


def _interface(name: str, schema: dict[str, Any], *, optional: bool) -> str:
    required = set(schema.get("required", ()))
    lines = [f"/** {' '.join(schema['description'].split())} */"] if schema.get("description") else []
    lines.append(f"export interface {name} {{")
    for field, shape in schema.get("properties", {}).items():
        mark = "?" if optional and field not in required else ""
        lines.append(f"  {field}{mark}: {_type(shape)};")
    return "\n".join([*lines, "}", ""])


def _type(shape: dict[str, Any]) -> str:
    if "$ref" in shape:
        return str(shape["$ref"]).rpartition("/")[2]
    if "enum" in shape:
        return " | ".join(repr(word) for word in shape["enum"])
    if "anyOf" in shape:
        return " | ".join(_type(option) for option in shape["anyOf"])
    if shape.get("type") == "array":
        inner = _type(shape.get("items", {}))
        return f"({inner})[]" if "|" in inner else f"{inner}[]"
    if shape.get("type") == "object":
        return f"Record<string, {_type(shape.get('additionalProperties') or {})}>"
    return _SIMPLE.get(str(shape.get("type")), "unknown")


def main() -> None:
    from penstock.serve import app  # noqa: F401 - importing it registers the endpoints
    from penstock.serve.api.endpoint import ENDPOINTS
    from penstock.serve.openapi import document

    print(typescript(document(ENDPOINTS)), end="")


if __name__ == "__main__":
    main()
