using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Gradus.Foundation.Files;
using Gradus.Text.Data.Sources;
using Gradus.Text.Tokenizers;

namespace Gradus.Cli;

/// <summary><c>gradus tokenizer compare</c>: several tokenizers on one corpus.</summary>
internal static class TokenizerCompareCommand
{
    private const long MostBytes = 1L << 30;

    public static Command Create()
    {
        var tokenizers = new Argument<string[]>("tokenizers") { Description = "Tokenizer files or folders", Arity = ArgumentArity.OneOrMore };
        var file = new Option<string>("--file") { Description = "The corpus: texts (.txt, .md), .jsonl (field 'text'), a folder or a glob", Required = true, HelpName = "corpus" };
        var json = new Option<bool>("--json") { Description = "A line of JSON a tokenizer" };
        var command = new Command("compare", """
            Compares tokenizers on a corpus: vocabulary, bytes per token, tokens per word, share of unknown tokens, speed on one core, memory.

            Example:
              gradus tokenizer compare models/gpt2 models/llama books/tokenizer.json --file books/
            """) { tokenizers, file, json };
        command.SetAction(result =>
        {
            var texts = Texts(result.GetRequiredValue(file));
            var words = texts.Sum(Words);
            var bytes = texts.Sum(t => (long)t.Length);
            if (!result.GetValue(json)) Terminal.Out("vocabulary  bytes/token  tokens/word   unknown      MB/s  memory MB  tokenizer");
            foreach (var path in result.GetRequiredValue(tokenizers))
            {
                var row = Measure(path, texts, bytes, words);
                if (result.GetValue(json)) Terminal.Json(row);
                else Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"{row.Vocabulary,10:N0}  {row.BytesPerToken,11:F3}  {row.TokensPerWord,11:F3}  {row.UnknownRate,8:P3}  {row.MegabytesPerSecond,8:F1}  {row.MemoryMegabytes,9:F1}  {row.Tokenizer}"));
            }
            if (!result.GetValue(json)) Terminal.Note(string.Create(CultureInfo.InvariantCulture, $"{texts.Count:N0} documents, {bytes / 1e6:F2} MB, {words:N0} words"));
            return ExitCode.Done;
        });
        return command;
    }

    /// <summary>What is measured of one tokenizer.</summary>
    internal sealed record Row(string Tokenizer, int Vocabulary, long Tokens, double BytesPerToken, double TokensPerWord, double UnknownRate, double MegabytesPerSecond, double MemoryMegabytes);

    internal static Row Measure(string path, List<byte[]> texts, long bytes, long words)
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var tokenizer = Tokenizer.Load(path);
        var memory = Math.Max(0, GC.GetTotalMemory(forceFullCollection: true) - before);
        var (tokens, unknown, ids) = (0L, 0L, new List<int>());
        // The first round counts and warms; then the best of rounds, a second and a half of them at least three.
        foreach (var text in texts)
        {
            ids.Clear();
            tokenizer.Encode(text, ids, addSpecialTokens: false);
            tokens += ids.Count;
            if (tokenizer.UnkId is { } unk) foreach (var id in ids) unknown += id == unk ? 1 : 0;
        }
        var best = TimeSpan.MaxValue;
        var all = Stopwatch.StartNew();
        for (var round = 0; round < 3 || (all.Elapsed.TotalSeconds < 1.5 && round < 50); round++)
        {
            var clock = Stopwatch.StartNew();
            foreach (var text in texts)
            {
                ids.Clear();
                tokenizer.Encode(text, ids, addSpecialTokens: false);
            }
            best = clock.Elapsed < best ? clock.Elapsed : best;
        }
        GC.KeepAlive(tokenizer);
        return new(path, tokenizer.VocabSize, tokens, (double)bytes / Math.Max(1, tokens), (double)tokens / Math.Max(1, words), (double)unknown / Math.Max(1, tokens), bytes / 1e6 / Math.Max(1e-9, best.TotalSeconds), memory / 1e6);
    }

    private static List<byte[]> Texts(string path)
    {
        var texts = new List<byte[]>();
        var total = 0L;
        foreach (var document in TokenizerCommand.Source(path).Read(new SourceReport()))
        {
            if ((total += document.Utf8.Length) > MostBytes) throw new UserException($"{path}: more than {MostBytes >> 20} MB; compare on a part of it");
            texts.Add(document.Utf8.ToArray());
        }
        return texts;
    }

    // What white space divides: a measure, not a tokenization.
    private static long Words(byte[] text)
    {
        var (count, inWord) = (0L, false);
        foreach (var b in text)
        {
            var word = b > ' ';
            count += word && !inWord ? 1 : 0;
            inWord = word;
        }
        return count;
    }
}
