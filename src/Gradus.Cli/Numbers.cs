using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Gradus.Cli;

/// <summary>How numbers on the command line are read, in every option of every verb: the parser's own way takes <c>0,5</c> for five.</summary>
internal static class Numbers
{
    private delegate bool TryParse<T>(string text, out T value);

    public static void ReadStrictly(Command command)
    {
        foreach (var option in command.Options)
            switch (option)
            {
                case Option<double> real: real.CustomParser = result => Read(result, option.Name, "a number, such as 0.5", (string text, out double value) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value)); break;
                case Option<int> whole: whole.CustomParser = result => Read(result, option.Name, "a whole number", (string text, out int value) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value)); break;
                case Option<long> whole: whole.CustomParser = result => Read(result, option.Name, "a whole number", (string text, out long value) => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value)); break;
                case Option<ulong> whole: whole.CustomParser = result => Read(result, option.Name, "a whole number from 0 to 18446744073709551615", (string text, out ulong value) => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value)); break;
            }
        foreach (var inner in command.Subcommands) ReadStrictly(inner);
    }

    private static T Read<T>(ArgumentResult result, string option, string what, TryParse<T> parse)
    {
        var text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
        if (!parse(text, out var value)) result.AddError($"{option}: '{text}' is not {what}");
        return value;
    }
}
