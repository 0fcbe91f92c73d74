using System.Text;
using System.Text.Json;

namespace Gradus.Text.Tokenizers;

/// <summary>A pattern as <c>tokenizer.json</c> writes it: <c>{"String": …}</c> or <c>{"Regex": …}</c>.</summary>
/// <param name="Text">The string or the regular expression.</param>
/// <param name="IsRegex">Which of both.</param>
/// <param name="Matcher">What finds it.</param>
internal sealed record NamedPattern(string Text, bool IsRegex, CutPattern Matcher)
{
    public static NamedPattern Nothing { get; } = String("");

    public static NamedPattern String(string text) => new(text, false, new StringPattern(Encoding.UTF8.GetBytes(text)));

    /// <param name="pattern">The expression.</param>
    /// <param name="where">File and field, for errors.</param>
    /// <param name="scanners">Published patterns may take a scanner of our own.</param>
    public static NamedPattern Regex(string pattern, string where, bool scanners) =>
        new(pattern, true, scanners && PreTokenizerOptions.ScannerFor(pattern) is { } own ? new SplitterPattern(own) : RegexPattern.Make(pattern, where));

    public static NamedPattern Read(JsonField field, bool scanners)
    {
        var regex = field["Regex"];
        if (regex.IsNull)
            return String(field["String"].Text());
        return Regex(regex.Text(), $"{regex.File}: {regex.Path}", scanners);
    }

    public void Write(Utf8JsonWriter json, string name)
    {
        json.WriteStartObject(name);
        json.WriteString(IsRegex ? "Regex" : "String", Text);
        json.WriteEndObject();
    }
}
