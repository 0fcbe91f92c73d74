using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gradus.Foundation.Files;

namespace Gradus.Models.Nn;

/// <summary>The part of <c>config.json</c> that says what the output layer is for, with Hugging Face's keys.</summary>
internal static class HeadConfig
{
    private const int MostLabels = 1 << 20;

    public static TaskHead? Read(JsonObject config, string path)
    {
        var architecture = (config["architectures"] as JsonArray)?.FirstOrDefault()?.ToString() ?? "";
        if (TaskHead.Kinds.FirstOrDefault(kind => architecture.EndsWith("For" + kind, StringComparison.Ordinal)) is not { } found) return null;
        var labels = found == TaskHead.QuestionAnswering ? [] : Labels(config, path);
        return new TaskHead(found, labels) { Regression = config["problem_type"]?.ToString() == "regression", MeanPooling = config["classifier_pooling"]?.ToString() == "mean" };
    }

    public static void Write(TaskHead head, JsonObject config)
    {
        if (head.Labels.Count > 0)
        {
            config["id2label"] = new JsonObject(head.Labels.Select((label, i) => KeyValuePair.Create(i.ToString(CultureInfo.InvariantCulture), (JsonNode?)label)));
            config["label2id"] = new JsonObject(head.Labels.Select((label, i) => KeyValuePair.Create(label, (JsonNode?)i)));
        }
        if (head.Kind == TaskHead.SequenceClassification) config["problem_type"] = head.Regression ? "regression" : "single_label_classification";
        if (head.MeanPooling) config["classifier_pooling"] = "mean";
    }

    /// <summary>The same keys by themselves, for files that have no configuration.</summary>
    public static string Write(TaskHead head)
    {
        var config = new JsonObject { ["architectures"] = new JsonArray("For" + head.Kind) };
        Write(head, config);
        return config.ToJsonString();
    }

    /// <summary>What <see cref="Write(TaskHead)"/> wrote.</summary>
    public static TaskHead Read(string json, string place)
    {
        using var document = StrictJson.Parse(System.Text.Encoding.UTF8.GetBytes(json), place);
        return document.RootElement.ValueKind == JsonValueKind.Object && Read(JsonObject.Create(document.RootElement.Clone())!, place) is { } head ? head : throw new UserException($"{place}: says nothing of an output layer");
    }

    private static string[] Labels(JsonObject config, string path)
    {
        if (config["id2label"] is not JsonObject names)
        {
            // Transformers leaves the names out when they are its own.
            var count = config["num_labels"] is JsonValue number && number.TryGetValue<int>(out var n) ? n : 2;
            if (count is < 1 or > MostLabels) throw new UserException($"{path}: num_labels: {count} is not a number of labels");
            return [.. Enumerable.Range(0, count).Select(i => string.Create(CultureInfo.InvariantCulture, $"LABEL_{i}"))];
        }
        var labels = new string?[names.Count];
        foreach (var (key, value) in names)
        {
            if (!int.TryParse(key, NumberStyles.None, CultureInfo.InvariantCulture, out var id) || id >= labels.Length || labels[id] is not null || value?.GetValueKind() != JsonValueKind.String)
                throw new UserException($"{path}: id2label: '{key}' where the numbers 0 to {labels.Length - 1} have to have a name each");
            labels[id] = value.GetValue<string>();
        }
        if (labels.Length == 0) throw new UserException($"{path}: id2label: has no labels");
        if (labels.GroupBy(label => label, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
            throw new UserException($"{path}: id2label: two labels are named '{twice.Key}'");
        return labels!;
    }
}
