using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gradus.Foundation.Files;

namespace Gradus.Text.Tokenizers;

/// <summary>Writes <c>tokenizer.json</c> and the files beside it such that Hugging Face's library reads them and agrees id for id.</summary>
internal static class TokenizerJsonWriter
{
    // Token names are mostly beyond ASCII; written as they are the file is half the size and readable.
    private static readonly JsonWriterOptions s_options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" };

    public static void Save(string folder, Tokenizer tokenizer, TokenizerParts parts)
    {
        Directory.CreateDirectory(folder);
        Durable.WriteFile(Path.Combine(folder, "tokenizer.json"), stream =>
        {
            using var json = new Utf8JsonWriter(stream, s_options);
            Write(json, parts);
        });
        tokenizer.Config.Write(folder, tokenizer);
    }

    public static void WriteNode(Stream stream, JsonNode node)
    {
        using var json = new Utf8JsonWriter(stream, s_options);
        node.WriteTo(json);
    }

    private static void Write(Utf8JsonWriter json, TokenizerParts parts)
    {
        json.WriteStartObject();
        json.WriteString("version", "1.0");
        WriteTruncation(json, parts.Truncation);
        WritePadding(json, parts.Padding);
        json.WriteStartArray("added_tokens");
        foreach (var token in parts.Added.OrderBy(t => t.Id))
            WriteAdded(json, token);
        json.WriteEndArray();
        WritePart(json, "normalizer", parts.Normalizer);
        WritePart(json, "pre_tokenizer", parts.PreTokenizer);
        WritePart(json, "post_processor", parts.PostProcessor);
        WritePart(json, "decoder", parts.Decoder);
        WritePart(json, "model", Numbered(parts));
        json.WriteEndObject();
    }

    /// <summary>The Rust library numbers added tokens that the vocabulary lacks from its end on, whatever the file says; where that would differ, the vocabulary gets them too.</summary>
    private static PipelinePart Numbered(TokenizerParts parts)
    {
        var vocabulary = parts.Model.Vocabulary;
        var lacking = parts.Added.Where(t => vocabulary.Id(t.Content) is null).OrderBy(t => t.Id).ToList();
        for (var i = 0; i < lacking.Count; i++)
            if (lacking[i].Id != vocabulary.Size + i)
                return parts.Model.WithTokens(lacking.Select(t => (t.Id, t.Content)));
        return parts.Model;
    }

    private static void WritePart(Utf8JsonWriter json, string name, PipelinePart? part)
    {
        json.WritePropertyName(name);
        if (part is null)
            json.WriteNullValue();
        else
            part.Write(json);
    }

    private static void WriteTruncation(Utf8JsonWriter json, TruncationOptions? o)
    {
        if (o is null)
        {
            json.WriteNull("truncation");
            return;
        }

        json.WriteStartObject("truncation");
        json.WriteString("direction", o.Direction.ToString());
        json.WriteNumber("max_length", o.MaxLength);
        json.WriteString("strategy", o.Strategy.ToString());
        json.WriteNumber("stride", o.Stride);
        json.WriteEndObject();
    }

    private static void WritePadding(Utf8JsonWriter json, PaddingOptions? o)
    {
        if (o is null)
        {
            json.WriteNull("padding");
            return;
        }

        json.WriteStartObject("padding");
        if (o.Length is { } length)
        {
            json.WriteStartObject("strategy");
            json.WriteNumber("Fixed", length);
            json.WriteEndObject();
        }
        else
        {
            json.WriteString("strategy", "BatchLongest");
        }

        json.WriteString("direction", o.Direction.ToString());
        if (o.MultipleOf > 0)
            json.WriteNumber("pad_to_multiple_of", o.MultipleOf);
        else
            json.WriteNull("pad_to_multiple_of");
        json.WriteNumber("pad_id", o.PadId);
        json.WriteNumber("pad_type_id", o.PadTypeId);
        json.WriteString("pad_token", o.PadToken);
        json.WriteEndObject();
    }

    private static void WriteAdded(Utf8JsonWriter json, AddedToken token)
    {
        json.WriteStartObject();
        json.WriteNumber("id", token.Id);
        json.WriteString("content", token.Content);
        json.WriteBoolean("single_word", token.SingleWord);
        json.WriteBoolean("lstrip", token.StripLeft);
        json.WriteBoolean("rstrip", token.StripRight);
        json.WriteBoolean("normalized", token.Normalized);
        json.WriteBoolean("special", token.Special);
        json.WriteEndObject();
    }
}
