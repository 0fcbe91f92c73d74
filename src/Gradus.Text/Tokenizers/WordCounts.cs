using System.Runtime.CompilerServices;

namespace Gradus.Text.Tokenizers;

/// <summary>The distinct pieces of a corpus and how often each occurs. One per thread while counting, then added up.</summary>
internal sealed class WordCounts
{
    private struct Entry
    {
        public ulong Hash;
        public long Count;
        public int Start, Length;
    }

    private int[] _table = new int[1 << 12]; // index + 1 of the entry; 0 for none
    private Entry[] _entries = new Entry[1 << 11];
    private byte[] _bytes = new byte[1 << 15];
    private int _used;

    public int Count { get; private set; }

    /// <summary>Bytes that the counts take now.</summary>
    public long Allocated => _bytes.LongLength + sizeof(int) * _table.LongLength + Unsafe.SizeOf<Entry>() * _entries.LongLength;

    public ReadOnlySpan<byte> Word(int i) => _bytes.AsSpan(_entries[i].Start, _entries[i].Length);

    public long Times(int i) => _entries[i].Count;

    /// <summary>Counts every piece of the text.</summary>
    public void AddText(ReadOnlySpan<byte> text, Splitter splitter)
    {
        if (splitter.AtOnce)
        {
            var all = new List<Piece>();
            splitter.SplitAll(text, all);
            foreach (var (start, end) in all)
                Add(text[start..end], 1);
            return;
        }

        Span<Piece> pieces = stackalloc Piece[256];
        var position = 0;
        for (int count; (count = splitter.Split(text, ref position, pieces)) > 0;)
            foreach (var (start, end) in pieces[..count])
                Add(text[start..end], 1);
    }

    public void Add(WordCounts other)
    {
        for (var i = 0; i < other.Count; i++)
            Add(other.Word(i), other.Times(i));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(ReadOnlySpan<byte> word, long times)
    {
        var hash = PieceCache.LongHash(word);
        var mask = _table.Length - 1;
        var at = (int)(hash >> 32) & mask;
        for (int index; (index = _table[at]) != 0; at = (at + 1) & mask)
        {
            ref var entry = ref _entries[index - 1];
            if (entry.Hash == hash && entry.Length == word.Length && word.SequenceEqual(_bytes.AsSpan(entry.Start, entry.Length)))
            {
                entry.Count += times;
                return;
            }
        }

        Insert(word, hash, times, at);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void Insert(ReadOnlySpan<byte> word, ulong hash, long times, int at)
    {
        if (Count == _entries.Length)
            Array.Resize(ref _entries, checked(_entries.Length * 2));
        if (word.Length > _bytes.Length - _used)
            Array.Resize(ref _bytes, Math.Max(checked(_used + word.Length), (int)Math.Min(Array.MaxLength, _bytes.Length * 2L)));
        word.CopyTo(_bytes.AsSpan(_used));
        _entries[Count] = new Entry { Hash = hash, Count = times, Start = _used, Length = word.Length };
        _used += word.Length;
        _table[at] = ++Count;
        if (Count * 2 > _table.Length)
            Grow();
    }

    private void Grow()
    {
        _table = new int[checked(_table.Length * 2)];
        var mask = _table.Length - 1;
        for (var i = 0; i < Count; i++)
        {
            var at = (int)(_entries[i].Hash >> 32) & mask;
            while (_table[at] != 0)
                at = (at + 1) & mask;
            _table[at] = i + 1;
        }
    }
}
