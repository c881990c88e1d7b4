"""The ARM face octet by octet, with nothing but Python's own library: what clients depend on and no SDK shows."""

import base64
import http.client
import json
import os
import ssl
import sys
import urllib.parse

HOST = urllib.parse.urlsplit(os.environ["TM_BASE"]).netloc
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
DEFAULT = "00000000-0000-0000-0000-000000000001"
VERSION = "api-version=2022-04-01"
PROFILES = "/providers/Microsoft.Network/trafficmanagerprofiles"
connection = http.client.HTTPSConnection(
    HOST, context=ssl.create_default_context(cafile=os.environ["REQUESTS_CA_BUNDLE"]), timeout=20
)
token = None


def ask(method, path, body=None, query=VERSION, headers=None):
    headers = dict(headers or {})
    if token:
        headers["Authorization"] = "Bearer " + token
    if isinstance(body, (dict, list)):
        body, headers["Content-Type"] = json.dumps(body), "application/json"
    connection.request(method, path + ("?" + query if query else ""), body, headers)
    response = connection.getresponse()
    text = response.read().decode()
    return response.status, (json.loads(text) if text else None), response.headers


def error(method, path, *more, **named):
    status, body, _ = ask(method, path, *more, **named)
    assert set(body) == {"error"} and body["error"]["message"], body
    return status, body["error"]["code"]


def group(name, subscription=SUBSCRIPTION):
    return f"/subscriptions/{subscription}/resourceGroups/{name}"


def profile(**more):
    properties = {"trafficRoutingMethod": "Priority", "dnsConfig": {"relativeName": "wire", "ttl": 30}, **more}
    return {"location": "global", "properties": properties}


def log_in():
    global token
    form = {
        "grant_type": "client_credentials",
        "client_id": os.environ["TM_CLIENT_ID"],
        "client_secret": os.environ["TM_CLIENT_SECRET"],
        "scope": "https://anything/.default",
    }
    at = "/99999999-0000-0000-0000-000000000000/oauth2/v2.0/token"
    status, body, _ = ask("POST", at, urllib.parse.urlencode(form), "")
    assert status == 200 and body["token_type"] == "Bearer" and body["expires_in"] == 3599, body
    claims = json.loads(base64.urlsafe_b64decode(body["access_token"].split(".")[1] + "=="))
    assert claims["tid"] == "99999999-0000-0000-0000-000000000000" and claims["oid"] == claims["appid"], claims
    wrong = urllib.parse.urlencode({**form, "client_secret": "x"})
    assert ask("POST", at, wrong, "")[:2][0] == 401 and ask("POST", at, wrong, "")[1]["error"] == "invalid_client"
    other = urllib.parse.urlencode({**form, "grant_type": "password"})
    assert ask("POST", at, other, "")[:2][1]["error"] == "unsupported_grant_type"
    basic = base64.b64encode(f"{form['client_id']}:{form['client_secret']}".encode()).decode()
    old = ask("POST", "/t/oauth2/token", "grant_type=client_credentials", "", {"Authorization": "Basic " + basic})
    assert old[0] == 200, old
    token = body["access_token"]


def strangers():
    assert error("GET", "/subscriptions") == (401, "InvalidAuthenticationToken")
    status, body, _ = ask("GET", "/metadata/endpoints", query="api-version=2022-09-01")
    assert status == 200 and body["authentication"]["loginEndpoint"] == f"https://{HOST}/", body
    status, body, _ = ask("GET", "/any/v2.0/.well-known/openid-configuration", query="")
    assert status == 200 and body["token_endpoint"] == f"https://{HOST}/any/oauth2/v2.0/token", body


def versions():
    path = group("g") + PROFILES + "/p"
    assert error("GET", path, query="") == (400, "MissingApiVersionParameter")
    assert error("GET", path, query="api-version=2099-01-01") == (400, "NoRegisteredProviderFound")
    assert error("GET", "/subscriptions", query="api-version=now") == (400, "InvalidApiVersionParameter")
    for version in ["2015-11-01", "2018-04-01", "2018-08-01", "2022-04-01", "2026-09-01"]:
        assert error("GET", path, query="api-version=" + version)[0] == 404


def paths():
    assert error("GET", "/subscriptions/s/else") == (404, "NotFound")
    assert error("GET", group("g") + PROFILES + "/..%2fp") == (404, "NotFound")
    assert error("GET", group("g") + PROFILES + "/p/otherEndpoints/e") == (404, "NotFound")
    assert error("PATCH", "/subscriptions") == (405, "MethodNotAllowed")
    assert error("POST", group("g") + PROFILES + "/p") == (405, "MethodNotAllowed")


def lives():
    """A profile and its group from nothing to nothing."""
    at = group("Wire") + PROFILES + "/Wire"
    assert error("GET", group("Wire")) == (404, "SubscriptionNotFound")
    assert error("GET", group("Wire", DEFAULT)) == (404, "ResourceGroupNotFound")
    assert error("GET", at) == (404, "SubscriptionNotFound")
    status, body, headers = ask("PUT", at, profile())
    assert status == 201 and "tags" not in body, body
    assert headers["Content-Type"] == "application/json; charset=utf-8" and headers["x-ms-request-id"], headers
    assert ask("PUT", at, profile())[0] == 200
    status, body, _ = ask("GET", at.upper())
    assert status == 200 and body["tags"] == {} and body["name"] == "Wire", body
    assert body["id"] == group("Wire") + "/providers/Microsoft.Network/trafficManagerProfiles/Wire", body
    status, body, headers = ask("GET", group("Wire") + PROFILES + "/none")
    assert body["error"] == {
        "code": "ResourceNotFound",
        "message": "The Resource 'Microsoft.Network/trafficmanagerprofiles/none' under resource group 'Wire' was not"
        " found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    }
    assert headers["x-ms-failure-cause"] == "gateway", headers
    status, body, _ = ask("GET", at + "/ExternalEndpoints/none")
    message = "The endpoint 'none' of type 'externalendpoints' does not exist in the profile 'Wire'."
    assert (status, body["error"]["message"]) == (404, message), body
    endpoint = {"properties": {"target": "10.53.0.61", "alwaysServe": "enabled"}}
    none = group("Wire") + PROFILES + "/none/ExternalEndpoints/e"
    assert error("PUT", none, endpoint) == (404, "ParentResourceNotFound")
    assert error("PATCH", none, endpoint) == (404, "NotFound")
    assert ask("DELETE", none)[0] == 204
    status, body, _ = ask("PUT", at + "/ExternalEndpoints/my%20ep", endpoint)
    assert (status, body["name"], body["properties"]["alwaysServe"]) == (201, "my ep", "Enabled"), body
    assert ask("PUT", at + "/externalendpoints/MY%20EP", endpoint)[0] == 201
    assert error("PUT", at + "/NestedEndpoints/my%20ep", endpoint) == (409, "Conflict")
    assert ask("DELETE", at + "/ExternalEndpoints/my%20ep")[:2] == (200, {"properties": {"boolean": True}})
    assert ask("DELETE", at + "/ExternalEndpoints/my%20ep")[:2] == (204, None)
    assert ask("DELETE", at)[:2] == (200, {"properties": {"boolean": True}})
    assert ask("DELETE", at)[:2] == (204, None)
    assert ask("HEAD", group("wire"))[0] == 204
    assert ask("GET", group("Wire") + PROFILES)[:2] == (200, {"value": []})


def groups():
    at = group("made")
    assert error("PUT", at, {}) == (400, "LocationRequired")
    status, body, _ = ask("PUT", at.replace("G", "g"), {"location": "eastus", "tags": {"a": "1"}})
    assert (status, body["name"], body["tags"]) == (201, "made", {"a": "1"}), body
    assert body["properties"] == {"provisioningState": "Succeeded"}, body
    assert ask("PUT", at, {"location": "eastus"})[0] == 200
    for name, relative in [("a", "ga"), ("b", "gb")]:
        assert ask("PUT", f"{at}{PROFILES}/{name}", profile(dnsConfig={"relativeName": relative}))[0] == 201
    parent = {"type": "x/nestedEndpoints", "name": "n", "properties": {"targetResourceId": at + PROFILES + "/b"}}
    assert ask("PATCH", f"{at}{PROFILES}/a", {"properties": {"endpoints": [parent]}})[0] == 200
    assert error("DELETE", f"{at}{PROFILES}/b") == (409, "Conflict")
    names = [item["name"] for item in ask("GET", f"/subscriptions/{SUBSCRIPTION}/resources")[1]["value"]]
    assert names == ["a", "b"], names
    listed = ask("GET", f"/subscriptions/{SUBSCRIPTION}/resourcegroups")[1]["value"]
    assert [item["name"] for item in listed] == ["made", "Wire"], listed
    assert ask("DELETE", at)[0] == 200 and ask("HEAD", at)[0] == 404
    assert error("GET", f"{at}{PROFILES}/a") == (404, "ResourceGroupNotFound")


def surroundings():
    found = ask("GET", "/subscriptions")[1]["value"]
    assert sorted(item["subscriptionId"] for item in found) == [DEFAULT, SUBSCRIPTION], found
    assert all(item["state"] == "Enabled" for item in found), found
    assert ask("GET", "/tenants")[1]["value"][0]["tenantId"], "a tenant"
    assert error("GET", "/subscriptions/none") == (404, "SubscriptionNotFound")
    for path in ["/providers/Microsoft.Network", "/providers/microsoft.network/register"]:
        method = "POST" if path.endswith("register") else "GET"
        provider = ask(method, f"/subscriptions/{DEFAULT}{path}", query="api-version=2022-09-01")[1]
        assert provider["registrationState"] == "Registered" and provider["namespace"] == "Microsoft.Network"


def files():
    """What a file has is seen and not changed."""
    at = group("default", DEFAULT) + PROFILES + "/filed"
    status, body, _ = ask("GET", at)
    assert (status, body["properties"]["endpoints"][0]["properties"]["target"]) == (200, "10.53.0.71"), body
    status, body, _ = ask("PATCH", at, {"properties": {"dnsConfig": {"ttl": 1}}})
    assert status == 409 and "conf.d/services.toml:" in body["error"]["message"], body
    status, body, _ = ask("DELETE", at)
    assert status == 409 and "conf.d/services.toml:" in body["error"]["message"], body


def services():
    """The inventory by the product's own face: what is picked from it follows."""
    pip = group("Wire") + "/providers/Microsoft.Network/publicIPAddresses/pip"
    at = "/api/v1/services" + pip
    document = {"name": "pip", "kind": "public_ip", "target": "10.53.0.91"}
    assert ask("GET", at, query="")[0] == 404
    assert ask("PUT", at, document, "")[:2] == (
        201,
        {"id": pip, **document, "location": None, "state": "running"},
    )
    profile_at = group("Wire") + PROFILES + "/picked"
    assert ask("PUT", profile_at, profile(dnsConfig={"relativeName": "picked", "ttl": 30}))[0] == 201
    endpoint = {"properties": {"targetResourceId": pip, "alwaysServe": "Enabled"}}
    assert ask("PUT", profile_at + "/AzureEndpoints/e", endpoint)[1]["properties"]["target"] == "10.53.0.91"
    dns("picked.tm.example A = 30 A 10.53.0.91")
    assert ask("PUT", at, {**document, "target": "10.53.0.92"}, "")[0] == 200
    dns("picked.tm.example A = 30 A 10.53.0.92")
    assert ask("PATCH", profile_at + "/AzureEndpoints/e", {"properties": {"alwaysServe": "Disabled"}})[0] == 200
    assert ask("PUT", at, {**document, "state": "stopped"}, "")[0] == 200
    status = ask("GET", profile_at + "/AzureEndpoints/e")[1]["properties"]["endpointMonitorStatus"]
    assert status == "Stopped", status
    dns("picked.tm.example A =")
    assert ask("DELETE", at, query="")[0] == 409
    assert ask("PUT", at, {**document, "target": "no target"}, "")[0] == 422
    assert ask("PUT", at, {**document, "colour": "red"}, "")[0] == 422
    filed = "/api/v1/services" + group("rg-one") + "/providers/Microsoft.Network/publicIPAddresses/pip-virginia"
    status, body, _ = ask("PUT", filed, {"name": "x", "target": "10.53.0.93"}, "")
    assert status == 409 and "conf.d/services.toml:" in body["detail"], body
    listed = [item["name"] for item in ask("GET", "/api/v1/services", query="")[1]["value"]]
    assert listed == ["pip-amsterdam", "pip-stopped", "pip-virginia", "pip"], listed
    assert ask("DELETE", profile_at)[0] == 200
    assert ask("DELETE", at, query="")[0] == 204
    assert ask("GET", at, query="")[0] == 404


def dns(question):
    print("dns", question, flush=True)
    answer = sys.stdin.readline().strip()
    assert answer == "ok", f"{question}: {answer}"


def bodies():
    at = group("Wire") + PROFILES + "/p"
    assert error("PUT", at, "{") == (400, "InvalidRequestContent")
    assert error("PUT", at, "[" * 1000 + "]" * 1000) == (400, "InvalidRequestContent")
    assert error("PUT", at, []) == (400, "BadRequest")
    assert error("PUT", at, profile(endpoints={})) == (400, "BadRequest")
    assert error("PUT", at, {**profile(), "location": "westus"}) == (400, "LocationNotAvailableForResourceType")
    assert error("PUT", at, "x" * 2_000_000) == (413, "RequestEntityTooLarge")
    assert error("PUT", at, profile(recordType="A", endpoints=[named("e", "a.example")])) == (400, "BadRequest")
    types = ["IPv6Address"]
    wrong = profile(allowedEndpointRecordTypes=types, endpoints=[named("e", "10.53.0.1")])
    assert error("PUT", at, wrong) == (400, "BadRequest")
    assert error("PUT", group("Wire") + PROFILES + "/a@b", profile()) == (400, "BadRequest")
    for order in [["X-A", "X-B"], ["X-B", "X-A"]]:
        headers = [{"name": name, "value": "1"} for name in order]
        monitor = {"protocol": "HTTP", "port": 80, "path": "/", "customHeaders": headers}
        assert ask("PUT", at, profile(monitorConfig=monitor))[0] in (200, 201)
        assert ask("GET", at)[1]["properties"]["monitorConfig"]["customHeaders"] == headers
    assert ask("DELETE", at)[0] == 200
    typed = profile(recordType="AAAA", endpoints=[named("e", "fd53::9")])
    assert ask("PUT", at, typed)[1]["properties"]["recordType"] == "AAAA"
    changed = ask("PATCH", at, {"properties": {"recordType": "A"}})
    message = "The RecordType of a Traffic Manager profile cannot be changed after creation."
    assert (changed[0], changed[1]["error"]["message"]) == (400, message), changed
    assert error("PUT", at + "/ExternalEndpoints/v4", {"properties": {"target": "10.53.0.1"}}) == (400, "BadRequest")
    assert ask("DELETE", at)[0] == 200


def named(name, target):
    return {"name": name, "type": "x/externalEndpoints", "properties": {"target": target, "alwaysServe": "Enabled"}}


STEPS = [strangers, log_in, versions, paths, lives, groups, surroundings, files, services, bodies]

if __name__ == "__main__":
    for step in STEPS:
        print("step", step.__name__, file=sys.stderr, flush=True)
        step()
    print("done", flush=True)
