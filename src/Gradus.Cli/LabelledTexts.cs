using Gradus.Foundation.Files;
using Gradus.Text.Data.Sources;

namespace Gradus.Cli;

/// <summary>Texts with their languages: named by a field of .jsonl rows, or else by the file's name without its endings.</summary>
internal static class LabelledTexts
{
    public static IEnumerable<(string Language, ReadOnlyMemory<byte> Text)> Read(IEnumerable<string> paths, string? field)
    {
        foreach (var path in paths)
        {
            var source = TokenizerCommand.Source(path);
            var languages = field is null || source is not JsonlSource ? null
                : new JsonlSource { Path = path, Field = field }.Read(new SourceReport()).ToDictionary(d => d.Origin, d => System.Text.Encoding.UTF8.GetString(d.Utf8.Span), StringComparer.Ordinal);
            foreach (var document in source.Read(new SourceReport()))
            {
                var language = languages is null ? Stem(document.Origin) : languages.GetValueOrDefault(document.Origin)
                    ?? throw new UserException($"{document.Origin}: the row has no language in its field '{field}'");
                yield return (language, document.Utf8);
            }
        }
    }

    private static string Stem(string origin)
    {
        var name = Path.GetFileName(origin);
        var dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 ? name[..dot] : name;
    }
}
