using System.Buffers;
using System.Text;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Sources.Mail;

namespace Gradus.Text.Data.Sources;

/// <summary>Mailboxes (mbox) and single mails (.eml), a document a mail: its text, without attachments; addresses are not kept.</summary>
[Component("mbox")]
public sealed record MboxSource : SourceOptions
{
    /// <summary>Puts the subject before the text.</summary>
    public bool Subject { get; init; } = true;

    /// <summary>Leaves out quoted lines (<c>></c>) and the line that announces them.</summary>
    public bool DropQuotes { get; init; }

    protected internal override IReadOnlyList<string> FileEndings => [".mbox", ".mbx", ".eml"];

    protected internal override bool Recognises(ReadOnlySpan<byte> head) => IsFromLine(head) && head.IndexOf("\nFrom: "u8) >= 0;

    protected override IEnumerable<Document> ReadFile(SourceFile file)
    {
        var reader = new LineReader(file.Bytes, MaxRecordBytes);
        var mail = new ArrayBufferWriter<byte>(1 << 14);
        var (first, offset, tooLong, blank) = (1L, 0L, false, true);
        while (reader.TryRead(out var line))
        {
            if (blank && IsFromLine(line.Span))
            {
                if (Finish(file, mail, tooLong, first, offset) is { } document)
                    yield return document;
                mail.ResetWrittenCount();
                (first, offset, tooLong, blank) = (reader.Line, reader.Offset, false, false);
                continue;
            }

            blank = line.Length == 0;
            tooLong |= reader.TooLong || mail.WrittenCount + line.Length > MaxRecordBytes;
            if (tooLong)
                continue;
            var quoted = line.Span.TrimStart((byte)'>').StartsWith("From "u8) && line.Span.StartsWith(">"u8); // ">From " inside a mail is "From "
            mail.Write(quoted ? line.Span[1..] : line.Span);
            mail.Write("\n"u8);
        }

        if (Finish(file, mail, tooLong, first, offset) is { } last)
            yield return last;
    }

    // "From sender weekday month day time year": what begins a mail, behind an empty line.
    private static bool IsFromLine(ReadOnlySpan<byte> line) => line.StartsWith("From "u8) && line.Length > 20 && line[..Math.Min(line.Length, 200)].IndexOf((byte)':') > 0;

    private Document? Finish(SourceFile file, ArrayBufferWriter<byte> mail, bool tooLong, long line, long offset)
    {
        var place = $"{file.Name}:{line}";
        if (tooLong)
        {
            file.Bad(place, $"the mail is longer than {MaxRecordBytes} bytes (max_record_bytes).", offset, mail.WrittenSpan);
            return null;
        }

        if (mail.WrittenSpan.IndexOfAnyExcept((byte)'\n', (byte)' ') < 0)
            return null;
        var text = MailBody.Text(mail.WrittenSpan, out var headers);
        if (headers["Date"].Length == 0 && headers["From"].Length == 0 && headers["Subject"].Length == 0)
        {
            file.Bad(place, "there are no mail headers here.", offset, mail.WrittenSpan);
            return null;
        }

        if (DropQuotes)
            text = WithoutQuotes(text);
        var subject = headers.Text("Subject").Trim();
        if (text.Length == 0)
        {
            file.Report.Empty++;
            return null;
        }

        var meta = new SortedDictionary<string, string>(StringComparer.Ordinal);
        if (subject.Length > 0)
            meta[MetaKeys.Title] = subject;
        if (IsoDate.Of(headers["Date"]) is { } date)
            meta[MetaKeys.Date] = date;
        if (headers["Message-ID"].Trim('<', '>', ' ') is { Length: > 0 } id)
            meta[MetaKeys.Id] = id;
        if (headers["List-Id"].Length > 0)
            meta[MetaKeys.Source] = headers.Text("List-Id").Trim('<', '>');
        return new Document(Encoding.UTF8.GetBytes(Subject && subject.Length > 0 ? subject + "\n\n" + text : text), place, Meta: meta);
    }

    private static string WithoutQuotes(string text)
    {
        var lines = text.Split('\n');
        var kept = new List<string>();
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].StartsWith('>'))
                continue;
            var announces = lines[i].TrimEnd().EndsWith(':') && i + 1 < lines.Length && (lines[i + 1].StartsWith('>') || (i + 2 < lines.Length && lines[i + 1].Length == 0 && lines[i + 2].StartsWith('>')));
            if (!announces)
                kept.Add(lines[i]);
        }

        return string.Join('\n', kept).Trim();
    }
}
