"""PyTorch's side of `npm run bench -- gemm`: prints the median milliseconds of matrix products as JSON.
Usage: torch_gemm.py THREADS SECONDS SHAPES, the shapes as JSON objects of m, n, k, transposeA, transposeB."""
import json
import statistics
import sys
import time

import torch


def measure(shape, seconds):
    m, n, k = shape['m'], shape['n'], shape['k']
    a = torch.rand(k, m).t() if shape['transposeA'] else torch.rand(m, k)
    b = torch.rand(n, k).t() if shape['transposeB'] else torch.rand(k, n)
    out = torch.empty(m, n)
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 6:
        start = time.perf_counter()
        torch.mm(a, b, out=out)
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times[1:])


torch.set_num_threads(int(sys.argv[1]))
print(json.dumps({
    'version': torch.__version__,
    'times': [measure(shape, float(sys.argv[2])) for shape in json.loads(sys.argv[3])],
}))
