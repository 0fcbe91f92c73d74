using System.Numerics;
using System.Runtime.InteropServices;

namespace Gradus.Text.Tokenizers;

/// <summary>How often each pair of neighbours occurs, and where. Places are gathered during one merge and then laid side by side.</summary>
internal sealed class PairCounts
{
    private struct Pair
    {
        public long Count;
        public int Left, Right;
        public int Start, Length; // its places
        public int Fresh; // how many of the places gathered since TakeNew are its own
    }

    private readonly List<(int Pair, int Place)> _gathered = [];
    private List<int> _fresh = [];
    private List<int> _taken = [];
    private Pair[] _pairs = new Pair[1 << 14];
    private int[] _places = new int[1 << 16];
    private (ulong Key, int Pair)[] _table = new (ulong, int)[1 << 16]; // pair + 1; 0 for none
    private int _used;

    /// <summary>Pairs are numbered from 0 as they come up.</summary>
    public int Total { get; private set; }

    public long Count(int pair) => _pairs[pair].Count;

    public int Left(int pair) => _pairs[pair].Left;

    public int Right(int pair) => _pairs[pair].Right;

    public ReadOnlySpan<int> Places(int pair) => _places.AsSpan(_pairs[pair].Start, _pairs[pair].Length);

    /// <summary>The pair occurs at a place of a word that occurs so many times. Returns the pair's number.</summary>
    public int Add(int left, int right, long times, int place)
    {
        var index = Find(left, right);
        ref var pair = ref _pairs[index];
        pair.Count += times;
        if (pair.Fresh++ == 0)
            _fresh.Add(index);
        _gathered.Add((index, place));
        return index;
    }

    public void Remove(int pair, long times) => _pairs[pair].Count -= times;

    /// <summary>The pair is merged: it stands nowhere any more.</summary>
    public void Clear(int pair)
    {
        _pairs[pair].Count = 0;
        _pairs[pair].Length = 0;
    }

    /// <summary>Lays the gathered places side by side, in rising order, and returns the pairs that have some.</summary>
    public ReadOnlySpan<int> TakeNew()
    {
        foreach (var index in _fresh)
        {
            ref var pair = ref _pairs[index];
            var length = checked(pair.Length + pair.Fresh);
            if (length > _places.Length - _used)
                Array.Resize(ref _places, Math.Max(checked(_used + length), (int)Math.Min(Array.MaxLength, _places.Length * 2L)));
            // A pair gets places in one merge only, unless its symbol is spelt by two merges: then the old ones move along.
            _places.AsSpan(pair.Start, pair.Length).CopyTo(_places.AsSpan(_used));
            pair.Start = _used;
            _used += length;
        }

        foreach (var (index, place) in _gathered)
        {
            ref var pair = ref _pairs[index];
            _places[pair.Start + pair.Length++] = place;
        }

        foreach (var index in _fresh)
        {
            ref var pair = ref _pairs[index];
            if (pair.Fresh != pair.Length)
                _places.AsSpan(pair.Start, pair.Length).Sort();
            pair.Fresh = 0;
        }

        _gathered.Clear();
        (_taken, _fresh) = (_fresh, _taken);
        _fresh.Clear();
        return CollectionsMarshal.AsSpan(_taken);
    }

    private int Find(int left, int right)
    {
        var key = ((ulong)(uint)left << 32) | (uint)right;
        var at = Home(key);
        for (; _table[at].Pair != 0; at = (at + 1) & (_table.Length - 1))
            if (_table[at].Key == key)
                return _table[at].Pair - 1;

        if (Total == _pairs.Length)
            Array.Resize(ref _pairs, checked(Total * 2));
        _pairs[Total] = new Pair { Left = left, Right = right };
        _table[at] = (key, ++Total);
        if (Total * 2L > _table.Length)
            Grow();
        return Total - 1;
    }

    private int Home(ulong key) => (int)((key * 0x9E3779B97F4A7C15UL) >> (64 - BitOperations.Log2((uint)_table.Length)));

    private void Grow()
    {
        var old = _table;
        _table = new (ulong, int)[checked(old.Length * 2)];
        foreach (var entry in old)
        {
            if (entry.Pair == 0)
                continue;
            var at = Home(entry.Key);
            while (_table[at].Pair != 0)
                at = (at + 1) & (_table.Length - 1);
            _table[at] = entry;
        }
    }
}
