using System.Text;
using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Normalizers;

/// <summary>
/// The normalisation of a SentencePiece model, byte for byte as SentencePiece does it: compiled rules, spaces collapsed, trimmed and written
/// as ▁, one put before (or behind) the text. User-defined symbols pass as they are. Hugging Face's format has no such step: this kind is ours.
/// </summary>
[Component("SentencePiece")]
internal sealed record SentencePieceNormalizer : Normalizer
{
    private DoubleArray? _symbols;

    /// <summary>The rules, or null for none.</summary>
    public CharsMap? Map { get; init; }

    public bool AddDummyPrefix { get; init; } = true;

    public bool RemoveExtraWhitespaces { get; init; } = true;

    public bool EscapeWhitespaces { get; init; } = true;

    public bool WhitespaceAsSuffix { get; init; }

    /// <summary>Pieces that are taken from the text before anything is rewritten.</summary>
    public IReadOnlyList<string> UserDefined
    {
        get;
        init
        {
            field = value;
            byte[][] keys = [.. value.Select(Encoding.UTF8.GetBytes)];
            _symbols = keys.Length == 0 ? null : DoubleArray.Build(keys, new int[keys.Length]);
        }
    } = [];

    public override PipelinePart Read(JsonField field) => this with
    {
        Map = field["precompiled_charsmap"].IsNull ? null : PrecompiledNormalizer.ReadMap(field["precompiled_charsmap"]),
        AddDummyPrefix = field["add_dummy_prefix"].Flag(otherwise: true),
        RemoveExtraWhitespaces = field["remove_extra_whitespaces"].Flag(otherwise: true),
        EscapeWhitespaces = field["escape_whitespaces"].Flag(otherwise: true),
        WhitespaceAsSuffix = field["treat_whitespace_as_suffix"].Flag(),
        UserDefined = [.. field["user_defined_symbols"].OptionalItems().Select(ReadSymbol).Distinct(StringComparer.Ordinal)],
    };

    public override void WriteSettings(Utf8JsonWriter json)
    {
        if (Map is null)
            json.WriteNull("precompiled_charsmap");
        else
            json.WriteBase64String("precompiled_charsmap", Map.Blob);
        json.WriteBoolean("add_dummy_prefix", AddDummyPrefix);
        json.WriteBoolean("remove_extra_whitespaces", RemoveExtraWhitespaces);
        json.WriteBoolean("escape_whitespaces", EscapeWhitespaces);
        json.WriteBoolean("treat_whitespace_as_suffix", WhitespaceAsSuffix);
        json.WriteStartArray("user_defined_symbols");
        foreach (var symbol in UserDefined)
            json.WriteStringValue(symbol);
        json.WriteEndArray();
    }

    public override void Apply(AlignedText text)
    {
        var bytes = text.Bytes;
        var at = 0;
        if (RemoveExtraWhitespaces)
            for (int length; at < bytes.Length && Next(bytes, at, out length) is [(byte)' ']; at += length)
            {
            }

        if (at == bytes.Length)
        {
            text.Commit(); // white space alone, or nothing: no dummy prefix either
            return;
        }

        var space = EscapeWhitespaces ? "\u2581"u8 : " "u8;
        if (AddDummyPrefix && !WhitespaceAsSuffix)
            text.Put(space, at, at);
        var afterSpace = RemoveExtraWhitespaces;
        while (at < bytes.Length)
        {
            if (Plain(bytes, at) is > 0 and var run)
            {
                text.Keep(at, at + run);
                (at, afterSpace) = (at + run, false);
                continue;
            }

            var piece = Next(bytes, at, out var length);
            while (afterSpace && piece is [(byte)' ', ..])
                piece = piece[1..];
            if (!piece.IsEmpty)
            {
                for (var rest = piece; !rest.IsEmpty;)
                {
                    var plain = EscapeWhitespaces ? rest.IndexOf((byte)' ') : -1;
                    var upTo = plain < 0 ? rest.Length : plain;
                    if (upTo > 0)
                        text.Put(rest[..upTo], at, at + length);
                    if (plain >= 0)
                        text.Put(space, at, at + length);
                    rest = rest[(plain < 0 ? upTo : upTo + 1)..];
                }

                afterSpace = RemoveExtraWhitespaces && piece[^1] == ' ';
            }

            at += length;
        }

        text.Commit();
        if (RemoveExtraWhitespaces && text.Bytes.EndsWith(space))
        {
            var end = text.Bytes.Length;
            while (text.Bytes[..end].EndsWith(space))
                end -= space.Length;
            text.Keep(0, end);
            text.Commit();
        }

        if (AddDummyPrefix && WhitespaceAsSuffix)
        {
            var end = text.Bytes.Length;
            text.Keep(0, end);
            text.Put(space, end, end);
            text.Commit();
        }
    }

    /// <summary>How many bytes from here on no rule can touch.</summary>
    private int Plain(ReadOnlySpan<byte> bytes, int at)
    {
        if (_symbols is not null)
            return 0;
        var end = at;
        // The last character of the run may begin a rule with what follows it, unless that is ASCII too.
        while (end < bytes.Length && bytes[end] < 0x80 && bytes[end] != ' ' && (Map is null || (Map.IsPlain(bytes[end]) && (end + 1 == bytes.Length || bytes[end + 1] < 0x80))))
            end++;
        return end - at;
    }

    /// <summary>What the text that begins here becomes, and how many bytes of it that takes.</summary>
    private ReadOnlySpan<byte> Next(ReadOnlySpan<byte> bytes, int at, out int length)
    {
        var rest = bytes[at..];
        if (_symbols is not null && _symbols.Longest(rest, out length) >= 0)
            return rest[..length];
        if (Map is not null && Map.Longest(rest, out length, out var replacement))
            return replacement;
        if (Rune.DecodeFromUtf8(rest, out _, out length) == System.Buffers.OperationStatus.Done)
            return rest[..length];
        length = 1;
        return "\uFFFD"u8; // one for each byte of broken text
    }

    private static string ReadSymbol(JsonField item) => item.Text() is { Length: > 0 } symbol && !symbol.Contains('\0', StringComparison.Ordinal)
        ? symbol : throw item.Error("a user-defined symbol is a text without zero characters");
}
