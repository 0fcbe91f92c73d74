"""What bench/data.sh runs: `gradus bench data` for the rates, whole `gradus data prepare` runs for memory and time."""
import gzip, json, os, platform, subprocess, sys, tempfile, time

quick = "--quick" in sys.argv
shared = os.path.abspath("../shared/data")
if not os.path.isdir(shared):
    sys.exit("bench: needs ../shared/data")
gradus = os.environ.get("GRADUS", "./gradus")
texts = [f"{shared}/moby-dick/moby-dick.txt", f"{shared}/sotu/sotu.jsonl.gz", f"{shared}/web-samples/c4_demo.jsonl"]


def rates():
    out = subprocess.run([gradus, "bench", "data", *texts, "--seconds", "0.3" if quick else "3", "--json"], check=True, capture_output=True, text=True).stdout
    return json.loads(out.splitlines()[-1])["rows"]


def make_input(folder, megabytes):
    """Real sentences in new orders: as much text as asked for, in which documents differ and one in ten is a copy."""
    rows = [json.loads(r)["text"] for r in gzip.open(texts[1], "rt", encoding="utf-8")] + [json.loads(r)["text"] for r in open(texts[2], encoding="utf-8")]
    sentences = [s.strip() for row in rows for s in row.replace("\n", " ").split(". ") if 40 < len(s) < 400]
    state, size, files, last = 12345, 0, 0, ""
    while size < megabytes << 20:
        with open(f"{folder}/in-{files:03}.jsonl", "w", encoding="utf-8") as file:
            written = 0
            while written < 8 << 20 and size + written < megabytes << 20:
                picked = []
                for _ in range(24):
                    state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
                    picked.append(sentences[(state >> 33) % len(sentences)])
                text = last if (state >> 40) % 10 == 0 and last else ".\n".join(". ".join(picked[i:i + 4]) for i in range(0, 24, 4)) + "."
                last = text
                file.write(json.dumps({"text": text}) + "\n")
                written += len(text)
        size += written
        files += 1


RECIPE = """
sources: [{{ kind: jsonl, path: "{folder}/in-*.jsonl" }}]
steps:
  - {{ kind: unicode-repair }}
  - {{ kind: whitespace }}
  - {{ kind: gopher-quality }}
  - {{ kind: gopher-repetition }}
  - {{ kind: c4 }}
  - {{ kind: fineweb }}
  - {{ kind: pii }}
  - {{ kind: exact-dedup }}
  - {{ kind: near-dedup }}{more}
"""


def run(megabytes, more):
    with tempfile.TemporaryDirectory() as folder:
        make_input(folder, megabytes)
        with open(f"{folder}/recipe.yaml", "w") as file:
            file.write(RECIPE.format(folder=folder, more=more))
        code = ("import resource,subprocess,sys;r=subprocess.run(sys.argv[1:],stdout=subprocess.PIPE);"
                "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss);sys.stdout.buffer.write(r.stdout);sys.exit(r.returncode)")
        start = time.time()
        done = subprocess.run([sys.executable, "-c", code, gradus, "data", "prepare", f"{folder}/recipe.yaml", "--out", f"{folder}/out", "--workers", "2", "--json"], check=True, capture_output=True, text=True)
        lines = done.stdout.splitlines()
        return {"seconds": time.time() - start, "peak_mb": int(lines[0]) / 1024, "result": json.loads(lines[-1])}


def main():
    one = 16 if quick else 64
    table = rates()
    cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), platform.processor())
    lines = ["# Data preparation", "", f"`bench/data.sh`, {cpu}, one thread unless said; MB are 10^6 bytes of UTF-8 text; documents: Moby-Dick (passages), State of the Union, 300 pages of C4.", "",
             "| part | MB/s on one core | floor |", "|---|--:|--:|"]
    floors = {"filters together": 30, "near-dedup: MinHash signatures": 20}
    for row in table:
        lines.append(f"| {row['what'].replace('  ', '&nbsp;&nbsp;')} | {row['megabytes_per_second']:.1f} | {floors.get(row['what'], '')} |")
    lines += ["", "Whole runs of `gradus data prepare`, two workers, sentences of real text in new orders, from JSON lines to zstd shards:", "",
              "| pipeline | input MB | seconds | MB/s | peak memory MB | kept of read |", "|---|--:|--:|--:|--:|--:|"]
    ok = True
    # Large enough that every buffer of fixed size is full at 1×.
    for name, more, sizes in [("filters, exact, near", "", [4 * one, 16 * one]), ("the same and substrings", "\n  - { kind: substring-dedup }", [one // 4, one])]:
        peaks = []
        for size in sizes:
            r = run(size, more)
            peaks.append(r["peak_mb"])
            lines.append(f"| {name} | {size} | {r['seconds']:.1f} | {size * 1.048576 / r['seconds']:.1f} | {r['peak_mb']:.0f} | {r['result']['kept']} of {r['result']['read']} |")
        ok &= peaks[1] < 1.25 * peaks[0]
        lines.append(f"| &nbsp;&nbsp;memory at 4× over 1× | | | | {peaks[1] / peaks[0]:.2f}× | |")
    text = "\n".join(lines) + "\n"
    print(text)
    if not quick:
        with open("bench/results/data.md", "w", encoding="utf-8") as file:
            file.write(text)
    slow = [row for row in table if row["megabytes_per_second"] < floors.get(row["what"], 0)]
    sys.exit(0 if ok and not slow else f"bench: {'memory grows with the input' if not ok else ''} {slow}")


main()
