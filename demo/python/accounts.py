"""Logins and addresses over SQLite. The fault built in: it takes for granted that every user has a region."""

import hashlib
import logging
import os
import sqlite3
from contextlib import closing, contextmanager

from shop_service import serve  # first, so that what follows is instrumented

from flask import Flask, jsonify, request

USER_COUNT = 500
HASH_ROUNDS = 60_000
CITIES = {0: "Ghent", 1: "Porto", 2: "Turku", 3: "Brno"}

log = logging.getLogger("shop.accounts")
app = Flask("accounts")
database_path = os.path.join(os.environ["SHOP_DATA"], "accounts.sqlite")


def password_hash(user, password):
    return hashlib.pbkdf2_hmac("sha256", password.encode(), user.encode(), HASH_ROUNDS).hex()


def set_up():
    with sqlite3.connect(database_path) as database:
        database.executescript(
            """
            DROP TABLE IF EXISTS users;
            CREATE TABLE users (name TEXT PRIMARY KEY, region INTEGER, logins INTEGER NOT NULL DEFAULT 0);
            """
        )
        # Every seventh user has no region.
        rows = [(f"user-{n}", None if n % 7 == 0 else n % len(CITIES)) for n in range(USER_COUNT)]
        database.executemany("INSERT INTO users (name, region) VALUES (?, ?)", rows)


@contextmanager
def cursor():
    # Statements of a cursor are traced, those of the connection itself are not.
    with closing(sqlite3.connect(database_path)) as database, database:
        yield database.cursor()


def find_user(statements, name):
    return statements.execute("SELECT name, region FROM users WHERE name = ?", (name,)).fetchone()


@app.post("/login")
def login():
    user, password = request.json["user"], request.json["password"]
    with cursor() as statements:
        if find_user(statements, user) is None:
            log.warning("login of unknown user %s", user)
            return jsonify(error=f"no user {user}"), 401
        token = password_hash(user, password)
        statements.execute("UPDATE users SET logins = logins + 1 WHERE name = ?", (user,))
    log.info("%s logged in", user)
    return jsonify(user=user, token=token[:16])


@app.get("/addresses/<user>")
def address(user):
    with cursor() as statements:
        found = find_user(statements, user)
    if found is None:
        return jsonify(error=f"no user {user}"), 404
    # Users without a region have None here, which is no key: a KeyError for one user in seven.
    return jsonify(user=user, city=CITIES[found[1]])


@app.errorhandler(KeyError)
def answer_error(error):
    log.exception("%s %s failed", request.method, request.path)
    raise error


if __name__ == "__main__":
    set_up()
    serve(app)
