using Gradus.Foundation.Files;

namespace Gradus.Text.Data;

/// <summary>
/// Rows for measuring: in stream order, every token a target exactly once. With stride = length a token sees between 0 and T − 1
/// tokens of its row before it; with a smaller stride every token after the first row sees at least T − stride, at T / stride times the cost.
/// The first token of all is predicted from an end-of-text put before it; without such a token in the vocabulary it is not a target.
/// </summary>
/// <remarks>The last row is filled up with ignored targets. Rows beyond the last do not exist: the last batch is smaller.</remarks>
public sealed class SequentialWindows : IBatchSource
{
    private readonly TokenStream _tokens;
    private readonly int _length, _stride;
    private readonly bool _mask, _keepTargets;
    private readonly long _first; // stream position of the first input

    /// <exception cref="UserException">There is nothing to predict.</exception>
    public SequentialWindows(TokenStream tokens, WindowOptions options)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Step, options.Length, nameof(options));
        (_tokens, _length, _stride) = (tokens, options.Length, options.Step);
        (_mask, _keepTargets) = (options.DocumentMask, options.KeepsBorderTargets);
        _first = tokens.EndOfText is null ? 0 : -1;
        Targets = tokens.Tokens - 1 - _first;
        if (Targets <= 0)
            throw new UserException($"The data to evaluate on has {tokens.Tokens} tokens: nothing to predict.");
        RowsPerEpoch = 1 + (Math.Max(0, Targets - _length) + _stride - 1) / _stride;
    }

    public int Length => _length;

    public long RowsPerEpoch { get; }

    public long TokensPerEpoch => RowsPerEpoch * _length;

    /// <summary>Tokens that are targets in one pass when border targets are kept.</summary>
    public long Targets { get; }

    /// <summary>How much context a target has, for reports.</summary>
    public string ContextHandling => _stride == _length
        ? $"rows of {_length} tokens without overlap; a target sees the tokens before it in its row"
        : $"rows of {_length} tokens, stride {_stride}; after the first row a target sees at least {_length - _stride} tokens";

    /// <summary>All batches of a pass.</summary>
    public IEnumerable<TokenBatch> Batches(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        for (var first = 0L; first < RowsPerEpoch; first += rows)
            yield return Rows(first, rows);
    }

    public TokenBatch Batch(long index, int rows) => Rows(checked(index * rows), rows);

    public TokenBatch Rows(long first, int rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(first, RowsPerEpoch);
        var batch = new TokenBatch((int)Math.Min(rows, RowsPerEpoch - first), _length);
        var buffer = new int[_length + 1];
        for (var r = 0; r < batch.Rows; r++)
        {
            var row = first + r;
            var start = _first + row * _stride;
            var used = (int)Math.Min(_length, _tokens.Tokens - 1 - start);
            var skip = row == 0 ? 0 : _length - _stride; // already a target of the row before
            var fromEnd = start < 0 ? 1 : 0;
            if (fromEnd == 1)
                buffer[0] = _tokens.EndOfText!.Value;
            _tokens.CopyTo(start + fromEnd, buffer.AsSpan(fromEnd, used + 1 - fromEnd));
            buffer.AsSpan(0, used).CopyTo(batch.Row(batch.Ids, r));
            if (used > skip)
            {
                buffer.AsSpan(1 + skip, used - skip).CopyTo(batch.Row(batch.Targets, r)[skip..]);
                batch.TargetCount += used - skip;
            }

            WindowBorders.Fill(batch, r, _tokens, start, used, _mask, _keepTargets);
        }

        return batch;
    }
}
