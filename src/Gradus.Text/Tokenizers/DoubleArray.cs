using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Gradus.Text.Tokenizers;

/// <summary>
/// A trie of byte strings in one array (Aoe, 1989), in the layout of darts-clone, which SentencePiece's charsmaps are stored in: the child of
/// the node at i by byte b stands at <c>i ^ offset(i) ^ b</c> and holds b as its label; a node that ends a key has its value at <c>i ^ offset(i)</c>.
/// </summary>
/// <remarks>Walks are bounds-checked: an array from a damaged file finds nothing or something else, but never reads outside.</remarks>
internal sealed class DoubleArray
{
    /// <summary>No key goes on here.</summary>
    public const int Dead = -2;

    /// <summary>Keys go on here, but none ends.</summary>
    public const int Inner = -1;

    private readonly uint[] _units;

    private DoubleArray(uint[] units) => _units = units;

    /// <summary>Reads units as little-endian 32-bit numbers.</summary>
    public static DoubleArray Read(ReadOnlySpan<byte> units)
    {
        var array = new uint[units.Length / 4];
        for (var i = 0; i < array.Length; i++)
            array[i] = BinaryPrimitives.ReadUInt32LittleEndian(units[(4 * i)..]);
        return new(array);
    }

    /// <summary>The units as little-endian 32-bit numbers.</summary>
    public byte[] Write()
    {
        var bytes = new byte[4 * _units.Length];
        for (var i = 0; i < _units.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4 * i), _units[i]);
        return bytes;
    }

    /// <summary>Builds a trie.</summary>
    /// <param name="keys">Distinct, not empty, without zero bytes.</param>
    /// <param name="values">Their values, not negative.</param>
    public static DoubleArray Build(IReadOnlyList<byte[]> keys, IReadOnlyList<int> values) => new(new DoubleArrayBuilder(keys, values).Build());

    /// <summary>Goes from <paramref name="node"/> (0: the root) on by one byte. The value of the key that ends there, <see cref="Inner"/> or <see cref="Dead"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Step(ref uint node, byte next)
    {
        var units = _units;
        if (node >= (uint)units.Length)
            return Dead;
        var child = node ^ Offset(units[node]) ^ next;
        if (child >= (uint)units.Length)
            return Dead;
        var unit = units[child];
        if ((unit & 0x800000FFu) != next)
            return Dead;
        node = child;
        if ((unit & 0x100) == 0)
            return Inner;
        var leaf = child ^ Offset(unit);
        return leaf < (uint)units.Length ? (int)(units[leaf] & 0x7FFFFFFF) : Inner;
    }

    /// <summary>The value of a key, or -1.</summary>
    public int Find(ReadOnlySpan<byte> key)
    {
        var node = 0u;
        var value = Inner;
        foreach (var b in key)
            if ((value = Step(ref node, b)) == Dead)
                return -1;
        return value;
    }

    /// <summary>The longest key that <paramref name="text"/> begins with: its value and length, or -1 and 0.</summary>
    public int Longest(ReadOnlySpan<byte> text, out int length)
    {
        var (node, best) = (0u, -1);
        length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var value = Step(ref node, text[i]);
            if (value == Dead)
                break;
            if (value >= 0)
                (best, length) = (value, i + 1);
        }

        return best;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Offset(uint unit) => (unit >> 10) << (int)((unit & 0x200) >> 6);
}

/// <summary>Places the nodes of a trie: children of a node share a base that no other node has, so a label alone says whose child a unit is.</summary>
internal sealed class DoubleArrayBuilder
{
    private const int Block = 256;
    private const int OpenBlocks = 16; // only the last ones are searched for room: building stays linear
    private const uint Unused = 0x80000000; // reads as a leaf, which is nobody's child

    private readonly IReadOnlyList<byte[]> _keys;
    private readonly IReadOnlyList<int> _values;
    private readonly int[] _order;
    private uint[] _units = [];
    private int _size;
    private bool[] _taken = [], _isBase = [];
    private int[] _next = [], _previous = []; // ring of free units of the open blocks
    private int _free = -1, _closed;

    public DoubleArrayBuilder(IReadOnlyList<byte[]> keys, IReadOnlyList<int> values)
    {
        (_keys, _values) = (keys, values);
        _order = [.. Enumerable.Range(0, keys.Count)];
        var copy = keys as byte[][] ?? [.. keys];
        Array.Sort(_order, (a, b) => copy[a].AsSpan().SequenceCompareTo(copy[b]));
    }

    public uint[] Build()
    {
        Grow();
        Take(0);
        _isBase[0] = true; // the leaf of a node must not fall on its own base of 0
        var work = new Stack<(int From, int To, int Depth, int Unit)>();
        if (_order.Length > 0)
            work.Push((0, _order.Length, 0, 0));
        var labels = new List<(byte Label, int From, int To)>();
        while (work.TryPop(out var node))
        {
            labels.Clear();
            for (var i = node.From; i < node.To; i++)
            {
                var key = _keys[_order[i]];
                var label = node.Depth == key.Length ? (byte)0 : key[node.Depth];
                if (labels.Count > 0 && labels[^1].Label == label && node.Depth < key.Length)
                    labels[^1] = labels[^1] with { To = i + 1 };
                else if (labels.Count > 0 && label == 0)
                    throw new ArgumentException("keys are distinct and hold no zero byte");
                else
                    labels.Add((label, i, i + 1));
            }

            var place = Place(node.Unit, labels);
            var offset = (uint)(node.Unit ^ place);
            var unit = node.Unit == 0 ? 0 : _units[node.Unit] & 0xFF;
            unit |= offset < 1u << 21 ? offset << 10 : (offset << 2) | 0x200;
            _isBase[place] = true;
            foreach (var (label, from, to) in labels)
            {
                Take(place ^ label);
                if (label == 0)
                {
                    unit |= 0x100;
                    _units[place] = 0x80000000u | (uint)_values[_order[from]];
                }
                else
                {
                    _units[place ^ label] = label;
                    work.Push((from, to, node.Depth + 1, place ^ label));
                }
            }

            _units[node.Unit] = unit;
        }

        return _units[.._size];
    }

    private int Place(int unit, List<(byte Label, int From, int To)> labels)
    {
        while (true)
        {
            if (_free >= 0)
            {
                var at = _free;
                do
                {
                    var place = at ^ labels[0].Label;
                    if (!_isBase[place] && Reaches(unit ^ place) && Fits(place, labels))
                        return place;
                    at = _next[at];
                }
                while (at != _free);
            }

            Grow();
        }
    }

    private static bool Reaches(int offset) => (uint)offset < 1u << 21 || (offset & 0xFF) == 0;

    private bool Fits(int place, List<(byte Label, int From, int To)> labels)
    {
        foreach (var (label, _, _) in labels)
            if (_taken[place ^ label])
                return false;
        return true;
    }

    private void Grow()
    {
        var from = _size;
        if (from + Block > 1 << 29)
            throw new ArgumentException("the trie is too large");
        if (from / Block >= OpenBlocks + _closed)
            for (var i = _closed++ * Block; i < _closed * Block; i++)
                if (!_taken[i])
                    Unlink(i);
        _size = from + Block;
        if (_size > _taken.Length)
        {
            var room = Math.Max(_size, _taken.Length * 2);
            Array.Resize(ref _units, room);
            Array.Resize(ref _taken, room);
            Array.Resize(ref _isBase, room);
            Array.Resize(ref _next, room);
            Array.Resize(ref _previous, room);
        }

        for (var i = from; i < _size; i++)
        {
            _units[i] = Unused;
            Link(i);
        }
    }

    private void Link(int i)
    {
        if (_free < 0)
        {
            _free = _next[i] = _previous[i] = i;
            return;
        }

        var last = _previous[_free];
        (_next[last], _previous[i], _next[i], _previous[_free]) = (i, last, _free, i);
    }

    private void Unlink(int i)
    {
        if (_next[i] == i)
        {
            _free = -1;
            return;
        }

        (_next[_previous[i]], _previous[_next[i]]) = (_next[i], _previous[i]);
        if (_free == i)
            _free = _next[i];
    }

    private void Take(int i)
    {
        _taken[i] = true;
        if (i / Block >= _closed)
            Unlink(i);
    }
}
