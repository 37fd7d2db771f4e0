#!/usr/bin/env python3
"""peer.py MODE FILE: one measurement of one Python peer in a process of its own; prints one JSON object (lines, seconds, held bytes)."""
import json
import os
import resource
import sys
import time

NAMES = "version account_id interface_id srcaddr dstaddr srcport dstport protocol packets bytes start end action log_status".split()
INTEGERS = {"version", "srcport", "dstport", "protocol", "packets", "bytes", "start", "end"}


def resident():
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def duckdb_load(path, threads):
    import duckdb
    db = duckdb.connect(config={"threads": threads})
    columns = ", ".join(f"'{n}': '{'BIGINT' if n in INTEGERS else 'VARCHAR'}'" for n in NAMES)
    return db, f"CREATE TABLE flows AS SELECT * FROM read_csv('{path}', delim=' ', header=false, nullstr='-', auto_detect=false, columns={{{columns}}})"


def main(mode, path):
    os.environ["POLARS_MAX_THREADS"] = "1"
    seconds = None
    if mode in ("duckdb1", "duckdb2", "duckdb-pair", "duckdb-packed", "duckdb-join"):
        db, load = duckdb_load(path, 1 if mode == "duckdb1" else 2)
        before, used, begun = resident(), time.process_time(), time.perf_counter()
        db.execute(load)
        if mode == "duckdb-pair":
            used, begun = time.process_time(), time.perf_counter()
            src, dst = ("{'a': " + f"{side}addr, 'p': {side}port" + "}" for side in ("src", "dst"))
            db.execute(f"""CREATE TABLE pairs AS SELECT least({src}, {dst}) a, greatest({src}, {dst}) b,
                protocol, sum(bytes), sum(packets), min(start), max("end") FROM flows WHERE srcaddr IS NOT NULL GROUP BY ALL""")
        elif mode != "duckdb1" and mode != "duckdb2":
            # Both ends of a conversation as one number each, made before the clock starts: IPv4 only, like nfdump.
            end = lambda side: f"""((split_part({side}addr, '.', 1)::UBIGINT << 40) | (split_part({side}addr, '.', 2)::UBIGINT << 32)
                | (split_part({side}addr, '.', 3)::UBIGINT << 24) | (split_part({side}addr, '.', 4)::UBIGINT << 16) | {side}port::UBIGINT)"""
            db.execute(f"""CREATE TABLE packed AS SELECT {end("src")} s, {end("dst")} d, protocol::UTINYINT p, bytes, packets, start, "end"
                FROM flows WHERE srcaddr LIKE '%.%'""")
            db.execute("DROP TABLE flows; ALTER TABLE packed RENAME TO flows")
            used, begun = time.process_time(), time.perf_counter()
            if mode == "duckdb-packed":
                db.execute("""CREATE TABLE pairs AS SELECT least(s, d) a, greatest(s, d) b, p, sum(bytes) FILTER (s <= d), sum(packets) FILTER (s <= d),
                    sum(bytes) FILTER (s > d), sum(packets) FILTER (s > d), min(start), max("end") FROM flows GROUP BY ALL""")
            else:
                db.execute("""CREATE TABLE pairs AS WITH way AS (SELECT s, d, p, sum(bytes) b, sum(packets) n, min(start) t0, max("end") t1
                    FROM flows GROUP BY ALL) SELECT f.*, r.b rb, r.n rn, r.t0 rt0, r.t1 rt1 FROM way f LEFT JOIN way r ON f.s = r.d AND f.d = r.s AND f.p = r.p
                    WHERE f.s <= f.d OR r.s IS NULL""")
        seconds, busy = time.perf_counter() - begun, time.process_time() - used
        lines = db.execute("SELECT count(*) FROM flows").fetchone()[0]
    elif mode == "polars":
        import polars as pl
        schema = {n: pl.Int64 if n in INTEGERS else pl.String for n in NAMES}
        before, used, begun = resident(), time.process_time(), time.perf_counter()
        held = pl.read_csv(path, separator=" ", has_header=False, schema=schema, null_values="-", quote_char=None)
        lines = held.height
    elif mode == "pandas":
        import pandas as pd
        types = {n: "Int64" if n in INTEGERS else "string" for n in NAMES}
        before, used, begun = resident(), time.process_time(), time.perf_counter()
        held = pd.read_csv(path, sep=" ", header=None, names=NAMES, dtype=types, na_values="-", keep_default_na=False, engine="c")
        lines = len(held)
    elif mode == "pyarrow":
        import pyarrow as pa
        from pyarrow import csv
        types = {n: pa.int64() if n in INTEGERS else pa.string() for n in NAMES}
        before, used, begun = resident(), time.process_time(), time.perf_counter()
        held = csv.read_csv(path, csv.ReadOptions(use_threads=False, column_names=NAMES), csv.ParseOptions(delimiter=" ", quote_char=False),
                            csv.ConvertOptions(column_types=types, null_values=["-"], strings_can_be_null=True))
        lines = held.num_rows
    elif mode == "flowlogs-reader":
        import warnings
        warnings.simplefilter("ignore")
        from flowlogs_reader import FlowRecord
        with open(path, encoding="ascii") as file:
            events = [{"message": line} for _, line in zip(range(200_000), file)]
        before, used, begun = resident(), time.process_time(), time.perf_counter()
        held = [FlowRecord.from_cwl_event(event) for event in events]
        lines = len(held)
    else:
        sys.exit(f"no mode {mode}")
    if seconds is None:
        seconds, busy = time.perf_counter() - begun, time.process_time() - used
    print(json.dumps({"lines": lines, "seconds": seconds, "busy": busy, "held": resident() - before}))


main(*sys.argv[1:3])
