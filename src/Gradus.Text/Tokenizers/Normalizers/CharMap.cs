using System.Text;

namespace Gradus.Text.Tokenizers.Normalizers;

/// <summary>Replaces and removes single characters.</summary>
internal static class CharMap
{
    /// <summary>What a map gives for a character that goes away.</summary>
    public const int Remove = -1;

    /// <summary>Every character becomes what <paramref name="map"/> says.</summary>
    public static void Apply(AlignedText text, Func<int, int> map)
    {
        Span<byte> utf8 = stackalloc byte[4];
        var done = 0;
        var any = false;
        for (var at = 0; at < text.Bytes.Length;)
        {
            Rune.DecodeFromUtf8(text.Bytes[at..], out var rune, out var length);
            var mapped = map(rune.Value);
            if (mapped != rune.Value)
            {
                any = true;
                text.Keep(done, at);
                if (mapped != Remove)
                    text.Put(utf8[..new Rune(mapped).EncodeToUtf8(utf8)], at, at + length);
                done = at + length;
            }

            at += length;
        }

        if (!any)
            return;
        text.Keep(done, text.Bytes.Length);
        text.Commit();
    }
}
