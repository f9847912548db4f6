"""Events of OpenLineage, sent as its clients send them."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from penstock.serve.guard import Guard
from penstock.serve.state import Live
from penstock.serve.tokens import Tokens, make_named_token
from tests.discover.test_lineage_taken_in import TAGGED, event
from tests.serve.conftest import Api, serving, small_company


def test_an_event_shows_in_the_map_and_outlives_the_next_scan(fresh: tuple[str, Live]) -> None:
    base, live = fresh
    api = Api(base)
    sent = event("nightly", ["shop.public.people"], ["shop.public.features"], people=TAGGED)
    told = api.post("/lineage", sent).json()
    assert told["things"] == 3 and told["statements"] > 3
    assert api.post("/lineage", sent).json() == told
    live.store.ingest(small_company(time.time()))
    live.refresh()
    features = next(a for a in live.world.graph.assets.values() if a.name.endswith("features"))
    assert "pii" in live.world.labelling.contains(features.id)


@pytest.mark.parametrize(
    ("body", "status"),
    [({"hello": "world"}, 400), ([1, 2], 400), ({"producer": "x"}, 400), ({"producer": "x" * 70_000}, 413)],
)
def test_what_is_no_event_is_refused(fresh: tuple[str, Live], body: object, status: int) -> None:
    base, live = fresh
    before = live.store.graph_version()
    assert Api(base).post("/lineage", body).status == status
    assert live.store.graph_version() == before


def test_a_sender_needs_a_token(tmp_path: Path) -> None:
    sender, reader = (make_named_token(tmp_path, name, name) for name in ("developer", "viewer"))
    with serving(tmp_path, Guard(tokens=Tokens("", tmp_path))) as (base, _):
        body = json.dumps(event("a", [], ["shop.public.a"])).encode()

        def status(headers: dict[str, str]) -> int:
            request = urllib.request.Request(
                f"{base}/api/v1/lineage", body, {"Content-Type": "application/json", **headers}
            )
            try:
                with urllib.request.urlopen(request, timeout=20) as answer:
                    return int(answer.status)
            except urllib.error.HTTPError as error:
                with error:
                    return error.code

        assert status({}) == 401
        assert status({"Authorization": "Bearer wrong"}) == 401
        assert status({"Authorization": f"Bearer {reader}"}) == 403
        assert status({"Authorization": f"Bearer {sender}"}) == 200
