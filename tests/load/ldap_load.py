# SPDX-License-Identifier: GPL-3.0-or-later
"""Does N of each kind of thing with an LDAP server, by libldap.

usage: ldap_load.py PORT N PAUSE     PAUSE 1: prints "ready" once connected and waits for a line

Prints what it did and got, as JSON: {"did": {"search success 3": 100, ...}}; the number
is of the entries that came."""
import json
import sys
from collections import Counter

import ldap
import ldap.modlist

BASE, ADMIN = "dc=example,dc=org", "cn=admin,dc=example,dc=org"
did = Counter()


def told(op, do, *args, **kw):
    """Does it; counts it with its result."""
    try:
        got = do(*args, **kw)
        result = "success"
        if op == "compare":
            result = "compareTrue" if got else "compareFalse"
    except ldap.LDAPError as e:
        got, result = [], {"NO_SUCH_OBJECT": "noSuchObject", "ALREADY_EXISTS": "entryAlreadyExists",
                           "INVALID_CREDENTIALS": "invalidCredentials", "FILTER_ERROR": None,
                           "SIZELIMIT_EXCEEDED": "sizeLimitExceeded", "INVALID_DN_SYNTAX": "invalidDNSyntax",
                           "UNDEFINED_TYPE": "undefinedAttributeType"}[type(e).__name__]
    did[f"{op} {result}" + (f" {len(got)}" if op == "search" else "")] += 1


def person(i):
    return f"uid=person{i},ou=people,{BASE}"


def fill(c):
    told("add", c.add_s, BASE, ldap.modlist.addModlist({"objectClass": [b"dcObject", b"organization"], "o": [b"Example"], "dc": [b"example"]}))
    told("add", c.add_s, f"ou=people,{BASE}", ldap.modlist.addModlist({"objectClass": [b"organizationalUnit"], "ou": [b"people"]}))
    for i in range(20):
        told("add", c.add_s, person(i), ldap.modlist.addModlist(
            {"objectClass": [b"inetOrgPerson"], "uid": [b"person%d" % i], "cn": [b"Person %d" % i], "sn": [b"x" * (i * 2000 + 1)]}))


def work(c, n):
    for i in range(n):
        told("search", c.search_s, BASE, ldap.SCOPE_SUBTREE, f"(&(objectClass=inetOrgPerson)(uid=person{i % 20}))", ["cn", "mail"])
        told("search", c.search_s, f"ou=people,{BASE}", ldap.SCOPE_ONELEVEL, "(|(uid=person1*)(cn=*5))", ["uid"])
        told("search", c.search_s, person(999), ldap.SCOPE_BASE)
        told("modify", c.modify_s, person(i % 20), [(ldap.MOD_REPLACE, "mail", [b"p%d@example.org" % i]), (ldap.MOD_REPLACE, "title", [b"t"])])
        told("compare", c.compare_s, person(1), "uid", b"person%d" % (i % 4))
        told("add", c.add_s, f"ou=unit{i},{BASE}", ldap.modlist.addModlist({"objectClass": [b"organizationalUnit"], "ou": [b"unit%d" % i]}))
        told("add", c.add_s, f"ou=unit{i},{BASE}", ldap.modlist.addModlist({"objectClass": [b"organizationalUnit"], "ou": [b"unit%d" % i]}))
        told("modifyDN", c.rename_s, f"ou=unit{i},{BASE}", f"ou=other{i}")
        told("delete", c.delete_s, f"ou=other{i},{BASE}")
        told("delete", c.delete_s, f"ou=other{i},{BASE}")
        told("extended", c.whoami_s)


def at_once(c, n):
    """Some requests before the first answer is read."""
    for _ in range(n):
        ids = [c.search(BASE, ldap.SCOPE_SUBTREE, f"(uid=person{k})") for k in range(10)]
        ids += [c.compare(person(1), "uid", b"person1")]
        for i in reversed(ids[:10]):
            _, found = c.result(i)
            did[f"search success {len(found)}"] += 1
        try:
            c.result(ids[10])
        except ldap.COMPARE_TRUE:
            did["compare compareTrue"] += 1


def main():
    port, n, pause = map(int, sys.argv[1:])
    c = ldap.initialize(f"ldap://127.0.0.1:{port}")
    told("bind", c.simple_bind_s, ADMIN, "secret")
    if pause:
        fill(c)
        did.clear()
        print("ready", flush=True)
        sys.stdin.readline()
    else:
        fill(c)
    work(c, n)
    at_once(c, n // 5)
    for i in range(n // 10):
        other = ldap.initialize(f"ldap://127.0.0.1:{port}")
        told("bind", other.simple_bind_s, person(i), "wrong-one")
        told("bind", other.simple_bind_s)
        told("search", other.search_ext_s, BASE, ldap.SCOPE_SUBTREE, "(uid>=person1)", sizelimit=2)
        other.unbind_s()
        did["unbind None"] += 1
    c.abandon(c.search(BASE, ldap.SCOPE_SUBTREE))
    told("extended", c.whoami_s)
    c.unbind_s()
    did["unbind None"] += 1
    print(json.dumps({"did": did}))


if __name__ == "__main__":
    main()
