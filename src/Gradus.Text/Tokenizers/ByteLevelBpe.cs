using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Gradus.Text.Tokenizers.Models;
using Gradus.Text.Tokenizers.Normalizers;

namespace Gradus.Text.Tokenizers;

/// <summary>Byte-level BPE (Sennrich et al., 2016; Radford et al., 2019): GPT-2, GPT-4, Llama 3, Qwen. Any bytes encode, and decode to themselves.</summary>
internal sealed class ByteLevelBpe : Tokenizer
{
    private readonly BpeModel _model;
    private readonly AddedTokens _always; // added tokens that are no control tokens: part of the language
    private readonly AddedTokens _parsed; // all added tokens
    private readonly HashSet<int> _special;
    private readonly ConcurrentBag<Work> _idle = [];
    private readonly Lazy<PipelineTokenizer> _pipeline; // the same tokenizer the general way: for offsets and saving

    /// <param name="model">What encodes.</param>
    /// <param name="parts">The parts of the file it was read from, or null to make them from the model.</param>
    public ByteLevelBpe(BpeModel model, TokenizerParts? parts = null)
    {
        _model = model;
        _pipeline = new(() => new PipelineTokenizer(parts ?? ByteLevelParts.Of(model)));
        _always = new AddedTokens(model.Added.Where(t => !t.Special));
        _parsed = new AddedTokens(model.Added);
        _special = [.. model.Added.Where(t => t.Special).Select(t => t.Id)];
    }

    internal BpeModel Model => _model;

    internal override TokenizerParts Parts => _pipeline.Value.Parts;

    public override int VocabSize => _model.Vocabulary.Size;

    public override ReadOnlySpan<byte> TokenBytes(int id) => _model.Vocabulary.Bytes(id);

    public override int? IdOf(string token) => _model.Vocabulary.Id(token);

    public override string NameOf(int id) => _model.Vocabulary.Name(id) ?? "";

    public override bool IsSpecial(int id) => _special.Contains(id);

    internal override EncodingDraft Draft(ReadOnlySpan<byte> utf8, int type, TokenizeOptions o) => _pipeline.Value.Draft(utf8, type, o);

    public override void Encode(ReadOnlySpan<byte> utf8, List<int> ids, bool addSpecialTokens)
    {
        if (InForm(utf8))
            Encode(utf8, ids, addSpecialTokens, _always, null);
        else
            _pipeline.Value.Encode(utf8, ids, addSpecialTokens);
    }

    public override void EncodeParsed(ReadOnlySpan<byte> utf8, List<int> ids, bool addSpecialTokens)
    {
        if (InForm(utf8))
            Encode(utf8, ids, addSpecialTokens, _parsed, null);
        else
            _pipeline.Value.EncodeParsed(utf8, ids, addSpecialTokens);
    }

    public override void Sample(ReadOnlySpan<byte> utf8, List<int> ids, int seed, double? dropout = null, bool addSpecialTokens = true)
    {
        CheckDropout(new() { SamplingSeed = seed, Dropout = dropout });
        if (InForm(utf8))
            Encode(utf8, ids, addSpecialTokens, _always, dropout is > 0 and var share ? new DropoutMerge(_model.Merges, share, Draws(seed)) : null);
        else
            base.Sample(utf8, ids, seed, dropout, addSpecialTokens);
    }

    /// <summary>Whether normalising would leave the text as it is, so that it need not be done.</summary>
    private bool InForm(ReadOnlySpan<byte> text) => !_model.Nfc || Decomposition.IsNfc(text);

    private void Encode(ReadOnlySpan<byte> text, List<int> ids, bool addSpecialTokens, AddedTokens added, DropoutMerge? dropout)
    {
        ArgumentNullException.ThrowIfNull(ids);
        Work? work = null;
        if (dropout is not null || !_idle.TryTake(out work))
            work = new Work(_model, dropout);
        var before = ids.Count;
        if (addSpecialTokens)
            ids.AddRange(_model.Before);
        work.Begin(ids);
        try
        {
            var (at, searched) = (0, 0);
            if (!added.None)
                while (added.Next(text, searched, at, out var start, out var end, out var id, out searched))
                {
                    if (start > at)
                        work.Encode(text[at..start]);
                    work.Add(id);
                    at = end;
                }

            work.Encode(text[at..]);
        }
        catch
        {
            CollectionsMarshal.SetCount(ids, before); // a pattern that ran out of time: the list is as it was
            throw;
        }

        work.Finish();
        if (addSpecialTokens)
            ids.AddRange(_model.After);
        if (dropout is null)
            _idle.Add(work);
    }

    /// <summary>What one thread needs to encode: scratch, a cache of pieces, and a window into the caller's list.</summary>
    private sealed class Work(BpeModel model, DropoutMerge? dropout)
    {
        private readonly Piece[] _pieces = new Piece[256];
        private readonly Vector128<ulong>[] _keys = new Vector128<ulong>[256]; // of the short ones among _pieces
        private readonly int[] _homes = new int[256];
        private readonly PieceCache _cache = dropout is null ? new() : null!; // what is drawn is not remembered
        private readonly MergeWork _merge = new(model.Merges);
        private readonly List<Piece> _all = [];
        private int[] _symbols = new int[256];
        private List<int> _ids = [];
        private int _count;

        public void Begin(List<int> ids) => (_ids, _count) = (ids, ids.Count);

        public void Finish()
        {
            CollectionsMarshal.SetCount(_ids, _count);
            _ids = [];
            if (_symbols.Length > 1 << 16)
                _symbols = new int[256];
        }

        public void Add(int id) => Room(1)[0] = id;

        public void Encode(ReadOnlySpan<byte> text)
        {
            if (text.IsEmpty)
                return;
            if (model.AddPrefixSpace && text[0] != ' ')
            {
                byte[] spaced = [(byte)' ', .. text];
                text = spaced;
            }

            if (model.Splitter.AtOnce)
            {
                _all.Clear();
                model.Splitter.SplitAll(text, _all);
                var all = CollectionsMarshal.AsSpan(_all);
                for (; all.Length > _pieces.Length; all = all[_pieces.Length..])
                    EncodePieces(text, all[.._pieces.Length]);
                EncodePieces(text, all);
                return;
            }

            var position = 0;
            for (int count; (count = model.Splitter.Split(text, ref position, _pieces)) > 0;)
                EncodePieces(text, _pieces.AsSpan(0, count));
        }

        /// <summary>At most as many pieces as <see cref="_pieces"/> holds.</summary>
        private void EncodePieces(ReadOnlySpan<byte> text, ReadOnlySpan<Piece> pieces)
        {
            if (dropout is not null)
            {
                foreach (var (start, end) in pieces)
                {
                    var drawn = Merge(text[start..end]);
                    drawn.CopyTo(Room(drawn.Length));
                }

                return;
            }

            // First all keys, and all their cache lines asked for; when the second loop comes to a piece its line is there.
            for (var i = 0; i < pieces.Length; i++)
            {
                var (start, end) = pieces[i];
                if (end - start > PieceCache.MaxShort)
                    continue;
                var key = PieceCache.ShortKey(text, start, end - start);
                _keys[i] = key;
                _homes[i] = _cache.Expect(key);
            }

            const int Spare = PieceCache.ShortIds; // short pieces write so many slots wherever they are
            var room = Window(pieces.Length * Spare);
            var used = 0;
            for (var i = 0; i < pieces.Length; i++)
            {
                var (start, end) = pieces[i];
                var length = end - start;
                Vector128<ulong> key = default;
                if (length <= PieceCache.MaxShort)
                {
                    if (used + Spare > room.Length)
                        room = Renew((pieces.Length - i) * Spare, ref used);
                    key = _keys[i];
                    var found = _cache.Find(key, _homes[i], ref room[used]);
                    if (found != 0)
                    {
                        used += found;
                        continue;
                    }
                }

                room = Renew(length + (pieces.Length - i) * Spare, ref used);
                used = EncodeRare(text[start..end], key, room);
            }

            _count += used;
        }

        /// <summary>Commits what was written and gives a fresh window of at least <paramref name="size"/> ids.</summary>
        private Span<int> Renew(int size, scoped ref int used)
        {
            _count += used;
            used = 0;
            return Window(size);
        }

        /// <summary>A piece the short table does not hold. <paramref name="key"/> is its short key, if it is short.</summary>
        [MethodImpl(MethodImplOptions.NoInlining)]
        private int EncodeRare(ReadOnlySpan<byte> piece, Vector128<ulong> key, Span<int> ids)
        {
            if (piece.Length > PieceCache.MaxLong)
                return Copy(Merge(piece), ids);
            // A short piece is looked for here too: it may have become too many ids for the short table.
            var hash = PieceCache.LongHash(piece);
            var known = _cache.FindLong(piece, hash);
            if (!known.IsEmpty)
                return Copy(known, ids);
            var merged = Merge(piece);
            if (piece.Length <= PieceCache.MaxShort && PieceCache.IsShort(merged))
                _cache.Keep(key, merged);
            else
                _cache.KeepLong(piece, hash, merged);
            return Copy(merged, ids);
        }

        private static int Copy(ReadOnlySpan<int> from, Span<int> to)
        {
            from.CopyTo(to);
            return from.Length;
        }

        /// <summary>The ids of one piece, in scratch that the next call overwrites.</summary>
        private ReadOnlySpan<int> Merge(ReadOnlySpan<byte> piece)
        {
            if (_symbols.Length < piece.Length)
                _symbols = new int[piece.Length];
            var count = 0;
            foreach (var b in piece)
            {
                var symbol = model.ByteIds[b];
                if (symbol >= 0)
                    _symbols[count++] = symbol;
            }

            if (dropout is not null)
                return _symbols.AsSpan(0, dropout.Merge(_symbols.AsSpan(0, count), []));
            count = _merge.Merge(_symbols.AsSpan(0, count));
            if (count != 1 && model.WholePieces is { } whole && whole.TryGetValue(piece, out var id)) // merges nearly always find a whole token by themselves
                (_symbols[0], count) = (id, 1);
            return _symbols.AsSpan(0, count);
        }

        private Span<int> Room(int size)
        {
            var room = Window(size);
            _count += size;
            return room;
        }

        /// <summary>The caller's list from the next free place on, at least <paramref name="size"/> long: ids are written straight into it.</summary>
        private Span<int> Window(int size)
        {
            var needed = checked(_count + size);
            if (needed > _ids.Count)
                CollectionsMarshal.SetCount(_ids, Math.Max(needed, Math.Max(_ids.Capacity, _ids.Count)));
            return CollectionsMarshal.AsSpan(_ids)[_count..];
        }
    }
}
