using System.Text;
using System.Text.Json;

namespace Gradus.Text.Tokenizers.Models;

/// <summary>Vocabularies as <c>tokenizer.json</c> writes them: name → id.</summary>
internal static class VocabularyJson
{
    public static Dictionary<string, int> Read(JsonField field)
    {
        var vocab = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var (name, id) in field.Properties())
            vocab.Add(name, id.Id());
        BpeParts.CheckVocabulary(vocab, [], $"{field.File}: {field.Path}", allowHoles: true);
        return vocab;
    }

    /// <summary>The vocabulary whose bytes are those of the names.</summary>
    public static Vocabulary Named(IReadOnlyCollection<KeyValuePair<string, int>> vocab) =>
        new([.. vocab.Select(v => (v.Value, v.Key, Encoding.UTF8.GetBytes(v.Key)))]);

    public static void Write(Utf8JsonWriter json, Vocabulary vocabulary)
    {
        json.WriteStartObject("vocab");
        for (var id = 0; id < vocabulary.Size; id++)
            if (vocabulary.Name(id) is { } name)
                json.WriteNumber(name, id);
        json.WriteEndObject();
    }
}
