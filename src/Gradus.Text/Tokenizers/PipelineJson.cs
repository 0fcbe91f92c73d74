using System.Text.RegularExpressions;

namespace Gradus.Text.Tokenizers;

/// <summary>The normalise and pre-tokenise parts of <c>tokenizer.json</c>, read into a <see cref="Splitter"/> or, for models of pieces, into a prefix rule.</summary>
internal static class PipelineJson
{
    public readonly record struct Parts(Splitter Splitter, bool ByteLevel, bool AddPrefixSpace);

    public static Parts Read(JsonField field)
    {
        if (field.IsNull)
            return new(WholeSplitter.Instance, false, false);
        var type = field["type"].Text();
        switch (type)
        {
            case "ByteLevel":
                return new(field["use_regex"].Flag(otherwise: true) ? Gpt2Splitter.Instance : WholeSplitter.Instance, true, field["add_prefix_space"].Flag(otherwise: true));
            case "Split":
                return new(ReadSplit(field), false, false);
            case "Digits":
                var digits = field["individual_digits"].Flag() ? @"\p{N}" : @"\p{N}+";
                return new(PreTokenizerOptions.ForPattern(digits, $"{field.File}: {field.Path}"), false, false);
            case "Metaspace": // read by ReadPrefix
                return new(WholeSplitter.Instance, false, false);
            case "Sequence":
                return ReadSequence(field);
            default:
                throw field["type"].Error($"'{type}' is not supported; supported are ByteLevel, Split, Digits, Metaspace and Sequence");
        }
    }

    /// <summary>Writes what <see cref="Read"/> reads.</summary>
    public static void Write(System.Text.Json.Utf8JsonWriter json, Splitter splitter, bool addPrefixSpace)
    {
        if (splitter == Gpt2Splitter.Instance || splitter is WholeSplitter)
        {
            WriteByteLevel(json, addPrefixSpace, splitter is Gpt2Splitter);
            return;
        }

        json.WriteStartObject();
        json.WriteString("type", "Sequence");
        json.WriteStartArray("pretokenizers");
        WriteSplits(json, splitter);
        WriteByteLevel(json, addPrefixSpace, useRegex: false);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>How a model of pieces marks spaces: in Llama 2's files a normaliser does it, in newer ones the pre-tokenizer Metaspace.</summary>
    public static PiecePrefix ReadPrefix(JsonField root)
    {
        var preTokenizer = root["pre_tokenizer"];
        if (!preTokenizer.IsNull)
        {
            if (preTokenizer["type"].Text() != "Metaspace")
                throw preTokenizer["type"].Error($"'{preTokenizer["type"].Text()}' is not supported without ByteLevel; supported are Metaspace and null");
            if (preTokenizer["split"].Flag(otherwise: true))
                throw preTokenizer["split"].Error("true is not supported; supported is false");
            if (preTokenizer["replacement"].Text() != PieceModel.Mark)
                throw preTokenizer["replacement"].Error($"only {PieceModel.Mark} (U+2581) is supported");
            return preTokenizer["prepend_scheme"].OptionalText() switch
            {
                "never" => PiecePrefix.None,
                "first" => PiecePrefix.FirstUnlessThere,
                null or "always" => PiecePrefix.EveryUnlessThere,
                var other => throw preTokenizer["prepend_scheme"].Error($"'{other}' is unknown; known are always, first and never"),
            };
        }

        var normalizer = root["normalizer"];
        if (normalizer.IsNull)
            throw root["pre_tokenizer"].Error("this model neither splits into bytes (ByteLevel) nor marks spaces (Metaspace or a Replace normalizer)");
        var steps = normalizer["type"].Text() == "Sequence" ? normalizer["normalizers"].Items().ToArray() : [normalizer];
        var prefix = PiecePrefix.None;
        var replaces = false;
        foreach (var step in steps)
        {
            switch (step["type"].Text())
            {
                case "Prepend" when step["prepend"].Text() == PieceModel.Mark && !replaces:
                    prefix = PiecePrefix.Every;
                    break;
                case "Replace" when step["pattern"]["String"].OptionalText() == " " && step["content"].Text() == PieceModel.Mark:
                    replaces = true;
                    break;
                case var type:
                    throw step.Error($"the normalizer '{type}' is not supported here; supported are Prepend {PieceModel.Mark} and Replace ' ' by {PieceModel.Mark}");
            }
        }

        return replaces ? prefix : throw normalizer.Error($"nothing replaces ' ' by {PieceModel.Mark}");
    }

    private static Parts ReadSequence(JsonField field)
    {
        Splitter? splitter = null;
        var byteLevel = false;
        var addPrefixSpace = false;
        foreach (var item in field["pretokenizers"].Items())
        {
            if (byteLevel)
                throw item.Error("ByteLevel must come last");
            var step = Read(item);
            if (step.ByteLevel && step.AddPrefixSpace && splitter is not null)
                throw item["add_prefix_space"].Error("true is not supported after another splitter; supported is false");
            byteLevel = step.ByteLevel;
            addPrefixSpace = step.AddPrefixSpace;
            splitter = splitter is null || splitter is WholeSplitter ? step.Splitter
                : step.Splitter is WholeSplitter ? splitter
                : new ChainSplitter(splitter, step.Splitter);
        }

        return new(splitter is ChainSplitter ? PreTokenizerOptions.ScannerFor(splitter.Pattern) ?? splitter : splitter ?? WholeSplitter.Instance, byteLevel, addPrefixSpace);
    }

    private static Splitter ReadSplit(JsonField field)
    {
        var pattern = field["pattern"];
        var regex = pattern["Regex"].OptionalText() ?? Regex.Escape(pattern["String"].Text());
        var behavior = field["behavior"].Text();
        var invert = field["invert"].Flag();
        var splitter = PreTokenizerOptions.ForPattern(regex, $"{field.File}: {field.Path}.pattern");
        // Isolated keeps matches and what lies between; Removed with invert keeps the matches alone, the same for a pattern that covers every text.
        return behavior == "Isolated" || (behavior == "Removed" && invert && splitter is not RegexSplitter)
            ? splitter
            : throw field["behavior"].Error($"'{behavior}'{(invert ? " with invert" : "")} is not supported; supported is Isolated");
    }

    private static void WriteSplits(System.Text.Json.Utf8JsonWriter json, Splitter splitter)
    {
        foreach (var pattern in splitter.Steps)
        {
            json.WriteStartObject();
            json.WriteString("type", "Split");
            json.WriteStartObject("pattern");
            json.WriteString("Regex", pattern);
            json.WriteEndObject();
            json.WriteString("behavior", "Isolated");
            json.WriteBoolean("invert", false);
            json.WriteEndObject();
        }
    }

    public static void WriteByteLevel(System.Text.Json.Utf8JsonWriter json, bool addPrefixSpace, bool useRegex)
    {
        json.WriteStartObject();
        json.WriteString("type", "ByteLevel");
        json.WriteBoolean("add_prefix_space", addPrefixSpace);
        json.WriteBoolean("trim_offsets", true);
        json.WriteBoolean("use_regex", useRegex);
        json.WriteEndObject();
    }
}
