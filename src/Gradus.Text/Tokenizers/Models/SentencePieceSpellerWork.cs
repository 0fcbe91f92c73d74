using System.Runtime.InteropServices;
using Gradus.Text.Tokenizers.Formats;

namespace Gradus.Text.Tokenizers.Models;

/// <summary>One thread's worker of a <see cref="SentencePieceSpeller"/>: cuts the text into characters and symbols, and merges them.</summary>
internal sealed class SentencePieceSpellerWork(SentencePieceSpeller model) : TokenModelWork
{
    private const int NoPiece = -1; // a character that no merge knows: it needs no id, it only must not merge
    private const int KeptCapacity = 1 << 16;

    private readonly MergeWork _merge = new(model.Merges);
    private List<int> _ids = [];

    public override void Spell(ReadOnlySpan<byte> piece, List<FoundToken> tokens)
    {
        var from = tokens.Count;
        if (model.Kind == SentencePieceKind.Bpe)
        {
            Merge(piece, tokens, from);
            return;
        }

        for (var at = 0; at < piece.Length;)
        {
            var end = model.Kind == SentencePieceKind.Word ? WordEnd(piece, at) : at + Symbol(piece[at..]);
            Add(piece, tokens, from, model.Ids.TryGetValue(piece[at..end], out var id) ? id : model.Unknown, at, end);
            at = end;
        }
    }

    private void Merge(ReadOnlySpan<byte> text, List<FoundToken> tokens, int from)
    {
        _ids.Clear();
        for (var at = 0; at < text.Length;)
        {
            var length = Symbol(text[at..]);
            _ids.Add(model.Ids.TryGetValue(text.Slice(at, length), out var id) ? id : NoPiece);
            at += length;
        }

        var symbols = CollectionsMarshal.AsSpan(_ids);
        Dictionary<int, (int Left, int Right)>? parts = null;
        symbols = symbols[..(model.HasUnused ? MergeSteps.Merge(symbols, model, parts = []) : _merge.Merge(symbols))];
        var start = 0;
        foreach (var id in symbols)
            start = AddSymbol(text, tokens, from, id, start, parts);
        if (_ids.Capacity > KeptCapacity)
            _ids = []; // a text of one huge piece should not pin its scratch for ever
    }

    /// <summary>Unused pieces come apart again into what they were merged from.</summary>
    private int AddSymbol(ReadOnlySpan<byte> text, List<FoundToken> tokens, int from, int id, int start, Dictionary<int, (int Left, int Right)>? parts)
    {
        var known = (uint)id < (uint)model.Pieces.Count;
        if (known && parts is not null && model.Pieces[id].Type == SentencePieceType.Unused && parts.TryGetValue(id, out var pair))
        {
            start = AddSymbol(text, tokens, from, pair.Left, start, parts);
            return AddSymbol(text, tokens, from, pair.Right, start, parts);
        }

        var end = start + (known ? model.Vocabulary.Bytes(id).Length : UnigramUnknowns.Width(text[start]));
        Add(text, tokens, from, known ? id : model.Unknown, start, end);
        return end;
    }

    /// <summary>The length of the symbol that the text begins with: a user-defined piece, the longest there is, or a character.</summary>
    private int Symbol(ReadOnlySpan<byte> text) =>
        model.Symbols is not null && model.Symbols.Longest(text, out var length) >= 0 ? length : UnigramUnknowns.Width(text[0]);

    /// <summary>A word begins at each ▁.</summary>
    private static int WordEnd(ReadOnlySpan<byte> text, int start)
    {
        var next = text[(start + UnigramUnknowns.Width(text[start]))..].IndexOf("\u2581"u8);
        return next < 0 ? text.Length : start + UnigramUnknowns.Width(text[start]) + next;
    }

    private void Add(ReadOnlySpan<byte> text, List<FoundToken> tokens, int from, int id, int start, int end)
    {
        if (id != model.Unknown)
            tokens.Add(new(id, start, end));
        else if (model.ByteIds is { } bytes)
            foreach (var b in text[start..end])
                tokens.Add(new(bytes[b], start, end));
        else if (tokens.Count > from && tokens[^1].Id == id)
            tokens[^1] = tokens[^1] with { End = end }; // unknowns in a row are one
        else
            tokens.Add(new(id, start, end));
    }

    /// <summary>Merging that remembers of each unused piece which two symbols last stood for it.</summary>
    private static class MergeSteps
    {
        public static int Merge(Span<int> symbols, SentencePieceSpeller model, Dictionary<int, (int Left, int Right)> parts)
        {
            var count = symbols.Length;
            var (previous, next) = (new int[count], new int[count]);
            var queue = new PriorityQueue<(int Left, int LeftId, int RightId, int Id), (int Rank, int Left)>();
            for (var i = 0; i < count; i++)
                (previous[i], next[i]) = (i - 1, i + 1 < count ? i + 1 : -1);
            for (var i = 0; i + 1 < count; i++)
                Offer(symbols, i, i + 1);
            while (queue.TryDequeue(out var pair, out _))
            {
                var right = next[pair.Left];
                if (right < 0 || symbols[pair.Left] != pair.LeftId || symbols[right] != pair.RightId)
                    continue; // another merge was here since
                symbols[pair.Left] = pair.Id;
                symbols[right] = Gone;
                next[pair.Left] = next[right];
                if (next[right] >= 0)
                    previous[next[right]] = pair.Left;
                Offer(symbols, previous[pair.Left], pair.Left);
                Offer(symbols, pair.Left, next[pair.Left]);
            }

            var kept = 0;
            for (var i = 0; i >= 0 && i < count; i = next[i])
                symbols[kept++] = symbols[i];
            return kept;

            void Offer(Span<int> now, int left, int right)
            {
                if (left < 0 || right < 0)
                    return;
                var rank = model.Merges.Rank(now[left], now[right], out var id);
                if (rank == MergeTable.NoMerge)
                    return;
                queue.Enqueue((left, now[left], now[right], id), (rank, left));
                if (model.Pieces[id].Type == SentencePieceType.Unused)
                    parts[id] = (now[left], now[right]);
            }
        }

        private const int Gone = int.MinValue;
    }
}
