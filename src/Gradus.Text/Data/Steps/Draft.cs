namespace Gradus.Text.Data.Steps;

/// <summary>
/// A document on its way through the steps. One draft serves one thread for document after document; nothing of it may be kept.
/// </summary>
public sealed class Draft
{
    private readonly TextShape _shape = new();
    private readonly List<(string Rule, long Count)> _edits = [];
    private Document _document = null!;
    private Dictionary<string, string>? _meta;
    private bool _shapeIsStale;

    /// <summary>The text as the steps before left it: valid UTF-8.</summary>
    public ReadOnlySpan<byte> Text => _document.Utf8.Span;

    /// <summary>Where the document came from, for messages.</summary>
    public string Origin => _document.Origin;

    /// <summary>Words, lines and paragraphs of <see cref="Text"/>, found when first asked for and shared by all steps.</summary>
    public TextShape Shape
    {
        get
        {
            if (_shapeIsStale)
                _shape.Reset(_document.Utf8);
            _shapeIsStale = false;
            return _shape;
        }
    }

    /// <summary>The rule that dropped it, or null.</summary>
    public string? DroppedBy { get; private set; }

    /// <summary>What <see cref="Drop"/> said besides the rule.</summary>
    public string? Detail { get; private set; }

    internal IReadOnlyList<(string Rule, long Count)> Edits => _edits;

    internal ReadOnlyMemory<byte> Utf8 => _document.Utf8;

    internal Document Document => _meta is null ? _document : _document with { Meta = _meta };

    /// <summary>What is known of the document under a key (<c>url</c>, <c>license</c>, <c>language</c> …), or null.</summary>
    public string? Meta(string key) => (_meta ?? _document.Meta) is { } meta && meta.TryGetValue(key, out var value) ? value : null;

    /// <summary>Notes something about the document, for later steps and for the result; null takes it away.</summary>
    public void SetMeta(string key, string? value)
    {
        _meta ??= _document.Meta is { } known ? new Dictionary<string, string>(known, StringComparer.Ordinal) : new Dictionary<string, string>(StringComparer.Ordinal);
        if (value is null)
            _meta.Remove(key);
        else
            _meta[key] = value;
    }

    /// <summary>Drops the document; no later step sees it.</summary>
    /// <param name="rule">The rule's name, lower case with dashes: what the report counts under.</param>
    /// <param name="detail">The figure that decided (<c>0.31</c>) or what was found; nothing private.</param>
    public void Drop(string rule, string? detail = null) => (DroppedBy, Detail) = (rule, detail);

    /// <summary>Gives the document another text. An empty one must be dropped instead.</summary>
    public void Replace(ReadOnlySpan<byte> text)
    {
        if (text.IsEmpty)
            throw new ArgumentException("a document without text must be dropped under a rule", nameof(text));
        _document = _document with { Utf8 = text.ToArray() };
        _shapeIsStale = true;
    }

    /// <summary>Counts changes made to the text under a rule's name.</summary>
    public void CountEdits(string rule, long count = 1)
    {
        if (count > 0)
            _edits.Add((rule, count));
    }

    /// <summary>Puts the document in a split, unless its source has.</summary>
    internal void SetSplit(DataSplit split) => _document = _document with { Split = _document.Split ?? split };

    internal void Start(Document document)
    {
        (_document, _meta, DroppedBy, Detail, _shapeIsStale) = (document, null, null, null, true);
        _edits.Clear();
    }

    internal void NextStep() => _edits.Clear();
}
