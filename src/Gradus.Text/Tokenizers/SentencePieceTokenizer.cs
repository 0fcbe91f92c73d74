using System.Buffers;
using System.Text;
using Gradus.Foundation.Files;
using Gradus.Text.Tokenizers.Formats;
using Gradus.Text.Tokenizers.Models;
using Gradus.Text.Tokenizers.Normalizers;

namespace Gradus.Text.Tokenizers;

/// <summary>A SentencePiece model: its normalisation, its spelling and its way of decoding.</summary>
internal sealed class SentencePieceTokenizer : Tokenizer
{
    private const int BadByte = 0xFFFD;

    private readonly SentencePieceModel _file;
    private readonly SentencePieceNormalizer _normalizer;
    private readonly SentencePieceNormalizer? _denormalizer;
    private readonly TokenModel _model;
    private readonly AddedTokens _parsed;
    private readonly Vocabulary _vocabulary; // with the bytes that tokens decode to
    private readonly int[] _before, _after;

    public SentencePieceTokenizer(SentencePieceModel file, CharsMap? map, int[] before, int[] after)
    {
        (_file, _before, _after) = (file, before, after);
        _model = file.Kind == SentencePieceKind.Unigram ? UnigramModel.From(file) : SentencePieceSpeller.From(file);
        _normalizer = Normalizer(file.Normalization, map) with
        {
            WhitespaceAsSuffix = file.WhitespaceAsSuffix,
            UserDefined = [.. file.Pieces.Where(p => p.Type == SentencePieceType.UserDefined).Select(p => p.Text)],
        };
        if (file.Denormalization is { CharsMap.Length: > 0 } denormalization)
            _denormalizer = Normalizer(denormalization, ReadMap(denormalization, "denormalizer_spec"));
        _parsed = new AddedTokens(file.Pieces.Select((p, id) => new AddedToken(id, p.Text, Special: true)).Where(t => file.Pieces[t.Id].Type is SentencePieceType.Control or SentencePieceType.Unknown));
        _vocabulary = new Vocabulary([.. file.Pieces.Select((p, id) => (id, p.Text, Surface(p)))]);
        BosId = file.IdOf(file.BosPiece, SentencePieceType.Control);
        EosId = file.IdOf(file.EosPiece, SentencePieceType.Control);
        PadId = file.IdOf(file.PadPiece, SentencePieceType.Control);
        UnkId = _model.UnknownId;
    }

    public override int VocabSize => _vocabulary.Size;

    internal override bool StartsWithAddedSpace => _file.Normalization is { AddDummyPrefix: true } or { RemoveExtraWhitespaces: true };

    /// <summary>The rules of a specification; null for none.</summary>
    public static CharsMap? ReadMap(SentencePieceNormalization spec, string where) =>
        spec.CharsMap.Length == 0 ? null : CharsMap.Read(spec.CharsMap, out var fault) ?? throw new UserException($"{where}: {fault}");

    public override void Encode(ReadOnlySpan<byte> utf8, List<int> ids, bool addSpecialTokens)
    {
        ArgumentNullException.ThrowIfNull(ids);
        if (addSpecialTokens)
            ids.AddRange(_before);
        Append(utf8, ids, _model.NewWork(random: null), []);
        if (addSpecialTokens)
            ids.AddRange(_after);
    }

    public override void EncodeParsed(ReadOnlySpan<byte> utf8, List<int> ids, bool addSpecialTokens)
    {
        ArgumentNullException.ThrowIfNull(ids);
        if (addSpecialTokens)
            ids.AddRange(_before);
        var (work, found, at) = (_model.NewWork(random: null), new List<FoundToken>(), 0);
        while (_parsed.Next(utf8, at, out var start, out var end, out var id))
        {
            Append(utf8[at..start], ids, work, found);
            ids.Add(id);
            at = end;
        }

        Append(utf8[at..], ids, work, found);
        if (addSpecialTokens)
            ids.AddRange(_after);
    }

    public override ReadOnlySpan<byte> TokenBytes(int id) => _vocabulary.Bytes(id);

    public override int? IdOf(string token) => _vocabulary.Id(token);

    public override string NameOf(int id) => _vocabulary.Name(id) ?? "";

    public override bool IsSpecial(int id) => (uint)id < (uint)_file.Pieces.Count && _file.Pieces[id].Type == SentencePieceType.Control;

    public override void Save(string folder)
    {
        Directory.CreateDirectory(folder);
        Durable.WriteFile(Path.Combine(folder, "tokenizer.model"), stream => stream.Write(_file.Write()));
    }

    /// <summary>As SentencePiece: one ▁ goes from the first piece (from all that begin the text, where white space is collapsed); a broken byte is U+FFFD.</summary>
    public override string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = true)
    {
        var text = new StringBuilder();
        var strip = StartsWithAddedSpace;
        var stripped = false;
        var bytes = new ArrayBufferWriter<byte>();
        foreach (var id in ids)
        {
            var piece = _file.Pieces[_vocabulary.Name(id) is null ? 0 : id];
            if (piece.Type == SentencePieceType.Byte)
            {
                bytes.Write([BytePieces.Read(piece.Text)!.Value]);
                continue;
            }

            Flush(bytes, text);
            if (stripped || text.Length > 0)
                strip = false;
            stripped = false;
            if (piece.Type == SentencePieceType.Unknown)
                text.Append(_file.UnkSurface);
            else if (piece.Type == SentencePieceType.Control)
                text.Append(skipSpecialTokens ? "" : piece.Text);
            else
            {
                var own = strip && piece.Text.StartsWith(PieceModel.Mark[0]);
                stripped = own && !_file.Normalization.RemoveExtraWhitespaces;
                text.Append(piece.Text[(own ? 1 : 0)..].Replace(PieceModel.Mark[0], ' '));
            }
        }

        Flush(bytes, text);
        return _denormalizer is null ? text.ToString() : Rewrite(_denormalizer, Encoding.UTF8.GetBytes(text.ToString()));
    }

    private static void Flush(ArrayBufferWriter<byte> bytes, StringBuilder text)
    {
        for (var rest = bytes.WrittenSpan; !rest.IsEmpty;)
        {
            var valid = Rune.DecodeFromUtf8(rest, out var rune, out var length) == OperationStatus.Done;
            text.Append(valid ? rune : new Rune(BadByte));
            rest = rest[(valid ? length : 1)..];
        }

        bytes.Clear();
    }

    private static string Rewrite(SentencePieceNormalizer normalizer, byte[] utf8)
    {
        var text = new AlignedText(utf8, track: false);
        normalizer.Apply(text);
        return Encoding.UTF8.GetString(text.Bytes);
    }

    private void Append(ReadOnlySpan<byte> utf8, List<int> ids, TokenModelWork work, List<FoundToken> found)
    {
        if (utf8.IsEmpty)
            return;
        var text = new AlignedText(utf8, track: false);
        _normalizer.Apply(text);
        found.Clear();
        if (!text.Bytes.IsEmpty)
            work.Spell(text.Bytes, found);
        foreach (var token in found)
            ids.Add(token.Id);
    }

    private static SentencePieceNormalizer Normalizer(SentencePieceNormalization spec, CharsMap? map) => new()
    {
        Map = map,
        AddDummyPrefix = spec.AddDummyPrefix,
        RemoveExtraWhitespaces = spec.RemoveExtraWhitespaces,
        EscapeWhitespaces = spec.EscapeWhitespaces,
    };

    private byte[] Surface(SentencePiece piece) => piece.Type switch
    {
        SentencePieceType.Byte => [BytePieces.Read(piece.Text)!.Value],
        SentencePieceType.Unknown => Encoding.UTF8.GetBytes(_file.UnkSurface),
        SentencePieceType.Control => Encoding.UTF8.GetBytes(piece.Text),
        _ => Encoding.UTF8.GetBytes(piece.Text.Replace(PieceModel.Mark[0], ' ')),
    };
}
