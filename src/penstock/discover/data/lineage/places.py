"""Where data and weights lie, in whatever way a document writes it, as the assets that other collectors see there.

A path of a source is its file, an address is its own key without credentials, a table goes by its database, a name of
a hub by the hub. Two spellings of one place give one asset.
"""

from __future__ import annotations

import posixpath
import re
from urllib.parse import unquote, urlsplit

from penstock.discover.data.folders import holds_data
from penstock.discover.data.lineage.reading import text
from penstock.discover.infra.images import weights
from penstock.graph import identity
from penstock.graph.vocabulary import Asset

_URI = re.compile(r"[a-z][a-z0-9+.-]{1,30}://", re.IGNORECASE)
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(?:/[A-Za-z0-9][\w.-]{0,95})?\Z")
_HUB_PAGE = re.compile(r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/(?P<rest>[^?#]+)", re.IGNORECASE)
#: Marks of a value that is filled in later, by a template engine or a shell.
_OPEN = re.compile(r"\$\{|\{\{|\$\(|<[A-Za-z_ -]+>|\{\}|%\(")
#: Stores of objects whose user part names a container, not a person.
CONTAINERS = frozenset({"abfs", "abfss", "wasb", "wasbs"})
_SCHEMES = {
    "s3a": "s3", "s3n": "s3", "gcs": "gs", "postgres": "postgresql", "sqlserver": "mssql", "mariadb": "mysql",
}  # fmt: skip
_PORTS = {"postgresql": 5432, "mysql": 3306, "mssql": 1433, "redshift": 5439, "http": 80, "https": 443}
#: The schema that a database means when none is named.
_DEFAULT_SCHEMAS = {"postgresql": "public", "mssql": "dbo", "redshift": "public"}

_SURE_WEIGHTS = (".gguf", ".safetensors", ".pt", ".pth", ".onnx", ".keras", ".ckpt", ".tflite", ".joblib", ".pmml",
                 ".mlmodel", ".cbm", ".xgb", ".ubj", ".pb", ".llamafile", ".mar", ".engine")  # fmt: skip
_MAYBE_WEIGHTS = (".pkl", ".pickle", ".bin", ".h5", ".hdf5", ".model", ".tar.gz", ".zip", ".json", ".txt")
_WEIGHT_FOLDERS = re.compile(
    r"(?:^|[_-])(?:models?|checkpoints?|weights|adapters?|lora|finetuned|fine-tuned)(?:$|[_-])"
)


def dataset(place: str, scope: str, *, folder: str = "") -> Asset | None:
    """The dataset at a path or address; None for what is empty or filled in later.

    Args:
        folder: the folder of the source that a relative path counts from.
    """
    said = text(place)
    if not said or _OPEN.search(said):
        return None
    if name := hub_dataset(said):
        return identity.asset("dataset", name, key=f"hf://datasets/{name}")
    if path := file_path(said):
        return identity.file_dataset(_normal(path), scope)
    if _URI.match(said) or re.match(r"(?:arn|dbfs):", said):
        key = uri(said)
        return identity.asset("dataset", key, key=key) if key else None
    return identity.file_dataset(_normal(posixpath.join(folder, said)), scope)


def model(place: str, scope: str, *, folder: str = "", hub: str = "") -> Asset | None:
    """The model at a path, an address or, where ``hub`` says that bare names are of one, in a hub.

    A path that the document's own folder starts (``./out``, ``models/x.gguf``) is a folder or file of the source.
    """
    said = text(place)
    if not said or _OPEN.search(said):
        return None
    if page := _HUB_PAGE.match(said):
        name = "/".join(unquote(page["rest"]).strip("/").split("/")[:2])
        return None if name.startswith(("datasets/", "spaces/")) else weights(name, "huggingface", scope)
    if path := file_path(said):
        return identity.local_model(_normal(path), scope)
    if re.match(r"(?:models|runs):/", said):
        return mlflow_model(said)
    if _URI.match(said):
        key = said if said.startswith(("hf://", "ollama://")) else uri(said)
        return weights(key, "", scope) if key else None
    if hub and _HUB_ID.match(said) and not said.startswith("models/"):
        return identity.asset("model", said, props={"provider": hub})
    if hub and "/" not in said:
        return None
    return identity.local_model(_normal(posixpath.join(folder, said)), scope)


def artefact(place: str, scope: str, *, folder: str = "") -> Asset | None:
    """A model or a dataset, by what the place is called."""
    return (model if is_model(place) else dataset)(place, scope, folder=folder)


def hub_model(name: str) -> Asset | None:
    """The model of the Hugging Face hub with an id such as ``org/name`` (or ``gpt2``, one of the first)."""
    said = text(name)
    if page := _HUB_PAGE.match(said):
        said = "/".join(page["rest"].strip("/").split("/")[:2])
    return identity.asset("model", said, props={"provider": "huggingface"}) if _HUB_ID.match(said) else None


def hub_dataset(place: str) -> str:
    """The id of the hub's dataset that an address names; empty when it names none."""
    if place.startswith("hf://datasets/"):
        name = "/".join(re.split(r"[@?#]", place[14:])[0].strip("/").split("/")[:2])
    elif (page := _HUB_PAGE.match(place)) and page["rest"].startswith("datasets/"):
        name = "/".join(page["rest"][9:].strip("/").split("/")[:2])
    else:
        return ""
    return name if _HUB_ID.match(name) else ""


def mlflow_model(reference: str) -> Asset:
    """The model that code loads by ``models:/name/version``, ``models:/name@alias`` or ``runs:/id/path``."""
    return identity.asset("model", reference.rstrip("/"), props={"provider": "mlflow"})


def table(kind: str, host: str, database: str, schema: str, name: str) -> Asset:
    """The table of a database server, keyed as an address: ``postgresql://host/db/schema.table``.

    Engines whose addresses hold the schema as a path (Snowflake, BigQuery, Trino) keep it so; a default schema is left
    out, as code leaves it out.
    """
    kind = _SCHEMES.get(kind, kind)
    if kind == "bigquery":  # a project is one for the world, there is no host
        parts = [database, schema, name]
    elif kind in ("snowflake", "trino", "presto", "databricks"):
        parts = [host, database, schema, name]
    else:
        schema = "" if schema.casefold() == _DEFAULT_SCHEMAS.get(kind) else schema
        parts = [_host(kind, host), database, f"{schema}.{name}" if schema else name]
    key = f"{kind}://{'/'.join(part for part in parts if part)}"
    return identity.asset("dataset", key, key=key)


def uri(address: str) -> str:
    """An address without credentials, query and fragment, in its one spelling; empty for what is none."""
    try:
        parts = urlsplit(address)
        host = parts.netloc if parts.scheme.casefold() in CONTAINERS else parts.netloc.rpartition("@")[2]
    except ValueError:
        return ""
    scheme = _SCHEMES.get(parts.scheme.casefold(), parts.scheme.casefold())
    scheme = re.sub(r"^(postgresql|mysql|mssql|redshift)\+\w+$", r"\1", _SCHEMES.get(scheme.partition("+")[0], scheme))
    if not parts.netloc:
        return f"{scheme}:{parts.path.rstrip('/')}"
    # of a page, what follows "?" may tell two apart, but it may also hold a signature
    return f"{scheme}://{_host(scheme, host)}{_slashes(parts.path).rstrip('/')}"


def file_path(place: str) -> str:
    """The absolute path of a ``file:`` address or of a path that starts at the root; empty for anything else."""
    if re.match(r"file:", place, re.IGNORECASE):
        path = re.sub(r"^file:(?://(?:localhost)?(?=/))?", "", place, flags=re.IGNORECASE)
        return _slashes(unquote(path)) if path.startswith("/") else ""
    return place if place.startswith("/") else ""


def is_model(place: str) -> bool:
    """Whether a place is called as weights are: by its ending, or as a folder of models."""
    path = place.casefold().rstrip("/")
    if path.endswith(_SURE_WEIGHTS):
        return True
    folders, _, file = path.rpartition("/")
    named = any(_WEIGHT_FOLDERS.search(part) for part in [*folders.split("/")[-2:], file.partition(".")[0]])
    if path.endswith(_MAYBE_WEIGHTS):
        return named and not holds_data(path)
    return named and "." not in file and not holds_data(f"{path}/x")


def is_hub_id(name: str) -> bool:
    """Whether a name may be an id of the Hugging Face hub."""
    return bool(_HUB_ID.match(name))


def _host(kind: str, host: str) -> str:
    """A host without the port that its engine has anyway."""
    name, _, port = host.casefold().rpartition(":")
    return name if name and port.isdecimal() and int(port[:6]) == _PORTS.get(kind) else host.casefold()


def _normal(path: str) -> str:
    place = posixpath.normpath(path.strip())
    return "/" + place.lstrip("/") if place.startswith("/") else place


def _slashes(path: str) -> str:
    return re.sub(r"/{2,}", "/", path)
