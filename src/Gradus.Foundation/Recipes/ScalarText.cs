using System.Globalization;
using System.Text.RegularExpressions;

namespace Gradus.Foundation.Recipes;

/// <summary>Scalars by one strict grammar, whatever the machine's language: no commas, no blanks, no octal, no infinities, nothing rounded to zero.</summary>
internal static partial class ScalarText
{
    /// <summary>The value, or null with the reason in <paramref name="problem"/>.</summary>
    public static object? Read(ValueShape shape, RecipeNode node, out string problem)
    {
        problem = "";
        return shape.Form switch
        {
            Form.Bool => Bool(node, out problem),
            Form.Integer => Integer(node, shape.Type, out problem),
            Form.Real => Real(node, shape.Type, out problem),
            Form.Enum => Word(node, shape.Type, out problem),
            _ => node.Text,
        };
    }

    private static object? Bool(RecipeNode node, out string problem)
    {
        problem = node is { Plain: true, Text: "true" or "false" } ? "" : "expected true or false, got " + node.Describe() + Unquote(node, node.Text is "true" or "false");
        return problem.Length == 0 ? node.Text == "true" : null;
    }

    private static object? Integer(RecipeNode node, Type type, out string problem)
    {
        problem = "";
        var text = node.Text;
        if (!node.Plain || !WholeNumber().IsMatch(text))
        {
            problem = "expected a whole number, got " + node.Describe() + Unquote(node, WholeNumber().IsMatch(text));
            if (node.Plain && AnyNumber().IsMatch(text) && decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value == decimal.Truncate(value))
                problem += $"; write {decimal.Truncate(value).ToString("0", CultureInfo.InvariantCulture)}";
            else if (node.Plain && text.Contains('_', StringComparison.Ordinal) && WholeNumber().IsMatch(text.Replace("_", "", StringComparison.Ordinal)))
                problem += $"; write {text.Replace("_", "", StringComparison.Ordinal)}";
            return null;
        }
        try
        {
            return Convert.ChangeType(Int128.Parse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) is var wide && wide >= long.MinValue && wide <= long.MaxValue
                ? (object)(long)wide : checked((ulong)wide), type, CultureInfo.InvariantCulture);
        }
        catch (OverflowException)
        {
            var (low, high) = Bounds(type);
            problem = $"{text} is out of range; it must be at least {low} and at most {high}";
            return null;
        }
    }

    private static object? Real(RecipeNode node, Type type, out string problem)
    {
        problem = "";
        var text = node.Text;
        if (node.Plain && NotFinite().IsMatch(text))
            problem = $"{text} is not a finite number";
        else if (!node.Plain || !AnyNumber().IsMatch(text))
            problem = "expected a number, got " + node.Describe() + Unquote(node, AnyNumber().IsMatch(text)) + (CommaNumber().IsMatch(text) ? "; write the decimal point as '.'" : "");
        if (problem.Length > 0)
            return null;
        var value = double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture);
        var narrow = type == typeof(float) ? (float)value : value;
        if (!double.IsFinite(narrow))
            problem = $"{text} is too large for a finite number";
        else if (narrow == 0 && text.Split('e', 'E')[0].AsSpan().IndexOfAnyInRange('1', '9') >= 0)
            problem = $"{text} is too small: it would become 0";
        return problem.Length > 0 ? null : type == typeof(float) ? (object)(float)value : value;
    }

    private static object? Word(RecipeNode node, Type type, out string problem)
    {
        problem = "";
        var words = EnumWords.Of(type);
        foreach (var (word, value) in words)
            if (node.Text == word || node.Text == word.Replace('-', '_'))
                return value;
        problem = $"{node.Describe()} is not one of {string.Join(", ", words.Select(w => w.Word))}";
        if (Files.NearestName.Of(node.Text, words.Select(w => w.Word)) is { } near)
            problem += $"; did you mean '{near}'?";
        return null;
    }

    /// <summary>The smallest and largest value of an integer type, as text.</summary>
    public static (string Low, string High) Bounds(Type type)
    {
        string Constant(string name) => Convert.ToString(type.GetField(name)!.GetValue(null), CultureInfo.InvariantCulture)!;
        return (Constant("MinValue"), Constant("MaxValue"));
    }

    private static string Unquote(RecipeNode node, bool wouldDo) => !node.Plain && wouldDo ? "; remove the quotes" : "";

    // No leading zeros: 010 is eight in one YAML and ten in another.
    [GeneratedRegex(@"^[-+]?(0|[1-9][0-9]{0,30})\z", RegexOptions.CultureInvariant)]
    private static partial Regex WholeNumber();

    [GeneratedRegex(@"^[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex AnyNumber();

    [GeneratedRegex(@"^[-+]?\.?(inf|infinity|nan)\z", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex NotFinite();

    [GeneratedRegex(@"^[-+]?[0-9]+,[0-9]+\z", RegexOptions.CultureInvariant)]
    private static partial Regex CommaNumber();
}
