using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Gradus.Text.Tokenizers;

namespace Gradus.Cli;

/// <summary><c>gradus bench tokenizer-growth</c>: what a megabyte of the same costs, and twice as much. Timed, so a part of <c>bench/tokenizer_fuzz.sh</c> and of no test.</summary>
internal static class TokenizerGrowth
{
    // The bounds of RELIABILITY TK4.
    private const double MostSeconds = 2, MostGrowth = 2.3;
    private const int Rounds = 7;

    private static readonly string[] s_units = ["a", "^", " ", "\n", "x ", "本", "日本語", "e\u0301", "👩‍👩‍👧", "abc ", "0"];

    public static Command Create()
    {
        var tokenizer = new Argument<string>("tokenizer") { Description = "What tokenizer encode takes" };
        var command = new Command("tokenizer-growth", "Times texts of one repeated piece at half a megabyte and at one; ends with 1 when one takes over 2 s or more than 2.3 times its half.\n\nExample:\n  gradus bench tokenizer-growth tokenizers/books") { tokenizer };
        command.SetAction(r => Measure(Tokenizer.Load(r.GetRequiredValue(tokenizer))));
        return command;
    }

    private static int Measure(Tokenizer tokenizer)
    {
        var bad = 0;
        var (slowest, steepest) = ((Seconds: 0.0, Unit: ""), (Growth: 0.0, Unit: ""));
        foreach (var unit in s_units)
        {
            var whole = string.Concat(Enumerable.Repeat(unit, 1_000_000 / Encoding.UTF8.GetByteCount(unit) / 2 * 2));
            var half = whole[..(whole.Length / 2)];
            Seconds(tokenizer, half); // compiles the code and fills the caches
            var (one, two) = (double.PositiveInfinity, double.PositiveInfinity);
            for (var round = 0; round < Rounds; round++)
                (one, two) = (Math.Min(one, Seconds(tokenizer, half)), Math.Min(two, Seconds(tokenizer, whole)));
            var name = string.Concat(unit.EnumerateRunes().Select(rune => rune.Value is > 32 and < 127 ? rune.ToString() : $"\\u{{{rune.Value:X}}}"));
            if (two > slowest.Seconds) slowest = (two, name);
            if (two / one > steepest.Growth) steepest = (two / one, name);
            if (two <= MostSeconds && two / one <= MostGrowth) continue;
            bad++;
            Terminal.Note(string.Create(CultureInfo.InvariantCulture, $"{name}: {one:F3} s for half a megabyte, {two:F3} s for one"));
        }
        Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"{s_units.Length} repeated pieces: the slowest megabyte {slowest.Seconds:F3} s ({slowest.Unit}), twice the text at most {steepest.Growth:F2} times the time ({steepest.Unit})"));
        return bad == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private static double Seconds(Tokenizer tokenizer, string text)
    {
        var began = Stopwatch.GetTimestamp();
        tokenizer.Encode(text, addSpecialTokens: false);
        return Stopwatch.GetElapsedTime(began).TotalSeconds;
    }
}
