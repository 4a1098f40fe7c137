# SPDX-License-Identifier: GPL-3.0-or-later
"""Spans and the servers' own accounts in the same words, and their comparison."""
import os
import re
from collections import Counter, defaultdict


def same(spans, account, what):
    """Fails unless both count the same, and says what is missing and what is invented."""
    spans, account = Counter(spans), Counter(account)
    if spans == account:
        return
    missing, invented = account - spans, spans - account
    raise AssertionError(
        f"{what}: {sum(account.values())} in the account, {sum(spans.values())} spans;"
        f" missing {sum(missing.values())}: {missing.most_common(8)};"
        f" invented {sum(invented.values())}: {invented.most_common(8)}")


def clean(run):
    """The run ended well, lost nothing, and no row is marked as damaged."""
    assert run.status == 0, run.err
    assert run.summary["shown"] == len(run.rows)
    assert run.lost() == 0, run.summary
    bad = [r for r in run.rows if "gap" in r["flags"]]
    assert not bad, (len(bad), bad[:3])


def carried(once):
    """
    The run of once(environment) at the highest speed at which nothing is lost, found here and printed:
    a load that rests a while after each exchange, as LOAD_PAUSE_US says.
    """
    for pause in (0, 300, 3000):
        run = once({**os.environ, "LOAD_PAUSE_US": str(pause)})
        print(f"with {pause} us of rest after each exchange: lost {run.lost()}")
        if run.whole():
            break
    return run


def error_code(row, good):
    """The protocol's own code where the answer was an error, else `good`."""
    return row["status"] if row["error"] else good


def statement(row):
    """A PostgreSQL span as its log has it."""
    return row["target"], error_code(row, "00000")


def times_are_sane(rows):
    """No negative time, ttfb within dur."""
    for r in rows:
        assert r["dur_ms"] is not None and r["dur_ms"] >= 0, r
        if r["ttfb_ms"] is not None:
            assert 0 <= r["ttfb_ms"] <= r["dur_ms"], r


def end_ns(row):
    return row["start_ns"] + round(row["dur_ms"] * 1e6)


def pairs(servers, clients):
    """(server span, client span) of the same request: reversed 4-tuple, same place in the order."""
    def by_conn(rows, mine, other):
        out = defaultdict(list)
        for r in rows:
            out[(r[mine + "_ip"], r[mine + "_port"], r[other + "_ip"], r[other + "_port"])].append(r)
        return out
    s, c = by_conn(servers, "local", "peer"), by_conn(clients, "peer", "local")
    for key in s.keys() & c.keys():
        yield from zip(s[key], c[key])


def inside(servers, clients):
    """The server span lies inside the client span, for every pair; returns how many there were."""
    n, bad = 0, []
    for s, c in pairs(servers, clients):
        n += 1
        assert "blocked" not in s["flags"] + c["flags"], (s, c)
        assert (s["op"], s["target"]) == (c["op"], c["target"]), (s, c)
        if s["start_ns"] < c["start_ns"] or end_ns(s) > end_ns(c):
            bad.append((s["start_ns"] - c["start_ns"], end_ns(c) - end_ns(s), s, c))
    assert not bad, (f"{len(bad)} of {n} server spans not inside (ns early, ns spare at the end):",
                     [b[:2] for b in bad[:10]], bad[0][2:])
    return n


def overlapping(servers, clients):
    """
    Where nobody tells when a call began: the same requests in the same order on each connection, none
    that ends for the client before the server has it, and each client's start marked as a guess.
    Returns how many there were.
    """
    n = late = 0
    for s, c in pairs(servers, clients):
        n += 1
        assert (s["op"], s["target"]) == (c["op"], c["target"]), (s, c)
        assert s["start_ns"] <= end_ns(c), (s, c)
        assert "blocked" in c["flags"] and "blocked" not in s["flags"], (s, c)
        # the client may have been kept from returning until all was over, but not as a rule
        late += c["start_ns"] > end_ns(s)
    assert late <= n / 10, (late, n)
    return n


def literals_gone(text):
    """A statement with its numbers and strings replaced, as prepared text and log line agree."""
    return re.sub(r"'[^']*'|\b\d+\b|\?", "?", text).strip(" \n;\0")
