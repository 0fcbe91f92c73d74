using System.Runtime.InteropServices;

namespace Gradus.Text.Data.Pipeline;

/// <summary>
/// One row of an index or of a decision: 32 bytes, sorted by all its fields in order. In an index the key is what documents may have in
/// common (a hash) and the rest says which document; in a decision the key says which document and what becomes of it.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct IndexEntry(ulong High, ulong Low, uint Partition, uint Ordinal, uint A, uint B) : IComparable<IndexEntry>
{
    public const int Bytes = 32;

    public int CompareTo(IndexEntry other)
    {
        if (High != other.High) return High < other.High ? -1 : 1;
        if (Low != other.Low) return Low < other.Low ? -1 : 1;
        if (Partition != other.Partition) return Partition < other.Partition ? -1 : 1;
        if (Ordinal != other.Ordinal) return Ordinal < other.Ordinal ? -1 : 1;
        if (A != other.A) return A < other.A ? -1 : 1;
        return B.CompareTo(other.B);
    }

    public bool HasKeyOf(in IndexEntry other) => High == other.High && Low == other.Low;
}
