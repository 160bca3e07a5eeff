"""What others bought: picks products from past purchases in SQLite and asks the catalog for their titles."""

import logging
import os
import sqlite3
from contextlib import closing

from shop_service import serve  # first, so that what follows is instrumented

import requests
from flask import Flask, jsonify

PURCHASE_COUNT = 20_000
PICKS = 3
TIMEOUT_S = 5

log = logging.getLogger("shop.recommendations")
app = Flask("recommendations")
database_path = os.path.join(os.environ["SHOP_DATA"], "recommendations.sqlite")

SET_UP = f"""
DROP TABLE IF EXISTS purchases;
CREATE TABLE purchases (user TEXT NOT NULL, product INTEGER NOT NULL);
WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < {PURCHASE_COUNT})
INSERT INTO purchases SELECT 'user-' || (i * 37) % 500, 1 + (i * 7919) % 2000 FROM n;
CREATE INDEX purchases_by_user ON purchases (user);
CREATE INDEX purchases_by_product ON purchases (product);
"""

ALSO_BOUGHT = """
SELECT other.product, count(*) AS times FROM purchases AS own
JOIN purchases AS peer ON peer.product = own.product
JOIN purchases AS other ON other.user = peer.user
WHERE own.user = ? GROUP BY other.product ORDER BY times DESC, other.product LIMIT ?
"""

BESTSELLERS = "SELECT product, count(*) AS times FROM purchases GROUP BY product ORDER BY times DESC, product LIMIT ?"


@app.get("/recommendations/<user>")
def recommend(user):
    # Statements of a cursor are traced, those of the connection itself are not.
    with closing(sqlite3.connect(database_path)) as database:
        statements = database.cursor()
        picks = statements.execute(ALSO_BOUGHT, (user, PICKS)).fetchall()
        if not picks:
            log.info("nothing known of %s, taking bestsellers", user)
            picks = statements.execute(BESTSELLERS, (PICKS,)).fetchall()
    products = []
    for product, times in picks:
        answer = requests.get(f"{os.environ['CATALOG_URL']}/products/{product}", timeout=TIMEOUT_S)
        answer.raise_for_status()
        products.append({**answer.json(), "times": times})
    log.info("recommending %d products to %s", len(products), user)
    return jsonify(products=products)


if __name__ == "__main__":
    with closing(sqlite3.connect(database_path)) as database:
        database.executescript(SET_UP)
    serve(app)
