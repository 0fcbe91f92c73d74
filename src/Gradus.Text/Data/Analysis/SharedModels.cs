using System.Collections.Concurrent;

namespace Gradus.Text.Data.Analysis;

/// <summary>Models that the threads of a pipeline share: read once, forgotten when nobody uses them any more.</summary>
internal static class SharedModels
{
    private static readonly ConcurrentDictionary<string, Entry> s_models = new(StringComparer.Ordinal);

    /// <param name="path">The file it is made of; when that changes, it is made anew.</param>
    /// <param name="options">What else it depends on.</param>
    /// <param name="make">Makes it.</param>
    public static T Of<T>(string path, string options, Func<T> make)
        where T : class
    {
        var file = new FileInfo(path);
        var key = FormattableString.Invariant($"{typeof(T).Name}\n{file.FullName}\n{(file.Exists ? file.LastWriteTimeUtc.Ticks : 0)} {(file.Exists ? file.Length : 0)}\n{options}");
        var entry = s_models.GetOrAdd(key, _ => new Entry());
        lock (entry.Gate)
        {
            if (entry.Model?.TryGetTarget(out var known) == true)
                return (T)known;
            var made = make();
            entry.Model = new WeakReference<object>(made);
            return made;
        }
    }

    private sealed class Entry
    {
        public Lock Gate { get; } = new();

        public WeakReference<object>? Model { get; set; }
    }
}
