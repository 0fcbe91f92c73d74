namespace Gradus.Inference.Generation;

/// <summary>Lets text through as it comes, but holds back what may be the beginning of a stop string.</summary>
internal sealed class StopScanner
{
    private readonly string[] _stops;
    private string _held = "";

    public StopScanner(IReadOnlyList<string> stops)
    {
        if (stops.Any(string.IsNullOrEmpty)) throw new ArgumentException("a stop string cannot be empty", nameof(stops));
        _stops = [.. stops];
    }

    /// <summary>A stop string was met: nothing more comes.</summary>
    public bool Stopped { get; private set; }

    /// <summary>What may be shown now.</summary>
    public string Push(string text)
    {
        if (Stopped) return "";
        _held += text;
        var first = _stops.Select(s => _held.IndexOf(s, StringComparison.Ordinal)).Where(i => i >= 0).DefaultIfEmpty(-1).Min();
        if (first >= 0)
        {
            Stopped = true;
            return Release(first);
        }
        var keep = 0;
        foreach (var stop in _stops)
            for (var length = Math.Min(stop.Length - 1, _held.Length); length > keep; length--)
                if (_held.EndsWith(stop[..length], StringComparison.Ordinal))
                    keep = length;
        return Release(_held.Length - keep);
    }

    /// <summary>The rest, when the text ends of itself.</summary>
    public string Flush() => Stopped ? "" : Release(_held.Length);

    private string Release(int length)
    {
        var text = _held[..length];
        _held = _held[length..];
        return text;
    }
}
