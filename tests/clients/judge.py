"""dnspython as a strict judge of every reply: over UDP, TCP, TLS and HTTPS, and of zone transfers.

Speaks the words of tests/src/script.rs; its last words are what came of it, as JSON, behind `told`.
Arguments: the certificate of DNS over TLS, or `-`; the secret of the transfer key, or `-`.
"""

import hashlib
import json
import random
import socket
import ssl
import sys
import time

import dns.edns
import dns.message
import dns.query
import dns.rdata
import dns.resolver
import dns.tsig
import dns.tsigkeyring
import dns.xfr
import dns.zone

CERTIFICATE, SECRET = sys.argv[1:]
SERVERS = ["10.53.0.1", "fd53::1"]
ZONE = "tm.example."
HOST = "ns1.tm.example"
SERVER_COOKIE = 16

# What the zone has, by name: type and data. The same as in the test's profiles.
RECORDS = {
    "web": {"A": ["192.0.2.10"]},
    "six": {"AAAA": ["2001:db8::7"]},
    "alias": {"CNAME": ["www.contoso.com."]},
    "follow": {"CNAME": ["web.tm.example."]},
    "chain": {"CNAME": ["follow.tm.example."]},
    "gone": {"CNAME": ["nobody.tm.example."]},
    "between": {"CNAME": ["mid.top.tm.example."]},
    "leaf.mid.top": {"A": ["192.0.2.11"]},
    "*.any": {"A": ["192.0.2.12"], "TXT": ['"any text"']},
    "text": {
        "A": ["192.0.2.13"],
        "TXT": ['"v=spf1 mx -all"', '"one" "two; three"'],
        "MX": ["10 mail.contoso.com.", "20 web.tm.example."],
        "CAA": ['0 issue "ca.example; policy=ev"'],
        "SRV": ["0 5 443 virginia.contoso.com."],
        "HTTPS": ['1 . alpn="h2,h3" ipv4hint="192.0.2.1"'],
    },
    "big": {"A": ["192.0.2.14"], "TXT": [f'"{letter * 250}"' for letter in "abc"]},
    "ns1": {"A": ["10.53.0.1"], "AAAA": ["fd53::1"]},
}
TTLS = {"ns1": 3600}
TYPES = "A AAAA CNAME TXT MX CAA SRV HTTPS NS SOA PTR DS DNSKEY ANY TYPE65280".split()
OUTSIDE = ["example.", "xtm.example.", "www.contoso.com.", "."]
# Names of the zone that are there, with what is between them and the apex.
THERE = {".".join(name.split(".")[i:]) for name in RECORDS for i in range(len(name.split(".")))}


def find(name):
    """What is at a name of the zone: its records, or None where it does not exist."""
    if name in THERE:
        return RECORDS.get(name, {})
    labels = name.split(".")
    above = next((".".join(labels[i:]) for i in range(1, len(labels)) if ".".join(labels[i:]) in THERE), None)
    return RECORDS.get(f"*.{above}") if above else None


def due(name, kind):
    """RCODE, the answer section as a set of lines, and whether the SOA tells that there is no more."""
    if name is None:
        return "REFUSED", set(), False
    if name == "":
        soa = {"SOA": "NOERROR", "ANY": "NOERROR"}.get(kind)
        return "NOERROR", {"SOA"} if soa else {f"{ZONE} 3600 NS {HOST}."} if kind == "NS" else set(), not soa and kind != "NS"
    answers = set()
    while True:
        found = find(name)
        if found is None:
            return "NXDOMAIN", answers, True
        line = lambda kind: {f"{name}.{ZONE} {TTLS.get(name, 60)} {kind} {data}" for data in found.get(kind, [])}
        if "CNAME" in found:
            answers |= line("CNAME")
            target = found["CNAME"][0]
            if kind in ("CNAME", "ANY") or not target.endswith("." + ZONE):
                return "NOERROR", answers, False
            name = target.removesuffix("." + ZONE)
            continue
        if kind == "ANY":
            # RFC 8482, section 4.1: one RRset, addresses first.
            kind = next((kind for kind in ("A", "AAAA", "TXT") if kind in found), kind)
        answers |= line(kind)
        return "NOERROR", answers, not line(kind)


def in_any_case(dice, name):
    return "".join(dice.choice([c.lower(), c.upper()]) for c in name) if dice.random() < 0.3 else name


def question(dice, number):
    """A random query, and the name within the zone that it asks for."""
    label = "".join(dice.choices("abcdefghijklmnopqrstuvwxyz0123456789-", k=dice.randint(1, 12)))
    name = dice.choice([*RECORDS, *RECORDS, "", "top", "mid.top", label, f"{label}.web", f"x.{label}.any", f"{label}.top", None])
    if name == "*.any":
        name = f"{label}.any"
    full = dice.choice(OUTSIDE) if name is None else f"{name}.{ZONE}".lstrip(".")
    kind = dice.choice(TYPES) if dice.random() < 0.6 else "A"
    query = dns.message.make_query(in_any_case(dice, full), kind, id=number, flags=dice.choice([0, 0x100, 0x120, 0x110]))
    if dice.random() < 0.7:
        options = []
        if dice.random() < 0.4:
            options.append(dns.edns.CookieOption(dice.randbytes(8), b""))
        if dice.random() < 0.4:
            options.append(dns.edns.ECSOption(*dice.choice([("198.51.100.0", 24), ("192.0.2.128", 25), ("2001:db8::", 56)])))
        if dice.random() < 0.3:
            options.append(dns.edns.GenericOption(dice.choice([13, 65001]), dice.randbytes(dice.randint(0, 20))))
        if dice.random() < 0.3:
            options.append(dns.edns.GenericOption(dns.edns.OptionType.PADDING, bytes(dice.randint(0, 200))))
        query.use_edns(0, dice.choice([0, 0x8000]), dice.choice([0, 512, 1232, 4096]), options=options)
    return query, name


def line_of(rrset, rdata):
    # Names are compressed to the question, so they may have its letters.
    is_name = rdata.rdtype in (dns.rdatatype.CNAME, dns.rdatatype.NS, dns.rdatatype.SOA)
    data = str(rdata).lower() if is_name else str(rdata)
    return f"{str(rrset.name).lower()} {rrset.ttl} {dns.rdatatype.to_text(rdata.rdtype)} {data}"


def judge(query, name, wire, way):
    """All that is wrong with a reply."""
    wrong = []
    expect = lambda is_so, what: is_so or wrong.append(what)
    reply = dns.message.from_wire(wire, ignore_trailing=False)
    asked = query.to_wire()
    end = 12 + len(query.question[0].name.to_wire()) + 4
    expect(query.is_response(reply), "is no response")
    expect(wire[12:end] == asked[12:end], "the question is another one")
    again = dns.message.from_wire(reply.to_wire())
    expect(again == reply and again.flags == reply.flags, "is another one when it is written again")
    is_full = not reply.flags & dns.flags.TC
    rcode, answers, has_soa = due(name, dns.rdatatype.to_text(query.question[0].rdtype))
    expect(dns.rcode.to_text(reply.rcode()) == rcode, f"{dns.rcode.to_text(reply.rcode())} instead of {rcode}")
    flags = dns.flags.QR | query.flags & dns.flags.RD | (dns.flags.AA if name is not None else 0)
    expect(reply.flags & 0xFFF0 & ~dns.flags.TC == flags, f"flags {reply.flags:04x}")
    if is_full:
        lines = {line_of(rrset, rdata) for rrset in reply.answer for rdata in rrset}
        if answers == {"SOA"}:
            expect(len(lines) == 1 and next(iter(lines)).startswith(f"{ZONE} 60 SOA {HOST}. "), f"{lines}")
        else:
            expect(lines == answers, f"{sorted(lines)} instead of {sorted(answers)}")
        said = [(str(rrset.name).lower(), rrset.ttl, rrset.rdtype) for rrset in reply.authority]
        expect(said == ([(ZONE, 60, dns.rdatatype.SOA)] if has_soa else []), f"authority {said}")
    else:
        expect(way == "udp" and not reply.answer and not reply.authority, "cut, but not to nothing")
    expect(reply.edns == query.edns, "an OPT for an OPT alone")
    if query.edns == 0:
        expect((reply.payload, reply.ednsflags) == (1232, query.ednsflags & 0x8000), "size or flags of the OPT")
        options = {option.otype: option for option in reply.options}
        sent = {option.otype: option for option in query.options}
        known = [dns.edns.OptionType.COOKIE, dns.edns.OptionType.ECS]
        if way in ("tls", "https"):
            known.append(dns.edns.OptionType.PADDING)
        due_options = set(sent) & set(known)
        if name is None:
            due_options.add(dns.edns.OptionType.EDE)
            why = options.get(dns.edns.OptionType.EDE)
            expect(why and why.code == dns.edns.EDECode.NOT_AUTHORITATIVE, f"{why} instead of not authoritative")
        expect(set(options) == due_options and len(options) == len(reply.options), f"options {options}")
        if cookie := sent.get(dns.edns.OptionType.COOKIE):
            told = options.get(dns.edns.OptionType.COOKIE)
            expect(told and told.client == cookie.client and len(told.server) == SERVER_COOKIE, "the cookie")
        if subnet := sent.get(dns.edns.OptionType.ECS):
            told = options.get(dns.edns.OptionType.ECS)
            alike = told and (told.address, told.srclen, told.scopelen) == (subnet.address, subnet.srclen, 0)
            expect(alike, "the client's subnet")
    most = 65535 if way != "udp" else min(max(query.payload, 512), 1232) if query.edns == 0 else 512
    expect(len(wire) <= most, f"{len(wire)} octets")
    return [f"{way} {asked.hex()}: {what}" for what in wrong]


def over_udp(server):
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.settimeout(10)
    sock.connect((server, 53))

    def ask(query):
        sock.send(query.to_wire())
        return sock.recv(65535)

    return ask


def over_stream(sock):
    def read(count):
        octets = b""
        while len(octets) < count:
            more = sock.recv(count - len(octets))
            if not more:
                raise EOFError("the server has closed the connection")
            octets += more
        return octets

    def ask(query):
        dns.query.send_tcp(sock, query)
        return read(int.from_bytes(read(2), "big"))

    return ask


def tls_context():
    return ssl.create_default_context(cafile=CERTIFICATE)


def over_tls(server):
    sock = socket.create_connection((server, 853), 10)
    sock = tls_context().wrap_socket(sock, server_hostname=HOST)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return over_stream(sock)


def over_https(server):
    import httpx

    # The name of the certificate, and the address that is to be asked.
    client = httpx.Client(http2=True, verify=tls_context(), timeout=10)
    host = f"[{server}]" if ":" in server else server

    def ask(query):
        response = client.post(
            f"https://{host}/dns-query",
            content=query.to_wire(),
            headers={"content-type": "application/dns-message", "host": HOST},
            extensions={"sni_hostname": HOST},
        )
        response.raise_for_status()
        return response.content

    return ask


WAYS = {"udp": (over_udp, 2000), "tcp": (lambda server: over_stream(socket.create_connection((server, 53), 10)), 500)}
if CERTIFICATE != "-":
    WAYS |= {"tls": (over_tls, 250), "https": (over_https, 100)}


def without_moment(wire):
    """A reply without what another run of the server has otherwise: the serial, and its half of the cookie."""
    reply = dns.message.from_wire(wire)
    # In this order: the cookie has the seconds of its making, and the serial may be the same number.
    for option in reply.options:
        if option.otype == dns.edns.OptionType.COOKIE:
            wire = wire.replace(option.server, bytes(SERVER_COOKIE))
    for rrset in reply.answer + reply.authority:
        if rrset.rdtype == dns.rdatatype.SOA:
            wire = wire.replace(rrset[0].serial.to_bytes(4, "big"), bytes(4))
    return wire


def questions():
    """How many replies each way had, all that was wrong with them, and a sum of those over UDP."""
    counts, wrong, replies = {}, [], hashlib.sha256()
    for way, (connect, count) in WAYS.items():
        for server in SERVERS:
            dice = random.Random(f"{way} {server}")
            ask = connect(server)
            for number in range(count):
                query, name = question(dice, number)
                wire = ask(query)
                wrong += judge(query, name, wire, way)
                if way == "udp":
                    replies.update(without_moment(wire))
                counts[way] = counts.get(way, 0) + 1
    return counts, wrong[:20], replies.hexdigest()


def fallback():
    """Which answers needed TCP: one too long for 512 octets, and one that is not."""
    used = {}
    for name, size in [("big", 512), ("web", 512)]:
        query = dns.message.make_query(f"{name}.{ZONE}", "TXT" if name == "big" else "A", use_edns=0, payload=size)
        reply, by_tcp = dns.query.udp_with_fallback(query, SERVERS[0], timeout=10)
        used[name] = [by_tcp, sum(len(rrset) for rrset in reply.answer)]
    return used


def resolved():
    """What dnspython's resolver makes of names."""
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.lifetime = SERVERS[:1], 10
    said = {}
    for name, kind in [("chain", "A"), ("gone", "A"), ("between", "A"), ("nobody", "A"), ("web", "AAAA"), ("x.any", "TXT")]:
        try:
            answer = resolver.resolve(f"{name}.{ZONE}", kind)
            said[name] = f"{answer.canonical_name} {answer[0]}"
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer) as error:
            said[name] = type(error).__name__
    return said


def cookies():
    """A server's cookie comes back, and is kept while it is right."""
    ask, client = over_udp(SERVERS[0]), bytes(range(8))

    def told(server):
        query = dns.message.make_query(f"web.{ZONE}", "A", use_edns=0, options=[dns.edns.CookieOption(client, server)])
        return dns.message.from_wire(ask(query)).options[0].server

    first = told(b"")
    return {"length": len(first), "kept": told(first) == first, "other": told(bytes(16)) != bytes(16)}


def ask_test(words):
    print(words, flush=True)
    said = sys.stdin.readline().strip()
    if said != "ok":
        sys.exit(f"{words}: {said}")


def keyring(secret=SECRET):
    return dns.tsigkeyring.from_text({"secondary.": (dns.tsig.HMAC_SHA256, secret)})


def transfers():
    """The zone as it is given whole, and what a change makes of it; who signs wrongly is told why."""
    zone = dns.zone.Zone(ZONE)

    def update():
        query, _ = dns.xfr.make_query(zone, keyring=keyring())
        dns.query.inbound_xfr(SERVERS[0], zone, query, timeout=10, lifetime=20)
        kind = dns.rdatatype.to_text(query.question[0].rdtype)
        return kind, zone.get_soa().serial, zone.to_text(relativize=True)

    said = {}
    kind, before, text = update()
    said["first"] = [kind, sorted(line for line in text.splitlines() if line.split()[0] in ("web", "six", "follow"))]
    ask_test("change")
    after = before
    while after == before:
        # What changes in quick succession is one change a second.
        kind, after, text = update()
        time.sleep(0.05)
    said["then"] = [kind, after > before, [line for line in text.splitlines() if line.split()[0] == "web"]]
    whole = dns.zone.Zone(ZONE)
    query, _ = dns.xfr.make_query(whole, keyring=keyring())
    dns.query.inbound_xfr(SERVERS[0], whole, query, timeout=10, lifetime=20)
    said["same"] = whole == zone
    said["unsigned"] = refusal(lambda: dns.query.inbound_xfr(SERVERS[0], dns.zone.Zone(ZONE)))
    real = time.time
    for what, ring, later in [
        ("right", keyring(), 0),
        ("wrong secret", keyring("d3JvbmcgYnV0IGxvbmcgZW5vdWdoIHRvIGJlIG9uZQ=="), 0),
        ("unknown key", dns.tsigkeyring.from_text({"nobody.": (dns.tsig.HMAC_SHA256, SECRET)}), 0),
        ("wrong time", keyring(), 1000),
    ]:
        query = dns.message.make_query(f"web.{ZONE}", "A")
        query.use_tsig(ring)
        time.time = lambda: real() - later
        said[what] = refusal(lambda: dns.query.udp(query, SERVERS[0], timeout=10))
        time.time = real
    return said


def refusal(work):
    try:
        reply = work()
        return f"signed {reply.had_tsig}" if reply else "given"
    except (dns.xfr.TransferError, dns.tsig.PeerError) as error:
        return f"{type(error).__name__} {error}" if isinstance(error, dns.xfr.TransferError) else type(error).__name__


counts, wrong, replies = questions()
told = {"counts": counts, "wrong": wrong, "replies": replies, "fallback": fallback(), "resolved": resolved(), "cookies": cookies()}
if SECRET != "-":
    told["transfers"] = transfers()
ask_test(f"told {json.dumps(told)}")
print("done")
