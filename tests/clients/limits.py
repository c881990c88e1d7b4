"""Azure's own limits, at a daemon that is told to keep them."""

import wire

wire.log_in()
at = wire.group("limits") + wire.PROFILES + "/p"
wrong = wire.profile(monitorConfig={"protocol": "HTTP", "port": 80, "path": "/", "intervalInSeconds": 20})
assert wire.error("PUT", at, wrong) == (400, "BadRequest")
assert wire.ask("PUT", at, wire.profile())[0] == 201
# A third of a minute's 150 in a window of 20 s; of 101, two windows at most take a hundred.
key = f"/subscriptions/{wire.SUBSCRIPTION}/providers/Microsoft.Network/trafficManagerUserMetricsKeys/default"
said = [wire.ask("GET", key) for _ in range(101)]
throttled = [(body, headers) for status, body, headers in said if status == 429]
assert throttled and {status for status, *_ in said} == {404, 429}, [status for status, *_ in said]
body, headers = throttled[0]
assert body["error"]["code"] == "TooManyRequests" and 1 <= int(headers["Retry-After"]) <= 20, (body, headers)
print("done", flush=True)
