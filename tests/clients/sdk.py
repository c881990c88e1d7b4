"""Microsoft's SDK for Python, either generation, unmodified, over TLS against a daemon: every kind of profile and endpoint comes into being, is read, changed,
listed, fails over and goes.

What DNS says after each change is for whoever runs this to look at: a line `dns NAME TYPE = TTL DATA, ...` on standard output asks for it, as `stop NAME` and
`start NAME` ask for an endpoint to be switched; each is answered by a line on standard input before this goes on.
"""

import importlib.metadata
import os
import sys
import time

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.identity import ClientSecretCredential
from azure.mgmt.trafficmanager import TrafficManagerManagementClient, models

BASE = os.environ["TM_BASE"]
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
GROUP = "rg-one"
# The methods that the daemon serves, and those it refuses.
IS_OLD = importlib.metadata.version("azure-mgmt-trafficmanager").startswith("1.")

credential = ClientSecretCredential(
    "99999999-0000-0000-0000-000000000000",
    os.environ["TM_CLIENT_ID"],
    os.environ["TM_CLIENT_SECRET"],
    authority=BASE,
    disable_instance_discovery=True,
)
client = TrafficManagerManagementClient(
    credential, SUBSCRIPTION, base_url=BASE, credential_scopes=[BASE + "/.default"], retry_total=0
)
profiles, endpoints = client.profiles, client.endpoints


def ask(line):
    print(line, flush=True)
    answer = sys.stdin.readline().strip()
    assert answer == "ok", f"{line}: {answer}"


def dns(name, kind, *expected):
    ask(f"dns {name}.tm.example {kind} = {', '.join(expected)}")


def given(model, body):
    """ARM's JSON in the form that this generation of the SDK takes."""
    return getattr(models, model).deserialize(body) if IS_OLD else body


def taken(model):
    """ARM's JSON from what this generation gives."""
    return model.serialize(keep_readonly=True) if IS_OLD else model.as_dict()


def refused(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"{kind.__name__} was not raised")


def put(name, body, group=GROUP):
    return taken(profiles.create_or_update(group, name, given("Profile", body)))


def patch(name, body):
    return taken(profiles.update(GROUP, name, given("Profile", body)))


def put_endpoint(profile, kind, name, properties):
    body = {"name": name, "type": f"Microsoft.Network/trafficManagerProfiles/{kind}", "properties": properties}
    return taken(endpoints.create_or_update(GROUP, profile, kind, name, given("Endpoint", body)))


def patch_endpoint(profile, kind, name, properties):
    return taken(endpoints.update(GROUP, profile, kind, name, given("Endpoint", {"properties": properties})))


def external(name, target, **more):
    kind = "Microsoft.Network/trafficManagerProfiles/externalEndpoints"
    return {"name": name, "type": kind, "properties": {"target": target, **more}}


def profile(method, relative, items, **more):
    monitor = {
        "protocol": "HTTP",
        "port": 80,
        "path": "/",
        "intervalInSeconds": 2,
        "timeoutInSeconds": 1,
        "toleratedNumberOfFailures": 0,
    }
    properties = {
        "trafficRoutingMethod": method,
        "dnsConfig": {"relativeName": relative, "ttl": 30},
        "monitorConfig": monitor,
        "endpoints": items,
        **more,
    }
    return {"location": "global", "properties": properties}


def statuses(name):
    found = taken(profiles.get(GROUP, name))["properties"]["endpoints"]
    return [endpoint["properties"]["endpointMonitorStatus"] for endpoint in found]


def wait_for(name, *expected):
    began = time.monotonic()
    while statuses(name) != list(expected):
        assert time.monotonic() - began < 20, f"{name} is {statuses(name)}, not {expected}"


def names(found):
    return sorted(item.name for item in found)


def nothing_yet():
    refused(ResourceNotFoundError, lambda: profiles.get(GROUP, "contoso"))
    refused(ResourceNotFoundError, lambda: list(profiles.list_by_resource_group(GROUP)))
    question = {"name": "contoso", "type": "Microsoft.Network/trafficManagerProfiles"}
    model = "CheckTrafficManagerRelativeDnsNameAvailabilityParameters"
    for check in (
        profiles.check_traffic_manager_relative_dns_name_availability,
        profiles.check_traffic_manager_name_availability_v2,
    ):
        answer = check(given(model, question))
        assert answer.name_available is True and answer.reason is None, answer


def failover():
    items = [external("virginia", "10.53.0.11"), external("amsterdam", "10.53.0.12")]
    body = profile("Priority", "contoso", items)
    body["tags"] = {"b": "2", "a": "1"}
    made = put("contoso", body)
    assert made["properties"]["dnsConfig"]["fqdn"] == "contoso.tm.example", made
    assert [item["properties"]["priority"] for item in made["properties"]["endpoints"]] == [1, 2], made
    assert list(made["tags"].items()) == [("b", "2"), ("a", "1")], made
    dns("contoso", "A", "30 A 10.53.0.11")
    wait_for("contoso", "Online", "Online")
    # What is read can be put back.
    read = taken(profiles.get(GROUP, "CONTOSO"))
    assert put("contoso", read) == taken(profiles.get(GROUP, "contoso"))
    ask("stop virginia")
    wait_for("contoso", "Degraded", "Online")
    dns("contoso", "A", "30 A 10.53.0.12")
    assert taken(profiles.get(GROUP, "contoso"))["properties"]["monitorConfig"]["profileMonitorStatus"] == "Degraded"
    ask("start virginia")
    wait_for("contoso", "Online", "Online")
    dns("contoso", "A", "30 A 10.53.0.11")
    patched = patch("contoso", {"properties": {"dnsConfig": {"ttl": 5}}})
    assert patched["properties"]["dnsConfig"]["relativeName"] == "contoso", patched
    dns("contoso", "A", "5 A 10.53.0.11")
    patched = patch_endpoint("contoso", "ExternalEndpoints", "virginia", {"endpointStatus": "Disabled"})
    assert patched["properties"]["endpointMonitorStatus"] == "Disabled", patched
    dns("contoso", "A", "5 A 10.53.0.12")
    patch_endpoint("contoso", "externalendpoints", "VIRGINIA", {"endpointStatus": "Enabled"})
    dns("contoso", "A", "5 A 10.53.0.11")
    patch("contoso", {"properties": {"profileStatus": "Disabled"}})
    assert statuses("contoso") == ["Inactive", "Inactive"], statuses("contoso")
    dns("contoso", "A")
    patch("contoso", {"properties": {"profileStatus": "Enabled"}})
    third = put_endpoint("contoso", "ExternalEndpoints", "third", {"target": "10.53.0.13", "alwaysServe": "Enabled"})
    assert third["properties"]["priority"] == 3, third
    assert third["properties"]["endpointMonitorStatus"] == "Unmonitored", third
    moved = put_endpoint("contoso", "ExternalEndpoints", "virginia", {"target": "10.53.0.14", "alwaysServe": "Enabled"})
    assert moved["properties"]["priority"] == 1, moved
    dns("contoso", "A", "5 A 10.53.0.14")
    endpoints.delete(GROUP, "contoso", "ExternalEndpoints", "virginia")
    refused(ResourceNotFoundError, lambda: endpoints.get(GROUP, "contoso", "ExternalEndpoints", "virginia"))
    endpoints.delete(GROUP, "contoso", "ExternalEndpoints", "virginia")
    assert taken(endpoints.get(GROUP, "contoso", "ExternalEndpoints", "third"))["name"] == "third"
    dns("contoso", "A", "5 A 10.53.0.12")


def names_are_taken():
    taken_name = lambda: put("other", profile("Priority", "Contoso", []))
    error = refused(ResourceExistsError, taken_name)
    assert "already exists" in str(error), error
    question = {"name": "contoso", "type": "Microsoft.Network/trafficManagerProfiles"}
    model = "CheckTrafficManagerRelativeDnsNameAvailabilityParameters"
    answer = profiles.check_traffic_manager_relative_dns_name_availability(given(model, question))
    assert answer.name_available is False and answer.reason == "AlreadyExists", answer
    # A profile's name is free in another group.
    twin = put("contoso", profile("Priority", "twin", [external("e", "10.53.0.19", alwaysServe="Enabled")]), "rg-two")
    assert twin["name"] == "contoso" and "/rg-two/" in twin["id"], twin
    dns("twin", "A", "30 A 10.53.0.19")
    assert names(profiles.list_by_resource_group("RG-TWO")) == ["contoso"]
    assert names(profiles.list_by_subscription()) == ["contoso", "contoso"]
    profiles.delete("rg-two", "contoso")
    dns("twin", "A")
    assert names(profiles.list_by_resource_group("rg-two")) == []


def weighted():
    always = {"alwaysServe": "Enabled"}
    items = [external("a", "www.a.example", weight=3, **always), external("b", "www.b.example", weight=1, **always)]
    put("shares", profile("Weighted", "shares", items))
    patch_endpoint("shares", "ExternalEndpoints", "a", {"endpointStatus": "Disabled"})
    dns("shares", "A", "30 CNAME www.b.example.")
    patch_endpoint("shares", "ExternalEndpoints", "a", {"endpointStatus": "Enabled"})
    patch_endpoint("shares", "ExternalEndpoints", "b", {"endpointStatus": "Disabled"})
    dns("shares", "AAAA", "30 CNAME www.a.example.")
    switched = patch("shares", {"properties": {"trafficRoutingMethod": "Priority"}})
    assert [item["properties"]["weight"] for item in switched["properties"]["endpoints"]] == [3, 1], switched


def multivalue():
    always = {"alwaysServe": "Enabled"}
    items = [external("a", "10.53.0.21", **always), external("b", "10.53.0.22", **always)]
    items.append(external("c", "fd53::23", **always))
    put("many", profile("MultiValue", "many", items, maxReturn=3))
    dns("many", "A", "30 A 10.53.0.21", "30 A 10.53.0.22")
    dns("many", "AAAA", "30 AAAA fd53::23")


def nested():
    child = put("child", profile("Priority", "child", [external("e", "10.53.0.31", alwaysServe="Enabled")]))
    kind = "Microsoft.Network/trafficManagerProfiles/nestedEndpoints"
    below = {"name": "below", "type": kind, "properties": {"targetResourceId": child["id"], "minChildEndpoints": 1}}
    items = [below, external("last", "10.53.0.32", alwaysServe="Enabled")]
    parent = put("parent", profile("Priority", "parent", items))
    first = parent["properties"]["endpoints"][0]
    assert first["properties"]["target"] == "child.tm.example", first
    assert first["type"].endswith("/nestedEndpoints") and "/nestedEndpoints/" in first["id"], first
    assert first["properties"]["endpointMonitorStatus"] == "Online", first
    dns("parent", "A", "30 A 10.53.0.31")
    refused(ResourceExistsError, lambda: profiles.delete(GROUP, "child"))
    patch("child", {"properties": {"profileStatus": "Disabled"}})
    assert statuses("parent") == ["Stopped", "Unmonitored"], statuses("parent")
    dns("parent", "A", "30 A 10.53.0.32")
    profiles.delete(GROUP, "parent")
    profiles.delete(GROUP, "child")


def by_place():
    """The methods that look at the client."""
    always = {"alwaysServe": "Enabled"}
    cases = {
        "Performance": external("e", "10.53.0.41", endpointLocation="West Europe", **always),
        "Geographic": external("e", "10.53.0.41", geoMapping=["WORLD"], **always),
        "Subnet": external("e", "10.53.0.41", subnets=[{"first": "10.53.0.0", "scope": 24}], **always),
    }
    for method, item in cases.items():
        body = profile(method, method.lower(), [item])
        made = put(method, body)["properties"]["endpoints"][0]["properties"]
        for key, value in item["properties"].items():
            assert made[key] == value, made
        dns(method.lower(), "A", "30 A 10.53.0.41")
        profiles.delete(GROUP, method)


def provision():
    """Two public addresses of the inventory, Virginia before Amsterdam, as an administrator sets them up; then Virginia's machine is stopped, and comes back."""
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"
    service = f"{group}/providers/Microsoft.Network/publicIPAddresses/pip-"
    kind = "AzureEndpoints"
    put("lab", profile("Priority", "lab", []))
    patch("lab", {"properties": {"dnsConfig": {"ttl": 100}}})
    made = put_endpoint("lab", kind, "virginia", {"targetResourceId": service + "virginia", "priority": 1})
    assert made["properties"]["target"] == "10.53.0.11", made
    assert made["properties"]["endpointLocation"] == "East US", made
    assert made["type"].endswith("/azureEndpoints"), made
    put_endpoint("lab", kind, "amsterdam", {"targetResourceId": service + "amsterdam", "priority": 2})
    wait_for("lab", "Online", "Online")
    for _ in range(5):
        dns("lab", "A", "100 A 10.53.0.11")
    ask("stop virginia")
    wait_for("lab", "Degraded", "Online")
    dns("lab", "A", "100 A 10.53.0.12")
    ask("start virginia")
    wait_for("lab", "Online", "Online")
    dns("lab", "A", "100 A 10.53.0.11")
    endpoints.delete(GROUP, "lab", kind, "amsterdam")
    stopped = put_endpoint("lab", kind, "amsterdam", {"targetResourceId": service + "stopped"})
    assert stopped["properties"]["endpointMonitorStatus"] == "Stopped", stopped
    endpoints.delete(GROUP, "lab", kind, "virginia")
    dns("lab", "A")
    none = {"targetResourceId": service + "none"}
    error = refused(HttpResponseError, lambda: put_endpoint("lab", kind, "none", none))
    assert error.status_code == 400, error


def the_rest():
    hierarchy = client.geographic_hierarchies.get_default()
    world = hierarchy.geographic_hierarchy if IS_OLD else hierarchy.properties.geographic_hierarchy
    assert (world.code, world.name) == ("WORLD", "World")
    assert "Europe" in [region.name for region in world.regions]
    heat_map()
    keys = client.traffic_manager_user_metrics_keys
    refused(ResourceNotFoundError, keys.get)
    key = taken(keys.create_or_update())["properties"]["key"]
    assert len(key) == 32 and taken(keys.get())["properties"]["key"] == key
    keys.delete()
    refused(ResourceNotFoundError, keys.get)


def heat_map():
    """Traffic View: none until the profile wants it; then whoever asked, and what they were given."""
    find = lambda: client.heat_map.get(*(GROUP, "contoso") if IS_OLD else (GROUP, "contoso", "default"))
    refused(ResourceNotFoundError, find)
    patched = patch("contoso", {"properties": {"trafficViewEnrollmentStatus": "Enabled"}})
    assert patched["properties"]["trafficViewEnrollmentStatus"] == "Enabled", patched
    for _ in range(3):
        dns("contoso", "A", "5 A 10.53.0.12")
    began, count = time.monotonic(), 0
    while count < 3:
        flows = taken(find())["properties"]
        count = sum(its["queryCount"] for flow in flows["trafficFlows"] for its in flow["queryExperiences"])
        assert time.monotonic() - began < 20, flows
    assert [item["endpointId"] for item in flows["endpoints"]] == [0, 1], flows
    experiences = [(flow["sourceIp"], its["endpointId"]) for flow in flows["trafficFlows"] for its in flow["queryExperiences"]]
    assert experiences == [("10.53.0.0", 0)], flows


def mistakes():
    good = profile("Priority", "wrong", [external("e", "10.53.0.51")])
    for change, words in [
        ({"dnsConfig": {"relativeName": "wrong", "ttl": -1}}, "dnsConfig.ttl"),
        ({"endpoints": [external("e", "http://x")]}, "endpoints[0].properties.target"),
        ({"endpoints": [external("e", "10.0.0.1"), external("f", "a.example")]}, "DNS name"),
        ({"trafficRoutingMethod": "Best"}, "trafficRoutingMethod"),
    ]:
        body = {**good, "properties": {**good["properties"], **change}}
        error = refused(HttpResponseError, lambda: put("wrong", body))
        assert error.status_code == 400 and words in str(error) + str(error.error.target), error
    refused(ResourceNotFoundError, lambda: profiles.get(GROUP, "wrong"))
    dns("wrong", "A")


def the_end():
    found = names(profiles.list_by_resource_group(GROUP))
    assert found == names(profiles.list_by_subscription()), found
    for name in found:
        profiles.delete(GROUP, name)
        refused(ResourceNotFoundError, lambda: profiles.get(GROUP, name))
        profiles.delete(GROUP, name)
    dns("contoso", "A")
    assert names(profiles.list_by_resource_group(GROUP)) == []


STEPS = [nothing_yet, failover, names_are_taken, weighted, multivalue, nested, by_place, provision]
STEPS += [the_rest, mistakes, the_end]

if __name__ == "__main__":
    for step in STEPS:
        print("step", step.__name__, file=sys.stderr, flush=True)
        step()
    print("done", flush=True)
