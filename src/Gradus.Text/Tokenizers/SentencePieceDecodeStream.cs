using System.Buffers;
using System.Text;
using Gradus.Text.Tokenizers.Formats;
using Gradus.Text.Tokenizers.Normalizers;

namespace Gradus.Text.Tokenizers;

/// <summary>
/// Decodes as SentencePiece: one ▁ goes from the first piece (from all that begin the text, where white space is collapsed); each broken byte is
/// U+FFFD; an unknown piece is the text that the model has for it.
/// </summary>
/// <param name="file">The model.</param>
/// <param name="denormalizer">What the whole text goes through at the end, or null.</param>
/// <param name="skipSpecialTokens">Leaves control pieces out.</param>
internal sealed class SentencePieceDecodeStream(SentencePieceModel file, SentencePieceNormalizer? denormalizer, bool skipSpecialTokens) : DecodeStream
{
    private readonly StringBuilder _text = new(); // what is whole and was not handed out
    private readonly List<byte> _bytes = [];
    private bool _empty = true; // no text has come yet
    private bool _strip = file.Normalization is { AddDummyPrefix: true } or { RemoveExtraWhitespaces: true };
    private bool _stripped;

    public override string Push(int id)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(id);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(id, file.Pieces.Count);
        Add(file.Pieces[id]);
        return denormalizer is null ? Take() : "";
    }

    public override string Flush()
    {
        AddBytes(last: true);
        if (denormalizer is null)
            return Take();
        var text = new AlignedText(Encoding.UTF8.GetBytes(Take()), track: false);
        denormalizer.Apply(text);
        return Encoding.UTF8.GetString(text.Bytes);
    }

    private void Add(SentencePiece piece)
    {
        if (piece.Type == SentencePieceType.Byte)
        {
            _bytes.Add(BytePieces.Read(piece.Text)!.Value);
            AddBytes(last: false);
            return;
        }

        AddBytes(last: true);
        if (_stripped || !_empty)
            _strip = false;
        _stripped = false;
        switch (piece.Type)
        {
            case SentencePieceType.Unknown:
                Append(file.UnkSurface);
                break;
            case SentencePieceType.Control:
                Append(skipSpecialTokens ? "" : piece.Text);
                break;
            default:
                var own = _strip && piece.Text.StartsWith(PieceModel.Mark[0]);
                _stripped = own && !file.Normalization.RemoveExtraWhitespaces;
                Append(piece.Text[(own ? 1 : 0)..].Replace(PieceModel.Mark[0], ' '));
                break;
        }
    }

    /// <summary>Takes the characters that are whole, and what can no longer become one.</summary>
    private void AddBytes(bool last)
    {
        while (_bytes.Count > 0)
        {
            var status = Rune.DecodeFromUtf8(_bytes.ToArray(), out var rune, out var length);
            if (status == OperationStatus.NeedMoreData && !last)
                return;
            Append(status == OperationStatus.Done ? rune.ToString() : "\uFFFD");
            _bytes.RemoveRange(0, status == OperationStatus.Done ? length : 1);
        }
    }

    private void Append(string text)
    {
        _text.Append(text);
        _empty &= text.Length == 0;
    }

    private string Take()
    {
        var text = _text.ToString();
        _text.Clear();
        return text;
    }
}
