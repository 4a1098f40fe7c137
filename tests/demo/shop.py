# SPDX-License-Identifier: GPL-3.0-or-later
"""shop - the service of the demo: HTTP in; PostgreSQL, MariaDB, Redis and HTTP out.

usage: shop.py PORT POSTGRES-PORT MARIADB-PORT REDIS-PORT SHIPPING-PORT
       shop.py shipping PORT
       shop.py traffic PORT
"""
import http.client
import json
import random
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Stores(threading.local):
    """Each thread's own connections, made when they are first used."""

    postgres_port = mariadb_port = redis_port = shipping_port = 0

    @property
    def postgres(self):
        if not hasattr(self, "_postgres"):
            import psycopg2
            self._postgres = psycopg2.connect(host="127.0.0.1", port=self.postgres_port, user="postgres")
            self._postgres.autocommit = True
        return self._postgres.cursor()

    @property
    def mariadb(self):
        if not hasattr(self, "_mariadb"):
            import pymysql
            self._mariadb = pymysql.connect(host="127.0.0.1", port=self.mariadb_port, user="root",
                                            database="shop", autocommit=True)
        return self._mariadb.cursor()

    @property
    def redis(self):
        if not hasattr(self, "_redis"):
            import redis
            self._redis = redis.Redis(port=self.redis_port)
        return self._redis


stores = Stores()


def product(number):
    cached = stores.redis.get(f"product:{number}")
    if cached:
        return json.loads(cached)
    db = stores.mariadb
    db.execute("SELECT id, name, price FROM products WHERE id = %s", (number,))
    row = db.fetchone()
    stores.redis.setex(f"product:{number}", 2, json.dumps(row))
    return row


def cart(number):
    db = stores.postgres
    db.execute("SELECT product, amount FROM carts WHERE customer = %s", (number,))
    return [(product(p), n) for p, n in db.fetchall()]


def report(number):
    db = stores.postgres
    db.execute("SELECT count(*), sum(amount), pg_sleep(0.25) FROM carts WHERE customer > %s", (number,))
    return db.fetchone()[0]


def checkout(number):
    stores.redis.incr("checkouts")
    db = stores.mariadb
    db.execute("INSERT INTO orders (id, customer) VALUES (1, %s)", (number,))  # 1 exists: this fails
    return "ordered"


def shipping(number):
    c = http.client.HTTPConnection("127.0.0.1", stores.shipping_port)
    c.request("GET", f"/quote/{number}")
    text = c.getresponse().read().decode()
    c.close()
    return text


ROUTES = {"product": product, "cart": cart, "report": report, "checkout": checkout, "shipping": shipping}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        _, name, number = (self.path + "//").split("/")[:3]
        try:
            status, body = 200, json.dumps(ROUTES[name](int(number or 1)), default=str)
        except KeyError:
            status, body = 404, "no such page"
        except Exception as e:
            status, body = 500, str(e)
        self.answer(status, body)

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


class Slow(Handler):
    def do_GET(self):
        time.sleep(0.12)
        self.answer(200, "in three days")


def traffic(port):
    """About 30 requests a second over a kept connection."""
    c = http.client.HTTPConnection("127.0.0.1", port)
    dice = random.Random(1)
    while True:
        name = dice.choices(["product", "cart", "shipping", "checkout", "report"], [50, 30, 8, 6, 3])[0]
        c.request("GET", f"/{name}/{dice.randint(1, 20)}")
        c.getresponse().read()
        time.sleep(dice.expovariate(30))


def main(args):
    if args[0] == "traffic":
        traffic(int(args[1]))
    elif args[0] == "shipping":
        ThreadingHTTPServer(("127.0.0.1", int(args[1])), Slow).serve_forever()
    else:
        port, Stores.postgres_port, Stores.mariadb_port, Stores.redis_port, Stores.shipping_port = map(int, args)
        ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1:])
