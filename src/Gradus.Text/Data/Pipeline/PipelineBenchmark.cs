using System.Diagnostics;
using System.Text;
using Gradus.Text.Data.Dedup;
using Gradus.Text.Data.Sources;
using Gradus.Text.Data.Steps;

namespace Gradus.Text.Data.Pipeline;

/// <summary>How fast one part of a pipeline is.</summary>
/// <param name="What">The part.</param>
/// <param name="MegabytesPerSecond">Millions of bytes of text a second, on one thread: the median of three rounds.</param>
public sealed record PipelineRate(string What, double MegabytesPerSecond);

/// <summary>Times what a pipeline does, on one thread and on documents in memory.</summary>
public static class PipelineBenchmark
{
    private const int Rounds = 3;
    private const long MaxBytes = 32L << 20;

    /// <summary>Measures on the documents of some sources, the first 32 MB of them.</summary>
    public static IReadOnlyList<PipelineRate> Run(IReadOnlyList<SourceOptions> sources, TimeSpan time)
    {
        ArgumentNullException.ThrowIfNull(sources);
        var (documents, bytes) = (new List<Document>(), 0L);
        foreach (var document in sources.SelectMany(s => s.Read(new SourceReport())))
        {
            documents.Add(document);
            if ((bytes += document.Utf8.Length) >= MaxBytes)
                break;
        }

        var rates = new List<PipelineRate> { new("reading", Measure(time, () => sources.Sum(s => s.Read(new SourceReport()).Sum(d => (long)d.Utf8.Length)))) };
        rates.Add(new("extraction: main content of pages", Extraction()));
        LocalStep[] filters = [new UnicodeRepair(), new Whitespace(), new GopherQuality(), new GopherRepetition(), new C4Quality(), new FineWebQuality()];
        // One by one first, so that all of it is compiled when it runs together. Every filter sees every document, also one that another has
        // dropped: the dearest case.
        PipelineRate[] each = [.. filters.Select(filter => Steps("  " + Foundation.Recipes.Components.KindOf(filter.GetType()), [filter]))];
        rates.AddRange([Steps("filters together", filters), .. each]);
        rates.Add(Steps("boilerplate-lines", [new BoilerplateLines()]));
        rates.Add(Steps("pii", [new PiiStep()]));
        rates.Add(Index("exact-dedup: document hashes", new ExactDedup()));
        rates.Add(Index("exact-dedup: line hashes", new ExactDedup { By = DedupUnit.Line }));
        rates.Add(Index("near-dedup: MinHash signatures", new NearDedup()));
        rates.Add(new("parts: written and read", Parts()));
        rates.Add(new("packing: rows of 1,024 tokens", Packing()));
        return rates;

        // MB of HTML: each document as an article among what stands round one.
        double Extraction()
        {
            byte[][] pages = [.. documents.Take(2000).Select(d => Encoding.UTF8.GetBytes($"""
                <!DOCTYPE html><html lang="en"><head><title>A page</title><meta name="author" content="Someone"><style>p {"{ margin: 1em }"}</style><script>let x = 1;</script></head>
                <body><nav><ul>{string.Concat(Enumerable.Range(0, 20).Select(i => $"<li><a href=\"/{i}\">Section {i}</a></li>"))}</ul></nav><main><article><h1>A page</h1>
                {string.Join('\n', Encoding.UTF8.GetString(d.Utf8.Span).Split("\n\n").Select(p => $"<p>{System.Net.WebUtility.HtmlEncode(p)}</p>"))}</article></main>
                <footer><p>Copyright 2026. <a href="/terms">Terms of use</a> | <a href="/privacy">Privacy</a></p></footer></body></html>
                """))];
            return Measure(time, () => pages.Sum(page => HtmlSource.Extract(page, null, HtmlText.Main, null) is null ? throw new InvalidOperationException("a page lost its article") : (long)page.Length));
        }

        // MB of text, at four bytes a token: rows with document masks, in the order of an epoch.
        double Packing()
        {
            using var stream = TokenStream.Of(documents.Select(d => (IReadOnlyList<int>)[.. Enumerable.Range(0, (d.Utf8.Length + 3) / 4)]), 1 << 24, 0);
            var windows = new PackedWindows(stream, new WindowOptions { Length = 1024, DocumentMask = true }, 1);
            var next = 0L;
            return Measure(time, () =>
            {
                const int rows = 256;
                next += rows;
                return 4L * windows.Rows(next - rows, rows).Ids.Length;
            });
        }

        PipelineRate Steps(string what, LocalStep[] steps)
        {
            var workers = steps.Select(s => s.Build()).ToArray();
            var draft = new Draft();
            return new PipelineRate(what, Measure(time, () =>
            {
                foreach (var document in documents)
                {
                    draft.Start(document);
                    foreach (var worker in workers)
                        worker.Apply(draft);
                }

                return bytes;
            }));
        }

        PipelineRate Index(string what, GlobalStep step)
        {
            var (indexer, draft, entries) = (step.BuildIndexer(), new Draft(), new List<IndexEntry>());
            return new PipelineRate(what, Measure(time, () =>
            {
                foreach (var document in documents)
                {
                    draft.Start(document);
                    entries.Clear();
                    indexer.Index(draft, entries);
                }

                return bytes;
            }));
        }

        double Parts()
        {
            var folder = Directory.CreateTempSubdirectory("gradus-bench-").FullName;
            try
            {
                var n = 0;
                return Measure(time, () =>
                {
                    var part = Path.Combine(folder, FormattableString.Invariant($"{n++}"));
                    Directory.CreateDirectory(part);
                    using (var writer = new DocumentWriter(part))
                    {
                        foreach (var document in documents)
                            writer.Add(document);
                        writer.Finish();
                    }

                    using (var reader = new DocumentReader(part))
                        foreach (var _ in reader.Read())
                        {
                        }

                    Directory.Delete(part, recursive: true);
                    return bytes;
                });
            }
            finally
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private static double Measure(TimeSpan time, Func<long> work)
    {
        work(); // warm: the code is compiled, the memory is there
        var rates = new List<double>();
        for (var round = 0; round < Rounds; round++)
        {
            var (watch, bytes) = (Stopwatch.StartNew(), 0L);
            do
                bytes += work();
            while (watch.Elapsed < time / Rounds);
            rates.Add(bytes / 1e6 / watch.Elapsed.TotalSeconds);
        }

        rates.Sort();
        return rates[Rounds / 2];
    }
}
