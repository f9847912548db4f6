"""Models by the ids that stand in a model's place: hosted, at an endpoint of one's own, or as weights."""

from __future__ import annotations

from penstock.discover.code.observed.addresses import base_url
from penstock.discover.code.observed.look import MODEL_ID, Look
from penstock.discover.code.observed.prompts import prompts_of
from penstock.discover.code.observed.weights import make_loaded, place_in_source
from penstock.discover.code.places import status_of
from penstock.discover.code.resolve import Frames, Text
from penstock.discover.code.signatures import Site, last_name, name_for, provider_of
from penstock.graph import identity
from penstock.graph.vocabulary import Asset
from penstock.knowledge.models import family_of
from penstock.knowledge.providers import provider_of_host, provider_of_prefix

#: Longer than any model id of a hub or provider (ARNs of inference profiles have about 120).
MODEL_LENGTH = 200
#: Providers that serve models of their own alone.
_SERVE_THEIR_OWN = frozenset({"openai", "anthropic", "google-gemini", "mistral", "cohere", "xai", "deepseek"})
_WEIGHT_FILES = (".gguf", ".safetensors", ".pt", ".pth", ".bin", ".onnx", ".pkl", ".joblib", ".h5", ".keras", ".ckpt")


def make_model(look: Look, site: Site) -> list[Asset]:
    if site.row.file:
        return make_loaded(look, site)
    line = look.line(site.path, site.call)
    provider = provider_of(site.row, site.symbol)
    if site.row.weights and site.symbol.rpartition(".")[2] == "from_pretrained" and "Tokenizer" in site.symbol:
        role = "tokenizer"
    else:
        role = site.row.role
    if any(t.value in ("dataset", "space") for t in look.texts(site, "repo_type")):
        return []
    url = base_url(look, site)
    for target in look.targets(site, "client"):
        client = look.site_of(target)
        url = url or (base_url(look, client) if client else None)
    found = models_at(look, site, look.argument(site, "model"), provider, role, url)
    if not found and site.row.names and (said := name_for(site.row, site.symbol)):  # its class names the model
        text = Text(said, site.path, line, (last_name(site.symbol),))
        found = [model] if (model := named_model(look, site, text, provider, role, url)) else []
    if embedding := look.argument(site, "embedding"):
        found += models_at(look, site, embedding, provider, "embedding", url)
    if site.row.named and not found:  # the function is the model's name: torchvision.models.resnet50()
        text = Text(last_name(site.symbol), site.path, line, ())
        found = [model] if (model := named_model(look, site, text, provider, role, url)) else []
    if adapter := look.argument(site, "adapter") if "PeftModel" in site.symbol else []:
        found = models_at(look, site, adapter, provider, "adapter", url)
    for target in look.targets(site, "of") if not found else ():  # it only hands on another model
        found += look.assets_of(target, "model")
    look.provider(provider if url is None else "", site.path, line)
    for prompt in prompts_of(look, site, "system", "system"):
        look.link(look.app(site.path, line), "instructed_by", prompt, site.path, line)
    return found


def models_at(
    look: Look, site: Site, places: list[tuple[str, int, Frames]], provider: str, role: str, url: str | None
) -> list[Asset]:
    found: list[Asset] = []
    texts: list[Text] = []
    for path, expression, frames in places:
        for target in look.resolver.follow(path, expression, frames):
            if target.kind == "external" and (assets := look.assets_of(target, "model")):
                if inner := look.site_of(target):
                    look.owned.add((inner.path, inner.call))
                found += assets
            else:
                texts += look.resolver.text_of(target)
    unset = [text for text in texts if text.env and text.value is None]
    for text in texts if url else of_this_maker(texts, provider):
        if text.value and (model := named_model(look, site, text, provider, role, url)):
            found.append(model)
    if unset and not found:
        called = look.symbol_name(site.path, site.call) or last_name(site.symbol)
        look.unresolved(site, f"the model of {called}", unset, "model")
    return list({asset.id: asset for asset in found}.values())


def of_this_maker(texts: list[Text], provider: str) -> list[Text]:
    """The ids that a client of one maker may be given: a name that holds several in turn holds those of others too."""
    makers = [family.provider if (family := family_of(text.value or "")) else "" for text in texts]
    if provider not in makers or provider not in _SERVE_THEIR_OWN:
        return texts
    return [text for text, maker in zip(texts, makers, strict=True) if maker in ("", provider)]


def named_model(look: Look, site: Site, text: Text, provider: str, role: str, url: str | None) -> Asset | None:
    """The model asset of an id that stands in a model's position."""
    name = (text.value or "").strip()
    if not name or len(name) > MODEL_LENGTH or not MODEL_ID.match(name) or name.isdigit():
        return None
    if name.startswith(("http://", "https://")):  # an address in the wrong place
        return None
    line = look.line(site.path, site.call)
    status = status_of(text.path or site.path)
    where = (text.path or site.path, text.line or line)
    confidence = "resolved" if text.chain else "declared"
    if site.row.router:
        provider, name = routed(look, site, name, provider)
    if url and not (hosted := provider_of_host(url)):
        endpoint = identity.endpoint(url, look.scope)
        model = identity.model_at(url, name, look.scope)
        look.say(endpoint, site.path, line)
        look.link(look.app(site.path, line), "invokes", endpoint, site.path, line)
        look.say(model, *where, text.chain, confidence)
        return model
    if url:
        provider = hosted
        look.provider(provider, site.path, line)
    elif url == "":
        family = family_of(name)
        provider = family.provider if family else ""
    if provider == "huggingface" or site.row.weights:
        model = weights_model(look, site, name, provider, role, status, where[0])
    else:
        family = family_of(name)
        provider = provider or (family.provider if family else "")
        props: dict[str, str] = {"provider": provider} if provider else {}
        if role or (family and family.role):
            props["role"] = role or (family.role if family else "")
        if family and family.vendor:
            props["vendor"] = family.vendor
        model = identity.asset("model", name, props=props, status=status)
    look.say(model, *where, text.chain, confidence)
    if model.props.get("provider"):
        look.provider(str(model.props["provider"]), *where)
    return model


def routed(look: Look, site: Site, name: str, provider: str) -> tuple[str, str]:
    """Provider and id of a model named through a router: ``anthropic/claude-…``, ``openai:gpt-4o``."""
    given = [t.value for t in look.texts(site, "prefix") if t.value]
    if given and (known := provider_of_prefix(given[0])):
        return known, name
    for separator in ("/", ":"):
        prefix, found, rest = name.partition(separator)
        if found and rest and (known := provider_of_prefix(prefix)):
            return known, rest
    family = family_of(name)
    return (family.provider if family and family.provider else provider), name


def weights_model(look: Look, site: Site, name: str, provider: str, role: str, status: str, path: str) -> Asset:
    """A model loaded from a hub or from a folder of the source."""
    props = {"role": role} if role and role != "tokenizer" else {}
    if name.startswith((".", "/", "~")) or name.endswith(_WEIGHT_FILES) or is_folder(look, name):
        return identity.local_model(place_in_source(look, path, name), look.scope, props=props, status=status)
    return identity.asset("model", name, props={"provider": provider or "huggingface", **props}, status=status)


def is_folder(look: Look, name: str) -> bool:
    return any(path.startswith(f"{name}/") for path in look.source.paths)
