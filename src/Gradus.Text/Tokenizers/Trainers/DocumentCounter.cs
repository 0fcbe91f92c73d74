using System.Runtime.ExceptionServices;

namespace Gradus.Text.Tokenizers.Trainers;

/// <summary>Counts words of documents on several threads; the documents are read once, from one thread at a time.</summary>
internal static class DocumentCounter
{
    private const int BatchBytes = 1 << 20;

    /// <summary>Adds the words of a document. Runs on one thread with the same counts, and with scratch of its own, each time.</summary>
    public delegate void Counter(ReadOnlySpan<byte> document, WordCounts counts);

    /// <summary>The words, the most frequent first, equal ones by their bytes: nothing depends on threads or the order of documents.</summary>
    public static (byte[] Word, long Times)[] Sorted(WordCounts counts)
    {
        var sorted = Enumerable.Range(0, counts.Count).Select(i => (Word: counts.Word(i).ToArray(), Times: counts.Times(i))).ToArray();
        Array.Sort(sorted, (a, b) => a.Times != b.Times ? b.Times.CompareTo(a.Times) : a.Word.AsSpan().SequenceCompareTo(b.Word));
        return sorted;
    }

    /// <summary>
    /// The words of all documents, on several threads: many small documents a turn, or one large one. Memory stays below the budget: counts that would
    /// grow beyond it are written to disk and added up at the end, and where even the distinct words are too many the rarest are left out.
    /// </summary>
    public static WordCounts Count(IEnumerable<ReadOnlyMemory<byte>> documents, TokenizerTrainerOptions options, TrainingReport? report, Counter add) =>
        Count(documents, options.Threads, WordBudget.Of(options), report ?? new(), add);

    /// <summary>The same with the budget given; 0 threads are all processors.</summary>
    public static WordCounts Count(IEnumerable<ReadOnlyMemory<byte>> documents, int threads, WordBudget budget, TrainingReport report, Counter add)
    {
        using var runs = new WordRuns();
        using var source = documents.GetEnumerator();
        var gate = new Lock();
        var counts = new WordCounts[threads == 0 ? Environment.ProcessorCount : threads];
        Exception? failure = null;
        Parallel.For(0, counts.Length, new ParallelOptions { MaxDegreeOfParallelism = counts.Length }, t =>
        {
            try
            {
                Work(t);
            }
            catch (Exception e) when (IsNoted(e))
            {
                return; // to the caller as itself, not wrapped by the loop
            }
        });
        if (failure is not null)
            ExceptionDispatchInfo.Throw(failure);
        if (runs.Count > 0)
        {
            foreach (var (t, own) in counts.Index())
            {
                runs.Add(own);
                counts[t] = new WordCounts();
            }

            report.Spills = runs.Count;
            runs.Finish();
            return Kept(runs.Visit, budget.Keep, report) ?? All(runs.Visit);
        }

        var total = counts[0];
        foreach (var other in counts.Skip(1))
            total.Add(other);
        return Kept(Visit, budget.Keep, report) ?? total;

        void Work(int t)
        {
            var own = counts[t] = new WordCounts();
            var most = budget.Spill / counts.Length / 3; // a table that grows stands beside the one twice its size
            var batch = new List<ReadOnlyMemory<byte>>();
            while (true)
            {
                batch.Clear();
                lock (gate)
                    for (var bytes = 0; bytes < BatchBytes && failure is null && source.MoveNext(); bytes += source.Current.Length + 64)
                        batch.Add(source.Current);

                if (batch.Count == 0 || failure is not null)
                    return;
                foreach (var document in batch)
                {
                    add(document.Span, own);
                    if (own.Allocated <= most)
                        continue;
                    runs.Add(own);
                    own = counts[t] = new WordCounts();
                }
            }
        }

        bool IsNoted(Exception e)
        {
            Interlocked.CompareExchange(ref failure, e, null);
            return true;
        }

        void Visit(WordRuns.Visitor visit)
        {
            for (var i = 0; i < total.Count; i++)
                visit(total.Word(i), total.Times(i));
        }
    }

    private static WordCounts All(Action<WordRuns.Visitor> words)
    {
        var all = new WordCounts();
        words((word, times) => all.Add(word, times));
        return all;
    }

    /// <summary>
    /// The most frequent words that fit, or null where all do. Of the words of the count at which the budget ends, those with low hashes: a share of
    /// them that is no part of the alphabet, and that depends on nothing but the words.
    /// </summary>
    private static WordCounts? Kept(Action<WordRuns.Visitor> words, long budget, TrainingReport report)
    {
        var (all, distinct) = (0L, 0L);
        words((word, _) => (all, distinct) = (all + WordBudget.Cost(word.Length), distinct + 1));
        report.Words = distinct;
        if (all <= budget)
            return null;

        var costs = new SortedDictionary<long, long>(); // of all words that occur so often
        words((word, times) => costs[times] = costs.GetValueOrDefault(times) + WordBudget.Cost(word.Length));
        var border = 0L;
        var left = budget;
        foreach (var (times, cost) in costs.Reverse())
        {
            border = times;
            if (cost > left)
                break;
            left -= cost;
        }

        var share = (ulong)((double)left / costs[border] * uint.MaxValue);
        var kept = new WordCounts();
        words((word, times) =>
        {
            if (times > border || (times == border && PieceCache.LongHash(word) >> 32 < share))
                kept.Add(word, times);
            else
                report.OccurrencesLeftOut += times;
        });
        report.Words = kept.Count;
        report.WordsLeftOut = distinct - kept.Count;
        report.LeftOutUpTo = border;
        return kept;
    }
}
