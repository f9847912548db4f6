"""What each lineage document says, read from a realistic file of its format (``tests/fixtures/lineage``)."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.discover.data.lineage import openlineage
from penstock.discover.data.lineage.weights_files import header, metadata
from penstock.discover.data.lineage.words import labels_of_pair, labels_of_tag, labels_of_text
from penstock.graph import identity
from penstock.graph.labels import propagate
from penstock.graph.merge import merge
from penstock.graph.vocabulary import Observation

FIXTURES = Path(__file__).parents[1] / "fixtures" / "lineage"


def tree(name: str, at: str = "") -> dict[str, bytes]:
    """A folder of fixtures as the files of a source."""
    root = FIXTURES / name
    return {at + path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def lineage(look: Callable[..., Any]) -> Callable[..., Any]:
    return lambda files: look(files, only=["lineage."])


# ── DVC ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_stage_is_the_script_it_runs(lineage: Any) -> None:
    seen = lineage(tree("dvc"))
    assert ("src/prepare.py", "loads", "data/raw/people.csv") in seen.links()
    assert ("src/prepare.py", "writes", "data/prepared") in seen.links()
    assert ("src/train.py", "produces", "models/churn.safetensors") in seen.links()
    assert ("models/churn.safetensors", "trained_on", "data/prepared") in seen.links()


def test_a_stage_that_measures_trains_nothing(lineage: Any) -> None:
    seen = lineage(tree("dvc"))
    assert ("models/churn.safetensors", "evaluated_on", "data/holdout.csv") in seen.links()
    assert ("src/evaluate.py", "loads", "data/holdout.csv") not in seen.links()
    assert "eval/metrics.json" not in seen.names("dataset")


def test_tracked_files_know_where_they_were_imported_from(lineage: Any) -> None:
    seen = lineage(tree("dvc"))
    assert ("data/holdout.csv", "derived_from", "s3://acme-exports/crm/holdout.csv") in seen.links()
    assert seen.one("dataset", "data/holdout.csv").labels == {"pii"}
    assert seen.one("dataset", "lists/vocab.txt").scope == "repo:acme/words"


def test_two_stages_of_one_script_stay_apart(lineage: Any) -> None:
    text = "stages:\n" + "".join(
        f"  {n}:\n    cmd: python run.py {n}\n    deps: [run.py, data/{n}.csv]\n    outs: [models/{n}.pt]\n"
        for n in "ab"
    )
    seen = lineage({"ml/dvc.yaml": text})
    assert sorted(seen.names("pipeline")) == ["a", "b"]
    assert ("ml/models/a.pt", "trained_on", "ml/data/b.csv") not in seen.links()


# ── MLflow ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_run_ties_its_data_to_every_name_of_its_model(lineage: Any) -> None:
    links = lineage(tree("mlflow")).links()
    logged = "models:/m-64d40b85664b4e69b649c0d1544e2b4a"
    assert ("brave-owl-12", "loads", "data/people.csv") in links
    assert (logged, "trained_on", "data/people.csv") in links
    assert (logged, "fine_tuned_from", "meta-llama/Llama-3.1-8B") in links
    assert ("models:/churn/1", "derived_from", logged) in links
    assert ("models:/churn@champion", "derived_from", "models:/churn/1") in links
    assert ("models:/churn/Production", "derived_from", "models:/churn/1") in links
    assert ("models:/churn/latest", "derived_from", "models:/churn/2") in links
    assert ("brave-owl-12", "defined_in", "src/train.py") in links


def test_data_of_an_evaluation_is_not_trained_on(lineage: Any) -> None:
    links = lineage(tree("mlflow")).links()
    assert ("models:/m-64d40b85664b4e69b649c0d1544e2b4a", "evaluated_on", "acme/held-out") in links
    assert not [link for link in links if link[1] in ("loads", "trained_on") and link[2] == "acme/held-out"]


def test_the_folder_of_a_saved_model_is_the_logged_model(lineage: Any) -> None:
    links = lineage(tree("mlflow")).links()
    folder = "mlruns/988234043518036265/models/m-64d40b85664b4e69b649c0d1544e2b4a/artifacts"
    assert (folder, "derived_from", "models:/m-64d40b85664b4e69b649c0d1544e2b4a") in links
    assert ("s3://acme-models/churn/v2" in {target for _, _, target in links}) or (
        "v2",
        "derived_from",
        "models:/churn/2",
    ) in links


# ── OpenLineage ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_events_tie_jobs_data_models_and_owners(lineage: Any) -> None:
    links = lineage(tree("openlineage")).links()
    table = "postgresql://wh.acme.example/analytics/customers"
    assert ("nightly.clean", "loads", table) in links
    assert ("nightly.clean", "writes", "s3://acme-lake/clean/customers") in links
    assert ("s3://acme-lake/clean/customers", "derived_from", table) in links
    assert ("nightly", "invokes", "nightly.clean") in links
    assert ("nightly.clean", "owned_by", "data-platform") in links
    assert ("nightly.clean", "defined_in", "clean.py") in links
    assert ("models:/churn/7", "trained_on", "s3://acme-lake/clean/customers") in links
    assert ("s3://acme-lake/export/leads", "derived_from", "bigquery://acme-prod/crm/leads") in links
    assert ("bigquery://acme-prod/crm/leads", "owned_by", "grace@acme.example") in links
    assert ("bigquery://acme-prod/crm/leads", "owned_by", "sales-data") in links


def test_tags_columns_and_governance_label_data(lineage: Any) -> None:
    graph = lineage(tree("openlineage")).graph
    labels = {asset.name: asset.labels for asset in graph.of_kind("dataset")}
    assert labels["postgresql://wh.acme.example/analytics/customers"] == {"pii", "special_category"}
    assert labels["bigquery://acme-prod/crm/leads"] == {"pii", "confidential"}
    records = {asset.name: asset.prop("records") for asset in graph.of_kind("dataset")}
    assert records["s3://acme-lake/clean/customers"] == 48101


def test_masking_is_proposed_and_lowers_nothing(lineage: Any) -> None:
    seen = lineage(tree("openlineage"))
    clean = seen.one("dataset", "s3://acme-lake/clean/customers")
    labelling = propagate(seen.graph)
    assert "email_hash" in clean.prop("declassified")["method"]
    assert "pii" in labelling.contains(clean.id)
    assert [note.kind for note in labelling.notes(clean.id)] == ["unconfirmed"]
    assert "pii" in labelling.contains(seen.one("model", "models:/churn/7").id)


def test_other_names_of_the_same_data_share_what_they_hold(lineage: Any) -> None:
    seen = lineage(tree("openlineage"))
    glue = seen.one("dataset", "table/lake/customers")
    assert "pii" in propagate(seen.graph).contains(glue.id)


@pytest.mark.parametrize(
    ("namespace", "name", "key"),
    [
        ("postgres://db.acme.example:5432", "shop.public.users", "postgresql://db.acme.example/shop/users"),
        ("postgres://db.acme.example:6000", "shop.crm.users", "postgresql://db.acme.example:6000/shop/crm.users"),
        ("mysql://db.acme.example:3306", "shop.users", "mysql://db.acme.example/shop/users"),
        ("sqlserver://db.acme.example:1433", "shop.dbo.users", "mssql://db.acme.example/shop/users"),
        ("snowflake://acme-eu", "SHOP.CRM.USERS", "snowflake://acme-eu/SHOP/CRM/USERS"),
        ("bigquery", "acme.crm.users", "bigquery://acme/crm/users"),
        ("s3a://acme", "//raw/users/", "s3://acme/raw/users"),
        ("gs://acme", "raw/users", "gs://acme/raw/users"),
        ("abfss://c@acme.dfs.core.windows.net", "raw", "abfss://c@acme.dfs.core.windows.net/raw"),
        ("kafka://broker:9092", "users", "kafka://broker:9092/users"),
        ("arn:aws:glue:eu-west-1:1", "table/lake/users", "arn:aws:glue:eu-west-1:1:table/lake/users"),
        ("dbfs", "/mnt/raw", "dbfs:/mnt/raw"),
        ("food_delivery", "public.users", "openlineage://food_delivery/public.users"),
    ],
)
def test_namespaces_and_names_become_the_keys_that_others_use(namespace: str, name: str, key: str) -> None:
    found = openlineage.place_of(namespace, name, "repo:acme/shop")
    assert found is not None and found.id == identity.asset("data_store", key).id


def test_one_event_is_read_without_a_file() -> None:
    event = json.loads((FIXTURES / "openlineage" / "events.jsonl").read_text().splitlines()[0])
    seen = [item for item in openlineage.parse(event, scope="openlineage") if isinstance(item, Observation)]
    assert {item.evidence.scope for item in seen} == {"openlineage"}
    assert not merge(seen).unseen
    assert list(openlineage.parse({"job": {"name": "x"}})) == []


# ── dbt ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_tables_go_by_the_address_that_code_uses(lineage: Any) -> None:
    links = lineage(tree("dbt", "warehouse/")).links()
    customers = "postgresql://wh.acme.example/analytics/customers"
    assert (customers, "derived_from", "postgresql://wh.acme.example/analytics/crm.users") in links
    assert ("postgresql://wh.acme.example/analytics/regions", "derived_from", "warehouse/seeds/regions.csv") in links
    assert ("Churn scores", "loads", customers) in links
    assert ("Churn scores", "owned_by", "ada@acme.example") in links
    assert ("board", "reads", "postgresql://wh.acme.example/analytics/history.claims") in links
    assert (customers, "owned_by", "data-platform") in links
    assert not [link for link in links if "stg_users" in str(link)]


def test_tags_meta_and_the_catalog_label_tables(lineage: Any) -> None:
    seen = lineage(tree("dbt"))
    customers = seen.one("dataset", "postgresql://wh.acme.example/analytics/customers")
    assert customers.labels == {"pii"}
    assert customers.prop("columns") == ["contact", "date_of_birth"]
    assert customers.prop("records") == 48120
    assert seen.one("dataset", "postgresql://wh.acme.example/analytics/history.claims").labels == {"phi"}
    assert seen.one("dataset", "postgresql://wh.acme.example/analytics/crm.claims_v2").labels == frozenset()


def test_without_a_server_tables_belong_to_the_source(lineage: Any) -> None:
    files = {name: data for name, data in tree("dbt").items() if "profiles" not in name}
    assert "analytics.public.customers" in lineage(files).names("dataset")


def test_an_address_keeps_no_query(lineage: Any) -> None:
    assert lineage(tree("dbt")).one("pipeline", "Churn scores").prop("url") == "https://bi.acme.example/churn"


# ── Hugging Face ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_model_card_names_base_data_and_evaluation(lineage: Any) -> None:
    seen = lineage({"out/README.md": (FIXTURES / "cards" / "MODEL.md").read_bytes()})
    assert seen.links() == {
        ("out", "fine_tuned_from", "mistralai/Mistral-7B-v0.3"),
        ("out", "trained_on", "acme/support-tickets"),
        ("out", "trained_on", "HuggingFaceH4/ultrachat_200k"),
        ("out", "evaluated_on", "cais/mmlu"),
    }
    (evidence, *_) = seen.graph.evidence[seen.graph.relations[0].key]
    assert evidence.where.startswith("out/README.md:") and evidence.confidence == "declared"


def test_a_dataset_card_names_its_source_and_columns(lineage: Any) -> None:
    seen = lineage({"data/tickets/README.md": (FIXTURES / "cards" / "DATASET.md").read_bytes()})
    assert ("data/tickets", "derived_from", "acme/raw-tickets") in seen.links()
    assert ("data/tickets", "ingests", "data/tickets/train") in seen.links()
    assert ("data/tickets", "ingests", "data/tickets/test.jsonl") in seen.links()
    assert seen.one("dataset", "data/tickets").prop("columns") == ["customer_email"]


def test_a_space_uses_what_its_card_names(lineage: Any) -> None:
    seen = lineage({"README.md": (FIXTURES / "cards" / "SPACE.md").read_bytes()})
    assert seen.links() == {("shop", "uses_model", "acme/helpdesk-7b"), ("shop", "reads", "acme/support-tickets")}


@pytest.mark.parametrize("remote", ["https://huggingface.co/acme/helpdesk-7b", "git@hf.co:acme/helpdesk-7b.git"])
def test_a_clone_of_the_hub_is_the_model_of_the_hub(look: Callable[..., Any], remote: str) -> None:
    files = {"README.md": (FIXTURES / "cards" / "MODEL.md").read_bytes()}
    seen = look(files, only=["lineage."], about={"remote": remote})
    assert ("acme/helpdesk-7b", "derived_from", "acme/shop") in seen.links()
    assert ("acme/shop", "trained_on", "acme/support-tickets") in seen.links()
    elsewhere = look(files, only=["lineage."], about={"remote": "https://github.com/acme/shop"})
    assert "acme/helpdesk-7b" not in elsewhere.names("model")


def test_settings_beside_weights_name_their_base(lineage: Any) -> None:
    files = {f"{name.partition('.')[0]}/{name}": data for name, data in tree("hub").items()}
    links = lineage(files).links("derived_from")
    assert ("adapter_config", "derived_from", "meta-llama/Llama-3.1-8B-Instruct") in links
    assert ("config", "derived_from", "Qwen/Qwen2.5-7B") in links
    assert {target for source, _, target in links if source == "mergekit_config"} == {
        "teknium/OpenHermes-2.5-Mistral-7B", "acme/helpdesk-7b", "acme/tone-lora", "mistralai/Mistral-7B-v0.3",
    }  # fmt: skip


# ── weights ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def gguf(pairs: dict[str, Any]) -> bytes:
    """A GGUF v3 file without tensors."""

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value.encode())) + value.encode()

    def value(held: Any) -> bytes:
        if isinstance(held, str):
            return struct.pack("<I", 8) + text(held)
        if isinstance(held, int):
            return struct.pack("<II", 4, held)
        if isinstance(held, float):
            return struct.pack("<If", 6, held)
        inner = value(held[0])[:4]
        return struct.pack("<I", 9) + inner + struct.pack("<Q", len(held)) + b"".join(value(one)[4:] for one in held)

    return b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + b"".join(text(k) + value(v) for k, v in pairs.items())


GGUF = {
    "general.architecture": "llama",
    "general.name": "Helpdesk 7B",
    "general.rope": 1.5,
    "general.base_model.count": 2,
    "general.base_model.0.name": "Mistral 7B v0.3",
    "general.base_model.0.organization": "Mistralai",
    "general.base_model.0.repo_url": "https://huggingface.co/mistralai/Mistral-7B-v0.3",
    "general.base_model.1.name": "helpdesk-7b",
    "general.base_model.1.organization": "acme",
    "general.dataset.count": 1,
    "general.dataset.0.repo_url": "https://huggingface.co/datasets/acme/support-tickets",
    "general.datasets": ["HuggingFaceH4/ultrachat_200k"],
    "tokenizer.ggml.tokens": ["<s>", "</s>"],
    "tokenizer.ggml.token_type": [1, 2],
    "general.source.huggingface.repository": "acme/helpdesk-7b-merged",
}


def test_a_gguf_header_names_bases_and_data(lineage: Any) -> None:
    assert lineage({"m/h.gguf": gguf(GGUF)}).links() == {
        ("m/h.gguf", "derived_from", "mistralai/Mistral-7B-v0.3"),
        ("m/h.gguf", "derived_from", "acme/helpdesk-7b"),
        ("m/h.gguf", "derived_from", "acme/helpdesk-7b-merged"),
        ("m/h.gguf", "trained_on", "acme/support-tickets"),
        ("m/h.gguf", "trained_on", "HuggingFaceH4/ultrachat_200k"),
    }


def test_a_header_that_is_cut_off_gives_what_came_before(lineage: Any) -> None:
    whole = gguf(GGUF)
    for size in range(0, len(whole), 7):
        said, complete = header(whole[:size])
        assert not complete and set(said) <= set(GGUF)
    seen = lineage({"h.gguf": whole[: whole.index(b"tokenizer")]})
    assert len(seen.links()) == 4
    assert [note.skipped for note in seen.notes] == [True]


def safetensors(said: dict[str, str], *, more: int = 0) -> bytes:
    body = json.dumps({"__metadata__": said, "w": {"dtype": "F16", "shape": [1], "data_offsets": [0, 2]}}).encode()
    return struct.pack("<Q", len(body) + more) + body


def test_safetensors_metadata_names_base_folders_and_parents(lineage: Any) -> None:
    said = {
        "ss_sd_model_name": "stabilityai/stable-diffusion-xl-base-1.0",
        "ss_dataset_dirs": json.dumps({"10_staff faces": {"n_repeats": 10, "img_count": 40}}),
        "modelspec.merged_from": "acme/one, acme/two, no id here",
    }
    for more in (0, 9_000_000):  # a header that goes on beyond what was read still starts with its metadata
        assert lineage({"lora/x.safetensors": safetensors(said, more=more)}).links() == {
            ("lora/x.safetensors", "fine_tuned_from", "stabilityai/stable-diffusion-xl-base-1.0"),
            ("lora/x.safetensors", "trained_on", "10_staff faces"),
            ("lora/x.safetensors", "derived_from", "acme/one"),
            ("lora/x.safetensors", "derived_from", "acme/two"),
        }
    assert metadata(safetensors({"format": "pt"})) == ({"format": "pt"}, "")


# ── datasets and bills ───────────────────────────────────────────────────────────────────────────────────────────────


def test_croissant_names_files_fields_and_people(lineage: Any) -> None:
    seen = lineage(tree("croissant", "clinic/"))
    notes = seen.one("dataset", "clinic-notes")
    assert notes.labels == {"pii", "phi", "special_category"}
    assert notes.prop("columns") == ["patient_id"]
    assert seen.links() == {
        ("clinic-notes", "ingests", "clinic/data/notes.csv"),
        ("clinic-notes", "derived_from", "s3://acme-clinic/raw/notes"),
    }


def test_croissant_without_people_labels_nothing(lineage: Any) -> None:
    document = json.loads((FIXTURES / "croissant" / "croissant.json").read_text())
    document |= {"rai:personalSensitiveInformation": "None", "recordSet": []}
    assert lineage({"croissant.json": json.dumps(document)}).one("dataset", "clinic-notes").labels == frozenset()


@pytest.mark.slow
def test_the_bill_of_the_fixtures_is_a_valid_one() -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    bill = (FIXTURES / "bills" / "model.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill) is None


def test_a_bill_of_materials_ties_models_to_data(lineage: Any) -> None:
    seen = lineage({"model.cdx.json": tree("bills")["model.cdx.json"]})
    assert seen.links() == {
        ("shop", "uses_model", "acme/helpdesk-7b"),
        ("acme/helpdesk-7b", "derived_from", "mistralai/Mistral-7B-v0.3"),
        ("acme/helpdesk-7b", "trained_on", "s3://acme-lake/tickets/2026"),
        ("acme/helpdesk-7b", "trained_on", "HuggingFaceH4/ultrachat_200k"),
        ("s3://acme-lake/tickets/2026", "owned_by", "owners@acme.example"),
    }
    assert seen.one("dataset", "s3://acme-lake/tickets/2026").labels == {"pii", "phi"}


def test_spdx_packages_and_relationships(lineage: Any) -> None:
    seen = lineage({"model.spdx3.json": tree("bills")["model.spdx3.json"]})
    assert seen.links() == {
        ("acme/triage", "trained_on", "s3://acme-clinic/raw/notes"),
        ("acme/triage", "evaluated_on", "holdout"),
        ("acme/triage", "derived_from", "google-bert/bert-base-uncased"),
    }
    notes = seen.one("dataset", "s3://acme-clinic/raw/notes")
    assert (notes.labels, notes.prop("records")) == ({"pii", "confidential"}, 5210)


# ── cloud jobs ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_sagemaker_job_reads_channels_and_makes_an_artefact(lineage: Any) -> None:
    seen = lineage({"job.json": tree("jobs")["sagemaker.json"]})
    (model,) = seen.graph.of_kind("model")
    assert ("model.tar.gz", "trained_on", "s3://acme-lake/clean/customers") in seen.links()
    assert ("model.tar.gz", "evaluated_on", "s3://acme-lake/holdout") in seen.links()
    from penstock.discover.infra.images import weights

    # the same artefact that infrastructure code gives to a SageMaker model
    address = "s3://acme-models/churn/churn-2026-05-04/output/model.tar.gz"
    deployed = weights(address, "", "repo:acme/infra")
    assert deployed is not None and model.id == deployed.id


@pytest.mark.parametrize(("name", "data"), [("statemachine.json", "tickets/2026"), ("pipeline.yaml", "retrain")])
def test_jobs_inside_state_machines_and_templates(lineage: Any, name: str, data: str) -> None:
    seen = lineage({name: tree("jobs")[name]})
    assert [link for link in seen.links("loads") if link[2] == f"s3://acme-lake/{data}"]
    assert [link for link in seen.links("trained_on") if link[2] == f"s3://acme-lake/{data}"]


def test_hosted_models_that_are_tuned(lineage: Any) -> None:
    seen = lineage({name: tree("jobs")[name] for name in ("bedrock.json", "vertex.json")})
    assert {
        ("acme-tone", "trained_on", "s3://acme-lake/tone/train.jsonl"),
        ("acme-tone", "evaluated_on", "s3://acme-lake/tone/val.jsonl"),
        ("acme-tone", "fine_tuned_from", "amazon.titan-text-lite-v1"),
        ("acme-faq", "trained_on", "gs://acme-lake/faq/train.jsonl"),
        ("acme-faq", "fine_tuned_from", "gemini-2.0-flash-001"),
    } <= seen.links()


def test_steps_of_an_azure_pipeline_hand_their_data_on(lineage: Any) -> None:
    seen = lineage({"azureml.yml": tree("jobs")["azureml.yml"], "data.yml": tree("jobs")["azureml-data.yml"]})
    assert {
        ("crm-export", "derived_from", "abfss://exports@acmedata.dfs.core.windows.net/crm"),
        ("prep", "loads", "crm-export"),
        ("prep", "writes", "prep/clean"),
        ("train/model", "trained_on", "prep/clean"),
        ("train/model", "evaluated_on", "wasbs://exports@acmedata.blob.core.windows.net/holdout.csv"),
        ("train/model", "fine_tuned_from", "bert-base"),
    } <= seen.links()
    assert "SECRET" not in repr(seen.graph.assets)
    assert propagate(seen.graph).contains(seen.one("model", "train/model").id) == {"pii", "confidential"}


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("key", "value", "labels"),
    [
        ("pii", True, {"pii"}),
        ("pii", False, set()),
        ("containsPII", "yes", {"pii"}),
        ("pii", "", {"pii"}),
        ("pii_type", "email", {"pii"}),
        ("sensitivity", ["pii", "phi"], {"pii", "phi"}),
        ("classification", "Highly Restricted", {"confidential"}),
        ("owner", "pii-team", set()),
        ("pii", {"nested": 1}, set()),
        ("has_no_pii", "true", set()),
    ],
)
def test_tags_with_values(key: str, value: Any, labels: set[str]) -> None:
    assert labels_of_pair(key, value) == labels


def test_a_text_denies_only_what_stands_beside() -> None:
    assert labels_of_text("health data in free text, no biometrics") == {"phi"}


def test_a_tag_that_denies_says_nothing() -> None:
    assert not labels_of_tag("pii-free") and not labels_of_tag("anonymized_personal_data")
