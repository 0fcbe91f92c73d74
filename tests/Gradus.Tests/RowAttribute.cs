using Xunit.v3;

namespace Gradus.Tests;

/// <summary>Names the mission row a test proves; <c>./test</c> builds <c>docs/capabilities.md</c> from these.</summary>
[AttributeUsage(AttributeTargets.Method | AttributeTargets.Class, AllowMultiple = true)]
public sealed class RowAttribute(params string[] rows) : Attribute, ITraitAttribute
{
    public IReadOnlyList<string> Rows { get; } = rows;

    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() =>
        [.. Rows.Select(row => KeyValuePair.Create("Row", row))];
}
