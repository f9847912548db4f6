"""Directories, ServiceNow and on-call tools as they are exported."""

from __future__ import annotations

import base64
import json

import pytest

from penstock.discover.organisation import exports
from penstock.errors import NotReachable, NotUnderstood
from penstock.graph.merge import merge


@pytest.fixture
def taken(tmp_path):
    """What an export says, as a graph and as sentences of names."""

    def taken_in(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        assert exports.is_export(path)
        found = exports.file(path, now=1.0)
        graph = merge(found.observations)
        names = graph.assets
        return graph, {(names[r.source].name, r.verb, names[r.target].name) for r in graph.relations}, found

    return taken_in


def gone(graph):
    return {asset.name for asset in graph.of_kind("person", "team") if asset.prop("left")}


SCIM = {
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
    "Resources": [
        {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "u1", "userName": "ada", "active": True,
         "displayName": "Ada Ito", "emails": [{"value": "old@x.example"}, {"value": "ada@x.example", "primary": True}],
         "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": "u2"}}},
        {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "id": "u2", "userName": "bo@x.example",
         "active": False, "displayName": "Bo Ito"},
        {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "id": "g1", "displayName": "Care",
         "members": [{"value": "u1"}, {"value": "g2"}]},
        {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "id": "g2", "displayName": "Night Shift",
         "members": [{"value": "u2"}]},
    ],
}  # fmt: skip


def test_scim_joins_logins_nests_groups_and_tells_who_left(taken):
    graph, said, _ = taken("scim.json", json.dumps(SCIM))
    assert {("ada", "same_as", "ada@x.example"), ("u1", "same_as", "ada@x.example"),
            ("old@x.example", "same_as", "ada@x.example")} <= said  # fmt: skip
    assert {("ada@x.example", "member_of", "care"), ("night-shift", "member_of", "care"),
            ("ada@x.example", "approved_by", "bo@x.example")} <= said  # fmt: skip
    assert gone(graph) == {"bo@x.example"}


def test_scim_one_resource_a_line_says_the_same(taken):
    lines = "\n".join(json.dumps(resource) for resource in SCIM["Resources"])
    assert taken("scim.jsonl", lines)[1] == taken("scim.json", json.dumps(SCIM))[1]


def test_a_name_of_two_people_joins_neither(taken):
    twice = json.loads(json.dumps(SCIM))
    twice["Resources"][1]["displayName"] = "Ada Ito"
    said = taken("scim.json", json.dumps(twice))[1]
    assert not [one for one in said if one[0] == "ada-ito"]


LDIF = f"""version: 1
# people
dn: uid=ada,ou=people,dc=x
objectClass: inetOrgPerson
uid: ada
cn:: {base64.b64encode("Ada Ångström".encode()).decode()}
mail: ada@
 x.example
manager: uid=bo, ou=people, dc=x

dn: uid=bo,ou=people,dc=x
objectClass: person
uid: bo
mail: bo@x.example
userAccountControl: 514

dn: cn=squad,ou=groups,dc=x
objectClass: groupOfNames
cn: squad
cn: old-squad
member: uid=ada,ou=people,dc=x

dn: uid=eve,ou=people,dc=x
changetype: delete

dn: cn=squad,ou=groups,dc=x
changetype: modrdn
newrdn: cn=crew
deleteoldrdn: 1
"""


def test_ldif_tells_who_left_who_leads_and_what_a_group_was_called(taken):
    graph, said, _ = taken("people.ldif", LDIF)
    assert gone(graph) == {"bo@x.example", "eve"}
    assert {("squad", "same_as", "crew"), ("old-squad", "same_as", "crew"), ("ada@x.example", "member_of", "crew"),
            ("ada@x.example", "approved_by", "bo@x.example")} <= said  # fmt: skip


def test_broken_entries_of_ldif_are_named_and_the_others_kept(taken):
    graph, _, found = taken("people.ldif", LDIF + "\ndn: uid=x\nno attribute\n\ndn:: %%%\nobjectClass: person\n")
    assert [gap.what for gap in found.unseen] == ["2 entries"]
    assert gone(graph) == {"bo@x.example", "eve"}


SERVICENOW = {
    "result": [
        {"sys_id": "c1", "sys_class_name": "cmdb_ci_business_process", "name": "Order to cash",
         "business_criticality": "1 - most critical", "rto": "4 hours"},
        {"sys_id": "c2", "sys_class_name": "cmdb_ci_service", "name": "Orders API",
         "owned_by": {"value": "x", "display_value": "Ada Ito"}, "support_group": "Care",
         "change_control": {"value": "y", "display_value": "CAB"}, "busines_criticality": "2 - somewhat critical"},
        {"sys_id": "c3", "sys_class_name": "cmdb_ci_information_object", "name": "Customers", "contains_pii": "true",
         "managed_by_group": "Data Office"},
        {"sys_class_name": "cmdb_rel_ci", "parent": "c1", "child": "c2", "type": "Consumes::Consumed by"},
        {"sys_class_name": "cmdb_rel_ci", "parent": "c2", "child": "c3", "type": {"display_value": "Uses::Used by"}},
    ]
}  # fmt: skip


def test_servicenow_says_owner_approver_process_criticality_and_data(taken):
    graph, said, _ = taken("csdm.json", json.dumps(SERVICENOW))
    assert said == {
        ("Orders API", "owned_by", "ada-ito"), ("Orders API", "approved_by", "cab"),
        ("Orders API", "supports", "Order to cash"), ("Orders API", "reads", "Customers"),
        ("Customers", "owned_by", "data-office"),
    }  # fmt: skip
    told = {asset.name: asset for asset in graph.assets.values()}
    assert (told["Order to cash"].prop("criticality"), told["Order to cash"].prop("tolerable_outage_h")) == (4, 4.0)
    assert told["Orders API"].prop("criticality") == 3
    assert told["Customers"].labels == {"pii"}


def test_servicenow_lists_read_by_their_labels_too(taken):
    said = taken("list.csv", "Name,Class,Owned by,Support group\nOrders API,Business Application,,Care\n")[1]
    assert said == {("Orders API", "owned_by", "care")}


def test_pagerduty_names_the_team_and_who_is_called_first(taken):
    document = {
        "services": [{"id": "S", "type": "service", "name": "orders", "escalation_policy": {"id": "E"},
                      "teams": [{"id": "T", "type": "team_reference", "summary": "Care"}]}],
        "escalation_policies": [{"id": "E", "name": "day", "escalation_rules": [
            {"targets": [{"id": "C", "type": "schedule_reference"}]}]}],
        "schedules": [{"id": "C", "users": [{"user": {"id": "U"}}]}],
        "users": [{"id": "U", "name": "Ada", "email": "ada@x.example", "teams": [{"id": "T"}]}],
    }  # fmt: skip
    said = taken("pd.json", json.dumps(document))[1]
    assert {("orders", "owned_by", "care"), ("orders", "notifies", "ada@x.example")} <= said


def test_opsgenie_names_the_team(taken):
    document = {"data": [{"id": "t", "name": "Care", "members": [{"user": {"username": "ada@x.example"}}]},
                         {"id": "s", "name": "orders", "teamId": "t"}]}  # fmt: skip
    said = taken("og.json", json.dumps(document))[1]
    assert said == {("orders", "owned_by", "care"), ("ada@x.example", "member_of", "care")}


@pytest.mark.parametrize(
    "content",
    ['{"schemas": ["urn:ietf:params:scim:', '{"Resources": "urn:ietf:params:scim:x"}', '["urn:ietf:params:scim:"]',
     '{"escalation_policies": {}, "services": [[], 1, null, {"name": {"a": 1}}]}'],
)  # fmt: skip
def test_what_is_broken_or_empty_is_refused_with_a_reason(taken, content):
    with pytest.raises(NotUnderstood):
        taken("a.json", content)


def test_shapes_that_nobody_expects_break_nothing(taken):
    odd = [None, 1, "x", [], {}, {"value": {}}, {"display_value": []}, True]
    rows = [{"sys_id": "1", "sys_class_name": "cmdb_ci_service", "name": "a", "owned_by": value} for value in odd]
    users = [{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "z", "emails": value,
              "name": value, "groups": value, "active": value} for value in odd]  # fmt: skip
    assert taken("a.json", json.dumps({"result": rows}))[0].assets
    assert taken("b.json", json.dumps({"Resources": users}))[0].assets


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(NotReachable):
        exports.file(tmp_path / "none.json", now=0.0)
