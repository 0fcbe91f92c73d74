using Gradus.Foundation.Files;

namespace Gradus.Text.Data.Rows;

/// <summary>
/// Rows of different lengths, several to a row of one length: each is a document of its own, with positions from 0, that attention does
/// not leave. What lies in which row is fixed (best fit, the longest first); the order of the rows is a function of seed and epoch.
/// </summary>
public sealed class PackedRows : IBatchSource
{
    private readonly IReadOnlyList<EncodedRow> _rows;
    private readonly List<int[]> _packs;
    private readonly int _pad;
    private readonly Counter? _order;

    /// <param name="rows">The rows, all of them.</param>
    /// <param name="length">Tokens of a packed row; none of the rows is longer.</param>
    /// <param name="pad">The token that fills up what is left.</param>
    /// <param name="seed">Decides the order; null: as they are packed, for measuring.</param>
    /// <exception cref="UserException">There are none.</exception>
    public PackedRows(IReadOnlyList<EncodedRow> rows, int length, int pad, ulong? seed)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (rows.Count == 0) throw new UserException("there is no row to learn from");
        (_rows, _pad, _packs) = (rows, pad, Pack(rows, length));
        Length = _packs.Max(pack => pack.Sum(row => rows[row].Ids.Length));
        if (seed is { } s) _order = new Counter(s, "rows.packed");
        TokensPerEpoch = rows.Sum(row => (long)row.Ids.Length);
    }

    /// <summary>Tokens of the fullest row.</summary>
    public int Length { get; }

    public long RowsPerEpoch => _packs.Count;

    public long TokensPerEpoch { get; }

    public TokenBatch Rows(long first, int rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        var batch = new TokenBatch(rows, Length);
        for (var r = 0; r < rows; r++)
        {
            var (epoch, index) = Math.DivRem(checked(first + r), (long)_packs.Count);
            var pack = _packs[(int)(_order is { } order ? new WindowPermutation(_packs.Count, order, epoch)[index] : index)];
            var (at, document) = (r * Length, 0);
            foreach (var row in pack.Select(i => _rows[i]))
            {
                Put(row, batch, at, document++);
                at += row.Ids.Length;
            }
            var left = (r + 1) * Length - at;
            batch.Ids.AsSpan(at, left).Fill(_pad);
            batch.Documents.AsSpan(at, left).Fill(document);
            for (var t = 0; t < left; t++) batch.Positions[at + t] = t;
            batch.HasDocumentBorders |= left > 0 || document > 1;
        }
        return batch;
    }

    private static void Put(EncodedRow row, TokenBatch batch, int at, int document)
    {
        var length = row.Ids.Length;
        row.Ids.CopyTo(batch.Ids, at);
        row.Targets.CopyTo(batch.Targets, at);
        batch.Documents.AsSpan(at, length).Fill(document);
        for (var t = 0; t < length; t++) batch.Positions[at + t] = t;
        batch.TargetCount += row.Targets.Count(target => target != TokenBatch.Ignore);
        if (row.Weights is null && row.Weight == 1 && batch.Weights is null) return;
        if (batch.Weights is null)
        {
            batch.Weights = new float[batch.Ids.Length];
            Array.Fill(batch.Weights, 1); // of those that came before without any
        }
        for (var t = 0; t < length; t++) batch.Weights[at + t] = row.Weight * (row.Weights?[t] ?? 1);
    }

    /// <summary>Best fit decreasing: each row, the longest first, goes where least room is left over.</summary>
    private static List<int[]> Pack(IReadOnlyList<EncodedRow> rows, int length)
    {
        var packs = new List<List<int>>();
        var open = new SortedSet<(int Left, int Pack)>();
        foreach (var row in Enumerable.Range(0, rows.Count).OrderByDescending(i => rows[i].Ids.Length).ThenBy(i => i))
        {
            var need = rows[row].Ids.Length;
            if (need > length) throw new ArgumentException($"row {row} has {need} tokens, more than {length}", nameof(rows));
            var (left, pack) = open.GetViewBetween((need, 0), (length, int.MaxValue)).Min;
            if (left == 0) (left, pack) = (length, packs.Count); // no row has room for it
            if (pack == packs.Count) packs.Add([]);
            else open.Remove((left, pack));
            packs[pack].Add(row);
            if (left - need > 0) open.Add((left - need, pack));
        }
        return packs.ConvertAll(pack => pack.Order().ToArray());
    }
}
