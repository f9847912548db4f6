"""Kubernetes and Helm: what serves, and who can reach it."""

from __future__ import annotations

import pytest

from penstock.discover.infra.exposure import exposure, is_public
from penstock.graph import identity

SCOPE = "repo:acme/shop"
ONLY = ["infra."]


def deployment(name="shop", image="registry.example/acme/shop:1", args="[]", env="[]", namespace="web", port=8080):
    return f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
        - {{name: main, image: {image}, args: {args}, env: {env}, ports: [{{name: http, containerPort: {port}}}]}}
"""


def service(name="shop", namespace="web", port=80, kind="ClusterIP", target="http", annotations="{}"):
    return f"""
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: {namespace}, annotations: {annotations}}}
spec: {{type: {kind}, selector: {{app: {name}}}, ports: [{{port: {port}, targetPort: {target}}}]}}
"""


def ingress(name="shop", namespace="web", host="help.acme.com", annotations="{}", class_name="nginx"):
    return f"""
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: {name}, namespace: {namespace}, annotations: {annotations}}}
spec:
  ingressClassName: {class_name}
  rules: [{{host: {host}, http: {{paths: [{{path: /, backend: {{service: {{name: {name}}}}}}}]}}}}]
"""


def together(*parts):
    return {f"k8s/{number}.yaml": part for number, part in enumerate(parts)}


VLLM = "vllm/vllm-openai:v0.10.2"


def test_a_served_model_is_known_at_its_address_and_under_its_alias(look):
    args = "[--model, acme/own, --served-model-name, chat, --port, '9000']"
    files = together(deployment("llm", VLLM, args, namespace="ml", port=9000), service("llm", "ml", 8000))
    seen = look(files, only=ONLY)
    url = "http://llm.ml.svc.cluster.local:8000"
    keys = {relation.key for relation in seen.graph.relations}
    own = identity.asset("model", "acme/own", props={"provider": "huggingface"}).id
    assert (identity.endpoint(url, "repo:other").id, "serves", own) in keys
    assert (identity.model_at(url + "/v1", "chat", "repo:other").id, "derived_from", own) in keys


def test_a_short_name_that_somebody_uses_is_the_same_server(look):
    files = together(
        deployment("llm", VLLM, "[--model, acme/own]", namespace="ml"),
        service("llm", "ml", 8000, target="8000"),
        deployment(env="[{name: LLM, value: 'http://llm.ml:8000/v1'}]"),
    )
    seen = look(files, only=ONLY)
    assert seen.env() == {"LLM": "http://llm.ml:8000/v1"}
    assert identity.endpoint("http://llm.ml:8000", SCOPE).id in seen.graph.assets
    assert identity.endpoint("http://llm:8000", SCOPE).id not in seen.graph.assets


def test_the_internet_reaches_an_application_through_route_and_service(look):
    seen = look(together(ingress(), service(), deployment()), only=ONLY)
    app = seen.graph.assets[identity.application(SCOPE).id]
    assert app.prop("exposure") == "internet"
    (claim,) = seen.graph.claims[app.id, "exposure"]
    assert claim[1].confidence == "inferred"
    assert [
        word in " ".join(claim[1].chain) for word in ("help.acme.com", "Ingress shop", "service shop", "Deployment")
    ]
    assert claim[1].where == "k8s/0.yaml:3"


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((ingress(host="help.intranet.acme.com"), service(), deployment()), "corporate"),
        ((ingress(class_name="nginx-internal"), service(), deployment()), "corporate"),
        ((ingress(annotations="{alb.ingress.kubernetes.io/scheme: internal}"), service(), deployment()), "corporate"),
        (
            (
                ingress(annotations="{nginx.ingress.kubernetes.io/whitelist-source-range: '10.0.0.0/8'}"),
                service(),
                deployment(),
            ),
            "corporate",
        ),
        ((service(kind="LoadBalancer"), deployment()), "internet"),
        (
            (
                service(
                    kind="LoadBalancer",
                    annotations="{service.beta.kubernetes.io/aws-load-balancer-internal: 'true'}",
                ),
                deployment(),
            ),
            "corporate",
        ),
        ((service(kind="NodePort"), deployment()), None),
        ((ingress(), deployment()), None),
        ((ingress(), service()), None),
        ((ingress(namespace="other"), service(), deployment()), None),
        ((ingress(name="other"), service(), deployment()), None),
        ((ingress().replace("kind: Ingress", "kind: Nothing"), service(), deployment()), None),
        ((ingress(host="''"), service(), deployment()), None),
        ((ingress(), ingress("shop", host="x.lan").replace("k8s", ""), service(), deployment()), "internet"),
    ],
)
def test_who_can_reach_it_is_read_and_not_guessed(look, parts, expected):
    seen = look(together(*parts), only=ONLY)
    app = seen.graph.assets.get(identity.application(SCOPE).id)
    assert (app.prop("exposure") if app else None) == expected


def test_a_login_before_the_application_is_seen(look):
    asks = "{nginx.ingress.kubernetes.io/auth-signin: 'https://login.acme.com/start?rd=x'}"
    seen = look(together(ingress(annotations=asks), service(), deployment()), only=ONLY)
    assert seen.one("application").prop("auth") == "oidc"


def test_a_model_server_on_the_internet_is_an_exposed_endpoint(look):
    files = together(ingress(), service(port=8000, target="8000"), deployment(image=VLLM, args="[--model, acme/own]"))
    seen = look(files, only=ONLY)
    assert seen.one("endpoint").prop("exposure") == "internet"
    assert seen.names("application") == []


def test_a_repository_of_many_workloads_exposes_each_for_itself(look):
    files = together(ingress("pay"), service("pay"), deployment("pay", "acme/pay:1"), deployment("mail", "acme/mail:1"))
    seen = look(files, only=ONLY)
    assert seen.one("infrastructure").name == "pay"
    assert seen.names("application") == []


@pytest.mark.parametrize(
    ("host", "public"),
    [("help.acme.com", True), ("*.acme.com", True), ("acme", False), ("a.internal", False), ("a.corp.acme.com", False),
     ("10.1.2.3", False), ("8.8.8.8", True), ("x.local", False), ("a b.com", False), ("internal-tools.acme.com", True)],
)  # fmt: skip
def test_a_public_host_is_one_the_internet_resolves(host, public):
    assert is_public(host) is public


def test_nothing_known_is_not_private():
    assert exposure((), "", {}) is None


def test_gateway_routes_and_openshift_routes_count(look):
    route = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: web}
spec: {hostnames: [help.acme.com], rules: [{backendRefs: [{name: shop, port: 80}]}]}
"""
    seen = look(together(route, service(), deployment()), only=ONLY)
    assert seen.one("application").prop("exposure") == "internet"


def test_configuration_maps_and_containers_give_variables_but_no_secrets(look):
    config = """
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data: {LLM_BASE_URL: "http://llm:8000/v1", API_TOKEN: abcdef}
---
apiVersion: v1
kind: Secret
metadata: {name: s}
stringData: {PLAIN: "do-not-read"}
"""
    env = "[{name: MODEL, value: own}, {name: KEY, valueFrom: {secretKeyRef: {name: s, key: k}}}]"
    seen = look(together(config, deployment(env=env)), only=ONLY)
    assert seen.env() == {"LLM_BASE_URL": "http://llm:8000/v1", "MODEL": "own"}
    assert "do-not-read" not in repr(seen.yielded)
    assert "abcdef" not in repr(seen.yielded)


def test_kserve_services_serve_what_they_are_given(look):
    text = """
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: chat, namespace: ml}
spec: {predictor: {model: {modelFormat: {name: huggingface}, storageUri: "hf://acme/own"}}}
"""
    assert ("chat", "serves", "acme/own") in look(together(text), only=ONLY).links()


def test_a_list_of_resources_is_read_item_by_item(look):
    inner = deployment(image=VLLM, args="[--model, acme/own]").replace("\n", "\n    ")
    text = f"apiVersion: v1\nkind: List\nitems:\n  -{inner[4:]}"
    assert ("shop", "serves", "acme/own") in look(together(text), only=ONLY).links()


def test_templates_are_left_out_and_that_is_said(look):
    files = {
        "chart/templates/a.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: {{ .Values.name }}}\n",
        "chart/templates/b.yaml": "{{- if .x }}\napiVersion: v1\nkind: Pod\n{{- end }}\n",
    }
    (note,) = look(files, only=ONLY).notes
    assert note.skipped
    assert note.what.startswith("2 ")


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: v1\nkind: Deployment\nmetadata: 7\nspec: []\n",
        "apiVersion: v1\nkind: Deployment\nmetadata: {name: x}\n"
        "spec: {template: {spec: {containers: [1, {image: [a]}]}}}\n",
        "apiVersion: v1\nkind: Ingress\nmetadata: {name: x}\nspec: {rules: {a: b}, tls: 3}\n",
        "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {ports: [{port: a}], selector: [x]}\n",
        "apiVersion: v1\nkind: [a]\n",
        b"\xff\xfeapiVersion kind",
    ],
)
def test_wrong_shapes_make_no_assets(look, text):
    assert not look({"x.yaml": text}, only=ONLY).graph.assets


VALUES = """
fullnameOverride: llm
namespaceOverride: ml
image: {repository: vllm/vllm-openai, tag: v0.10.2}
args: ["--model", "acme/own"]
service: {port: 8000}
ingress: {enabled: true, className: nginx, hosts: [{host: llm.acme.com}]}
env: [{name: HF_HOME, value: /cache}, {name: HF_TOKEN, value: abcdefgh}]
"""


def test_helm_values_say_what_a_chart_serves_and_to_whom(look):
    files = {"chart/Chart.yaml": "name: inference\n", "chart/values.yaml": VALUES}
    seen = look(files, only=ONLY)
    place = seen.one("endpoint")
    assert place.id == identity.endpoint("http://llm.ml.svc.cluster.local:8000", SCOPE).id
    assert place.prop("exposure") == "internet"
    assert ("llm", "serves", "acme/own") in seen.links()
    assert seen.env() == {"HF_HOME": "/cache"}


def test_an_ingress_that_is_off_exposes_nothing(look):
    seen = look({"values.yaml": VALUES.replace("enabled: true", "enabled: false")}, only=ONLY)
    assert seen.one("endpoint").prop("exposure") is None


def test_the_chart_of_an_own_application_exposes_it(look):
    text = "image: {repository: acme/shop}\ningress: {enabled: true, hosts: [shop.acme.com]}\n"
    assert look({"values.yaml": text}, only=ONLY).one("application").prop("exposure") == "internet"


def test_a_stack_of_models_serves_each(look):
    text = """
servingEngineSpec:
  modelSpec:
    - {name: a, repository: lmcache/vllm-openai, tag: latest, modelURL: acme/a, requestGPU: 1}
    - {name: b, repository: lmcache/vllm-openai, tag: latest, modelURL: acme/b}
"""
    links = look({"values-prod.yaml": text}, only=ONLY).links("serves")
    assert {target for _, _, target in links} == {"acme/a", "acme/b"}


@pytest.mark.parametrize(
    "text", ["replicas: 3\n", "image: {}\n", "image: 7\nmodel: gpt\n", "[]", "image: {repository: nginx}\n"]
)
def test_values_without_ai_make_no_ai(look, text):
    assert not look({"values.yaml": text}, only=ONLY).graph.assets


def test_a_graph_of_kserve_invokes_its_services(look):
    text = """
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {name: first}
spec: {predictor: {model: {storageUri: "hf://acme/own"}}}
---
apiVersion: serving.kserve.io/v1alpha1
kind: InferenceGraph
metadata: {name: both}
spec:
  nodes:
    root: {routerType: Sequence, steps: [{serviceName: first}, {serviceUrl: "http://second.default.example.com/x"}]}
---
apiVersion: serving.kserve.io/v1alpha2
kind: LLMInferenceServiceConfig
metadata: {name: base}
spec: {model: {uri: "hf://acme/own-7b"}}
"""
    seen = look({"graph.yaml": text}, only=["infra.kubernetes"])
    assert {
        ("both", "invokes", "first"),
        ("both", "invokes", "second"),
        ("base", "loads", "acme/own-7b"),
    } <= seen.links()
    assert len([asset for asset in seen.graph.of_kind("endpoint") if asset.name == "first"]) == 1


def test_places_that_an_operator_fills_in_do_not_hide_a_manifest(look):
    text = """
apiVersion: serving.kserve.io/v1alpha2
kind: LLMInferenceService
metadata: {name: chat}
spec:
  model: {uri: "hf://acme/own-7b"}
  template: {containers: [{name: main, args: ["--served-model-name", "{{ .Spec.Model.Name }}"]}]}
"""
    seen = look({"chat.yaml": text, "chart/templates/chat.yaml": text}, only=["infra.kubernetes"])
    assert {evidence.where for evidence in seen.graph.evidence[seen.one("model", "acme/own-7b").id]} == {"chat.yaml:3"}
    broken = "apiVersion: v1\nkind: Pod\n{{- if .Values.on }}\nmetadata: {name: x}\n{{ end }}\n"
    assert look({"x.yaml": broken}, only=["infra.kubernetes"]).graph.assets == {}


def test_a_job_that_fetches_weights_is_tied_to_the_volume_from_which_they_are_served(look):
    text = """
apiVersion: batch/v1
kind: Job
metadata: {name: fetch}
spec:
  template:
    spec:
      volumes: [{name: v, persistentVolumeClaim: {claimName: weights}}]
      containers: [{name: c, image: kserve/kserve-storage-initializer, args: ["hf://acme/own-7b", /mnt]}]
---
apiVersion: serving.kserve.io/v1alpha2
kind: LLMInferenceService
metadata: {name: chat}
spec: {model: {uri: "pvc://weights/own"}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec: {template: {spec: {containers: [{name: c, image: acme/migrate, args: [up]}]}}}
"""
    seen = look({"serve.yaml": text}, only=["infra.kubernetes"])
    assert seen.links("loads", "writes") == {("fetch", "loads", "acme/own-7b"), ("fetch", "writes", "weights")}
    assert ("own", "stored_in", "weights") in seen.links()
    assert seen.names("pipeline") == ["fetch"]


def test_a_route_of_the_ai_gateway_serves_the_models_that_it_matches(look):
    text = """
apiVersion: aigateway.envoyproxy.io/v1beta1
kind: AIGatewayRoute
metadata: {name: chat}
spec:
  rules:
  - matches: [{headers: [{name: x-ai-eg-model, value: acme/own-7b}, {name: x-tenant, value: a/b}]}]
"""
    seen = look({"route.yaml": text}, only=["infra.kubernetes"])
    assert seen.links() == {("chat", "serves", "acme/own-7b")}
