"""`make bench-index`: our vector search beside hnswlib, usearch and faiss on the same vectors.

compare.py OURS FOLDER [--size N] [--rounds N] [--anew]: OURS is the binary of examples/vectors.rs, FOLDER takes vectors and indexes
(3 KB for each vector and library). Prints Markdown tables and one line of JSON.

All sides have M = 16, ef_construction = 200 and 2 threads to build, and answer with one thread. Queries per second are at the
first width of the search that reaches recall@10 >= 0.99, in rounds that alternate between the sides, by processor time, which other
work on the machine disturbs less than the clock; the build is by the clock and by processor time.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

DIMENSION, QUERIES, K, M, EFFORT, THREADS = 512, 1000, 10, 16, 200, 2
WIDTHS = (10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 36, 40, 44, 48, 56, 64, 80, 96, 128, 192, 256, 512)
FLOOR = 0.99
THEIRS = ("hnswlib", "usearch", "faiss")


def write_vectors(folder, size):
    """Clusters of about a hundred vectors, as an archive has them; queries from the same clusters."""
    done = folder / "vectors.f32"
    if done.exists() and done.stat().st_size == size * DIMENSION * 4:
        return
    random = np.random.default_rng(7)
    centres = random.standard_normal((max(50, size // 100), DIMENSION), dtype=np.float32)

    def draw(count):
        noise = random.standard_normal((count, DIMENSION), dtype=np.float32)
        vectors = centres[random.integers(0, len(centres), count)] + 0.8 * noise
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    beside = folder / "vectors.new"
    with open(beside, "wb") as out:
        for start in range(0, size, 50_000):
            draw(min(50_000, size - start)).tofile(out)
    draw(QUERIES).tofile(folder / "queries.f32")
    (folder / "truth.i32").unlink(missing_ok=True)
    beside.rename(done)


def load(folder):
    vectors = np.memmap(folder / "vectors.f32", np.float32, "r").reshape(-1, DIMENSION)
    return vectors, np.fromfile(folder / "queries.f32", np.float32).reshape(-1, DIMENSION)


def truth(folder, vectors, queries):
    """The ten nearest of each query, by a look at every vector."""
    file = folder / "truth.i32"
    if not file.exists():
        best = np.full((len(queries), 0), 0, np.int32)
        scores = np.empty((len(queries), 0), np.float32)
        for start in range(0, len(vectors), 50_000):
            block = queries @ vectors[start:start + 50_000].T
            top = np.argpartition(-block, K, axis=1)[:, :K]
            best = np.hstack([best, (top + start).astype(np.int32)])
            scores = np.hstack([scores, np.take_along_axis(block, top, axis=1)])
        order = np.argsort(-scores, axis=1, kind="stable")[:, :K]
        np.take_along_axis(best, order, axis=1).tofile(file)
    return np.fromfile(file, np.int32).reshape(-1, K)


class Ours:
    """The process of examples/vectors.rs."""

    def __init__(self, binary, folder):
        environment = {**os.environ, "RAYON_NUM_THREADS": str(THREADS)}
        command = [binary, folder, str(DIMENSION)]
        self.process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"our side ended at '{command}'")
        return json.loads(line)

    def search(self, width):
        answer = self.ask(f"search {width}")
        return np.array(answer["rows"]), answer["cpu"]


class Theirs:
    """One of the libraries, in this process."""

    def __init__(self, name, folder):
        self.name, self.file = name, folder / f"{name}.index"

    def build(self, vectors):
        wall, cpu = time.perf_counter(), time.process_time()
        if self.name == "hnswlib":
            import hnswlib
            index = hnswlib.Index("ip", DIMENSION)
            index.init_index(len(vectors), M=M, ef_construction=EFFORT, random_seed=1)
            index.set_num_threads(THREADS)
            index.add_items(vectors)
        elif self.name == "usearch":
            from usearch.index import Index
            index = Index(ndim=DIMENSION, metric="ip", dtype="f32", connectivity=M, expansion_add=EFFORT)
            index.add(np.arange(len(vectors)), vectors, threads=THREADS)
        else:
            import faiss
            faiss.omp_set_num_threads(THREADS)
            index = faiss.IndexHNSWFlat(DIMENSION, M, faiss.METRIC_INNER_PRODUCT)
            index.hnsw.efConstruction = EFFORT
            index.add(vectors)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        {"hnswlib": lambda: index.save_index(str(self.file)), "usearch": lambda: index.save(str(self.file)),
         "faiss": lambda: __import__("faiss").write_index(index, str(self.file))}[self.name]()
        return {"seconds": wall, "cpu": cpu}

    def open(self):
        if self.name == "hnswlib":
            import hnswlib
            started = time.perf_counter()
            self.index = hnswlib.Index("ip", DIMENSION)
            self.index.load_index(str(self.file))
            self.index.set_num_threads(1)
        elif self.name == "usearch":
            from usearch.index import Index
            started = time.perf_counter()
            self.index = Index.restore(str(self.file))
        else:
            import faiss
            faiss.omp_set_num_threads(1)
            started = time.perf_counter()
            self.index = faiss.read_index(str(self.file))
        return time.perf_counter() - started

    def search(self, width, queries):
        if self.name == "hnswlib":
            self.index.set_ef(width)
        elif self.name == "usearch":
            self.index.expansion_search = width
        else:
            self.index.hnsw.efSearch = width
        started = time.process_time()
        if self.name == "hnswlib":
            rows = self.index.knn_query(queries, k=K)[0]
        elif self.name == "usearch":
            rows = self.index.search(queries, K, threads=1).keys
        else:
            rows = self.index.search(queries, K)[1]
        return np.asarray(rows, np.int64), time.process_time() - started


def resident():
    fields = dict(line.split(":", 1) for line in open("/proc/self/status") if line.startswith("Rss"))
    return sum(int(fields[name].split()[0]) for name in ("RssAnon", "RssFile")) * 1024


def drop_from_cache(*files):
    """The next read of these files comes from the disk."""
    for file in files:
        descriptor = os.open(file, os.O_RDONLY)
        os.fdatasync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def built(name, folder, build, program=None):
    """What a build took: of an earlier run, where that one was finished and vectors and program are still the same."""
    note = folder / f"{name}.built.json"
    since = max(Path(file).stat().st_mtime for file in (folder / "vectors.f32", program or __file__))
    if note.exists() and note.stat().st_mtime >= since:
        print(f"build: {name}, as it was built before", file=sys.stderr, flush=True)
        return json.loads(note.read_text())
    print(f"build: {name}", file=sys.stderr, flush=True)
    took = build()
    note.write_text(json.dumps(took))
    return took


def child(name, folder, what):
    """What `--child` printed, in a fresh process."""
    command = [sys.executable, __file__, "-", str(folder), "--child", name, "--what", what]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{name}: {what} failed")
    return json.loads(done.stdout.strip().splitlines()[-1])


def run_child(options):
    side = Theirs(options.child, options.folder)
    vectors, queries = load(options.folder)
    if options.what == "build":
        return side.build(np.ascontiguousarray(vectors))
    __import__({"usearch": "usearch.index"}.get(options.child, options.child))
    before = resident()
    if options.what == "cold":
        drop_from_cache(side.file)
    seconds = side.open()
    side.search(64, queries)
    return {"seconds": seconds, "memory": resident() - before}


def recall(rows, best):
    return float(np.mean([len(set(found) & set(right)) for found, right in zip(rows.tolist(), best.tolist())]) / K)


def first_width(search, best):
    for width in WIDTHS:
        reached = recall(search(width)[0], best)
        if reached >= FLOOR:
            return width, reached
    return WIDTHS[-1], reached


def table(header, rows):
    print("| " + " | ".join(header) + " |\n|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def main(options):
    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    write_vectors(folder, options.size)
    if options.anew:
        for note in folder.glob("*.built.json"):
            note.unlink()
    vectors, queries = load(folder)
    best = truth(folder, vectors, queries)
    results = {}
    note = lambda text: print(text, file=sys.stderr, flush=True)

    ours = Ours(options.ours, folder)
    # these take hours at a million: a run that was stopped goes on behind the last one that was finished
    results["thorax"] = {"build": built("ours", folder, lambda: ours.ask("build"), options.ours)}
    for name in THEIRS:
        results[name] = {"build": built(name, folder, lambda name=name: child(name, folder, "build"))}

    column, graph = folder / "ours" / "column.f32", folder / "ours" / "column.graph"
    drop_from_cache(column, graph)
    cold = ours.ask("open")
    warm = ours.ask("open")
    results["thorax"]["open"] = {"cold": cold["seconds"], "warm": warm["seconds"], "first_query": cold["first_query"]}
    results["thorax"]["file"] = {"graph": warm["graph_bytes"], "column": warm["column_bytes"]}
    libraries = {}
    for name in THEIRS:
        cold, warm = child(name, folder, "cold"), child(name, folder, "warm")
        results[name]["open"] = {"cold": cold["seconds"], "warm": warm["seconds"]}
        results[name]["file"] = (folder / f"{name}.index").stat().st_size
        results[name]["memory"] = warm["memory"] / options.size
        libraries[name] = Theirs(name, folder)
        libraries[name].open()

    searches = {"thorax": ours.search}
    for name, library in libraries.items():
        searches[name] = lambda width, library=library: library.search(width, queries)
    times = {name: [] for name in searches}
    for name, search in searches.items():
        width, reached = first_width(search, best)
        results[name].update({"width": width, "recall": reached})
        note(f"search: {name} reaches {reached:.4f} at {width}")
    for _ in range(options.rounds):
        for name, search in searches.items():
            times[name].append(search(results[name]["width"])[1])
    for name, seconds in times.items():
        results[name]["queries_per_second"] = len(queries) / statistics.median(seconds)

    # what must be in memory: the mapped graph and what we allocate; the rows that are scored exactly are read from the column's file
    used = ours.ask("search 64")
    results["thorax"]["memory"] = (results["thorax"]["file"]["graph"] + used["anonymous_kb"] * 1024) / options.size
    results["thorax"]["memory_with_column"] = (used["anonymous_kb"] + used["mapped_kb"]) * 1024 / options.size
    note("filters")
    filtered = ours.ask("filtered")

    print(f"{options.size:,} clustered vectors of {DIMENSION} dimensions; {platform.machine()}, {os.cpu_count()} cores,"
          f" load {os.getloadavg()[0]:.1f}\n")
    base = results["faiss"]["queries_per_second"]
    rows = []
    for name, result in results.items():
        size = result["file"] if isinstance(result["file"], int) else sum(result["file"].values())
        rows.append([
            name, f"{result['build']['seconds']:.0f} s ({result['build']['cpu']:.0f} s)", f"{result['width']}",
            f"{result['recall']:.4f}", f"{result['queries_per_second']:,.0f}", f"{result['queries_per_second'] / base:.2f}",
            f"{result['memory']:,.0f}", f"{result['open']['warm']:.2f} s ({result['open']['cold']:.2f} s)", f"{size / 1e6:,.0f}"])
    table(["", "build, 2 threads (processor)", "ef", "recall@10", "queries/s, 1 thread", "of faiss's", "memory, bytes/vector",
           "opening (file not cached)", "files, MB"], rows)
    table(["filter", "passing", "recall@10", "hits of asked", "p50", "p99", "exact scan p50", "exact scan p99"], [
        [cell["kind"], f"{cell['share'] * 100:g}%", f"{cell['recall']:.4f}", f"{cell['hits']} of {cell['asked']}"]
        + [f"{cell[at] * 1e3:.2f} ms" for at in ("p50", "p99", "exact_p50", "exact_p99")] for cell in filtered])
    print(json.dumps({"size": options.size, "dimension": DIMENSION, "load": os.getloadavg(), "libraries": results, "filtered": filtered}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("ours")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--anew", action="store_true", help="build again what an earlier run has built")
    parser.add_argument("--child", choices=THEIRS)
    parser.add_argument("--what", choices=("build", "warm", "cold"))
    options = parser.parse_args()
    if options.child:
        print(json.dumps(run_child(options)))
    else:
        main(options)
