using Gradus.Foundation.Files;
using Gradus.Text.Tokenizers;

namespace Gradus.Text.Data.Rows;

/// <summary>
/// Rows of different lengths as batches, each filled up to its longest row. Which row comes when is a function of (rows, options, seed,
/// number): every row once an epoch, in a new order each; resume and other groupings into micro-batches change nothing.
/// </summary>
public sealed class LabelledRows : IBatchSource
{
    private const int Together = 8; // rows of one length that stay beside each other
    private readonly IReadOnlyList<EncodedRow> _rows;
    private readonly RowOptions _options;
    private readonly int _pad;
    private readonly Counter? _order, _blocks;
    private readonly Counter _dropped;
    private readonly Tokenizer? _dropping;
    private (long Epoch, long Group, int[] Rows) _cached = (-1, -1, []);

    /// <param name="rows">The rows, all of them.</param>
    /// <param name="options">How they come together.</param>
    /// <param name="pad">The token that fills up.</param>
    /// <param name="seed">Decides the order and which words drop out; null: as they are, for measuring.</param>
    /// <param name="tokenizer">For word dropout.</param>
    /// <exception cref="UserException">There are none; or words are to drop out and there is no unknown token.</exception>
    public LabelledRows(IReadOnlyList<EncodedRow> rows, RowOptions options, int pad, ulong? seed, Tokenizer? tokenizer = null)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(options);
        if (rows.Count == 0) throw new UserException("there is no row to learn from");
        (_rows, _options, _pad) = (rows, options, pad);
        if (seed is { } s) (_order, _blocks, _dropped) = (new Counter(s, "rows.order"), new Counter(s, "rows.blocks"), new Counter(s, "rows.dropped"));
        if (seed is not null && options.WordDropout > 0)
            _dropping = tokenizer?.UnkId is not null ? tokenizer : throw new UserException("task.rows.word_dropout: the tokenizer has no unknown token to show in a word's place");
        Length = rows.Max(row => row.Ids.Length);
        TokensPerEpoch = rows.Sum(row => (long)row.Ids.Length);
    }

    /// <summary>Tokens of the longest row.</summary>
    public int Length { get; }

    public long RowsPerEpoch => _rows.Count;

    public long TokensPerEpoch { get; }

    /// <summary>The rows themselves, in their own order.</summary>
    public IReadOnlyList<EncodedRow> All => _rows;

    public TokenBatch Rows(long first, int rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        var batch = Batch([.. Enumerable.Range(0, rows).Select(i => _rows[Index(checked(first + i))])], _pad, _options.PadToMultipleOf);
        if (_dropping is { } tokenizer)
            for (var r = 0; r < rows; r++)
            {
                var (ids, start) = (r * batch.Length, (ulong)checked((first + r) * Length));
                for (var t = 0; t < Math.Min(batch.Length, Length); t++)
                    if (batch.Documents[ids + t] == 0 && !tokenizer.IsSpecial(batch.Ids[ids + t]) && _dropped.Unit(start + (ulong)t) < _options.WordDropout) batch.Ids[ids + t] = tokenizer.UnkId!.Value;
            }
        return batch;
    }

    /// <summary>Rows as one batch, whatever they are of.</summary>
    public static TokenBatch Batch(IReadOnlyList<EncodedRow> rows, int pad, int multiple = 1)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var longest = rows.Max(row => row.Ids.Length);
        var batch = new TokenBatch(rows.Count, (longest + multiple - 1) / multiple * multiple);
        if (rows.Any(row => row.Types is not null)) batch.Types = new int[batch.Ids.Length];
        if (rows.Any(row => row.Weight != 1)) batch.Weights = new float[batch.Ids.Length];
        if (rows.Any(row => row.Value is not null)) batch.Values = new float[batch.Ids.Length];
        for (var r = 0; r < rows.Count; r++)
        {
            var (row, used) = (rows[r], rows[r].Ids.Length);
            row.Ids.CopyTo(batch.Row(batch.Ids, r));
            batch.Row(batch.Ids, r)[used..].Fill(pad);
            row.Targets.CopyTo(batch.Row(batch.Targets, r));
            row.Types?.CopyTo(batch.Row(batch.Types!, r));
            batch.Row(batch.Documents, r)[used..].Fill(1);
            for (var t = 0; t < batch.Length; t++) batch.Positions[r * batch.Length + t] = t;
            batch.Weights?.AsSpan(r * batch.Length, used).Fill(row.Weight);
            if (row.Value is { } value) batch.Values.AsSpan(r * batch.Length, used).Fill(value);
            batch.HasDocumentBorders |= used < batch.Length;
            batch.TargetCount += row.Targets.Count(target => target != TokenBatch.Ignore);
        }
        return batch;
    }

    private int Index(long row)
    {
        var (epoch, index) = Math.DivRem(row, (long)_rows.Count);
        if (_order is null) return (int)index;
        var size = Math.Max(1, _options.GroupByLength);
        var (group, at) = Math.DivRem(index, (long)size);
        if (_cached.Epoch != epoch || _cached.Group != group) _cached = (epoch, group, Group(epoch, group, size));
        return _cached.Rows[at];
    }

    private int[] Group(long epoch, long group, int size)
    {
        var permutation = new WindowPermutation(_rows.Count, _order!.Value, epoch);
        var count = (int)Math.Min(size, _rows.Count - group * size);
        var rows = Enumerable.Range(0, count).Select(i => (int)permutation[group * size + i]).ToArray();
        if (_options.GroupByLength == 0) return rows;
        // Sorted, then in blocks whose order is drawn: lengths must not rise and fall in step with training.
        var sorted = rows.OrderBy(row => _rows[row].Ids.Length).ThenBy(row => row).ToArray();
        var blocks = (count + Together - 1) / Together;
        var order = new WindowPermutation(blocks, _blocks!.Value, checked(epoch * ((_rows.Count + size - 1) / size) + group));
        return [.. Enumerable.Range(0, blocks).SelectMany(b => sorted.Skip((int)order[b] * Together).Take(Together))];
    }
}
