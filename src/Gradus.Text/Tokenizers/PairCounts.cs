using System.Numerics;
using System.Runtime.InteropServices;

namespace Gradus.Text.Tokenizers;

/// <summary>How often each pair of neighbours occurs, and where. Places are gathered during one merge and then laid side by side.</summary>
internal sealed class PairCounts
{
    private const int ChunkPlaces = 1 << 18; // places come in blocks: a list that grows by doubling stands beside its old self each time

    private struct Pair
    {
        public long Count;
        public int Left, Right;
        public int Chunk, Start, Length; // its places
        public int Fresh; // how many of the places since TakeNew are its own
    }

    /// <summary>A pair by its hash: most of it, and the pair's number + 1; 0 for none.</summary>
    private struct Slot
    {
        public uint Tag;
        public int Pair;
    }

    private readonly List<(int Pair, int Place)> _gathered = [];
    private readonly List<int[]> _chunks = [];
    private List<int> _fresh = [];
    private List<int> _taken = [];
    private Pair[] _pairs = new Pair[1 << 14];
    private Slot[] _table = new Slot[1 << 15];
    private int _used = ChunkPlaces; // of the last chunk
    private bool _laid;

    /// <summary>Pairs are numbered from 0 as they come up.</summary>
    public int Total { get; private set; }

    public long Count(int pair) => _pairs[pair].Count;

    public int Left(int pair) => _pairs[pair].Left;

    public int Right(int pair) => _pairs[pair].Right;

    public ReadOnlySpan<int> Places(int pair) => _pairs[pair] is { Length: > 0 } p ? _chunks[p.Chunk].AsSpan(p.Start, p.Length) : [];

    /// <summary>The pair occurs at a place of a word that occurs so many times. Returns the pair's number.</summary>
    public int Add(int left, int right, long times, int place)
    {
        var index = Count(left, right, times);
        _gathered.Add((index, place));
        return index;
    }

    /// <summary>The same where the place is told later, by <see cref="Put"/>.</summary>
    public int Count(int left, int right, long times)
    {
        var index = Find(left, right);
        ref var pair = ref _pairs[index];
        pair.Count += times;
        if (pair.Fresh++ == 0)
            _fresh.Add(index);
        return index;
    }

    public void Remove(int pair, long times) => _pairs[pair].Count -= times;

    /// <summary>The pair is merged: it stands nowhere any more.</summary>
    public void Clear(int pair)
    {
        _pairs[pair].Count = 0;
        _pairs[pair].Length = 0;
    }

    /// <summary>Gives every pair that was counted room for its places.</summary>
    public void Lay()
    {
        foreach (var index in _fresh)
        {
            ref var pair = ref _pairs[index];
            var length = checked(pair.Length + pair.Fresh);
            if (length > ChunkPlaces - _used)
            {
                _chunks.Add(new int[Math.Max(ChunkPlaces, length)]);
                _used = 0;
            }

            // A pair gets places in one merge only, unless its symbol is spelt by two merges: then the old ones move along.
            Places(index).CopyTo(_chunks[^1].AsSpan(_used));
            (pair.Chunk, pair.Start) = (_chunks.Count - 1, _used);
            _used += length;
        }

        _laid = true;
    }

    /// <summary>A place of a pair that was given room.</summary>
    public void Put(int index, int place)
    {
        ref var pair = ref _pairs[index];
        _chunks[pair.Chunk][pair.Start + pair.Length++] = place;
    }

    /// <summary>Lays the gathered places side by side, in rising order, and returns the pairs that have some.</summary>
    public ReadOnlySpan<int> TakeNew()
    {
        if (!_laid)
            Lay();
        _laid = false;
        foreach (var (index, place) in _gathered)
            Put(index, place);
        foreach (var index in _fresh)
        {
            ref var pair = ref _pairs[index];
            if (pair.Fresh != pair.Length)
                _chunks[pair.Chunk].AsSpan(pair.Start, pair.Length).Sort();
            pair.Fresh = 0;
        }

        _gathered.Clear();
        (_taken, _fresh) = (_fresh, _taken);
        _fresh.Clear();
        return CollectionsMarshal.AsSpan(_taken);
    }

    private static ulong Hash(int left, int right) => (((ulong)(uint)left << 32) | (uint)right) * 0x9E3779B97F4A7C15UL;

    private int Find(int left, int right)
    {
        var hash = Hash(left, right);
        var tag = (uint)hash ^ (uint)(hash >> 32);
        var at = Home(hash);
        for (; _table[at].Pair != 0; at = (at + 1) & (_table.Length - 1))
            if (_table[at].Tag == tag && _pairs[_table[at].Pair - 1] is var known && known.Left == left && known.Right == right)
                return _table[at].Pair - 1;

        if (Total == _pairs.Length)
            Array.Resize(ref _pairs, checked(Total + Total / 2));
        _pairs[Total] = new Pair { Left = left, Right = right };
        _table[at] = new Slot { Tag = tag, Pair = ++Total };
        if (Total > _table.Length / 4 * 3)
            Grow();
        return Total - 1;
    }

    private int Home(ulong hash) => (int)(hash >> (64 - BitOperations.Log2((uint)_table.Length)));

    private void Grow()
    {
        _table = new Slot[checked(_table.Length * 2)];
        for (var pair = 0; pair < Total; pair++)
        {
            var hash = Hash(_pairs[pair].Left, _pairs[pair].Right);
            var at = Home(hash);
            while (_table[at].Pair != 0)
                at = (at + 1) & (_table.Length - 1);
            _table[at] = new Slot { Tag = (uint)hash ^ (uint)(hash >> 32), Pair = pair + 1 };
        }
    }
}
