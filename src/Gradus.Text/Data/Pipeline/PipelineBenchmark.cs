using System.Diagnostics;
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
        return rates;

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
