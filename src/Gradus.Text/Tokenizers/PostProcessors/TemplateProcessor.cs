using System.Text.Json;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.PostProcessors;

/// <summary>A piece of a template: text 0 or 1, or a special token, and the type it has.</summary>
internal readonly record struct TemplatePiece(int Sequence, string Token, int Type);

/// <summary>What a special token of a template stands for: one token or several.</summary>
internal sealed record TemplateToken(string Name, int[] Ids, string[] Tokens);

/// <summary>Puts texts and special tokens where a template has them.</summary>
[Component("TemplateProcessing")]
internal sealed record TemplateProcessor : PostProcessor
{
    public IReadOnlyList<TemplatePiece> Single { get; init; } = [new(0, "", 0)];

    public IReadOnlyList<TemplatePiece> Pair { get; init; } = [new(0, "", 0), new(1, "", 1)];

    public IReadOnlyDictionary<string, TemplateToken> Tokens { get; init; } = new Dictionary<string, TemplateToken>();

    /// <summary>The template that puts tokens before and behind every text.</summary>
    public static TemplateProcessor Frame(IReadOnlyList<NamedId> before, IReadOnlyList<NamedId> after)
    {
        TemplatePiece[] Framed(int i) => [.. before.Select(t => new TemplatePiece(-1, t.Name, i)), new(i, "", i), .. after.Select(t => new TemplatePiece(-1, t.Name, i))];
        return new()
        {
            Single = Framed(0), Pair = [.. Framed(0), .. Framed(1)],
            Tokens = before.Concat(after).DistinctBy(t => t.Name).ToDictionary(t => t.Name, t => new TemplateToken(t.Name, [t.Id], [t.Name]), StringComparer.Ordinal),
        };
    }

    /// <summary>BERT's template: <c>[CLS] A [SEP]</c>, <c>[CLS] A [SEP] B [SEP]</c>.</summary>
    public static TemplateProcessor Pairs(NamedId cls, NamedId sep) => Frame([cls], [sep]) with
    {
        Pair = [new(-1, cls.Name, 0), new(0, "", 0), new(-1, sep.Name, 0), new(1, "", 1), new(-1, sep.Name, 1)],
    };

    public override PipelinePart Read(JsonField field)
    {
        var tokens = new Dictionary<string, TemplateToken>(StringComparer.Ordinal);
        foreach (var (name, token) in field["special_tokens"].Properties())
        {
            int[] ids = [.. token["ids"].Items().Select(id => id.Id())];
            string[] names = [.. token["tokens"].Items().Select(t => t.Text())];
            tokens.Add(name, ids.Length == names.Length ? new(token["id"].Text(), ids, names) : throw token.Error($"{ids.Length} ids but {names.Length} tokens"));
        }

        return new TemplateProcessor { Single = Pieces(field["single"], 1, tokens), Pair = Pieces(field["pair"], 2, tokens), Tokens = tokens };
    }

    public override void WriteSettings(Utf8JsonWriter json)
    {
        Write(json, "single", Single);
        Write(json, "pair", Pair);
        json.WriteStartObject("special_tokens");
        foreach (var (name, token) in Tokens.OrderBy(t => t.Key, StringComparer.Ordinal))
        {
            json.WriteStartObject(name);
            json.WriteString("id", token.Name);
            json.WriteStartArray("ids");
            foreach (var id in token.Ids)
                json.WriteNumberValue(id);
            json.WriteEndArray();
            json.WriteStartArray("tokens");
            foreach (var text in token.Tokens)
                json.WriteStringValue(text);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    public override int Added(bool isPair) => (isPair ? Pair : Single).Sum(p => p.Sequence < 0 ? Tokens[p.Token].Ids.Length : 0);

    public override bool Around(List<int> before, List<int> after)
    {
        if (Single.Count(p => p.Sequence == 0) != 1)
            return false;
        List<int> mine = [];
        foreach (var piece in Single)
        {
            if (piece.Sequence == 0)
            {
                before.InsertRange(0, mine);
                mine.Clear();
                continue;
            }

            mine.AddRange(Tokens[piece.Token].Ids);
        }

        after.AddRange(mine);
        return true;
    }

    public override List<EncodingDraft> Process(List<EncodingDraft> parts, bool addSpecialTokens)
    {
        List<EncodingDraft> result = [];
        foreach (var piece in parts.Count > 1 ? Pair : Single)
        {
            if (piece.Sequence >= 0)
            {
                var part = parts[piece.Sequence].Copy();
                part.SetTypes(piece.Type);
                part.SetSequence(piece.Sequence);
                result.Add(part);
            }
            else if (addSpecialTokens)
            {
                result.Add(EncodingDraft.Special(Tokens[piece.Token], piece.Type));
            }
        }

        return result;
    }

    private static List<TemplatePiece> Pieces(JsonField list, int texts, Dictionary<string, TemplateToken> tokens)
    {
        List<TemplatePiece> pieces = [];
        foreach (var item in list.Items())
        {
            var isText = !item["Sequence"].IsNull;
            var inner = isText ? item["Sequence"] : item["SpecialToken"];
            var type = inner["type_id"].Count();
            if (!isText)
            {
                var name = inner["id"].Text();
                pieces.Add(tokens.ContainsKey(name) ? new(-1, name, type) : throw item.Error($"the special token '{name}' is not among special_tokens"));
                continue;
            }

            var sequence = inner["id"].OneOf(("A", 0), ("B", 1));
            pieces.Add(sequence < texts ? new(sequence, "", type) : throw inner["id"].Error("a template for single texts has no second text"));
        }

        return pieces;
    }

    private static void Write(Utf8JsonWriter json, string name, IReadOnlyList<TemplatePiece> pieces)
    {
        json.WriteStartArray(name);
        foreach (var piece in pieces)
        {
            json.WriteStartObject();
            json.WriteStartObject(piece.Sequence >= 0 ? "Sequence" : "SpecialToken");
            json.WriteString("id", piece.Sequence switch { 0 => "A", 1 => "B", _ => piece.Token });
            json.WriteNumber("type_id", piece.Type);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
