using System.Text;
using System.Xml;
using Gradus.Text.Data.Compression;

namespace Gradus.Text.Data.Sources;

/// <summary>XML dumps, streamed: no DTD, no entities of their own, no addresses followed; text is capped as it is read.</summary>
internal static class XmlInput
{
    public static XmlReader Open(Stream stream) => XmlReader.Create(stream, new XmlReaderSettings
    {
        DtdProcessing = DtdProcessing.Prohibit,
        XmlResolver = null,
        IgnoreWhitespace = false,
        IgnoreComments = true,
        IgnoreProcessingInstructions = true,
        CheckCharacters = true,
        CloseInput = false,
    });

    /// <summary>The text of the element the reader stands on; null, and the element passed over, when it is longer than <paramref name="max"/> letters.</summary>
    public static string? Text(XmlReader reader, int max)
    {
        if (reader.IsEmptyElement)
            return "";
        var text = new StringBuilder();
        var buffer = new char[1 << 12];
        var (depth, tooLong) = (reader.Depth, false);
        while (reader.Read() && reader.Depth > depth)
        {
            if (reader.NodeType is not (XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace))
                continue;
            int n;
            while ((n = reader.ReadValueChunk(buffer, 0, buffer.Length)) > 0)
            {
                tooLong |= text.Length + n > max;
                if (!tooLong)
                    text.Append(buffer, 0, n);
            }
        }

        return tooLong ? null : text.ToString();
    }

    public static long Line(XmlReader reader) => (reader as IXmlLineInfo)?.LineNumber ?? 0;

    /// <summary>Reads on; what is not XML ends the file, and says where.</summary>
    public static bool Read(XmlReader reader, string name, Func<XmlReader, bool> read)
    {
        try
        {
            return read(reader);
        }
        catch (XmlException e)
        {
            throw new DamagedFileException(e.LineNumber > 0 ? FormattableString.Invariant($"{name}:{e.LineNumber}:{e.LinePosition}: not well-formed XML{Reason(e)}.") : $"{name}: not well-formed XML{Reason(e)}.", e);
        }
        catch (DecoderFallbackException e)
        {
            throw new DamagedFileException($"{name}: bytes that are not in the encoding it says.", e);
        }
    }

    private static string Reason(XmlException e)
    {
        var text = e.Message;
        var end = text.IndexOf(" Line ", StringComparison.Ordinal);
        text = (end > 0 ? text[..end] : text).ReplaceLineEndings(" ").TrimEnd('.');
        return text.Contains("DTD", StringComparison.Ordinal) ? ": it declares a DTD, which is not read" : ": " + text;
    }

    /// <summary>The beginning of a file as text, whatever encoding its byte order mark says: to recognise a format by.</summary>
    public static string Head(ReadOnlySpan<byte> head) =>
        head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xFE]) ? Encoding.Unicode.GetString(head[2..(head.Length & ~1)])
        : head.StartsWith((ReadOnlySpan<byte>)[0xFE, 0xFF]) ? Encoding.BigEndianUnicode.GetString(head[2..(head.Length & ~1)])
        : Encoding.Latin1.GetString(head.StartsWith("\uFEFF"u8) ? head[3..] : head);
}
