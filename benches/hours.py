"""Cuts a log into 24 gzip files of an hour each, named as S3 keeps flow logs, for `flowtail open FOLDER`: python3 benches/hours.py f1m.log FOLDER"""

import datetime
import gzip
import pathlib
import sys

log, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
records = [line.split(b" ") for line in log.read_bytes().splitlines()]
records = sorted((record for record in records if record[10].isdigit()), key=lambda record: int(record[10]))
first, size = int(records[0][10]) // 3600 * 3600, -(-len(records) // 24)
folder.mkdir(parents=True)
for hour in range(24):
    part = records[hour * size : (hour + 1) * size]
    for place, record in enumerate(part):
        # Each file's records are spread over its hour.
        start = first + hour * 3600 + place * 3500 // len(part)
        record[10], record[11] = b"%d" % start, b"%d" % (start + int(record[11]) - int(record[10]))
    text = b"\n".join(b" ".join(record) for record in part) + b"\n"
    at = datetime.datetime.fromtimestamp(first + hour * 3600, datetime.timezone.utc)
    name = f"123456789012_vpcflowlogs_us-east-1_fl-0a1b_{at:%Y%m%dT%H%MZ}_{hour:08x}.log.gz"
    (folder / name).write_bytes(gzip.compress(text, 6))
