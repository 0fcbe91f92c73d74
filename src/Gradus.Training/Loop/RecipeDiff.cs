using System.Collections;
using System.Globalization;
using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Training.Loop;

/// <summary>What differs between the recipe a run was started with and the one it is to go on with.</summary>
internal static class RecipeDiff
{
    // Keys that change what is written or measured, not what is learned; and the length, which the schedule then follows.
    private static readonly string[] MayChange =
    [
        "name", "data_cache", "preflight", "preflight.", "sample_prompt", "samples.",  "trainer.steps", "trainer.tokens", "trainer.epochs", "trainer.save_every", "trainer.keep_last", "trainer.keep_best", "trainer.sample_every",
        "trainer.validate_every", "trainer.validate_batches", "trainer.threads",
    ];

    /// <summary>Differences as <c>path: old → new</c>, those a run can take in its stride apart from those it cannot.</summary>
    public static (List<string> Allowed, List<string> Refused) Of(object before, object after)
    {
        var (old, now) = (Flatten(before), Flatten(after));
        var (allowed, refused) = (new List<string>(), new List<string>());
        foreach (var path in old.Keys.Union(now.Keys).Order(StringComparer.Ordinal))
        {
            var (a, b) = (old.GetValueOrDefault(path, "unset"), now.GetValueOrDefault(path, "unset"));
            if (a != b) (MayChange.Any(key => path == key || (key.EndsWith('.') && path.StartsWith(key, StringComparison.Ordinal))) ? allowed : refused).Add($"{path}: {a} → {b}");
        }
        return (allowed, refused);
    }

    private static SortedDictionary<string, string> Flatten(object recipe)
    {
        var values = new SortedDictionary<string, string>(StringComparer.Ordinal);
        Walk("", recipe);
        return values;

        void Walk(string path, object? value)
        {
            switch (value)
            {
                case null:
                    values[path] = "unset";
                    break;
                case string or bool or IFormattable:
                    values[path] = Convert.ToString(value, CultureInfo.InvariantCulture)!;
                    break;
                case IDictionary map:
                    foreach (DictionaryEntry entry in map) Walk($"{path}.{entry.Key}", entry.Value);
                    break;
                case IEnumerable list:
                    var i = 0;
                    foreach (var item in list) Walk(FormattableString.Invariant($"{path}[{i++}]"), item);
                    break;
                default:
                    var prefix = path.Length == 0 ? "" : path + ".";
                    if (Components.KindOf(value.GetType()) is { } kind) values[prefix + "kind"] = kind;
                    foreach (var property in value.GetType().GetProperties().Where(p => p.SetMethod is { IsPublic: true } && p.GetIndexParameters().Length == 0))
                        Walk(prefix + JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name), property.GetValue(value));
                    break;
            }
        }
    }
}
