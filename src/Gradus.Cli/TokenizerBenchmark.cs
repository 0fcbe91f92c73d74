using System.Buffers.Binary;
using System.CommandLine;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using Gradus.Foundation.Files;
using Gradus.Text.Tokenizers;

namespace Gradus.Cli;

/// <summary><c>gradus bench tokenizer|tokenizer-train</c>: our side of <c>bench/tokenizers.sh</c>. Prints one JSON line.</summary>
internal static class TokenizerBenchmark
{
    private const int Batch = 256; // texts a call, as the reference gets them

    public static IEnumerable<Command> Create() => [Encode(), Train()];

    private static Command Encode()
    {
        var tokenizer = new Argument<string>("tokenizer") { Description = "What tokenizer encode takes" };
        var file = new Option<string>("--file") { Description = "Texts, each with its length in bytes before it (32 bits, little-endian)", Required = true, HelpName = "in" };
        var threads = Threads();
        var ids = new Option<string?>("--ids") { Description = "Writes the ids of all texts here, 32 bits each, instead of measuring", HelpName = "out" };
        var bytes = new Option<bool>("--bytes") { Description = "UTF-8 in, one list out, on one thread: no strings, no array for each text" };
        var command = new Command("tokenizer", "Times encoding: a second of the first megabyte to warm up, then every text once. bench/tokenizers.sh runs others beside it.\n\nExample:\n  gradus bench tokenizer gpt2/tokenizer.json --file build/bench/tokenizers/english.texts --threads 1")
            { tokenizer, file, threads, ids, bytes };
        command.SetAction(r =>
        {
            var t = Tokenizer.Load(r.GetRequiredValue(tokenizer));
            var texts = r.GetRequiredValue(file);
            if (r.GetValue(ids) is { } path)
            {
                WriteIds(path, t, ReadTexts(texts, Encoding.UTF8.GetString));
                return ExitCode.Done;
            }

            var result = r.GetValue(bytes) ? Measure(t, [.. ReadTexts(texts, text => text.ToArray())], EncodeBytes)
                : Measure(t, [.. ReadTexts(texts, Encoding.UTF8.GetString)], (one, some) => EncodeStrings(one, some, r.GetValue(threads)));
            Terminal.Json(new { Program = "gradus", Seconds = result.Seconds, Tokens = result.Tokens, Threads = r.GetValue(threads) });
            return ExitCode.Done;
        });
        return command;
    }

    private static Command Train()
    {
        var files = new Argument<string[]>("data") { Description = "Texts, a document a file", Arity = ArgumentArity.OneOrMore };
        var size = new Option<int>("--vocab-size") { Description = "Tokens in the vocabulary", DefaultValueFactory = _ => 30_000 };
        var threads = Threads();
        var output = new Option<string?>("--out") { Description = "Keeps the tokenizer here", HelpName = "folder" };
        var command = new Command("tokenizer-train", "Times the training of a byte-level BPE vocabulary, reading included. bench/tokenizers.sh runs others beside it.\n\nExample:\n  gradus bench tokenizer-train book.txt --vocab-size 30000 --threads 2") { files, size, threads, output };
        command.SetAction(r =>
        {
            var clock = Stopwatch.StartNew();
            var trained = new BpeTrainerOptions { VocabSize = r.GetValue(size), Threads = r.GetValue(threads), SpecialTokens = [] }
                .Train(r.GetRequiredValue(files).SelectMany(path => Lines(path)));
            var seconds = clock.Elapsed.TotalSeconds;
            if (r.GetValue(output) is { } folder)
                trained.Save(folder);
            Terminal.Json(new { Program = "gradus", Seconds = seconds, Tokens = trained.VocabSize, Threads = r.GetValue(threads) });
            return ExitCode.Done;
        });
        return command;
    }

    private static Option<int> Threads() => new("--threads") { Description = "Threads (1)", DefaultValueFactory = _ => 1 };

    private static (double Seconds, long Tokens) Measure<T>(Tokenizer tokenizer, T[] texts, Func<Tokenizer, ReadOnlyMemory<T>, long> encode)
    {
        var (first, size) = (0, 0L);
        while (first < texts.Length && size < 1_000_000)
            size += texts[first++] is string s ? s.Length : ((byte[])(object)texts[first - 1]!).Length;
        var warm = Stopwatch.StartNew();
        do
            encode(tokenizer, texts.AsMemory(0, first));
        while (warm.Elapsed.TotalSeconds < 1);
        var clock = Stopwatch.StartNew();
        var tokens = encode(tokenizer, texts);
        return (clock.Elapsed.TotalSeconds, tokens);
    }

    private static long EncodeStrings(Tokenizer tokenizer, ReadOnlyMemory<string> texts, int threads)
    {
        var tokens = 0L;
        for (var at = 0; at < texts.Length; at += Batch)
            foreach (var ids in tokenizer.EncodeBatch(texts.Slice(at, Math.Min(Batch, texts.Length - at)).ToArray(), addSpecialTokens: false, threads))
                tokens += ids.Length;
        return tokens;
    }

    private static long EncodeBytes(Tokenizer tokenizer, ReadOnlyMemory<byte[]> texts)
    {
        var (tokens, ids) = (0L, new List<int>());
        foreach (var text in texts.Span)
        {
            ids.Clear();
            tokenizer.Encode(text, ids, addSpecialTokens: false);
            tokens += ids.Count;
        }

        return tokens;
    }

    private static void WriteIds(string path, Tokenizer tokenizer, IEnumerable<string> texts)
    {
        using var stream = File.Create(path);
        foreach (var ids in tokenizer.EncodeBatch([.. texts], addSpecialTokens: false))
            stream.Write(MemoryMarshal.AsBytes(ids.AsSpan()));
    }

    private delegate T Maker<T>(ReadOnlySpan<byte> utf8);

    /// <summary>Through one buffer: strings are all that is left.</summary>
    private static IEnumerable<T> ReadTexts<T>(string path, Maker<T> make)
    {
        using var stream = File.OpenRead(path);
        var (head, text) = (new byte[4], Array.Empty<byte>());
        while (stream.ReadAtLeast(head, 4, throwOnEndOfStream: false) is > 0 and var got)
        {
            var length = got == 4 ? BinaryPrimitives.ReadInt32LittleEndian(head) : -1;
            if (length < 0 || length > stream.Length - stream.Position)
                throw new UserException($"{path}: is no file of texts with their lengths before them");
            if (text.Length < length)
                text = new byte[length];
            stream.ReadExactly(text, 0, length);
            yield return make(text.AsSpan(0, length));
        }
    }

    /// <summary>A line a text, its line break included: how the reference's trainer reads files.</summary>
    private static IEnumerable<ReadOnlyMemory<byte>> Lines(string path)
    {
        using var stream = File.OpenRead(path);
        var (buffer, start, end) = (new byte[1 << 20], 0, 0);
        while (true)
        {
            var read = stream.Read(buffer, end, buffer.Length - end);
            if (read == 0)
                break;
            var from = end;
            end += read;
            while (Array.IndexOf(buffer, (byte)'\n', from, end - from) is >= 0 and var line)
            {
                yield return buffer.AsMemory(start, line + 1 - start).ToArray();
                start = from = line + 1;
            }

            buffer.AsSpan(start, end - start).CopyTo(buffer);
            (start, end) = (0, end - start);
            if (end == buffer.Length)
                Array.Resize(ref buffer, checked(buffer.Length * 2));
        }

        if (end > start)
            yield return buffer.AsMemory(start, end - start);
    }
}
