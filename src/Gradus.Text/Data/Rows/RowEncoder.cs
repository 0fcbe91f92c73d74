using Gradus.Text.Data.Records;
using Gradus.Text.Tokenizers;

namespace Gradus.Text.Data.Rows;

/// <summary>Records to rows of tokens.</summary>
/// <param name="tokenizer">Text to ids.</param>
/// <param name="maxLength">Most tokens a row, special ones included.</param>
/// <param name="atEnd">The state of the row is that of its last token (decoders), not of its first (encoders' <c>[CLS]</c>).</param>
public sealed class RowEncoder(Tokenizer tokenizer, int maxLength, bool atEnd)
{
    private readonly RowFrame _frame = RowFrame.Of(tokenizer);

    /// <summary>The token that fills rows up.</summary>
    public int Pad => tokenizer.PadId ?? tokenizer.EosId ?? 0;

    /// <summary>A text or a pair of texts, and one target for all of it.</summary>
    public EncodedRow Text(string text, string? pair, int target, int record)
    {
        var options = new TokenizeOptions { Truncation = new TruncationOptions { MaxLength = maxLength } };
        var encoding = tokenizer.Tokenize(text, pair, options);
        int[] ids = encoding.Ids.Count > 0 ? [.. encoding.Ids] : [tokenizer.UnkId ?? Pad]; // a text that the tokenizer makes nothing of
        var targets = Nothing(ids.Length);
        var at = atEnd ? ids.Length - 1 : 0;
        targets[at] = target;
        return new EncodedRow(ids, targets) { Types = pair is null ? null : [.. encoding.TypeIds], Record = record, Places = [at], Truncated = encoding.Overflowing.Count > 0 };
    }

    /// <summary>Words with a target each, read at a word's first token; the target of a word that does not fit is lost.</summary>
    public EncodedRow Words(IReadOnlyList<string> words, IReadOnlyList<int> labels, int record)
    {
        ArgumentNullException.ThrowIfNull(words);
        ArgumentNullException.ThrowIfNull(labels);
        List<int> ids = [.. _frame.Before], targets = [.. Nothing(_frame.Before.Length)];
        var places = new int[words.Count];
        Array.Fill(places, -1);
        var full = false;
        for (var w = 0; w < words.Count && !full; w++)
        {
            // Vocabularies that hold the space before a word (Ġthe) want it here as they saw it in running text.
            var pieces = tokenizer.Encode(w == 0 ? words[w] : " " + words[w], addSpecialTokens: false);
            if (pieces.Length == 0 && tokenizer.UnkId is { } unknown) pieces = [unknown];
            full = ids.Count + pieces.Length + _frame.After.Length > maxLength;
            if (full || pieces.Length == 0) continue;
            places[w] = ids.Count;
            ids.AddRange(pieces);
            targets.Add(labels[w]);
            targets.AddRange(Nothing(pieces.Length - 1));
        }
        ids.AddRange(_frame.After);
        targets.AddRange(Nothing(_frame.After.Length));
        if (ids.Count == 0) (ids, targets) = ([Pad], [TokenBatch.Ignore]);
        return new EncodedRow([.. ids], [.. targets]) { Record = record, Places = places, Truncated = full };
    }

    /// <summary>
    /// A question and its context; a context that is too long becomes several rows that overlap. Targets: 0 where an answer may begin or
    /// end, + 1 where it begins, + 2 where it ends; in a row without the answer both are at the first token.
    /// </summary>
    public IEnumerable<EncodedRow> Question(QuestionAnswer item, int stride, int record)
    {
        ArgumentNullException.ThrowIfNull(item);
        var longest = maxLength / 2; // a question must leave room for its context
        var question = tokenizer.Encode(item.Question, addSpecialTokens: false).Length > longest ? Shortened(item.Question, longest) : item.Question;
        var options = new TokenizeOptions { Truncation = new TruncationOptions { MaxLength = maxLength, Strategy = TruncationStrategy.OnlySecond, Stride = Math.Min(stride, maxLength / 4) } };
        var encoding = tokenizer.Tokenize(question, item.Context, options);
        var units = CodePoints(item.Context);
        return encoding.Overflowing.Prepend(encoding).Select(part => Window(part, item, units, record, encoding.Overflowing.Count > 0));
    }

    private static EncodedRow Window(TokenEncoding part, QuestionAnswer item, int[] units, int record, bool several)
    {
        int[] ids = [.. part.Ids];
        var (targets, spans) = (Nothing(ids.Length), new TextSpan?[ids.Length]);
        targets[0] = 0;
        for (var t = 0; t < ids.Length; t++)
        {
            if (part.SequenceIds[t] != 1 || part.SpecialTokensMask[t] == 1) continue;
            targets[t] = 0;
            spans[t] = new TextSpan(units[part.CharOffsets[t].Start], units[part.CharOffsets[t].End]);
        }
        var (begin, end) = (0, 0);
        if (item.Answers.Count > 0)
        {
            var (from, to) = (item.Answers[0].Start, item.Answers[0].Start + item.Answers[0].Text.Length);
            var first = Array.FindIndex(spans, span => span is { } s && s.Start <= from && from < s.End);
            var last = Array.FindLastIndex(spans, span => span is { } s && s.Start < to && to <= s.End);
            if (first >= 0 && last >= first) (begin, end) = (first, last);
        }
        targets[begin] |= 1;
        targets[end] |= 2;
        return new EncodedRow(ids, targets) { Types = [.. part.TypeIds], Record = record, Spans = spans, Truncated = several };
    }

    // A question longer than half a row: its first words.
    private string Shortened(string question, int tokens)
    {
        var part = tokenizer.Tokenize(question, null, new TokenizeOptions { AddSpecialTokens = false, Truncation = new TruncationOptions { MaxLength = tokens } });
        return question[..CodePoints(question)[part.CharOffsets[^1].End]];
    }

    /// <summary>UTF-16 index of every code point, and of the end.</summary>
    private static int[] CodePoints(string text)
    {
        var starts = new List<int>(text.Length + 1);
        for (var i = 0; i < text.Length; i += char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]) ? 2 : 1) starts.Add(i);
        starts.Add(text.Length);
        return [.. starts];
    }

    private static int[] Nothing(int length)
    {
        var targets = new int[length];
        Array.Fill(targets, TokenBatch.Ignore);
        return targets;
    }
}
