using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Data;

/// <summary>How a token stream falls into rows.</summary>
public sealed record WindowOptions : IValidated
{
    /// <summary>Tokens a row (T).</summary>
    [AtLeast(1)]
    public int Length { get; init; } = 256;

    /// <summary>Tokens from one row's start to the next one's; 0 means <see cref="Length"/>: no overlap.</summary>
    [AtLeast(0)]
    public int Stride { get; init; }

    /// <summary>Keeps attention inside a document, and starts positions anew at each.</summary>
    public bool DocumentMask { get; init; }

    /// <summary>Whether a document's first token, seen from the one before it, is a target. Unset: only without <see cref="DocumentMask"/>.</summary>
    public bool? BorderTargets { get; init; }

    /// <summary>Starts each epoch's rows at another offset, so that rows are cut in other places. At most one row an epoch is lost.</summary>
    public bool RandomPhase { get; init; }

    public IEnumerable<(string Key, string Message)> Problems()
    {
        if (Stride > Length)
            yield return ("stride", $"{Stride} is more than length {Length}: tokens between rows would never be seen");
    }

    internal int Step => Stride == 0 ? Length : Stride;

    internal bool KeepsBorderTargets => BorderTargets ?? !DocumentMask;
}

/// <summary>
/// Training rows: windows of T tokens over the stream, targets shifted by one, in a new order every epoch. Row i of the endless
/// sequence is row i mod W of epoch i / W, where W = ⌊(N − T − 1) / stride⌋ + 1 windows fit in N tokens (a window needs T + 1).
/// </summary>
public sealed class PackedWindows : IBatchSource
{
    private readonly TokenStream _tokens;
    private readonly WindowOptions _options;
    private readonly Counter _order, _phase;
    private readonly long _phases;

    /// <exception cref="UserException">The stream is shorter than one window.</exception>
    public PackedWindows(TokenStream tokens, WindowOptions options, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(tokens);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(options.Length);
        ArgumentOutOfRangeException.ThrowIfNegative(options.Stride);
        (_tokens, _options) = (tokens, options);
        (_order, _phase) = (new Counter(seed, "data.windows"), new Counter(seed, "data.phase"));
        RowsPerEpoch = Count(tokens.Tokens, options.Length, options.Step);
        if (RowsPerEpoch == 0)
            throw new UserException($"The training data has {tokens.Tokens} tokens; one row of length {options.Length} needs {options.Length + 1L}. Give more text, or make length smaller.");
        var slack = tokens.Tokens - 1 - ((RowsPerEpoch - 1) * options.Step + options.Length);
        if (options.RandomPhase && slack < options.Step - 1 && RowsPerEpoch > 1)
        {
            RowsPerEpoch--;
            slack += options.Step;
        }

        _phases = options.RandomPhase ? Math.Min(options.Step, slack + 1) : 1;
    }

    public int Length => _options.Length;

    public long RowsPerEpoch { get; }

    public long TokensPerEpoch => RowsPerEpoch * _options.Length;

    /// <summary>Windows of <paramref name="length"/> inputs and as many targets in a stream of <paramref name="tokens"/>.</summary>
    public static long Count(long tokens, int length, int stride) => tokens < length + 1L ? 0 : (tokens - length - 1) / stride + 1;

    /// <summary>Where row <paramref name="row"/> of the endless sequence starts in the stream.</summary>
    public long Start(long row)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(row);
        var (epoch, index) = Math.DivRem(row, RowsPerEpoch);
        return Start(new WindowPermutation(RowsPerEpoch, _order, epoch), epoch, index);
    }

    public TokenBatch Batch(long index, int rows) => Rows(checked(index * rows), rows);

    public TokenBatch Rows(long first, int rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(rows);
        var batch = new TokenBatch(rows, Length);
        var buffer = new int[Length + 1];
        var epoch = -1L;
        WindowPermutation permutation = default;
        for (var r = 0; r < rows; r++)
        {
            var (e, index) = Math.DivRem(checked(first + r), RowsPerEpoch);
            if (e != epoch)
                (epoch, permutation) = (e, new WindowPermutation(RowsPerEpoch, _order, e));
            var start = Start(permutation, epoch, index);
            _tokens.CopyTo(start, buffer);
            buffer.AsSpan(0, Length).CopyTo(batch.Row(batch.Ids, r));
            buffer.AsSpan(1, Length).CopyTo(batch.Row(batch.Targets, r));
            batch.TargetCount += Length;
            WindowBorders.Fill(batch, r, _tokens, start, Length, _options.DocumentMask, _options.KeepsBorderTargets);
        }

        return batch;
    }

    private long Start(WindowPermutation permutation, long epoch, long index) =>
        permutation[index] * _options.Step + (_phases > 1 ? (long)(_phase.UInt64((ulong)epoch) % (ulong)_phases) : 0);
}

/// <summary>Positions, document numbers and border targets of one row.</summary>
internal static class WindowBorders
{
    /// <param name="batch">Ids, targets and the target count are already there.</param>
    /// <param name="row">Which row.</param>
    /// <param name="tokens">The stream.</param>
    /// <param name="start">Stream position of the row's first input; −1 is the end-of-text before the first document.</param>
    /// <param name="used">Inputs of the row that are real.</param>
    /// <param name="mask">Number documents and restart positions.</param>
    /// <param name="keepTargets">Keep targets that are the first token of a document.</param>
    public static void Fill(TokenBatch batch, int row, TokenStream tokens, long start, int used, bool mask, bool keepTargets)
    {
        var positions = batch.Row(batch.Positions, row);
        if (mask || !keepTargets)
        {
            var document = start < 0 ? -1 : tokens.DocumentAt(start);
            var next = tokens.DocumentStart(document + 1);
            int number = 0, from = 0;
            for (var t = 0; t < used; t++)
            {
                while (start + t >= next && next < tokens.Tokens) // documents without tokens are passed over
                {
                    if (mask && t > from)
                        (number, from) = (number + 1, t);
                    next = tokens.DocumentStart(++document + 1);
                }

                if (mask)
                {
                    positions[t] = t - from;
                    batch.Documents[row * batch.Length + t] = number;
                }

                ref var target = ref batch.Targets[row * batch.Length + t];
                if (!keepTargets && start + t + 1 == next && target != TokenBatch.Ignore)
                {
                    target = TokenBatch.Ignore;
                    batch.TargetCount--;
                }
            }

            batch.HasDocumentBorders |= number > 0;
        }

        for (var t = mask ? used : 0; t < positions.Length; t++)
            positions[t] = t;
    }
}
