using System.Text.RegularExpressions;
using Gradus.Foundation.Files;
using Gradus.Models.Nn;

namespace Gradus.Models.Peft;

/// <summary>Which modules a pattern means.</summary>
internal static class TargetModules
{
    /// <summary>Every linear of the model but its head.</summary>
    public const string AllLinear = "all-linear";

    /// <summary>The linears that any of the patterns means, in the model's order.</summary>
    /// <exception cref="UserException">A pattern means none; the message names the nearest.</exception>
    public static IReadOnlyList<Linear> Find(ILanguageModel model, IReadOnlyList<string> patterns, string key)
    {
        if (model.Linears.Count == 0) throw new UserException($"adapter.{key}: this model has no linears that adapters can attach to");
        foreach (var pattern in patterns)
            if (!model.Linears.Any(linear => Means(pattern, linear, model)))
                throw new UserException($"adapter.{key}: '{pattern}' is no linear of the model{NearestName.Hint(pattern, Names(model).Prepend(AllLinear))}");
        return [.. model.Linears.Where(linear => patterns.Any(pattern => Means(pattern, linear, model)))];
    }

    /// <summary>As <see cref="Find"/>, for a list that covers several families.</summary>
    public static IReadOnlyList<Linear> Usual(ILanguageModel model, IReadOnlyList<string> patterns)
    {
        IReadOnlyList<Linear> found = [.. model.Linears.Where(linear => patterns.Any(pattern => Means(pattern, linear, model)))];
        return found.Count > 0 ? found : throw new UserException($"adapter.targets: the usual choice ({string.Join(", ", patterns)}) is not in this model; name targets{NearestName.Hint("", Names(model))}");
    }

    /// <exception cref="UserException">The pattern means none of the targets.</exception>
    public static void Expect(IReadOnlyList<Linear> targets, string pattern, string key)
    {
        if (!targets.Any(linear => Matches(pattern, linear.Path)))
            throw new UserException($"adapter.{key}: '{pattern}' is none of the targets{NearestName.Hint(pattern, targets.Select(linear => Last(linear.Path)).Distinct(StringComparer.Ordinal))}; with * or ? a pattern is one over the whole path");
    }

    /// <summary>Whether a pattern means a path: with * or ? it is one over the whole path, otherwise the path's end from a dot on.</summary>
    public static bool Matches(string pattern, string path) => pattern.AsSpan().IndexOfAny('*', '?') >= 0
        ? Regex.IsMatch(path, "^" + Regex.Escape(pattern).Replace("\\*", ".*", StringComparison.Ordinal).Replace("\\?", ".", StringComparison.Ordinal) + "$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)
        : path == pattern || path.EndsWith("." + pattern, StringComparison.Ordinal);

    /// <summary>The shortest list that means exactly these linears: <c>all-linear</c>'s names, the last names where they suffice, else whole paths.</summary>
    public static IReadOnlyList<string> Shortest(ILanguageModel model, IEnumerable<string> paths)
    {
        var wanted = paths.ToHashSet(StringComparer.Ordinal);
        string[] last = [.. wanted.Select(Last).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        return model.Linears.Where(linear => last.Contains(Last(linear.Path))).All(linear => wanted.Contains(linear.Path)) ? last : [.. wanted.Order(StringComparer.Ordinal)];
    }

    /// <summary>The parameters of the modules that any of the patterns means.</summary>
    /// <exception cref="UserException">A pattern means none.</exception>
    public static IReadOnlyList<Parameter> Modules(ILanguageModel model, IReadOnlyList<string> patterns, string key)
    {
        foreach (var pattern in patterns)
        {
            if (model.Linears.FirstOrDefault(linear => linear.Weight is PackedWeight && Matches(pattern, linear.Path)) is { } packed)
                throw new UserException($"adapter.{key}: '{pattern}' means {packed.Path}, whose weight is held in few bits (adapter.base) and cannot be trained whole");
            if (!model.Parameters.Any(parameter => Matches(pattern, Module(parameter))))
            {
                var tied = pattern == model.Head.Path && model.Head.Weight is DenseWeight { Parameter: var table } ? $"; '{pattern}' reads {table.Name}: name '{Module(table)}' to train both" : "";
                throw new UserException($"adapter.{key}: '{pattern}' is no module of the model that has dense parameters{(tied.Length > 0 ? tied : NearestName.Hint(pattern, model.Parameters.Select(p => Last(Module(p))).Distinct(StringComparer.Ordinal)))}");
            }
        }
        return [.. model.Parameters.Where(parameter => patterns.Any(pattern => Matches(pattern, Module(parameter))))];
    }

    private static bool Means(string pattern, Linear linear, ILanguageModel model) =>
        pattern == AllLinear ? linear != model.Head : Matches(pattern, linear.Path);

    private static IEnumerable<string> Names(ILanguageModel model) => model.Linears.Select(linear => Last(linear.Path)).Distinct(StringComparer.Ordinal);

    private static string Last(string path) => path[(path.LastIndexOf('.') + 1)..];

    private static string Module(Parameter parameter) => parameter.Name[..Math.Max(0, parameter.Name.LastIndexOf('.'))];
}
