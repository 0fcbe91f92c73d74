using System.Text.Encodings.Web;
using System.Text.Json;
using Gradus.Foundation.Files;

namespace Gradus.Text.Tokenizers;

/// <summary>Writes <c>tokenizer.json</c> and <c>tokenizer_config.json</c> such that Hugging Face's library reads them and agrees id for id.</summary>
internal static class TokenizerJsonWriter
{
    // Token names are mostly beyond ASCII; written as they are the file is half the size and readable.
    private static readonly JsonWriterOptions s_options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, NewLine = "\n" };

    public static void Save(string folder, Tokenizer tokenizer, BpeModel model) =>
        Save(folder, tokenizer, model.Added, json =>
        {
            json.WriteNull("normalizer");
            json.WritePropertyName("pre_tokenizer");
            PipelineJson.Write(json, model.Splitter, model.AddPrefixSpace);
            json.WritePropertyName("post_processor");
            if (model.Before.Length + model.After.Length > 0)
                WriteTemplate(json, tokenizer, model.Before, model.After);
            else
                PipelineJson.WriteByteLevel(json, addPrefixSpace: true, useRegex: true);
            json.WritePropertyName("decoder");
            PipelineJson.WriteByteLevel(json, addPrefixSpace: true, useRegex: true);
            WriteModel(json, tokenizer, model.Merges, unknown: null, fuseUnknown: false, byteFallback: false, model.IgnoreMerges);
        });

    public static void Save(string folder, Tokenizer tokenizer, PieceModel model) =>
        Save(folder, tokenizer, model.Added, json =>
        {
            WriteSpaceMarks(json, model.Prefix);
            json.WritePropertyName("post_processor");
            if (model.Before.Length + model.After.Length > 0)
                WriteTemplate(json, tokenizer, model.Before, model.After);
            else
                json.WriteNullValue();
            WritePieceDecoder(json, model.Prefix != PiecePrefix.None);
            WriteModel(json, tokenizer, model.Merges, model.UnknownId is { } id ? tokenizer.NameOf(id) : null, model.FuseUnknown, model.ByteFallback, ignoreMerges: false);
        });

    private static void Save(string folder, Tokenizer tokenizer, IReadOnlyList<AddedToken> added, Action<Utf8JsonWriter> writeParts)
    {
        Directory.CreateDirectory(folder);
        Durable.WriteFile(Path.Combine(folder, "tokenizer.json"), stream =>
        {
            using var json = new Utf8JsonWriter(stream, s_options);
            json.WriteStartObject();
            json.WriteString("version", "1.0");
            json.WriteNull("truncation");
            json.WriteNull("padding");
            json.WriteStartArray("added_tokens");
            foreach (var token in added.OrderBy(t => t.Id))
                WriteAdded(json, token);
            json.WriteEndArray();
            writeParts(json);
            json.WriteEndObject();
        });
        Durable.WriteFile(Path.Combine(folder, "tokenizer_config.json"), stream =>
        {
            using var json = new Utf8JsonWriter(stream, s_options);
            json.WriteStartObject();
            foreach (var (key, id) in new[] { ("bos_token", tokenizer.BosId), ("eos_token", tokenizer.EosId), ("pad_token", tokenizer.PadId), ("unk_token", tokenizer.UnkId) })
                if (id is { } present)
                    json.WriteString(key, tokenizer.NameOf(present));
            json.WriteBoolean("clean_up_tokenization_spaces", false);
            json.WriteString("tokenizer_class", "PreTrainedTokenizerFast");
            json.WriteEndObject();
        });
    }

    private static void WriteAdded(Utf8JsonWriter json, AddedToken token)
    {
        json.WriteStartObject();
        json.WriteNumber("id", token.Id);
        json.WriteString("content", token.Content);
        json.WriteBoolean("single_word", token.SingleWord);
        json.WriteBoolean("lstrip", token.StripLeft);
        json.WriteBoolean("rstrip", token.StripRight);
        json.WriteBoolean("normalized", false);
        json.WriteBoolean("special", token.Special);
        json.WriteEndObject();
    }

    private static void WriteModel(
        Utf8JsonWriter json, Tokenizer tokenizer, MergeTable merges, string? unknown, bool fuseUnknown, bool byteFallback, bool ignoreMerges)
    {
        json.WriteStartObject("model");
        json.WriteString("type", "BPE");
        json.WriteNull("dropout");
        json.WriteString("unk_token", unknown);
        json.WriteNull("continuing_subword_prefix");
        json.WriteNull("end_of_word_suffix");
        json.WriteBoolean("fuse_unk", fuseUnknown);
        json.WriteBoolean("byte_fallback", byteFallback);
        json.WriteBoolean("ignore_merges", ignoreMerges);
        json.WriteStartObject("vocab");
        // Added tokens too: the Rust library numbers those that the vocabulary lacks itself, and closes holes.
        for (var id = 0; id < tokenizer.VocabSize; id++)
            if (tokenizer.NameOf(id) is { Length: > 0 } name)
                json.WriteNumber(name, id);
        json.WriteEndObject();
        json.WriteStartArray("merges");
        foreach (var (left, right, _, _) in merges.ByRank())
            json.WriteStringValue($"{tokenizer.NameOf(left)} {tokenizer.NameOf(right)}");
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteTemplate(Utf8JsonWriter json, Tokenizer tokenizer, int[] before, int[] after)
    {
        json.WriteStartObject();
        json.WriteString("type", "TemplateProcessing");
        WriteSequence("single", ["A"]);
        WriteSequence("pair", ["A", "B"]);
        json.WriteStartObject("special_tokens");
        foreach (var id in before.Concat(after).Distinct())
        {
            json.WriteStartObject(tokenizer.NameOf(id));
            json.WriteString("id", tokenizer.NameOf(id));
            json.WriteStartArray("ids");
            json.WriteNumberValue(id);
            json.WriteEndArray();
            json.WriteStartArray("tokens");
            json.WriteStringValue(tokenizer.NameOf(id));
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.WriteEndObject();

        void WriteSequence(string name, string[] texts)
        {
            json.WriteStartArray(name);
            for (var i = 0; i < texts.Length; i++)
            {
                foreach (var id in before)
                    WriteItem("SpecialToken", tokenizer.NameOf(id), i);
                WriteItem("Sequence", texts[i], i);
                foreach (var id in after)
                    WriteItem("SpecialToken", tokenizer.NameOf(id), i);
            }

            json.WriteEndArray();
        }

        void WriteItem(string kind, string id, int typeId)
        {
            json.WriteStartObject();
            json.WriteStartObject(kind);
            json.WriteString("id", id);
            json.WriteNumber("type_id", typeId);
            json.WriteEndObject();
            json.WriteEndObject();
        }
    }

    private static void WriteSpaceMarks(Utf8JsonWriter json, PiecePrefix prefix)
    {
        if (prefix is PiecePrefix.FirstUnlessThere or PiecePrefix.EveryUnlessThere)
        {
            json.WriteNull("normalizer");
            json.WriteStartObject("pre_tokenizer");
            json.WriteString("type", "Metaspace");
            json.WriteString("replacement", PieceModel.Mark);
            json.WriteString("prepend_scheme", prefix == PiecePrefix.FirstUnlessThere ? "first" : "always");
            json.WriteBoolean("split", false);
            json.WriteEndObject();
            return;
        }

        json.WriteStartObject("normalizer");
        json.WriteString("type", "Sequence");
        json.WriteStartArray("normalizers");
        if (prefix == PiecePrefix.Every)
        {
            json.WriteStartObject();
            json.WriteString("type", "Prepend");
            json.WriteString("prepend", PieceModel.Mark);
            json.WriteEndObject();
        }

        WriteReplace(json, " ", PieceModel.Mark);
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteNull("pre_tokenizer");
    }

    private static void WritePieceDecoder(Utf8JsonWriter json, bool stripSpace)
    {
        json.WriteStartObject("decoder");
        json.WriteString("type", "Sequence");
        json.WriteStartArray("decoders");
        WriteReplace(json, PieceModel.Mark, " ");
        foreach (var type in new[] { "ByteFallback", "Fuse" })
        {
            json.WriteStartObject();
            json.WriteString("type", type);
            json.WriteEndObject();
        }

        if (stripSpace)
        {
            json.WriteStartObject();
            json.WriteString("type", "Strip");
            json.WriteString("content", " ");
            json.WriteNumber("start", 1);
            json.WriteNumber("stop", 0);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteReplace(Utf8JsonWriter json, string from, string to)
    {
        json.WriteStartObject();
        json.WriteString("type", "Replace");
        json.WriteStartObject("pattern");
        json.WriteString("String", from);
        json.WriteEndObject();
        json.WriteString("content", to);
        json.WriteEndObject();
    }
}
