namespace Gradus.Text.Tokenizers.Trainers;

/// <summary>Which strings may become pieces: none over a space, none of two scripts, as SentencePiece has it.</summary>
internal sealed class PieceRules(SentencePieceTrainerOptions options)
{
    /// <summary>SentencePiece's mark for a space.</summary>
    public const int Mark = 0x2581;

    /// <summary>What stands for characters outside the alphabet while training.</summary>
    public const int Unknown = 0x2585;

    private const int AnyScript = -1;

    private static readonly int s_han = UnicodeData.ScriptNamed("Han"), s_hiragana = UnicodeData.ScriptNamed("Hiragana"), s_katakana = UnicodeData.ScriptNamed("Katakana"),
        s_inherited = UnicodeData.ScriptNamed("Inherited");

    /// <param name="piece">Its code points.</param>
    public bool Allows(ReadOnlySpan<int> piece)
    {
        if (piece.Length == 0 || piece.Length > options.MaxPieceLength)
            return false;
        var last = AnyScript;
        for (var i = 0; i < piece.Length; i++)
        {
            var c = piece[i];
            if (c is Unknown or 0 or ' ' or '\t')
                return false;
            if (c == Mark)
            {
                if (i > 0 && (options.SplitByWhitespace || i == piece.Length - 1))
                    return false;
                continue;
            }

            var digit = c is >= '0' and <= '9' or >= 0xFF10 and <= 0xFF19;
            if (digit && options.SplitDigits && piece.Length > 1)
                return false;
            var script = digit && !options.SplitByNumber ? AnyScript : ScriptOf(c, last);
            if (options.SplitByScript && script != AnyScript && last != AnyScript && script != last)
                return false;
            last = script;
        }

        return true;
    }

    private static int ScriptOf(int c, int last)
    {
        var script = UnicodeData.Script(c);
        return script == s_hiragana || script == s_katakana || c == 0x30FC ? s_han : script == s_inherited ? last : script;
    }
}
