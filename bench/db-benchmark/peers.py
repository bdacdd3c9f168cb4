"""Answers db-benchmark's questions by DuckDB's client, Polars or pandas: python peers.py duckdb FOLDER THREADS MEMORY."""
import json
import os
import sys
import time

library, folder, threads, memory = sys.argv[1:5]
os.environ["POLARS_MAX_THREADS"] = threads
names = ["x", "left", "small", "medium", "big"]

if library == "duckdb":
    import duckdb

    con = duckdb.connect(config={"threads": int(threads), "memory_limit": f"{int(memory) // 2**20}MiB"})
    for name in names:
        con.execute(f"create table \"{name}\" as from '{folder}/{name}.parquet'")
    right = "medium.id1 as id1_r, medium.id4 as id4_r"
    sql = {
        "g1": "select id1, sum(v1) v1 from x group by id1",
        "g2": "select id1, id2, sum(v1) v1 from x group by id1, id2",
        "g3": "select id3, sum(v1) v1, avg(v3) v3 from x group by id3",
        "g4": "select id4, avg(v1) v1, avg(v2) v2, avg(v3) v3 from x group by id4",
        "g5": "select id6, sum(v1) v1, sum(v2) v2, sum(v3) v3 from x group by id6",
        "g6": "select id4, id5, median(v3) middle, stddev(v3) spread from x group by id4, id5",
        "g7": "select id3, max(v1) - min(v2) r from x group by id3",
        "g8": "select id6, v3 largest from (select id6, v3, row_number() over (partition by id6 order by v3 desc) place from x where v3 is not null) where place <= 2",
        "g9": "select id2, id4, pow(corr(v1, v2), 2) r2 from x group by id2, id4",
        "g10": "select id1, id2, id3, id4, id5, id6, sum(v3) v3, count(*) n from x group by all",
        "j1": 'select l.*, small.id4 as id4_r, v2 from "left" l join small using (id1)',
        "j2": f'select l.*, {right}, medium.id5 as id5_r, v2 from "left" l join medium using (id2)',
        "j3": f'select l.*, {right}, medium.id5 as id5_r, v2 from "left" l left join medium using (id2)',
        "j4": f'select l.*, {right}, medium.id2 as id2_r, v2 from "left" l join medium using (id5)',
        "j5": 'select l.*, big.id1 as id1_r, big.id2 as id2_r, big.id4 as id4_r, big.id5 as id5_r, big.id6 as id6_r, v2 from "left" l join big using (id3)',
    }

    def answer(question):
        con.execute(f"create table answer as {sql[question]}")
        return lambda: con.execute("select count(*) from answer").fetchone()[0], lambda: con.execute("drop table answer")

elif library == "polars":
    import polars as pl

    x, left, small, medium, big = (pl.read_parquet(f"{folder}/{name}.parquet") for name in names)
    c = pl.col
    questions = {
        "g1": lambda: x.lazy().group_by("id1").agg(c("v1").sum()),
        "g2": lambda: x.lazy().group_by("id1", "id2").agg(c("v1").sum()),
        "g3": lambda: x.lazy().group_by("id3").agg(c("v1").sum(), c("v3").mean()),
        "g4": lambda: x.lazy().group_by("id4").agg(c("v1", "v2", "v3").mean()),
        "g5": lambda: x.lazy().group_by("id6").agg(c("v1", "v2", "v3").sum()),
        "g6": lambda: x.lazy().group_by("id4", "id5").agg(c("v3").median().alias("m"), c("v3").std().alias("s")),
        "g7": lambda: x.lazy().group_by("id3").agg((c("v1").max() - c("v2").min()).alias("r")),
        "g8": lambda: x.lazy().drop_nulls("v3").group_by("id6").agg(c("v3").top_k(2).alias("l")).explode("l"),
        "g9": lambda: x.lazy().group_by("id2", "id4").agg((pl.corr("v1", "v2") ** 2).alias("r2")),
        "g10": lambda: x.lazy().group_by("id1", "id2", "id3", "id4", "id5", "id6").agg(c("v3").sum(), pl.len().alias("n")),
        "j1": lambda: left.lazy().join(small.lazy(), on="id1"),
        "j2": lambda: left.lazy().join(medium.lazy(), on="id2"),
        "j3": lambda: left.lazy().join(medium.lazy(), on="id2", how="left"),
        "j4": lambda: left.lazy().join(medium.lazy(), on="id5"),
        "j5": lambda: left.lazy().join(big.lazy(), on="id3"),
    }

    def answer(question):
        frame = questions[question]().collect()
        return lambda: frame.height, lambda: None

else:
    import pandas as pd

    x, left, small, medium, big = (pd.read_parquet(f"{folder}/{name}.parquet") for name in names)
    by = lambda *keys: x.groupby(list(keys), as_index=False, sort=False, observed=True, dropna=False)
    questions = {
        "g1": lambda: by("id1").agg({"v1": "sum"}),
        "g2": lambda: by("id1", "id2").agg({"v1": "sum"}),
        "g3": lambda: by("id3").agg({"v1": "sum", "v3": "mean"}),
        "g4": lambda: by("id4").agg({"v1": "mean", "v2": "mean", "v3": "mean"}),
        "g5": lambda: by("id6").agg({"v1": "sum", "v2": "sum", "v3": "sum"}),
        "g6": lambda: by("id4", "id5").agg({"v3": ["median", "std"]}),
        "g7": lambda: by("id3").agg({"v1": "max", "v2": "min"}).assign(r=lambda d: d["v1"] - d["v2"]),
        "g8": lambda: x[["id6", "v3"]].dropna().sort_values("v3", ascending=False).groupby("id6", as_index=False, sort=False).head(2),
        "g9": lambda: x[["id2", "id4", "v1", "v2"]].groupby(["id2", "id4"], sort=False).apply(lambda d: d["v1"].corr(d["v2"]) ** 2),
        "g10": lambda: by("id1", "id2", "id3", "id4", "id5", "id6").agg({"v3": "sum", "v1": "size"}),
        "j1": lambda: left.merge(small, on="id1"),
        "j2": lambda: left.merge(medium, on="id2"),
        "j3": lambda: left.merge(medium, on="id2", how="left"),
        "j4": lambda: left.merge(medium, on="id5"),
        "j5": lambda: left.merge(big, on="id3"),
    }

    def answer(question):
        frame = questions[question]()
        return lambda: len(frame), lambda: None


def say(value):
    print(json.dumps(value), flush=True)


say({"ready": True})
for line in sys.stdin:
    start = time.perf_counter()
    rows, drop = answer(line.strip())
    milliseconds = 1000 * (time.perf_counter() - start)
    say({"milliseconds": milliseconds, "rows": rows()})
    drop()
    del rows, drop
