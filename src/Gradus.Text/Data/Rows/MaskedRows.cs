using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Text.Tokenizers;

namespace Gradus.Text.Data.Rows;

/// <summary>How words are hidden (Devlin et al., 2019, section 3.1).</summary>
public sealed record MaskOptions : IValidated
{
    /// <summary>Share of the tokens that are to be predicted.</summary>
    [Above(0), AtMost(1)]
    public double Share { get; init; } = 0.15;

    /// <summary>Of those, the share that is shown as the mask token.</summary>
    [AtLeast(0), AtMost(1)]
    public double Masked { get; init; } = 0.8;

    /// <summary>Of those, the share that is shown as a token drawn from the whole vocabulary. The rest is shown as it is.</summary>
    [AtLeast(0), AtMost(1)]
    public double Random { get; init; } = 0.1;

    /// <summary>Hides all tokens of a word or none.</summary>
    public bool WholeWords { get; init; }

    public IEnumerable<(string Key, string Message)> Problems()
    {
        if (Masked + Random > 1) yield return (nameof(Random), $"{Random} and masked {Masked} are more than all");
    }
}

/// <summary>
/// Rows whose tokens are partly hidden, with the hidden ones as targets, framed by the tokenizer's begin and end tokens. Every draw is a
/// function of the seed and the row's number in the run: each epoch hides other tokens, and a resumed run hides the same.
/// </summary>
public sealed class MaskedRows : IBatchSource
{
    private readonly IBatchSource _rows;
    private readonly MaskOptions _options;
    private readonly int _mask, _vocabulary;
    private readonly int? _begin, _end;
    private readonly bool[] _special, _continues;
    private readonly Counter _chosen, _shown, _drawn;

    /// <exception cref="UserException">The tokenizer has no mask token.</exception>
    public MaskedRows(IBatchSource rows, MaskOptions options, Tokenizer tokenizer, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(tokenizer);
        (_rows, _options, _vocabulary) = (rows, options, tokenizer.VocabSize);
        _mask = MaskId(tokenizer) ?? throw new UserException("objective.kind: masked-lm needs a tokenizer with a mask token ([MASK] or <mask>); train a wordpiece tokenizer, or add it to tokenizer.train.special_tokens");
        (_begin, _end) = RowFrame.Of(tokenizer) is var frame && frame.Before.Length == 1 && frame.After.Length == 1 ? ((int?)frame.Before[0], (int?)frame.After[0]) : (null, null);
        _special = [.. Enumerable.Range(0, _vocabulary).Select(tokenizer.IsSpecial)];
        _continues = options.WholeWords ? Continues(tokenizer) : [];
        (_chosen, _shown, _drawn) = (new Counter(seed, "mask.chosen"), new Counter(seed, "mask.shown"), new Counter(seed, "mask.drawn"));
    }

    /// <summary>Tokens that the frame adds to a row.</summary>
    public static int Added(Tokenizer tokenizer) => RowFrame.Of(tokenizer) is var frame && frame.Before.Length == 1 && frame.After.Length == 1 ? 2 : 0;

    public int Length => _rows.Length + (_begin is null ? 0 : 2);

    public long RowsPerEpoch => _rows.RowsPerEpoch;

    public long TokensPerEpoch => _rows.RowsPerEpoch * Length;

    public TokenBatch Rows(long first, int rows)
    {
        var plain = _rows.Rows(first, rows);
        var batch = new TokenBatch(plain.Rows, Length) { HasDocumentBorders = plain.HasDocumentBorders };
        for (var r = 0; r < plain.Rows; r++)
        {
            Frame(plain, batch, r);
            Hide(batch, r, checked(first + r));
        }
        return batch;
    }

    /// <summary>The id of the mask token, or null.</summary>
    public static int? MaskId(Tokenizer tokenizer)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        return tokenizer.IdOf("[MASK]") ?? tokenizer.IdOf("<mask>");
    }

    private void Frame(TokenBatch plain, TokenBatch batch, int row)
    {
        var at = _begin is null ? 0 : 1;
        plain.Row(plain.Ids, row).CopyTo(batch.Row(batch.Ids, row)[at..]);
        plain.Row(plain.Documents, row).CopyTo(batch.Row(batch.Documents, row)[at..]);
        plain.Row(plain.Positions, row).CopyTo(batch.Row(batch.Positions, row)[at..]);
        if (_begin is not { } begin) return;
        var ids = batch.Row(batch.Ids, row);
        var documents = batch.Row(batch.Documents, row);
        var positions = batch.Row(batch.Positions, row);
        (ids[0], ids[^1]) = (begin, _end!.Value);
        (documents[0], documents[^1]) = (documents[1], documents[^2]);
        // The first document moves by one place; those behind it start at 0 where they did.
        for (var t = 1; t < ids.Length - 1 && documents[t] == documents[1]; t++) positions[t]++;
        (positions[0], positions[^1]) = (0, positions[^2] + 1);
    }

    private void Hide(TokenBatch batch, int row, long number)
    {
        var ids = batch.Row(batch.Ids, row);
        var targets = batch.Row(batch.Targets, row);
        var start = (ulong)checked(number * batch.Length);
        var hidden = false;
        for (var t = 0; t < ids.Length; t++)
        {
            var id = ids[t];
            if (_special[id])
            {
                hidden = false;
                continue;
            }
            // A word's first token decides for all of them.
            if (!_options.WholeWords || !_continues[id] || t == 0 || _special[ids[t - 1]] && targets[t - 1] == TokenBatch.Ignore) hidden = _chosen.Unit(start + (ulong)t) < _options.Share;
            if (!hidden) continue;
            targets[t] = id;
            batch.TargetCount++;
            var draw = _shown.Unit(start + (ulong)t);
            if (draw < _options.Masked) ids[t] = _mask;
            else if (draw < _options.Masked + _options.Random) ids[t] = _drawn.Below(start + (ulong)t, _vocabulary);
        }
    }

    /// <summary>Which tokens go on with the word before them, by the names of the vocabulary: WordPiece marks those, byte-level and SentencePiece vocabularies mark the others.</summary>
    private static bool[] Continues(Tokenizer tokenizer)
    {
        var names = Enumerable.Range(0, tokenizer.VocabSize).Select(tokenizer.NameOf).ToArray();
        if (names.Any(name => name.Length > 2 && name.StartsWith("##", StringComparison.Ordinal))) return [.. names.Select(name => name.Length > 2 && name.StartsWith("##", StringComparison.Ordinal))];
        char[] starts = ['Ġ', '▁'];
        if (!names.Any(name => name.Length > 1 && starts.Contains(name[0])))
            throw new UserException("objective.whole_words: the tokenizer's vocabulary does not say where words start (neither ##, Ġ nor ▁); leave it out");
        return [.. names.Select(name => name.Length > 0 && !starts.Contains(name[0]))];
    }
}
