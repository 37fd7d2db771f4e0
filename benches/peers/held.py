#!/usr/bin/env python3
"""held.py DUCKDB|polars FILE.parquet: one peer that holds flows in memory and answers questions, one thread. Called by `filter.py`.

Says `ready ROWS` once it holds the file, then for each line of standard input (`port` or `cidr`) one JSON object with milliseconds
(wall and processor) and hits.
"""
import json
import os
import sys
import time

LOW, HIGH = 0x0A000200, 0x0A0002FF  # 10.0.2.0/24


def duckdb_peer(path):
    import duckdb
    db = duckdb.connect(config={"threads": 1})
    db.execute(f"CREATE TABLE flows AS SELECT * FROM '{path}'")
    ask = {
        "port": "SELECT count(*) FROM flows WHERE (srcport = 11211 OR dstport = 11211) AND bytes > 1000",
        "cidr": f"SELECT count(*) FROM flows WHERE srcaddr BETWEEN {LOW} AND {HIGH} OR dstaddr BETWEEN {LOW} AND {HIGH}",
    }
    return db.execute("SELECT count(*) FROM flows").fetchone()[0], lambda what: db.execute(ask[what]).fetchone()[0]


def polars_peer(path):
    os.environ["POLARS_MAX_THREADS"] = "1"
    import polars as pl
    flows, col = pl.read_parquet(path).rechunk(), pl.col
    ask = {
        "port": ((col("srcport") == 11211) | (col("dstport") == 11211)) & (col("bytes") > 1000),
        "cidr": col("srcaddr").is_between(LOW, HIGH) | col("dstaddr").is_between(LOW, HIGH),
    }
    return flows.height, lambda what: flows.select(ask[what].sum()).item()


def main(peer, path):
    rows, ask = {"DuckDB": duckdb_peer, "polars": polars_peer}[peer](path)
    print("ready", rows, flush=True)
    for line in sys.stdin:
        begun, before = time.perf_counter(), time.process_time()
        hits = ask(line.strip())
        wall, used = time.perf_counter() - begun, time.process_time() - before
        print(json.dumps({"ms": wall * 1000, "cpu": used * 1000, "hits": hits}), flush=True)


main(*sys.argv[1:3])
