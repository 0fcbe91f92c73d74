using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;

namespace Gradus.Models.Peft;

/// <summary>Hugging Face PEFT's <c>adapter_config.json</c>, read key by key: what would change the result and is not known here is refused.</summary>
internal sealed class PeftConfig
{
    /// <summary>The file's name.</summary>
    public const string Name = "adapter_config.json";

    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, NewLine = "\n" };
    private static readonly SearchValues<char> s_regexSigns = SearchValues.Create("\\()[]{}|+*?^$");
    private readonly JsonObject _config;

    private PeftConfig(string path, JsonObject config) => (Path, _config) = (path, config);

    public string Path { get; }

    /// <summary>The model the adapter was trained over, as its trainer named it.</summary>
    public string? BaseModel => Text("base_model_name_or_path");

    /// <exception cref="UserException">No such file, or not one of these.</exception>
    public static PeftConfig Read(string folder)
    {
        var path = System.IO.Path.Combine(folder, Name);
        if (!File.Exists(path))
            throw new UserException(Directory.Exists(folder) ? $"{folder}: holds no {Name}, so it is not an adapter" : $"{folder}: no such folder; an adapter is a folder with {Name} and {AdapterFolder.WeightsName}");
        using var document = StrictJson.ParseFile(path, maxBytes: 16 << 20);
        return document.RootElement.ValueKind == JsonValueKind.Object ? new PeftConfig(path, JsonObject.Create(document.RootElement.Clone())!) : throw new UserException($"{path}: an adapter's configuration is a JSON object");
    }

    /// <summary>The method it is of, with every setting at its default.</summary>
    public AdapterOptions Method()
    {
        var methods = Components.Of(typeof(AdapterOptions)).Select(c => (AdapterOptions)Activator.CreateInstance(c.Type)!).ToArray();
        var said = Text("peft_type") ?? throw Problem("peft_type is missing");
        return methods.FirstOrDefault(m => m.PeftType == said) ?? throw Problem($"peft_type '{said}' is not supported{NearestName.Hint(said, methods.Select(m => m.PeftType))}");
    }

    /// <summary>Writes an adapter's configuration.</summary>
    public static string Write(Adapter adapter, string? baseModel)
    {
        var config = new JsonObject
        {
            ["auto_mapping"] = null, ["base_model_name_or_path"] = baseModel, ["inference_mode"] = true, ["peft_type"] = adapter.Options.PeftType, ["revision"] = null, ["task_type"] = TaskType(adapter.Model),
        };
        var whole = adapter.Options.ModulesToSave.Count == 0 ? [] : TargetModules.Modules(adapter.Model, adapter.Options.ModulesToSave, "modules_to_save").Select(p => p.Name[..p.Name.LastIndexOf('.')]).Distinct(StringComparer.Ordinal).ToArray();
        // Methods that come before the text have no such key in PEFT, unless it is used.
        if (adapter.Linears.Count > 0 || whole.Length > 0) config["modules_to_save"] = whole.Length == 0 ? null : List(whole);
        adapter.Options.WriteConfig(config, adapter);
        var sorted = new JsonObject(config.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => KeyValuePair.Create(pair.Key, pair.Value?.DeepClone())));
        return sorted.ToJsonString(s_json) + "\n";
    }

    // PEFT's names.
    private static string? TaskType(ILanguageModel model) => model.Task?.Kind switch
    {
        TaskHead.SequenceClassification => "SEQ_CLS",
        TaskHead.TokenClassification => "TOKEN_CLS",
        TaskHead.QuestionAnswering => "QUESTION_ANS",
        _ => model.IsCausal ? "CAUSAL_LM" : null,
    };

    public static JsonArray List(IReadOnlyList<string> names) => new([.. names.Select(name => (JsonNode)name)]);

    public UserException Problem(string message) => new($"{Path}: {message}");

    public string? Text(string key) => _config[key] is JsonValue value ? value.TryGetValue(out string? text) ? text : throw Problem($"{key}: {value.ToJsonString()} is not a text") : null;

    /// <summary>A setting that may be a word; null where it is something else.</summary>
    public string? Word(string key) => _config[key] is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    public bool Flag(string key) => _config[key] switch { null => false, JsonValue v when v.TryGetValue(out bool set) => set, var other => throw Problem($"{key}: {other.ToJsonString()} is not true or false") };

    public int Integer(string key, int otherwise, int least, int most)
    {
        var value = _config[key] is null ? otherwise : _config[key] is JsonValue v && v.TryGetValue(out int whole) ? whole : throw Problem($"{key}: {_config[key]!.ToJsonString()} is not a whole number");
        return value >= least && value <= most ? value : throw Problem($"{key}: {value} is out of range; it must be {least} to {most}");
    }

    public double Number(string key, double otherwise, double least, double most)
    {
        var value = _config[key] is null ? otherwise : _config[key] is JsonValue v && v.TryGetValue(out double real) ? real : throw Problem($"{key}: {_config[key]!.ToJsonString()} is not a number");
        return value >= least && value <= most ? value : throw Problem(FormattableString.Invariant($"{key}: {value} is out of range; it must be {least} to {most}"));
    }

    /// <summary>A list of names; none when the key is absent or null.</summary>
    public IReadOnlyList<string> Names(string key) => _config[key] switch
    {
        null => [],
        JsonArray list when list.All(item => item is JsonValue v && v.TryGetValue(out string? _)) => [.. list.Select(item => item!.ToString())],
        var other => throw Problem($"{key}: {other.ToJsonString()} is not a list of names"),
    };

    /// <summary>Module patterns with a number each. PEFT's may be regular expressions; names and their ends are read.</summary>
    public IReadOnlyDictionary<string, double> Patterns(string key)
    {
        var found = new Dictionary<string, double>(StringComparer.Ordinal);
        if (_config[key] is null) return found;
        if (_config[key] is not JsonObject patterns) throw Problem($"{key}: {_config[key]!.ToJsonString()} is not a list of modules and numbers");
        foreach (var (pattern, number) in patterns)
        {
            var plain = pattern.TrimStart('^');
            if (plain.AsSpan().ContainsAny(s_regexSigns)) throw Problem($"{key}: '{pattern}' is a regular expression; write the modules out by name");
            if (number is not JsonValue v || !v.TryGetValue(out double value) || !double.IsFinite(value) || value <= 0) throw Problem($"{key}: '{pattern}': {number?.ToJsonString() ?? "null"} is not a number above 0");
            found.Add(plain, value);
        }
        return found;
    }

    /// <summary>A setting that only has this value here.</summary>
    public void Only(string key, JsonNode supported)
    {
        if (_config[key] is { } value && !JsonNode.DeepEquals(value, supported)) throw Problem($"{key}: {value.ToJsonString()} is not supported; only {supported.ToJsonString()} is");
    }

    /// <summary>A setting that is used: there, and not empty.</summary>
    public bool Has(string key) => _config[key] is not (null or JsonObject { Count: 0 } or JsonArray { Count: 0 });

    /// <summary>A setting that must not be used.</summary>
    public void Absent(string key)
    {
        if (Has(key)) throw Problem($"{key}: {_config[key]!.ToJsonString()} is not supported; leave it out");
    }
}
