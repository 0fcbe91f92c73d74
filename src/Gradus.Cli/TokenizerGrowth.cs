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
    private const int LeastRounds = 9;

    // Milliseconds are soon disturbed: short texts are repeated for this long, and the least time counts.
    private const double LeastSeconds = 1;

    private static readonly string[] s_units = ["a", "^", " ", "\n", "x ", "本", "日本語", "e\u0301", "👩‍👩‍👧", "abc ", "0"];

    public static Command Create()
    {
        var tokenizer = new Argument<string>("tokenizer") { Description = "What tokenizer encode takes" };
        var command = new Command("tokenizer-growth", "Times texts of one repeated piece, half a megabyte and a whole; ends with 1 when the whole takes over 2 s or more than 2.3 times as long as the half.\n\nExample:\n  gradus bench tokenizer-growth tokenizers/books") { tokenizer };
        command.SetAction(r => Measure(Tokenizer.Load(r.GetRequiredValue(tokenizer))));
        return command;
    }

    private static int Measure(Tokenizer tokenizer)
    {
        var (bad, ids) = (0, new List<int>());
        var (slowest, steepest) = ((Seconds: 0.0, Unit: ""), (Growth: 0.0, Unit: ""));
        foreach (var unit in s_units)
        {
            var count = 500_000 / Encoding.UTF8.GetByteCount(unit);
            var (once, twice) = (Repeated(unit, count), Repeated(unit, 2 * count));
            Seconds(tokenizer, twice, ids); // compiles the code, fills the caches, makes room for the ids
            var (one, two) = (double.PositiveInfinity, double.PositiveInfinity);
            var began = Stopwatch.GetTimestamp();
            for (var round = 0; round < LeastRounds || Stopwatch.GetElapsedTime(began).TotalSeconds < LeastSeconds; round++)
                (one, two) = (Math.Min(one, Seconds(tokenizer, once, ids)), Math.Min(two, Seconds(tokenizer, twice, ids)));
            var name = string.Concat(unit.EnumerateRunes().Select(rune => rune.Value is > 32 and < 127 ? rune.ToString() : $"\\u{{{rune.Value:X}}}"));
            if (two > slowest.Seconds) slowest = (two, name);
            if (two / one > steepest.Growth) steepest = (two / one, name);
            if (two <= MostSeconds && two / one <= MostGrowth) continue;
            bad++;
            Terminal.Note(string.Create(CultureInfo.InvariantCulture, $"{name}: {one:F4} s for half a megabyte, {two:F4} s for one"));
        }
        Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"{s_units.Length} repeated pieces: the slowest megabyte {slowest.Seconds:F3} s ({slowest.Unit}), twice the text at most {steepest.Growth:F2} times the time ({steepest.Unit})"));
        return bad == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private static byte[] Repeated(string unit, int count) => Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(unit, count)));

    private static double Seconds(Tokenizer tokenizer, byte[] text, List<int> ids)
    {
        ids.Clear();
        var began = Stopwatch.GetTimestamp();
        tokenizer.Encode(text, ids, addSpecialTokens: false);
        return Stopwatch.GetElapsedTime(began).TotalSeconds;
    }
}
