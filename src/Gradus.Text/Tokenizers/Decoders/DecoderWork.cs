using System.Text;

namespace Gradus.Text.Tokenizers.Decoders;

/// <summary>A decoder at work on one text. Tokens come in whole or, behind a step that joins tokens, in parts.</summary>
internal abstract class DecoderWork
{
    /// <summary>The next part of the current token; <paramref name="ends"/>: the token ends here.</summary>
    public abstract void Push(string part, bool ends);

    /// <summary>The text ends.</summary>
    public abstract void Flush();
}

/// <summary>The end of the chain: gathers the text.</summary>
/// <param name="between">What is written between tokens.</param>
internal sealed class TextWork(string between = "") : DecoderWork
{
    private readonly StringBuilder _text = new();
    private bool _first = true, _starts = true;

    public override void Push(string part, bool ends)
    {
        if (_starts && !_first)
            _text.Append(between);
        _text.Append(part);
        (_first, _starts) = (false, ends);
    }

    public override void Flush()
    {
    }

    /// <summary>What came since the last call.</summary>
    public string Take()
    {
        if (_text.Length == 0)
            return "";
        var text = _text.ToString();
        _text.Clear();
        return text;
    }
}

/// <summary>A worker that needs to see tokens as a whole: it waits for their ends.</summary>
internal abstract class WholeTokenWork(DecoderWork next) : DecoderWork
{
    private readonly StringBuilder _open = new();

    protected DecoderWork Next => next;

    public sealed override void Push(string part, bool ends)
    {
        if (!ends)
        {
            _open.Append(part);
            return;
        }

        if (_open.Length > 0)
        {
            part = _open.Append(part).ToString();
            _open.Clear();
        }

        Token(part);
    }

    public override void Flush() => next.Flush();

    protected abstract void Token(string token);
}
