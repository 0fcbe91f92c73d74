using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Models.Nn;

namespace Gradus.Models.Families;

/// <summary>Another output layer on a body that is read from a folder.</summary>
internal static class HeadReplacement
{
    /// <summary>Whether the folder's output layer is for something else than <paramref name="head"/>, or there is none (a bare body: Hugging Face's <c>BertModel</c>).</summary>
    public static bool Needed(string folder, TaskHead? head)
    {
        var path = Path.Combine(folder, ConfigFile.Name);
        return !TaskHead.Same(ConfigFile.ReadHead(path), head) || IsBare(path);
    }

    private static bool IsBare(string path)
    {
        using var document = StrictJson.ParseFile(path, maxBytes: 16 << 20);
        return document.RootElement.TryGetProperty("architectures", out var names) && names.ValueKind == JsonValueKind.Array && names.GetArrayLength() > 0
            && names[0].ToString() is var name && name.EndsWith("Model", StringComparison.Ordinal) && !name.EndsWith("LMHeadModel", StringComparison.Ordinal);
    }
}
