using Gradus.Text.Tokenizers.PostProcessors;

namespace Gradus.Text.Tokenizers;

/// <summary>A token on its way into a <see cref="TokenEncoding"/>.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Text">Its name, or the text that an added token matched.</param>
/// <param name="Type">Its type id.</param>
/// <param name="Bytes">The bytes of the original it covers.</param>
/// <param name="Chars">The code points of the original it covers.</param>
/// <param name="Word">The piece it is from, or -1.</param>
/// <param name="Special">It was put there by a post-processor or by padding.</param>
/// <param name="Attended">It is no padding.</param>
internal readonly record struct DraftToken(int Id, string Text, int Type, Piece Bytes, Piece Chars, int Word, bool Special = false, bool Attended = true);

/// <summary>An encoding that is being put together. The rules, odd ones too, are those of Hugging Face's library.</summary>
internal sealed class EncodingDraft
{
    public List<DraftToken> Tokens { get; private init; } = [];

    /// <summary>The parts that truncation cut off.</summary>
    public List<EncodingDraft> Overflowing { get; private init; } = [];

    /// <summary>Which tokens are of which text, without the special ones.</summary>
    public Dictionary<int, Piece> Sequences { get; private init; } = [];

    public static EncodingDraft Special(TemplateToken token, int type)
    {
        var draft = new EncodingDraft();
        for (var i = 0; i < token.Ids.Length; i++)
            draft.Tokens.Add(new(token.Ids[i], token.Tokens[i], type, default, default, -1, Special: true));
        return draft;
    }

    public EncodingDraft Copy() => new() { Tokens = [.. Tokens], Overflowing = [.. Overflowing.Select(o => o.Copy())], Sequences = new(Sequences) };

    public void SetSequence(int sequence) => Sequences[sequence] = new(0, Tokens.Count);

    public void SetTypes(int type)
    {
        for (var i = 0; i < Tokens.Count; i++)
            Tokens[i] = Tokens[i] with { Type = type };
    }

    /// <summary>The text between special tokens, and its overflowing parts too. All else loses its marks.</summary>
    public EncodingDraft Framed(int sequence, NamedId? before, int beforeType, NamedId after, int afterType)
    {
        var framed = FramedAlone(sequence, before, beforeType, after, afterType);
        framed.Overflowing.AddRange(Overflowing.Select(o => o.FramedAlone(sequence, before, beforeType, after, afterType)));
        return framed;
    }

    /// <summary>Takes white space at the ends of tokens out of their offsets; a space that was put before the text is not counted.</summary>
    public void TrimOffsets(bool addPrefixSpace)
    {
        for (var i = 0; i < Tokens.Count; i++)
        {
            var token = Tokens[i];
            var (leading, trailing) = (0, 0);
            var inside = false;
            foreach (var rune in token.Text.EnumerateRunes())
            {
                var space = rune.Value == 0x120 || UnicodeData.IsWhiteSpace(rune.Value); // 0x120: a space in the byte alphabet
                inside |= !space;
                leading += inside ? 0 : 1;
                trailing = space ? trailing + 1 : 0;
            }

            if (leading + trailing > 0)
                Tokens[i] = token with { Bytes = Trim(token.Bytes, i, leading, trailing), Chars = Trim(token.Chars, i, leading, trailing) };
        }

        Piece Trim(Piece offsets, int at, int leading, int trailing)
        {
            var (start, end) = offsets;
            if (leading > 0 && !((at == 0 || start == 0) && addPrefixSpace && leading == 1))
                start = Math.Min(start + leading, end);
            if (trailing > 0 && end >= trailing)
                end = Math.Max(end - trailing, start);
            return new(start, end);
        }
    }

    /// <summary>Cuts it down to <paramref name="length"/> tokens; what is cut off overflows, in parts that share <paramref name="stride"/> tokens.</summary>
    public EncodingDraft Truncated(int length, int stride, bool left)
    {
        if (length >= Tokens.Count)
            return this;
        if (length == 0)
            return new() { Overflowing = [this] };
        List<Piece> parts = [];
        if (!left)
            for (var start = 0; parts.Count == 0 || parts[^1].End < Tokens.Count; start += length - stride)
                parts.Add(new(start, Math.Min(start + length, Tokens.Count)));
        else
            for (var end = Tokens.Count; parts.Count == 0 || parts[^1].Start > 0; end -= length - stride)
                parts.Add(new(Math.Max(0, end - length), end));
        return new()
        {
            Tokens = Tokens[parts[0].Start..parts[0].End],
            Overflowing = [.. parts.Skip(1).Select(p => new EncodingDraft { Tokens = Tokens[p.Start..p.End] })],
        };
    }

    /// <summary>One after the other; overflowing parts are joined in every combination.</summary>
    public static EncodingDraft Join(IReadOnlyList<EncodingDraft> parts)
    {
        if (parts is [var only])
            return only;
        var whole = new EncodingDraft();
        foreach (var part in parts)
            whole.Append(part);
        return whole;
    }

    public void Pad(int length, PaddingOptions o)
    {
        foreach (var rest in Overflowing)
            rest.Pad(length, o);
        if (Tokens.Count >= length)
            return;
        var missing = length - Tokens.Count;
        var padding = Enumerable.Repeat(new DraftToken(o.PadId, o.PadToken, o.PadTypeId, default, default, -1, Special: true, Attended: false), missing);
        if (o.Direction == CutSide.Right)
        {
            Tokens.AddRange(padding);
            return;
        }

        Tokens.InsertRange(0, padding);
        foreach (var (sequence, (start, end)) in Sequences.ToArray())
            Sequences[sequence] = new(start + missing, end + missing);
    }

    private void Append(EncodingDraft part)
    {
        List<EncodingDraft> overflowing = [];
        foreach (var mine in Overflowing)
        {
            overflowing.Add(Joined(mine, part));
            overflowing.AddRange(part.Overflowing.Select(theirs => Joined(mine, theirs)));
        }

        overflowing.AddRange(part.Overflowing.Select(theirs => Joined(this, theirs)));
        foreach (var (sequence, (start, end)) in part.Sequences)
            Sequences[sequence] = new(Tokens.Count + start, Tokens.Count + end);
        Tokens.AddRange(part.Tokens);
        Overflowing.Clear();
        Overflowing.AddRange(overflowing);

        static EncodingDraft Joined(EncodingDraft a, EncodingDraft b)
        {
            var joined = a.Copy();
            joined.Append(b);
            return joined;
        }
    }

    private EncodingDraft FramedAlone(int sequence, NamedId? before, int beforeType, NamedId after, int afterType)
    {
        var framed = new EncodingDraft();
        if (before is { } first)
            framed.Tokens.Add(new(first.Id, first.Name, beforeType, default, default, -1, Special: true));
        var start = framed.Tokens.Count;
        framed.Tokens.AddRange(Tokens.Select(t => t with { Special = false, Attended = true }));
        framed.Sequences[sequence] = new(start, framed.Tokens.Count);
        framed.Tokens.Add(new(after.Id, after.Name, afterType, default, default, -1, Special: true));
        return framed;
    }
}
