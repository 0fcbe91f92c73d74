using System.Runtime.InteropServices;
using System.Text;
using Gradus.Text.Tokenizers.Models;

namespace Gradus.Text.Tokenizers;

/// <summary>What one thread needs to encode: scratch, the model's worker and a cache of pieces.</summary>
/// <param name="parts">The tokenizer.</param>
/// <param name="random">For spelling at random; null for the best spelling.</param>
/// <param name="dropout">With it: the share of merges to leave out; null for the model's own.</param>
internal sealed class PipelineWork(TokenizerParts parts, Random? random, double? dropout = null)
{
    private readonly TokenModelWork _model = random is null || dropout is not { } share ? parts.Model.NewWork(random)
        : parts.Model.NewDropoutWork(random, share) ?? throw new NotSupportedException("dropout leaves out merges of BPE, and this tokenizer spells in another way");
    private readonly PieceCache? _cache = random is null && !parts.Model.WholeText && parts.PreTokenizer is not null ? new() : null;
    private readonly List<FoundToken> _found = [];

    /// <summary>Appends the ids of a text.</summary>
    public void Encode(ReadOnlySpan<byte> text, List<int> ids, AddedSets added, bool track)
    {
        var (taken, searched) = (0, 0);
        while (!added.Raw.None && added.Raw.Next(text, searched, taken, out var start, out var end, out var id, out searched))
        {
            if (start > taken)
                EncodeSegment(text[taken..start], taken, ids, added, track);
            ids.Add(id);
            taken = end;
        }

        if (taken < text.Length)
            EncodeSegment(text[taken..], taken, ids, added, track);
    }

    /// <summary>The tokens of a text with all that is known of them.</summary>
    public EncodingDraft Draft(ReadOnlySpan<byte> text, int type, AddedSets added)
    {
        var draft = new EncodingDraft();
        var chars = new CharPositions(text);
        var word = 0;
        var (taken, searched) = (0, 0);
        while (!added.Raw.None && added.Raw.Next(text, searched, taken, out var start, out var end, out var id, out searched))
        {
            if (start > taken)
                DraftSegment(text[taken..start], taken, type, chars, draft, added, ref word);
            draft.Tokens.Add(new(id, Encoding.UTF8.GetString(text[start..end]), type, new(start, end), chars.Of(new(start, end)), word++));
            taken = end;
        }

        if (taken < text.Length)
            DraftSegment(text[taken..], taken, type, chars, draft, added, ref word);
        return draft;
    }

    private static CutText Cut(TokenizerParts parts, ReadOnlySpan<byte> segment, int start, bool track, AddedSets added)
    {
        var text = new AlignedText(segment, track, start);
        parts.Normalizer?.Apply(text);
        var cuts = new CutText(text, start == 0);
        var (taken, searched) = (0, 0);
        var normalized = added.NormalizedIn(text);
        while (!normalized.None && normalized.Next(text.Bytes, searched, taken, out var from, out var to, out var id, out searched))
        {
            cuts.Add(taken, from);
            cuts.Add(from, to, id);
            taken = to;
        }

        cuts.Add(taken, text.Bytes.Length);
        parts.PreTokenizer?.Cut(cuts);
        return cuts;
    }

    private void EncodeSegment(ReadOnlySpan<byte> segment, int start, List<int> ids, AddedSets added, bool track)
    {
        var cuts = Cut(parts, segment, start, track, added);
        foreach (var (from, to, id) in cuts.Cuts)
        {
            if (id >= 0)
                ids.Add(id);
            else
                EncodePiece(cuts.Text.Bytes, from, to, ids);
        }
    }

    private void EncodePiece(ReadOnlySpan<byte> text, int from, int to, List<int> ids)
    {
        var piece = text[from..to];
        var key = default(System.Runtime.Intrinsics.Vector128<ulong>);
        ulong hash = 0;
        if (_cache is not null && piece.Length <= PieceCache.MaxShort)
        {
            key = PieceCache.ShortKey(text, from, piece.Length);
            Span<int> few = stackalloc int[PieceCache.ShortIds];
            if (_cache.Find(key, _cache.Expect(key), ref few[0]) is > 0 and var count)
            {
                ids.AddRange(few[..count]);
                return;
            }
        }

        if (_cache is not null && piece.Length <= PieceCache.MaxLong)
        {
            hash = PieceCache.LongHash(piece);
            if (_cache.FindLong(piece, hash) is { IsEmpty: false } known)
            {
                ids.AddRange(known);
                return;
            }
        }

        _found.Clear();
        _model.Spell(piece, _found);
        var first = ids.Count;
        foreach (var token in _found)
            ids.Add(token.Id);
        if (_cache is null || _found.Count == 0 || piece.Length > PieceCache.MaxLong)
            return;
        var spelt = CollectionsMarshal.AsSpan(ids)[first..];
        if (piece.Length <= PieceCache.MaxShort && PieceCache.IsShort(spelt))
            _cache.Keep(key, spelt);
        else
            _cache.KeepLong(piece, hash, spelt);
    }

    private void DraftSegment(ReadOnlySpan<byte> segment, int start, int type, CharPositions chars, EncodingDraft draft, AddedSets added, ref int word)
    {
        var cuts = Cut(parts, segment, start, track: true, added);
        foreach (var (from, to, added1) in cuts.Cuts)
        {
            var piece = cuts.Text.Bytes[from..to];
            if (added1 >= 0)
            {
                var origin = cuts.Text.Origin(from, to);
                draft.Tokens.Add(new(added1, Encoding.UTF8.GetString(piece), type, origin, chars.Of(origin), word++));
                continue;
            }

            _found.Clear();
            _model.Spell(piece, _found);
            foreach (var (id, a, b) in _found)
            {
                // Tokens that end behind the piece come from byte fallback of affixes: their offsets mean nothing.
                var origin = a < b && b <= piece.Length ? cuts.Text.Origin(from + a, from + b) : new Piece(a, b);
                var text = id == parts.Model.UnknownId && parts.Model.UnknownKeepsText ? Encoding.UTF8.GetString(piece[a..b]) : parts.Model.Vocabulary.Name(id) ?? "";
                draft.Tokens.Add(new(id, text, type, origin, chars.Of(origin), word));
            }

            word++;
        }
    }
}
