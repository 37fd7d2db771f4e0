#!/usr/bin/env python3
"""filter.py [FILE] [ROUNDS]: a filter over flows that are held, flowtail beside DuckDB and polars, one table in Markdown.

Called by `benches/peers/run filter [FILE]`, which prepares what it needs. Each program holds the same flows in memory on one thread and is asked in
turn, ROUNDS (15) times, so that a neighbour's load falls on all. The peers get what suits them: ports of two bytes, addresses as numbers (IPv6 left
out), and only count; flowtail's pass finds the rows in order of time and cuts the first page, as on the screen.
"""
import json
import pathlib
import statistics
import subprocess
import sys

PEERS, HERE = pathlib.Path("target/peers"), pathlib.Path("benches/peers")
PYTHON = str(PEERS / "venv/bin/python")
QUESTIONS = {"port": "port 11211 and bytes > 1000", "cidr": "10.0.2.0/24"}
NAMES = "version account_id interface_id srcaddr dstaddr srcport dstport protocol packets bytes start end action log_status".split()

# Text to the types that a careful user of DuckDB would choose.
PACK = """
import sys, duckdb
names, source, target = sys.argv[1].split(), sys.argv[2], sys.argv[3]
columns = ", ".join(f"'{name}': 'VARCHAR'" for name in names)
part = lambda name, at: f"split_part({name}, '.', {at})::UINTEGER"
four = lambda name: f"CASE WHEN contains({name}, '.') THEN {part(name, 1)} * 16777216 + {part(name, 2)} * 65536 + {part(name, 3)} * 256 + {part(name, 4)} END::UINTEGER"
duckdb.connect(config={"preserve_insertion_order": True}).execute(f'''COPY (SELECT interface_id, {four("srcaddr")} srcaddr, {four("dstaddr")} dstaddr,
    srcport::USMALLINT srcport, dstport::USMALLINT dstport, protocol::UTINYINT protocol, packets::UINTEGER packets, bytes::UBIGINT bytes, start::UINTEGER start,
    "end"::UINTEGER "end", action FROM read_csv('{source}', delim=' ', header=false, nullstr='-', quote='', auto_detect=false, columns={{{columns}}}))
    TO '{target}' (FORMAT parquet)''')
"""


class Peer:
    def __init__(self, *command, reads_filters=False):
        self.reads_filters = reads_filters
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.rows = int(self.process.stdout.readline().split()[1])
        self.times = {question: [] for question in QUESTIONS}
        self.used = {question: [] for question in QUESTIONS}
        self.hits = {}

    def ask(self, question):
        self.process.stdin.write((QUESTIONS[question] if self.reads_filters else question) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        self.times[question].append(answer["ms"])
        self.used[question].append(answer["cpu"])
        self.hits[question] = answer["hits"]


def main(file, rounds):
    parquet = PEERS / (pathlib.Path(file).name + ".parquet")
    if not parquet.exists():
        subprocess.run([PYTHON, "-c", PACK, " ".join(NAMES), file, str(parquet)], check=True)
    peers = {"flowtail": Peer("target/release/examples/way_in", "ask", file, reads_filters=True)}
    for name in ("DuckDB", "polars"):
        peers[name] = Peer(PYTHON, str(HERE / "held.py"), name, str(parquet))
    for _ in range(rounds):
        for question in QUESTIONS:
            for peer in peers.values():
                peer.ask(question)
    print(f"{peers['flowtail'].rows:,} flows held, one thread, {rounds} rounds in turn, milliseconds\n")
    print("| filter | program | processor, median | wall, median | wall, fastest | hits |\n|---|---|---|---|---|---|")
    for question, text in QUESTIONS.items():
        for name, peer in peers.items():
            times = peer.times[question]
            print(f"| `{text}` | {name} | {statistics.median(peer.used[question]):.1f} | {statistics.median(times):.1f} | {min(times):.1f} | {peer.hits[question]:,} |")
    for peer in peers.values():
        peer.process.stdin.close()
        peer.process.wait()


main(sys.argv[1], int(sys.argv[2]))
