"""Commits the rows of a CSV file to DoltLite, ten at a time, as often as a line of standard input says, and answers with
the seconds that it took.

The rows and the commit stand in one transaction, so that there is one sync for both: the quickest durable way."""

import doltlite  # first: it takes the place of the SQLite that the next module loads

import csv
import sqlite3
import sys
import time


def batches(path):
    with open(path, newline="") as file:
        rows = [(int(i), int(ts), category, name, float(price), int(qty)) for i, ts, category, name, price, qty in csv.reader(file)]
    return [rows[i : i + 10] for i in range(0, len(rows), 10)]


def commit(connection, batch):
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", batch)
    connection.execute("SELECT dolt_commit('-A', '-m', 'ten rows')").fetchall()
    if connection.in_transaction:
        connection.execute("COMMIT")


def main():
    connection = sqlite3.connect(sys.argv[1], isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE t(id INTEGER, ts INTEGER, category TEXT, name TEXT, price REAL, qty INTEGER)")
    connection.execute("SELECT dolt_commit('-A', '-m', 'create')").fetchall()
    left = batches(sys.argv[2])
    done = 0
    print("ready", flush=True)
    for line in sys.stdin:
        now, left = left[: int(line)], left[int(line) :]
        started = time.perf_counter()
        for batch in now:
            commit(connection, batch)
        took = time.perf_counter() - started
        done += len(now)
        commits = connection.execute("SELECT count(*) FROM dolt_log").fetchone()[0]
        found = connection.execute("SELECT count(*) FROM t").fetchone()[0]
        if len(now) != int(line) or commits < done or found != done * 10:
            sys.exit(f"{done} commits were made, and DoltLite knows {commits} of them and {found} rows")
        print(took, flush=True)


main()
