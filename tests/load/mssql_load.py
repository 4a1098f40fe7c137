# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs some 4 N requests against a server of TDS, by python-tds or by FreeTDS (pymssql).

usage: mssql_load.py LIBRARY PORT N PAUSE     PAUSE 1: prints "ready" once it is connected, waits for a line

Prints, as JSON, how often it did what: {"SELECT songs": 5, ...}; an error by its number."""
import json
import sys
from collections import Counter

PASSWORD = "Secret_word_1"
did = Counter()


def by_python(port):
    import OpenSSL.SSL
    import pytds.tls

    make = pytds.tls.create_context

    def trusting(cafile):
        context = make(cafile)  # the server has made its certificate itself
        context.set_verify(OpenSSL.SSL.VERIFY_NONE, lambda *_: True)
        return context
    pytds.tls.create_context = trusting
    did.update(["PRELOGIN", "LOGIN"])
    return pytds, pytds.connect("127.0.0.1", port=port, database="shop", user="alice", password=PASSWORD,
                                enc_login_only=True, cafile="/etc/ssl/certs/ca-certificates.crt",
                                validate_host=False, autocommit=True)


def by_freetds(port):
    import pymssql

    did.update(["PRELOGIN", "LOGIN"])
    return pymssql, pymssql.connect("127.0.0.1", port=str(port), database="shop", user="alice", password=PASSWORD,
                                    encryption="request", autocommit=True)


def fails(library, cursor, statement, number):
    try:
        cursor.execute(statement)
        cursor.fetchall()
    except library.Error as e:
        assert number in (getattr(e, "number", None), e.args[0]), e
        did[str(number)] += 1


def statements(library, cursor, n):
    for i in range(n):
        cursor.execute(f"SELECT id, name FROM [songs] WHERE id = {i} AND name <> N'it''s'")
        assert cursor.fetchall() == [(i, f"song {i}")]
    for i in range(n):
        cursor.execute("SELECT name FROM songs WHERE id = %s", (i,))
        assert cursor.fetchall() == [(f"song {i}",)]
    did["SELECT [songs]"] += n
    did["SELECT songs"] += n
    for _ in range(n // 4):
        fails(library, cursor, "SELECT nothing FROM songs", 207)
    for _ in range(n // 10):
        cursor.execute("SELECT id, name FROM songs ORDER BY id")
        assert len(cursor.fetchall()) == 400
    did["SELECT songs"] += n // 10
    for i in range(min(4, n // 10)):
        cursor.execute(f"SELECT '{'x' * 5000 * i}' AS a")
        assert len(cursor.fetchone()[0]) == 5000 * i
        cursor.fetchall()
    did["SELECT"] += min(4, n // 10)


def temporary(cursor, n):
    cursor.execute("CREATE TABLE #kept (a int)")
    for i in range(n):
        cursor.execute(f"INSERT INTO #kept VALUES ({i}), ({i + 1})")
    did["CREATE TABLE #kept"] += 1
    did["INSERT #kept"] += n


def transactions(connection, cursor, n):
    """By requests of their own, not by statements."""
    for i in range(n):
        connection.autocommit = False
        connection.rollback() if i % 2 else connection.commit()  # another one begins with it
        connection.autocommit = True


def cancelled(cursor, n):
    """The server has sent all of it by then, and confirms."""
    for _ in range(n):
        cursor.execute("SELECT id, name FROM songs ORDER BY id")
        cursor.cancel()
    did["SELECT songs"] += n


def procedures(cursor, n):
    for _ in range(n):
        cursor.callproc("sp_tables", ())
        while cursor.nextset():
            pass
    did["EXEC sp_tables"] += n


def main(library, port, n, pause):
    module, connection = (by_python if library == "python" else by_freetds)(port)
    if pause:
        did.clear()
        print("ready", flush=True)
        sys.stdin.readline()
    cursor = connection.cursor()
    statements(module, cursor, n)
    temporary(cursor, n)
    procedures(cursor, n // 4)
    if library == "python":
        transactions(connection, cursor, n // 4)
        cancelled(cursor, n // 10)
    connection.close()
    print(json.dumps(did))


main(sys.argv[1], *map(int, sys.argv[2:]))
