using System.Text;
using Gradus.Foundation.Files;
using Gradus.Text.Tokenizers.Formats;
using Gradus.Text.Tokenizers.Normalizers;

namespace Gradus.Text.Tokenizers;

/// <summary>A SentencePiece model: the pipeline with its normalisation, its spelling and its way of decoding.</summary>
internal sealed class SentencePieceTokenizer : PipelineTokenizer
{
    private readonly SentencePieceModel _file;
    private readonly SentencePieceNormalizer? _denormalizer;
    private readonly Lazy<TokenizerParts?> _json;
    private readonly byte[][] _surfaces;

    public SentencePieceTokenizer(SentencePieceModel file, CharsMap? map, int[] before, int[] after)
        : base(SentencePieceParts.Exact(file, map, before, after))
    {
        _file = file;
        _json = new(() => SentencePieceParts.ForJson(file, base.Parts));
        if (file.Denormalization is { CharsMap.Length: > 0 } denormalization)
            _denormalizer = SentencePieceParts.Normalizer(denormalization, ReadMap(denormalization, "denormalizer_spec"));
        _surfaces = [.. file.Pieces.Select(Surface)];
        BosId = file.IdOf(file.BosPiece, SentencePieceType.Control);
        EosId = file.IdOf(file.EosPiece, SentencePieceType.Control);
        PadId = file.IdOf(file.PadPiece, SentencePieceType.Control);
        UnkId = base.Parts.Model.UnknownId;
    }

    /// <summary>As <c>tokenizer.json</c> has it; where that has no words for the model, the exact parts.</summary>
    internal override TokenizerParts Parts => _json.Value ?? base.Parts;

    internal override bool StartsWithAddedSpace => _file.Normalization is { AddDummyPrefix: true } or { RemoveExtraWhitespaces: true };

    /// <summary>The rules of a specification; null for none.</summary>
    public static CharsMap? ReadMap(SentencePieceNormalization spec, string where) =>
        spec.CharsMap.Length == 0 ? null : CharsMap.Read(spec.CharsMap, out var fault) ?? throw new UserException($"{where}: {fault}");

    public override ReadOnlySpan<byte> TokenBytes(int id)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(id);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(id, _surfaces.Length);
        return _surfaces[id];
    }

    /// <summary>Writes <c>tokenizer.model</c> and, where the format can say it, <c>tokenizer.json</c> for Hugging Face's library.</summary>
    public override void Save(string folder)
    {
        Directory.CreateDirectory(folder);
        Durable.WriteFile(Path.Combine(folder, "tokenizer.model"), stream => stream.Write(_file.Write()));
        if (_json.Value is { } parts)
            TokenizerJsonWriter.Save(folder, this, parts);
    }

    /// <inheritdoc/>
    public override void SaveSentencePiece(string file) => Durable.WriteFile(file, stream => stream.Write(_file.Write()));

    internal override DecodeStream NewDecodeStream(bool skipSpecialTokens) => new SentencePieceDecodeStream(_file, _denormalizer, skipSpecialTokens);

    private byte[] Surface(SentencePiece piece) => piece.Type switch
    {
        SentencePieceType.Byte => [BytePieces.Read(piece.Text)!.Value],
        SentencePieceType.Unknown => Encoding.UTF8.GetBytes(_file.UnkSurface),
        SentencePieceType.Control => Encoding.UTF8.GetBytes(piece.Text),
        _ => Encoding.UTF8.GetBytes(piece.Text.Replace(PieceModel.Mark[0], ' ')),
    };
}
