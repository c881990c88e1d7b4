#!/usr/bin/env python3
"""Makes places.mmdb, the small database of the tests: `pip install mmdb_writer==0.2.7 && python3 make.py` in this directory.

It has records of both schemas side by side, one that names no country, one of a country that the hierarchy lacks, and networks that
lie apart, so that rows can be merged, and not.
"""
from netaddr import IPSet
from mmdb_writer import MMDBWriter


def nested(country, division=None, point=None):
    record = {"country": {"iso_code": country, "names": {"en": "-"}}}
    if point:
        record["location"] = {"latitude": point[0], "longitude": point[1]}
    if division:
        record["subdivisions"] = [{"iso_code": division}, {"iso_code": "QQ"}]
    return record


def flat(country, division=None):
    return {"country_code": country} | ({"state1": division} if division else {})


ROWS = [
    ("203.0.113.0/25", nested("US", "CA", (37.77, -122.42))),
    ("203.0.113.128/25", nested("US")),
    ("198.51.100.0/24", nested("DE")),
    ("192.0.2.0/26", flat("US", "California") | {"latitude": "34.05", "longitude": "-118.24"}),
    ("192.0.2.64/26", flat("GB", "Scotland") | {"latitude": 55.95, "longitude": -3.19}),
    ("192.0.2.128/25", {"country": "FR"}),
    ("198.18.0.0/24", flat("EH")),
    ("198.18.2.0/24", flat("EH")),
    ("198.18.1.0/24", {"registered_country": {"iso_code": "DE"}}),
    ("2001:db8::/33", nested("FR")),
    ("2001:db8:8000::/33", flat("CA", "Ontario")),
]

writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="Test-City", languages=["en"], description="places of the tests")
for network, record in ROWS:
    writer.insert_network(IPSet([network]), record)
# 2026-01-02T03:04:05Z: the same octets each time.
import time
time.time = lambda: 1767323045
writer.to_db_file("places.mmdb")
