using System.Globalization;
using Gradus.Foundation.Files;

namespace Gradus.Foundation.Recipes;

/// <summary>One thing wrong with a recipe. An override's problem has no line: its <paramref name="File"/> is <c>--set path=value</c>.</summary>
public sealed record RecipeProblem(string File, int Line, int Column, string Message)
{
    /// <summary><c>recipe.yaml:7:3: message</c>.</summary>
    public override string ToString() =>
        Line > 0 ? string.Create(CultureInfo.InvariantCulture, $"{File}:{Line}:{Column}: {Message}") : $"{File}: {Message}";
}

/// <summary>A recipe that cannot be used. The message has one line for each problem, in the order of the file, overrides last.</summary>
public class RecipeException : UserException
{
    private const int MostLines = 100;

    /// <summary>One problem.</summary>
    public RecipeException(string file, int line, int column, string message)
        : this([new RecipeProblem(file, line, column, message)])
    {
    }

    /// <summary>All problems found, at least one.</summary>
    public RecipeException(IReadOnlyList<RecipeProblem> problems)
        : base(Lines(problems)) => Problems = problems;

    /// <summary>Every problem, first of the file first.</summary>
    public IReadOnlyList<RecipeProblem> Problems { get; }

    private static string Lines(IReadOnlyList<RecipeProblem> problems)
    {
        var lines = problems.Take(MostLines).Select(problem => problem.ToString());
        return string.Join('\n', problems.Count > MostLines ? lines.Append(string.Create(CultureInfo.InvariantCulture, $"… and {problems.Count - MostLines} more")) : lines);
    }
}
