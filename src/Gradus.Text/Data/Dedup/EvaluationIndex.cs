using System.Runtime.InteropServices;
using Gradus.Foundation.Files;
using Gradus.Foundation.Kernels;
using Gradus.Text.Data.Sources;

namespace Gradus.Text.Data.Dedup;

/// <summary>A part of an evaluation item in a document.</summary>
/// <param name="Rule">How it was found: <c>13-gram</c>, <c>substring</c> or <c>whole-item</c>.</param>
/// <param name="Item">Where the item is: file and line.</param>
/// <param name="At">First byte of it in the document.</param>
internal readonly record struct Contamination(string Rule, string Item, int At);

/// <summary>Evaluation items, to be looked for in any number of documents: runs of n words, short items whole, runs of letters.</summary>
internal sealed class EvaluationIndex
{
    private const ulong Base = 0x9E3779B97F4A7C15;

    private readonly List<string> _items = [];
    private readonly SortedDictionary<int, Table> _byWords = [];
    private readonly Table _bySubstring = new();
    private readonly int _substring;
    private readonly int _nGram;

    public EvaluationIndex(IReadOnlyList<SourceOptions> sources, int nGram, int minWords, int substring)
    {
        (_nGram, _substring) = (nGram, substring);
        if (sources.Count == 0)
            throw new UserException("decontaminate.against: name at least one evaluation set.");
        var words = new Shingles(1);
        var (tooShort, letters) = (0L, new LetterRun(substring));
        foreach (var source in sources)
        {
            foreach (var item in source.Read(new SourceReport()))
            {
                var id = (uint)_items.Count;
                _items.Add(item.Origin);
                var count = words.Wide(item.Utf8.Span, positions: false).Length;
                var length = nGram == 0 ? 0 : count >= nGram ? nGram : count >= minWords ? count : 0;
                if (length > 0)
                {
                    if (!_byWords.TryGetValue(length, out var table))
                        _byWords[length] = table = new Table();
                    foreach (var gram in new Shingles(length).Wide(item.Utf8.Span, positions: false))
                        table.Add(gram, id);
                }

                var runs = 0;
                if (substring > 0)
                {
                    letters.Start();
                    foreach (var b in item.Utf8.Span)
                    {
                        if (!letters.Next(b, out var hash))
                            continue;
                        _bySubstring.Add(hash, id);
                        runs++;
                    }
                }

                tooShort += length == 0 && runs == 0 ? 1 : 0;
            }
        }

        foreach (var table in _byWords.Values)
            table.Freeze();
        _bySubstring.Freeze();
        Notes = new SortedDictionary<string, long>(StringComparer.Ordinal) { ["items"] = _items.Count, ["items-too-short-to-look-for"] = tooShort };
    }

    public IReadOnlyDictionary<string, long> Notes { get; }

    /// <summary>Scratch memory for one thread.</summary>
    public Searcher CreateSearcher() => new(this);

    internal sealed class Searcher(EvaluationIndex index)
    {
        private readonly List<(int Length, Shingles Shingles, Table Table)> _words = [.. index._byWords.Select(t => (t.Key, new Shingles(t.Key), t.Value))];
        private readonly LetterRun _letters = new(index._substring);

        /// <summary>The first part of an item in a text, or null.</summary>
        public Contamination? Find(ReadOnlySpan<byte> text)
        {
            foreach (var (length, shingles, table) in _words)
            {
                var grams = shingles.Wide(text, positions: false);
                for (var i = 0; i < grams.Length; i++)
                {
                    if (!table.TryGet(grams[i], out var item))
                        continue;
                    // A text shorter than the n-gram is one n-gram of its own length.
                    shingles.Wide(text, positions: true);
                    if (shingles.Positions.Count < length)
                        break;
                    return new Contamination(length == index._nGram ? FormattableString.Invariant($"{length}-gram") : "whole-item", index._items[(int)item], shingles.Positions[i].Start);
                }
            }

            if (index._substring == 0 || index._bySubstring.IsEmpty)
                return null;
            _letters.Start();
            for (var at = 0; at < text.Length; at++)
                if (_letters.Next(text[at], out var hash) && index._bySubstring.TryGet(hash, out var item))
                    return new Contamination("substring", index._items[(int)item], StartOf(text, at));
            return null;
        }

        private int StartOf(ReadOnlySpan<byte> text, int end)
        {
            var (left, at) = (index._substring, end);
            for (; at >= 0; at--)
                if (LetterRun.Plain(text[at]) != 0 && --left == 0)
                    break;
            return Math.Max(0, at);
        }
    }

    /// <summary>A hash that rolls over the last letters and digits of a text: ASCII in lower case, everything beyond ASCII as it is.</summary>
    private sealed class LetterRun
    {
        private readonly byte[] _ring;
        private readonly ulong _out = 1;
        private int _count, _at;
        private ulong _hash;

        public LetterRun(int length)
        {
            _ring = new byte[Math.Max(1, length)];
            for (var i = 0; i < length; i++)
                _out = unchecked(_out * Base);
        }

        public void Start() => (_count, _at, _hash) = (0, 0, 0);

        /// <summary>Takes the next byte; true with the hash of the run that it ends.</summary>
        public bool Next(byte b, out ulong hash)
        {
            hash = 0;
            var plain = Plain(b);
            if (plain == 0)
                return false;
            _hash = unchecked(_hash * Base + plain);
            if (_count == _ring.Length)
                _hash = unchecked(_hash - _out * _ring[_at]);
            else
                _count++;
            _ring[_at] = plain;
            _at = _at + 1 == _ring.Length ? 0 : _at + 1;
            if (_count < _ring.Length)
                return false;
            hash = Hash64.Mix(_hash);
            return true;
        }

        public static byte Plain(byte b) => b >= 0x80 ? b : (uint)((b | 0x20) - 'a') < 26 ? (byte)(b | 0x20) : (uint)(b - '0') < 10 ? b : (byte)0;
    }

    /// <summary>Hash → the first item that has it. Sorted arrays behind a bit filter: most look-ups end at the filter.</summary>
    private sealed class Table
    {
        private readonly List<(ulong Hash, uint Item)> _building = [];
        private ulong[] _hashes = [], _filter = [];
        private uint[] _items = [];
        private int _shift;

        public bool IsEmpty => _hashes.Length == 0;

        public void Add(ulong hash, uint item) => _building.Add((hash, item));

        public void Freeze()
        {
            CollectionsMarshal.AsSpan(_building).Sort();
            var distinct = _building.Where((entry, i) => i == 0 || entry.Hash != _building[i - 1].Hash).ToArray();
            (_hashes, _items) = ([.. distinct.Select(d => d.Hash)], [.. distinct.Select(d => d.Item)]);
            _building.Clear();
            _building.TrimExcess();
            var bits = Math.Clamp(System.Numerics.BitOperations.Log2((uint)Math.Max(1, _hashes.Length)) + 5, 10, 32);
            _shift = 64 - bits;
            _filter = new ulong[1L << (bits - 6)];
            foreach (var hash in _hashes)
                _filter[(hash >> _shift) >> 6] |= 1UL << (int)((hash >> _shift) & 63);
        }

        public bool TryGet(ulong hash, out uint item)
        {
            item = 0;
            var bit = hash >> _shift;
            if ((_filter[bit >> 6] >> (int)(bit & 63) & 1) == 0)
                return false;
            var at = Array.BinarySearch(_hashes, hash);
            if (at < 0)
                return false;
            item = _items[at];
            return true;
        }
    }
}
