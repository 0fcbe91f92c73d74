using System.Runtime.ExceptionServices;

namespace Gradus.Text.Data.Pipeline;

/// <summary>Work on several threads whose results come back in the order the work was given: nothing depends on the number of threads.</summary>
internal static class OrderedMap
{
    public const int BatchBytes = 1 << 18;

    /// <summary>Applies <paramref name="work"/> to each item. At most <paramref name="workers"/> items are under way or waiting, which bounds the memory.</summary>
    public static IEnumerable<TOut> Run<TIn, TOut>(IEnumerable<TIn> items, int workers, Func<TIn, TOut> work)
    {
        if (workers <= 1)
        {
            foreach (var item in items)
                yield return work(item);
            yield break;
        }

        var pending = new Queue<Task<TOut>>();
        try
        {
            foreach (var item in items)
            {
                if (pending.Count == workers)
                    yield return pending.Dequeue().GetAwaiter().GetResult();
                pending.Enqueue(Task.Run(() => work(item)));
            }

            while (pending.TryDequeue(out var task))
                yield return task.GetAwaiter().GetResult();
        }
        finally
        {
            // After a failure: what is under way still uses what the caller is about to close.
            foreach (var task in pending)
                ((IAsyncResult)task).AsyncWaitHandle.WaitOne();
        }
    }

    /// <summary>Does <paramref name="work"/> for 0 .. count - 1 on several threads. Of several failures the one with the lowest number is thrown.</summary>
    public static void For(int count, int workers, Action<int> work)
    {
        var next = -1;
        var failures = new SortedDictionary<int, Exception>();
        void Loop()
        {
            while (true)
            {
                var i = Interlocked.Increment(ref next);
                if (i >= count)
                    return;
                try
                {
                    work(i);
                }
                catch (Exception e)
                {
                    lock (failures)
                        failures[i] = e;
                    Interlocked.Exchange(ref next, count); // what has begun is finished, nothing more is begun
                    return;
                }
            }
        }

        Task.WaitAll([.. Enumerable.Range(0, Math.Min(workers, count) - 1).Select(_ => Task.Run(Loop)), Task.Run(Loop)]);
        if (failures.Count > 0)
            ExceptionDispatchInfo.Throw(failures.First().Value);
    }

    /// <summary>Documents in portions worth a thread's while.</summary>
    public static IEnumerable<List<Document>> Batches(IEnumerable<Document> documents)
    {
        var (batch, bytes) = (new List<Document>(), 0L);
        foreach (var document in documents)
        {
            batch.Add(document);
            bytes += document.Utf8.Length + 64;
            if (bytes < BatchBytes)
                continue;
            yield return batch;
            (batch, bytes) = ([], 0);
        }

        if (batch.Count > 0)
            yield return batch;
    }
}
