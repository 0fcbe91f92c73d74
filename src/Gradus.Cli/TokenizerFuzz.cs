using System.Buffers.Binary;
using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Text.Tokenizers;

namespace Gradus.Cli;

/// <summary><c>gradus bench tokenizer-fuzz</c>: our side of <c>bench/tokenizer_fuzz.sh</c>. Compares ids with a reference's, string by string.</summary>
internal static class TokenizerFuzz
{
    private static readonly JsonSerializerOptions s_readable = new() { Encoder = JavaScriptEncoder.Default };

    public static Command Create()
    {
        var tokenizer = new Argument<string>("tokenizer") { Description = "What tokenizer encode takes" };
        var file = new Option<string>("--file") { Description = "Strings with the reference's ids: byte count, UTF-8, id count, ids; numbers of 32 bits, little-endian; - is standard input", Required = true, HelpName = "in" };
        var special = new Option<bool>("--add-special-tokens") { Description = "The reference added what its post-processor asks for" };
        var roundTrip = new Option<bool>("--round-trip") { Description = "The ids must decode to the string (byte-level kinds)" };
        var command = new Command("tokenizer-fuzz", "Compares ids with those of another library for many strings; ends with 1 when any differ. bench/tokenizer_fuzz.sh makes them.\n\nExample:\n  node bench/tokenizer_fuzz.mjs gpt2.json 1000 1 | gradus bench tokenizer-fuzz gpt2.json --file - --round-trip")
            { tokenizer, file, special, roundTrip };
        command.SetAction(r => Compare(
            Tokenizer.Load(r.GetRequiredValue(tokenizer)), r.GetRequiredValue(file), r.GetValue(special), r.GetValue(roundTrip)));
        return command;
    }

    private static int Compare(Tokenizer tokenizer, string path, bool addSpecialTokens, bool roundTrip)
    {
        using var stream = path == "-" ? System.Console.OpenStandardInput() : File.OpenRead(path);
        var (strings, bytes, wrong, broken) = (0L, 0L, 0L, 0L);
        var worst = new List<(byte[] Text, int[] Expected, int[] Actual)>();
        var ids = new List<int>();
        while (Read(stream, path, out var text, out var expected))
        {
            strings++;
            bytes += text.Length;
            ids.Clear();
            tokenizer.EncodeParsed(text, ids, addSpecialTokens);
            if (!CollectionsMarshal.AsSpan(ids).SequenceEqual(expected))
            {
                wrong++;
                worst.Add((text, expected, [.. ids]));
                worst.Sort((x, y) => x.Text.Length.CompareTo(y.Text.Length));
                if (worst.Count > 5)
                    worst.RemoveAt(5);
            }

            if (roundTrip && !RoundTrips(tokenizer, text, ids))
            {
                broken++;
                if (broken == 1)
                    Terminal.Note($"does not decode to itself: {Shown(text)}");
            }
        }

        foreach (var (text, expected, actual) in worst)
            Terminal.Note($"differs: {Shown(text)}\n  reference {string.Join(' ', expected.Take(40))}\n  gradus    {string.Join(' ', actual.Take(40))}");
        Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"{strings:N0} strings, {bytes / 1e6:F1} MB: {wrong:N0} differ from the reference{(roundTrip ? $", {broken:N0} do not decode to themselves" : "")}"));
        return wrong + broken == 0 && strings > 0 ? ExitCode.Done : ExitCode.Failed;
    }

    /// <summary>Both readings must give back every byte: special tokens as such, and as text.</summary>
    private static bool RoundTrips(Tokenizer tokenizer, byte[] text, List<int> ids)
    {
        if (!Decodes(tokenizer, text, ids))
            return false;
        ids.Clear();
        tokenizer.Encode(text, ids, addSpecialTokens: false);
        return Decodes(tokenizer, text, ids) && !ids.Exists(tokenizer.IsSpecial);
    }

    private static bool Decodes(Tokenizer tokenizer, ReadOnlySpan<byte> text, List<int> ids)
    {
        foreach (var id in ids)
        {
            var piece = tokenizer.TokenBytes(id);
            if (!text.StartsWith(piece))
                return false;
            text = text[piece.Length..];
        }

        return text.IsEmpty;
    }

    private static string Shown(byte[] text) => JsonSerializer.Serialize(Encoding.UTF8.GetString(text), s_readable);

    private static bool Read(Stream stream, string path, out byte[] text, out int[] ids)
    {
        (text, ids) = ([], []);
        Span<byte> number = stackalloc byte[4];
        if (stream.ReadAtLeast(number, 4, throwOnEndOfStream: false) == 0)
            return false;
        try
        {
            text = new byte[Length(number)];
            stream.ReadExactly(text);
            stream.ReadExactly(number);
            ids = new int[Length(number)];
            stream.ReadExactly(MemoryMarshal.AsBytes(ids.AsSpan()));
            return true;
        }
        catch (EndOfStreamException e)
        {
            throw new UserException($"{path}: ends in the middle of a string", e);
        }

        int Length(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt32LittleEndian(bytes) is >= 0 and < 1 << 28 and var n
            ? n : throw new UserException($"{path}: is no file of strings and their ids");
    }
}
