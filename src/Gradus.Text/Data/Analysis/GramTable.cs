using System.Runtime.InteropServices;

namespace Gradus.Text.Data.Analysis;

/// <summary>One label's count of an n-gram.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal readonly record struct GramPosting(ushort Label, byte Count);

/// <summary>
/// Which labels have an n-gram, and how often: open addressing over sorted hashes. Counts above 63 are kept to within 5 %, in a byte.
/// </summary>
internal sealed class GramTable
{
    private const int Exact = 64;

    private readonly uint[] _grams; // ascending
    private readonly int[] _starts; // into _postings; one more than there are n-grams
    private readonly GramPosting[] _postings;
    private readonly int[] _slots; // index + 1, or 0
    private readonly int _shift;

    private GramTable(uint[] grams, int[] starts, GramPosting[] postings, int[] distinct)
    {
        (_grams, _starts, _postings, Distinct) = (grams, starts, postings, distinct);
        var bits = 4;
        while (1L << bits < 2L * grams.Length)
            bits++;
        (_shift, _slots) = (32 - bits, new int[1 << bits]);
        for (var i = 0; i < grams.Length; i++)
        {
            var slot = Slot(grams[i]);
            while (_slots[slot] != 0)
                slot = (slot + 1) & (_slots.Length - 1);
            _slots[slot] = i + 1;
        }
    }

    /// <summary>Distinct n-grams.</summary>
    public int Count => _grams.Length;

    /// <summary>Distinct n-grams of each order, those left out of the model included: the V of the smoothing.</summary>
    public int[] Distinct { get; }

    public bool TryFind(uint gram, out ReadOnlySpan<GramPosting> postings)
    {
        for (var slot = Slot(gram); _slots[slot] is var i && i != 0; slot = (slot + 1) & (_slots.Length - 1))
        {
            if (_grams[i - 1] != gram)
                continue;
            postings = _postings.AsSpan(_starts[i - 1], _starts[i] - _starts[i - 1]);
            return true;
        }

        postings = default;
        return false;
    }

    /// <summary>By stored count: how much likelier an n-gram is than one that the label does not have, as a logarithm.</summary>
    public float[] Deltas(double alpha)
    {
        var deltas = new float[256];
        for (var code = 0; code < 256; code++)
            deltas[code] = (float)Math.Log((Decoded(code) + alpha) / alpha);
        return deltas;
    }

    public void Write(BinaryWriter writer)
    {
        foreach (var distinct in Distinct)
            writer.Write(distinct);
        writer.Write(_grams.Length);
        writer.Write(_postings.Length);
        var last = 0U;
        for (var i = 0; i < _grams.Length; i++)
        {
            writer.Write7BitEncodedInt64(_grams[i] - last);
            last = _grams[i];
            writer.Write7BitEncodedInt(_starts[i + 1] - _starts[i]);
            var label = 0;
            for (var p = _starts[i]; p < _starts[i + 1]; p++)
            {
                writer.Write7BitEncodedInt(_postings[p].Label - label);
                label = _postings[p].Label;
                writer.Write(_postings[p].Count);
            }
        }
    }

    public static GramTable Read(BinaryReader reader, int labels)
    {
        var distinct = new int[CharGrams.Longest];
        for (var n = 0; n < distinct.Length; n++)
            distinct[n] = reader.ReadInt32();
        // An n-gram takes four bytes at the least: what a damaged file says is not believed further than the file is long.
        var left = (int)Math.Min(int.MaxValue, reader.BaseStream.Length - reader.BaseStream.Position);
        var grams = new uint[LanguageIdentifier.Bounded(reader.ReadInt32(), left / 3)];
        var postings = new GramPosting[LanguageIdentifier.Bounded(reader.ReadInt32(), left / 2)];
        var starts = new int[grams.Length + 1];
        var (last, at) = (0L, 0);
        for (var i = 0; i < grams.Length; i++)
        {
            last += reader.Read7BitEncodedInt64();
            grams[i] = checked((uint)last);
            starts[i] = at;
            var label = 0;
            for (var count = LanguageIdentifier.Bounded(reader.Read7BitEncodedInt(), labels); count > 0; count--)
            {
                label += reader.Read7BitEncodedInt();
                if (at == postings.Length)
                    throw new InvalidDataException();
                postings[at++] = new GramPosting((ushort)LanguageIdentifier.Bounded(label, labels - 1), reader.ReadByte());
            }
        }

        starts[grams.Length] = at;
        return at == postings.Length && reader.BaseStream.Position == reader.BaseStream.Length ? new GramTable(grams, starts, postings, distinct) : throw new InvalidDataException();
    }

    private int Slot(uint gram) => (int)(unchecked(gram * 0x9E3779B9U) >> _shift) & (_slots.Length - 1);

    private static byte Coded(int count) => (byte)(count < Exact ? count : Math.Min(255, Exact + (int)Math.Round(Math.Log((double)count / Exact) / Math.Log(1.05))));

    private static double Decoded(int code) => code < Exact ? code : Exact * Math.Pow(1.05, code - Exact);

    /// <summary>Collects the counts of all labels.</summary>
    internal sealed class Builder
    {
        private readonly List<(uint Gram, ushort Label, byte Count)> _all = [];
        private readonly HashSet<uint>[] _seen = [.. Enumerable.Range(0, CharGrams.Longest).Select(_ => new HashSet<uint>())];

        public void Seen(int order, uint gram) => _seen[order].Add(gram);

        public void Add(uint gram, int label, int count) => _all.Add((gram, checked((ushort)label), Coded(count)));

        public GramTable Build()
        {
            _all.Sort();
            var (grams, starts) = (new List<uint>(), new List<int>());
            for (var i = 0; i < _all.Count; i++)
            {
                if (i > 0 && _all[i].Gram == _all[i - 1].Gram)
                    continue;
                grams.Add(_all[i].Gram);
                starts.Add(i);
            }

            starts.Add(_all.Count);
            return new GramTable([.. grams], [.. starts], [.. _all.Select(a => new GramPosting(a.Label, a.Count))], [.. _seen.Select(s => s.Count)]);
        }
    }
}
