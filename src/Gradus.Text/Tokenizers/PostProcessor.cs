namespace Gradus.Text.Tokenizers;

/// <summary>The post-process step of the pipeline, as far as it concerns single texts: ids put before and behind.</summary>
internal static class PostProcessor
{
    public static (int[] Before, int[] After) Read(JsonField field)
    {
        if (field.IsNull)
            return ([], []);
        var type = field["type"].Text();
        switch (type)
        {
            case "ByteLevel": // trims offsets; no ids
                return ([], []);
            case "RobertaProcessing" or "BertProcessing":
                return ([Pair(field["cls"])], [Pair(field["sep"])]);
            case "TemplateProcessing":
                return Template(field);
            case "Sequence":
                int[] before = [], after = [];
                foreach (var item in field["processors"].Items())
                {
                    var (b, a) = Read(item);
                    (before, after) = ([.. b, .. before], [.. after, .. a]);
                }

                return (before, after);
            default:
                throw field["type"].Error($"'{type}' is not supported; supported are ByteLevel, TemplateProcessing, RobertaProcessing, BertProcessing and Sequence");
        }
    }

    private static int Pair(JsonField field)
    {
        var parts = field.Items().ToArray();
        return parts.Length == 2 ? parts[1].Id() : throw field.Error("expected a token and its id");
    }

    private static (int[] Before, int[] After) Template(JsonField field)
    {
        List<int> before = [], after = [];
        var current = before;
        foreach (var item in field["single"].Items())
        {
            if (!item["Sequence"].IsNull)
            {
                if (current == after)
                    throw item.Error("a template for single texts holds the text once");
                current = after;
                continue;
            }

            var name = item["SpecialToken"]["id"].Text();
            var token = field["special_tokens"][name];
            if (token.IsNull)
                throw item.Error($"the special token '{name}' is not among special_tokens");
            current.AddRange(token["ids"].Items().Select(id => id.Id()));
        }

        return ([.. before], [.. after]);
    }
}
