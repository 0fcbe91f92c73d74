namespace Gradus.Text.Data.Sources.Web;

/// <summary>One record of a web archive.</summary>
/// <param name="Offset">Of its header in the uncompressed file.</param>
/// <param name="Headers">By lower-case name; the first of each.</param>
/// <param name="Block">Its content.</param>
/// <param name="Fault">Why it cannot be used, or null.</param>
internal sealed record WarcRecord(long Offset, IReadOnlyDictionary<string, string> Headers, ReadOnlyMemory<byte> Block, string? Fault)
{
    public string this[string name] => Headers.GetValueOrDefault(name, "");

    public string Type => this["warc-type"];
}
