using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Steps;

/// <summary>Keeps or drops documents by their address (<c>url</c> of what is known of them).</summary>
/// <remarks>An entry is a domain, which means what is below it too, or an address with a path, which means what starts like it. <c>www.</c> and the scheme do not count.</remarks>
[Component("url-filter")]
public sealed record UrlFilter : LocalStep
{
    /// <summary>Entries to drop.</summary>
    public IReadOnlyList<string> Block { get; init; } = [];

    /// <summary>A file of entries to drop, one a line.</summary>
    public string? BlockFile { get; init; }

    /// <summary>Entries to keep: when there are any, everything else is dropped.</summary>
    public IReadOnlyList<string> Allow { get; init; } = [];

    /// <summary>A file of entries to keep, one a line.</summary>
    public string? AllowFile { get; init; }

    /// <summary>Drops documents whose address is not known.</summary>
    public bool RequireUrl { get; init; }

    protected internal override IReadOnlyList<string> Inputs() => [.. new[] { BlockFile, AllowFile }.OfType<string>()];

    public override IDocumentStep Build() => new Step(Entries(Block, BlockFile), Entries(Allow, AllowFile), RequireUrl);

    private static HashSet<string> Entries(IReadOnlyList<string> given, string? file)
    {
        var entries = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in given.Concat(file is null ? [] : ListFile.Lines(file)))
            entries.Add(UrlText.Normal(entry) is { Length: > 0 } normal ? normal : throw new UserException($"{file ?? "url-filter"}: '{entry}' is neither a domain nor an address."));
        return entries;
    }

    private sealed class Step(HashSet<string> block, HashSet<string> allow, bool require) : IDocumentStep
    {
        public void Apply(Draft draft)
        {
            if (draft.Meta("url") is not { Length: > 0 } address)
            {
                if (require || allow.Count > 0)
                    draft.Drop("no-url");
                return;
            }

            var url = UrlText.Normal(address);
            if (allow.Count > 0 && Match(allow, url) is null)
                draft.Drop("not-allowed", UrlText.Host(url));
            else if (Match(block, url) is { } entry)
                draft.Drop(entry.Contains('/', StringComparison.Ordinal) ? "blocked-url" : "blocked-domain", entry);
        }

        /// <summary>The entry that covers an address: a domain above its host, or a path it starts with.</summary>
        private static string? Match(HashSet<string> entries, string url)
        {
            if (entries.Count == 0)
                return null;
            var host = UrlText.Host(url);
            for (var at = 0; at >= 0; at = host.IndexOf('.', at) is >= 0 and var dot ? dot + 1 : -1)
                if (entries.Contains(host[at..]))
                    return host[at..];
            for (var at = url.IndexOf('/', StringComparison.Ordinal); at >= 0; at = url.IndexOfAny(['/', '?', '#'], at + 1))
                if (entries.Contains(url[..at]) || entries.Contains(url[..(at + 1)]))
                    return url[..at];
            return entries.Contains(url) ? url : null;
        }
    }
}

/// <summary>Addresses in a form in which equal ones are equal.</summary>
internal static class UrlText
{
    /// <summary>Without scheme, user, <c>www.</c>, default port, fragment and closing slash; the host in lower case.</summary>
    public static string Normal(string url)
    {
        url = url.Trim();
        var scheme = url.IndexOf("://", StringComparison.Ordinal);
        if (scheme >= 0)
            url = url[(scheme + 3)..];
        if (url.IndexOf('#', StringComparison.Ordinal) is >= 0 and var fragment)
            url = url[..fragment];
        var slash = url.AsSpan().IndexOfAny('/', '?');
        var (host, path) = slash < 0 ? (url, "") : (url[..slash], url[slash..]);
        host = host[(host.LastIndexOf('@') + 1)..].ToLowerInvariant().TrimEnd('.');
        if (host.StartsWith("www.", StringComparison.Ordinal))
            host = host[4..];
        foreach (var port in new[] { ":80", ":443" })
            if (host.EndsWith(port, StringComparison.Ordinal))
                host = host[..^port.Length];
        return host + path.TrimEnd('/');
    }

    public static string Host(string normal) => normal.AsSpan().IndexOfAny('/', '?') is >= 0 and var slash ? normal[..slash] : normal;
}
