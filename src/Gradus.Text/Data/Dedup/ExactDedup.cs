using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Pipeline;
using Gradus.Text.Data.Steps;

namespace Gradus.Text.Data.Dedup;

/// <summary>What is compared.</summary>
public enum DedupUnit
{
    /// <summary>Whole documents.</summary>
    Document,

    /// <summary>Paragraphs: a later copy is cut out of its document.</summary>
    Paragraph,

    /// <summary>Lines: a later copy is cut out of its document.</summary>
    Line,

    /// <summary>Addresses (<c>url</c>): of several documents from one address the first stays.</summary>
    Url,
}

/// <summary>
/// Removes exact copies; the first, in the order of the sources, stays. 128 bits of SHA-256 stand for each document, paragraph, line or
/// address, on disk, so memory does not grow with their number.
/// </summary>
[Component("exact-dedup")]
public sealed record ExactDedup : GlobalStep
{
    /// <summary>What is compared.</summary>
    public DedupUnit By { get; init; }

    /// <summary>Paragraphs and lines with fewer characters are left alone: "Yes." is no copy.</summary>
    [AtLeast(1)]
    public int MinCharacters { get; init; } = 20;

    /// <summary>Letters of either case and any run of white space are equal.</summary>
    public bool Loose { get; init; }

    internal override string Rule => By switch { DedupUnit.Paragraph => "duplicate-paragraph", DedupUnit.Line => "duplicate-line", DedupUnit.Url => "duplicate-url", _ => "duplicate" };

    internal override IIndexer BuildIndexer() => new Indexer(this);

    internal override void Decide(GlobalInput input, DecisionWriter output)
    {
        IndexEntry first = default;
        var (any, copies, distinct) = (false, 0L, 0L);
        foreach (var entry in input.Entries())
        {
            if (!any || !entry.HasKeyOf(first))
            {
                (first, any) = (entry, true);
                distinct++;
                continue;
            }

            copies++;
            if (By is DedupUnit.Document or DedupUnit.Url)
                output.Drop(entry.Partition, entry.Ordinal, first.Partition, first.Ordinal);
            else
                output.Cut(entry.Partition, entry.Ordinal, (int)entry.A, (int)entry.B, first.Partition, first.Ordinal);
        }

        output.Note("copies", copies);
        output.Note("distinct", distinct);
    }

    private sealed class Indexer(ExactDedup o) : IIndexer
    {
        public void Index(Draft draft, List<IndexEntry> entries)
        {
            switch (o.By)
            {
                case DedupUnit.Document:
                    entries.Add(Entry(draft.Text, 0, 0));
                    break;
                case DedupUnit.Url:
                    if (draft.Meta("url") is { Length: > 0 } url)
                        entries.Add(Entry(Encoding.UTF8.GetBytes(UrlText.Normal(url)), 0, 0));
                    break;
                default:
                    var text = draft.Text;
                    foreach (var line in o.By == DedupUnit.Line ? draft.Shape.Lines : draft.Shape.Paragraphs)
                    {
                        if (line.Characters < o.MinCharacters)
                            continue;
                        // What goes takes its line break along.
                        var end = line.Start + line.Length;
                        while (end < text.Length && text[end] is (byte)' ' or (byte)'\t' or (byte)'\r')
                            end++;
                        for (var breaks = 0; breaks < (o.By == DedupUnit.Line ? 1 : 2) && end < text.Length && text[end] == '\n'; breaks++)
                            end++;
                        entries.Add(Entry(draft.Shape.TextOf(line), (uint)line.Start, (uint)(end - line.Start)));
                    }

                    break;
            }
        }

        private IndexEntry Entry(ReadOnlySpan<byte> bytes, uint start, uint length)
        {
            Span<byte> hash = stackalloc byte[32];
            SHA256.HashData(o.Loose ? Loosened(bytes) : bytes, hash);
            return new IndexEntry(BinaryPrimitives.ReadUInt64BigEndian(hash), BinaryPrimitives.ReadUInt64BigEndian(hash[8..]), 0, 0, start, length);
        }

        private static ReadOnlySpan<byte> Loosened(ReadOnlySpan<byte> bytes) =>
            Encoding.UTF8.GetBytes(string.Join(' ', Encoding.UTF8.GetString(bytes).ToLowerInvariant().Split(default(char[]), StringSplitOptions.RemoveEmptyEntries)));
    }
}
