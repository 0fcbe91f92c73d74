namespace Gradus.Text.Data;

/// <summary>One document: what a source yields, a split places, a tokenizer encodes.</summary>
/// <param name="Utf8">Its text: valid UTF-8, never empty.</param>
/// <param name="Origin">Where it came from, for messages: <c>file:line</c> or <c>file</c>.</param>
/// <param name="Split">The split its source prescribes, or null: by its content.</param>
/// <param name="Meta">What its file says about it, ordinal by the field's usual name (see <see cref="MetaKeys"/>), or null.</param>
public sealed record Document(ReadOnlyMemory<byte> Utf8, string Origin, DataSplit? Split = null, IReadOnlyDictionary<string, string>? Meta = null);

/// <summary>What a document is for.</summary>
public enum DataSplit
{
    /// <summary>Learned from.</summary>
    Train,

    /// <summary>Looked at during training, to choose.</summary>
    Validation,

    /// <summary>Looked at once, at the end.</summary>
    Test,
}
