using System.Globalization;

namespace Gradus.Text.Tokenizers;

/// <summary>The names of single bytes in vocabularies of pieces: <c>&lt;0x00&gt;</c> to <c>&lt;0xFF&gt;</c>.</summary>
internal static class BytePieces
{
    /// <summary>The byte that a piece of this name stands for, or null. Hexadecimal digits are capitals, as both references write and ask them.</summary>
    public static byte? Read(string name) =>
        name is ['<', '0', 'x', var high, var low, '>'] && IsDigit(high) && IsDigit(low)
            ? byte.Parse([high, low], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) : null;

    public static string Name(byte value) => string.Create(CultureInfo.InvariantCulture, $"<0x{value:X2}>");

    private static bool IsDigit(char c) => char.IsAsciiDigit(c) || c is >= 'A' and <= 'F';
}
