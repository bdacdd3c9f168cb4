"""PySpark's side of bench/spark.mjs: for each line of SQL, one line of JSON with the seconds that `toArrow` took.

pyspark[connect] 4.1.0, pyarrow, on the server whose address is the first argument.
"""
import gc
import json
import sys
import time

from pyspark.sql import SparkSession

spark = SparkSession.builder.remote(sys.argv[1]).getOrCreate()
print(json.dumps({"version": spark.version}), flush=True)
for line in sys.stdin:
    gc.collect()
    start = time.perf_counter()
    table = spark.sql(line.strip()).toArrow()
    seconds = time.perf_counter() - start
    last = table.column(0)[table.num_rows - 1].as_py()
    print(json.dumps({"seconds": seconds, "length": table.num_rows, "last": last}), flush=True)
    del table
spark.stop()
