using System.IO.Enumeration;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data.Steps;

/// <summary>
/// Keeps documents whose licence is allowed (<c>license</c> of what is known of them) and drops those whose author has said no
/// (<c>consent</c>). Strict, the default, refuses what it does not know.
/// </summary>
[Component("license-policy")]
public sealed record LicensePolicy : LocalStep
{
    /// <summary>Licences that may be used: SPDX names, <c>*</c> for any ending. Addresses of Creative Commons licences are read as their names.</summary>
    public IReadOnlyList<string> Allow { get; init; } = ["CC0-1.0", "CC-BY-*", "PDDL-1.0", "public-domain", "MIT", "Apache-2.0", "BSD-*", "ISC", "ODC-By-1.0"];

    /// <summary>Licences that may not, even where <c>allow</c> covers them.</summary>
    public IReadOnlyList<string> Deny { get; init; } = ["CC-BY-NC*", "CC-BY-ND*"];

    /// <summary>Drops documents without a licence, or with one that is in neither list.</summary>
    public bool Strict { get; init; } = true;

    /// <summary>Drops documents that do not say that their author agreed.</summary>
    public bool RequireConsent { get; init; }

    public override IDocumentStep Build() => new Step(this);

    /// <summary>A licence as lists name it: <c>cc-by-sa-4.0</c>.</summary>
    internal static string Normal(string license)
    {
        var text = license.Trim().ToLowerInvariant();
        var address = text.IndexOf("creativecommons.org/", StringComparison.Ordinal);
        if (address >= 0)
        {
            var parts = text[(address + 20)..].Split('/', StringSplitOptions.RemoveEmptyEntries);
            return parts switch
            {
                ["licenses", var kind, var version, ..] => $"cc-{kind}-{version}",
                ["licenses", var kind] => $"cc-{kind}",
                ["publicdomain", "zero", ..] => "cc0-1.0",
                ["publicdomain", ..] => "public-domain",
                _ => text,
            };
        }

        return text.Replace(' ', '-').Replace('_', '-');
    }

    private sealed class Step(LicensePolicy o) : IDocumentStep
    {
        private readonly string[] _allow = [.. o.Allow.Select(Normal)], _deny = [.. o.Deny.Select(Normal)];

        public void Apply(Draft draft)
        {
            switch (draft.Meta("consent")?.Trim().ToLowerInvariant())
            {
                case "no" or "false" or "0" or "denied" or "withdrawn" or "opt-out":
                    draft.Drop("consent-refused");
                    return;
                case "yes" or "true" or "1" or "granted" or "opt-in":
                    break;
                default:
                    if (!o.RequireConsent)
                        break;
                    draft.Drop("consent-unknown");
                    return;
            }

            if (draft.Meta("license") is not { } license || string.IsNullOrWhiteSpace(license))
            {
                if (o.Strict)
                    draft.Drop("license-unknown");
                return;
            }

            var name = Normal(license);
            if (Any(_deny, name))
                draft.Drop("license-denied", name);
            else if (!Any(_allow, name) && o.Strict)
                draft.Drop("license-not-allowed", name);
        }

        private static bool Any(string[] patterns, string name)
        {
            foreach (var pattern in patterns)
                if (FileSystemName.MatchesSimpleExpression(pattern, name, ignoreCase: false))
                    return true;
            return false;
        }
    }
}
