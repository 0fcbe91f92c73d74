namespace Gradus.Text.Tokenizers;

/// <summary>The splitters we know, by the pattern that <c>tokenizer.json</c> files hold and by the name that recipes use.</summary>
internal static class Splitters
{
    private static readonly (string? Name, Splitter Splitter)[] s_known =
    [
        ("gpt2", Gpt2Splitter.Instance),
        ("cl100k", Cl100kSplitter.Instance),
        (null, Cl100kSplitter.WithWholeTail),
    ];

    public static IReadOnlyList<string> Names { get; } = [.. s_known.Where(k => k.Name is not null).Select(k => k.Name!)];

    public static Splitter? ByName(string name) => s_known.FirstOrDefault(k => k.Name == name).Splitter;

    /// <summary>Our own scanner for a published pattern, else the framework's regex engine.</summary>
    public static Splitter ForPattern(string pattern, string where) =>
        s_known.FirstOrDefault(k => k.Splitter.Pattern == pattern || k.Splitter.Spellings.Contains(pattern)).Splitter ?? RegexSplitter.Make(pattern, where);
}
