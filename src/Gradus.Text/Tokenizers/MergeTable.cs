using System.Numerics;
using System.Runtime.CompilerServices;

namespace Gradus.Text.Tokenizers;

/// <summary>The merges of a BPE model: a pair of ids → its rank (lower merges first) and the id it becomes. Open addressing, built once.</summary>
internal sealed class MergeTable
{
    public const int NoMerge = int.MaxValue;

    private struct Slot
    {
        public ulong Key;
        public int Rank;
        public int Id;
    }

    private const ulong Empty = ulong.MaxValue;
    private Slot[] _slots = [];
    private int _shift;

    public MergeTable(int capacity) => Allocate(capacity);

    public int Count { get; private set; }

    /// <summary>Adds a merge. False, and no change, when the pair is there already.</summary>
    public bool Add(int left, int right, int rank, int id)
    {
        if ((Count + 1) * 2 > _slots.Length)
            Grow();
        ref var slot = ref Find(Key(left, right));
        if (slot.Key != Empty)
            return false;
        slot = new Slot { Key = Key(left, right), Rank = rank, Id = id };
        Count++;
        return true;
    }

    /// <summary>The rank of the pair, or <see cref="NoMerge"/>, and the id it becomes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Rank(int left, int right, out int id)
    {
        ref var slot = ref Find(Key(left, right));
        id = slot.Id;
        return slot.Rank;
    }

    /// <summary>Every merge, by rank; pairs that share a rank by their ids.</summary>
    public List<(int Left, int Right, int Rank, int Id)> ByRank()
    {
        var merges = new List<(int Left, int Right, int Rank, int Id)>(Count);
        foreach (var slot in _slots)
            if (slot.Key != Empty)
                merges.Add(((int)(slot.Key >> 32), (int)slot.Key, slot.Rank, slot.Id));
        merges.Sort((a, b) => a.Rank != b.Rank ? a.Rank.CompareTo(b.Rank) : (a.Left, a.Right).CompareTo((b.Left, b.Right)));
        return merges;
    }

    private static ulong Key(int left, int right) => ((ulong)(uint)left << 32) | (uint)right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref Slot Find(ulong key)
    {
        var slots = _slots;
        var at = (int)((key * 0x9E3779B97F4A7C15UL) >> _shift);
        while (slots[at].Key != key && slots[at].Key != Empty)
            at = (at + 1) & (slots.Length - 1);
        return ref slots[at];
    }

    private void Allocate(int capacity)
    {
        var size = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, checked(capacity * 2)));
        _slots = new Slot[size];
        Array.Fill(_slots, new Slot { Key = Empty, Rank = NoMerge, Id = -1 });
        _shift = 64 - BitOperations.Log2((uint)size);
    }

    private void Grow()
    {
        var old = _slots;
        Allocate(old.Length);
        foreach (var slot in old)
            if (slot.Key != Empty)
                Find(slot.Key) = slot;
    }
}
