using System.Globalization;
using System.Text;
using System.Xml;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Sources.Html;

namespace Gradus.Text.Data.Sources;

/// <summary>Stack Exchange dumps (<c>Posts.xml</c>): each question with its title, each answer, as plain text; votes become the score.</summary>
[Component("stack-exchange")]
public sealed record StackExchangeSource : SourceOptions
{
    /// <summary>Posts with fewer votes are left out and counted; null takes all.</summary>
    public int? MinScore { get; init; }

    protected internal override IReadOnlyList<string> FileEndings => [".xml"];

    protected internal override bool ClaimsByName => false;

    protected internal override bool Recognises(ReadOnlySpan<byte> head) => XmlInput.Head(head) is var text && text.Contains("<posts>", StringComparison.Ordinal) && text.Contains("<row ", StringComparison.Ordinal);

    protected override IEnumerable<Document> ReadFile(SourceFile file)
    {
        using var xml = XmlInput.Open(file.Bytes);
        var titles = new Titles();
        while (XmlInput.Read(xml, file.Name, x => x.Read()))
        {
            if (xml.NodeType != XmlNodeType.Element || xml.LocalName != "row")
                continue;
            var place = $"{file.Name}:{XmlInput.Line(xml)}";
            var kind = xml.GetAttribute("PostTypeId");
            if (kind is not ("1" or "2"))
            {
                if (kind is null)
                    file.Bad(place, "the row has no PostTypeId.");
                else
                    file.Report.LeaveOut("stack-exchange: neither question nor answer");
                continue;
            }

            if (xml.GetAttribute("Body") is not { } body)
            {
                file.Bad(place, "the row has no Body.");
                continue;
            }

            if (body.Length > MaxRecordBytes)
            {
                file.Bad(place, $"the post is longer than {MaxRecordBytes} bytes (max_record_bytes).");
                continue;
            }

            if (MinScore is { } least && (!int.TryParse(xml.GetAttribute("Score"), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var score) || score < least))
            {
                file.Report.LeaveOut("stack-exchange: score");
                continue;
            }

            if (Post(xml, body, kind == "1", titles) is { } post)
                yield return new Document(post.Text, place, Meta: post.Meta);
            else
                file.Report.Empty++;
        }
    }

    private static (byte[] Text, SortedDictionary<string, string> Meta)? Post(XmlReader row, string body, bool isQuestion, Titles titles)
    {
        var text = MainContent.Join(HtmlPage.Parse(body).Blocks());
        if (text.Length == 0)
            return null;
        var meta = new SortedDictionary<string, string>(StringComparer.Ordinal);
        void Set(string key, string? value)
        {
            if (!string.IsNullOrEmpty(value))
                meta[key] = value;
        }

        var id = row.GetAttribute("Id");
        var title = isQuestion ? row.GetAttribute("Title") : titles.Of(row.GetAttribute("ParentId"));
        if (isQuestion && id is not null && title is not null)
            titles.Add(id, title);
        Set(MetaKeys.Id, id);
        Set(MetaKeys.Title, title);
        Set(MetaKeys.Score, row.GetAttribute("Score"));
        Set(MetaKeys.License, row.GetAttribute("ContentLicense") is { } license ? license.Replace("CC BY-SA ", "CC-BY-SA-", StringComparison.Ordinal) : null);
        Set(MetaKeys.Date, row.GetAttribute("CreationDate") is { } date ? IsoDate.Of(date) : null);
        Set("kind", isQuestion ? "question" : "answer");
        Set("parent", row.GetAttribute("ParentId"));
        Set("tags", row.GetAttribute("Tags")?.Trim('<', '>', '|').Replace("><", ",", StringComparison.Ordinal).Replace('|', ','));
        return (Encoding.UTF8.GetBytes(isQuestion && title is not null ? title + "\n\n" + text : text), meta);
    }

    /// <summary>The titles of the last questions, for their answers, which mostly follow soon. Bounded: the dump is larger than memory.</summary>
    private sealed class Titles
    {
        private const int Most = 100_000;
        private readonly Dictionary<string, string> _byId = new(StringComparer.Ordinal);
        private readonly Queue<string> _order = new();

        public void Add(string id, string title)
        {
            if (!_byId.TryAdd(id, title))
                return;
            _order.Enqueue(id);
            if (_order.Count > Most)
                _byId.Remove(_order.Dequeue());
        }

        public string? Of(string? id) => id is null ? null : _byId.GetValueOrDefault(id);
    }
}
