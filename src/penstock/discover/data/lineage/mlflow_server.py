"""An MLflow tracking server, read over its REST API (2.0). Only the address that the operator named is asked.

Endpoints: experiments/search, runs/search, registered-models/search, model-versions/search, logged-models/search
(MLflow 3; older servers do not know it). Nothing of a scanned tree can name the address.
"""

from __future__ import annotations

import json
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from typing import Any, NoReturn
from urllib.parse import quote, urlsplit

from penstock.discover.collector import Yielded
from penstock.discover.data.lineage.mlflow_tracking import Logged, Run, Tracking, Version, dataset_of, pairs, tell
from penstock.discover.data.lineage.reading import dig, json_of, mapping, mappings, text, texts
from penstock.discover.data.lineage.saying import Saying
from penstock.errors import NotAllowed, NotReachable, NotUnderstood, PenstockError
from penstock.graph.vocabulary import Unseen

NAME = "lineage.mlflow.server"
#: Bytes of one answer; a page of 1,000 runs with 100 parameters each has about 10 MB.
_MOST_BYTES = 64_000_000
#: Pages of one listing, of `_PAGE` entries each.
_MOST_PAGES, _PAGE = 200, 1_000
#: Seconds for one answer to begin or go on, and for the whole server.
_PATIENCE, _SECONDS = 20.0, 300.0


def read(url: str, *, token: str = "", scope: str = "") -> Iterator[Yielded]:
    """What a tracking server recorded.

    Args:
        url: where the server is (``https://mlflow.example.com``, with a path if it has one).
        token: sent as a bearer token, never elsewhere.
        scope: the scope of what is found; by default the server itself.
    A server that cannot be asked, or not about everything, gives an `Unseen` and raises nothing.
    """
    address = url.rstrip("/")
    scope = scope or f"mlflow:{urlsplit(address).netloc.rpartition('@')[2]}"
    saying = Saying(NAME, scope, _shown(address), "resolved")
    server = _Server(address, token)
    store = Tracking()
    gaps: list[Unseen] = []
    for what, fill in (("runs", _runs), ("registered models", _versions), ("logged models", _logged)):
        try:
            fill(server, store)
        except PenstockError as error:
            older = what == "logged models" and isinstance(error, NotUnderstood)
            gaps.append(Unseen(_shown(address), what, error.message, error.hint or "", NAME, scope, skipped=older))
    tell(saying, store)
    yield from saying
    yield from gaps


def _runs(server: _Server, store: Tracking) -> None:
    experiments = [
        text(found.get("experiment_id"))
        for found in server.listing("experiments/search", {"max_results": _PAGE}, "experiments")
    ]
    for first in range(0, len(experiments), 100):
        asked = {"experiment_ids": experiments[first : first + 100], "max_results": _PAGE}
        for found in server.listing("runs/search", asked, "runs"):
            info, data = mapping(found.get("info")), mapping(found.get("data"))
            id_ = text(info.get("run_id")) or text(info.get("run_uuid"))
            inputs = tuple(
                (dataset_of(given.get("dataset")), pairs(given.get("tags")).get("mlflow.data.context", ""))
                for given in mappings(dig(found, "inputs", "dataset_inputs"))
            )
            used = tuple(text(given.get("model_id")) for given in mappings(dig(found, "inputs", "model_inputs")))
            if re.fullmatch(r"[0-9a-zA-Z_-]{1,64}", id_):
                place = server.page(f"#/experiments/{text(info.get('experiment_id'))}/runs/{id_}")
                store.runs.append(
                    Run(id_, place, text(info.get("run_name")), text(info.get("artifact_uri")),
                        pairs(data.get("params")), pairs(data.get("tags")), inputs, used)
                )  # fmt: skip


def _versions(server: _Server, store: Tracking) -> None:
    aliases = {  # a search of versions leaves them out
        (text(model.get("name")), text(given.get("version")), text(given.get("alias")))
        for model in server.listing("registered-models/search", {"max_results": _PAGE}, "registered_models", get=True)
        for given in mappings(model.get("aliases"))
    }
    for found in server.listing("model-versions/search", {"max_results": _PAGE}, "model_versions", get=True):
        name, version = text(found.get("name")), text(found.get("version"))
        listed = {alias for of, number, alias in aliases if (of, number) == (name, version)}
        names = [f"@{alias}" for alias in sorted({*listed, *texts(found.get("aliases"))}) if alias]
        if (stage := text(found.get("current_stage"))) not in ("", "None", "Archived"):
            names.append(f"/{stage}")
        if name and version:
            place = server.page(f"#/models/{quote(name)}/versions/{version}")
            store.versions.append(
                Version(name, version, place, text(found.get("source")), text(found.get("run_id")), tuple(names),
                        pairs(found.get("tags")))
            )  # fmt: skip


def _logged(server: _Server, store: Tracking) -> None:
    experiments = sorted({match[1] for run in store.runs if (match := re.search(r"#/experiments/(\w+)/", run.place))})
    for first in range(0, len(experiments), 100):
        asked = {"experiment_ids": experiments[first : first + 100], "max_results": 50}
        for found in server.listing("logged-models/search", asked, "models"):
            info = mapping(found.get("info")) or found
            id_ = text(info.get("model_id"))
            location = text(info.get("artifact_uri")) or text(info.get("artifact_location"))
            if id_:
                store.logged.append(
                    Logged(id_, server.page(f"#/experiments/{text(info.get('experiment_id'))}/models/{id_}"),
                           text(info.get("name")), text(info.get("source_run_id")), location)
                )  # fmt: skip


class _Server:
    """One server: redirects are refused, proxies of the environment are not asked, answers are bounded."""

    def __init__(self, address: str, token: str) -> None:
        self.address, self.token = address, token
        self.until = time.monotonic() + _SECONDS
        self.opener = urllib.request.build_opener(
            _NoRedirects(),
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context()),
        )

    def page(self, where: str) -> str:
        return f"{_shown(self.address)}/{where}"

    def listing(self, path: str, asked: dict[str, Any], key: str, *, get: bool = False) -> Iterator[Mapping[str, Any]]:
        """Every entry of a listing, through its pages."""
        token, seen = "", set()
        for _ in range(_MOST_PAGES):
            answer = self.ask(path, {**asked, "page_token": token} if token else asked, get=get)
            yield from mappings(answer.get(key))
            token = text(answer.get("next_page_token"))
            if not token or token in seen:
                return
            seen.add(token)

    def ask(self, path: str, body: dict[str, Any], *, get: bool) -> Mapping[str, Any]:
        """One answer.

        Raises:
            NotReachable: nobody answers, too late or with too much.
            NotAllowed: the server wants another token.
            NotUnderstood: the answer is none of MLflow's.
        """
        if urlsplit(self.address).scheme not in ("http", "https"):
            raise NotReachable("The address is no http or https address", _shown(self.address))
        if time.monotonic() > self.until:
            raise NotReachable(f"The server took longer than {_SECONDS:.0f} s", _shown(self.address))
        url = f"{self.address}/api/2.0/mlflow/{path}"
        if get:
            url += "?" + "&".join(f"{quote(name)}={quote(str(value))}" for name, value in body.items())
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(url, None if get else json.dumps(body).encode(), headers)  # noqa: S310 - scheme checked
        try:
            with self.opener.open(request, timeout=_PATIENCE) as answer:
                data = self.body(answer)
        except urllib.error.HTTPError as error:
            with error:
                self.refused(error)
        except (OSError, HTTPException, ValueError) as error:
            reason = getattr(error, "reason", error)
            raise NotReachable(f"The server cannot be asked: {reason}", _shown(self.address)) from error
        return mapping(json_of(data))

    def body(self, answer: Any) -> bytes:
        parts, size = [], 0
        while part := answer.read(1 << 16):
            parts.append(part)
            size += len(part)
            if size > _MOST_BYTES or time.monotonic() > self.until:
                raise NotReachable("The answer is too long or too slow", _shown(self.address))
        return b"".join(parts)

    def refused(self, error: urllib.error.HTTPError) -> NoReturn:
        if error.code in (401, 403):
            raise NotAllowed("The server refuses the token", _shown(self.address), "Name one that may read experiments")
        if 300 <= error.code < 400:
            hint = "Name the address that answers itself"
            raise NotReachable(
                "The server sends its callers elsewhere, which is not followed", _shown(self.address), hint
            )
        raise NotUnderstood(f"The server answers with status {error.code}", _shown(self.address))


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:  # a redirect could lead into the network of whoever runs this
        return None


def _shown(address: str) -> str:
    """An address as it may be printed: without what stands before the host."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
