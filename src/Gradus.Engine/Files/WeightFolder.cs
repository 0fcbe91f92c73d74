using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gradus.Foundation.Files;

namespace Gradus.Engine.Files;

/// <summary>
/// One view over a model's weights: <c>model.safetensors</c>, or the shards that <c>model.safetensors.index.json</c> lists. Where
/// both are there the single file is read, as Hugging Face libraries do. All shards are opened and checked at once.
/// </summary>
public sealed partial class WeightFolder : IDisposable
{
    /// <summary>Name of the weights when they are one file.</summary>
    public const string SingleName = "model.safetensors";

    /// <summary>Name of the list of shards.</summary>
    public const string IndexName = "model.safetensors.index.json";

    /// <summary>Largest shard written unless the caller says otherwise, in bytes of tensor data.</summary>
    public const long DefaultShardBytes = 5_000_000_000;

    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, SafetensorsFile> _fileByTensor = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TensorEntry> _entries = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);

    private WeightFolder(string path) => Path = path;

    /// <summary>The path given to <see cref="Open"/>.</summary>
    public string Path { get; }

    /// <summary>Every tensor of every shard.</summary>
    public IReadOnlyDictionary<string, TensorEntry> Entries => _entries;

    /// <summary>Free-form pairs of the shards' headers; of a key with several values the first shard's.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    /// <summary>Opens a folder, a single <c>.safetensors</c> file, or an index file.</summary>
    /// <exception cref="UserException">Nothing to read there, a bad file, or an index and shards that disagree.</exception>
    public static WeightFolder Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var folder = new WeightFolder(path);
        try
        {
            if (!Directory.Exists(path))
                folder.AddPath(path);
            else if (File.Exists(System.IO.Path.Combine(path, SingleName)))
                folder.Add(SafetensorsFile.Open(System.IO.Path.Combine(path, SingleName)));
            else if (File.Exists(System.IO.Path.Combine(path, IndexName)))
                folder.AddIndex(System.IO.Path.Combine(path, IndexName));
            else
                throw new UserException($"{path}: holds neither {SingleName} nor {IndexName}{Instead(path)}");
            return folder;
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>The entry of a tensor.</summary>
    /// <exception cref="UserException">No tensor has that name.</exception>
    public TensorEntry Entry(string name) => _entries.TryGetValue(name, out var entry)
        ? entry
        : throw new UserException($"{Path}: no tensor {Quote.Name(name)}{Quote.Nearest(name, _entries.Keys)}");

    /// <summary>Copies a whole tensor; see <see cref="SafetensorsFile.Read(string, Span{byte})"/>.</summary>
    public void Read(string name, Span<byte> into) => FileOf(name).Read(name, into);

    /// <summary>Copies a part of a tensor; see <see cref="SafetensorsFile.Read(string, long, Span{byte})"/>.</summary>
    public void Read(string name, long start, Span<byte> into) => FileOf(name).Read(name, start, into);

    /// <summary>A tensor's bytes in place, trusted files only; see <see cref="SafetensorsFile.Map"/>.</summary>
    public ReadOnlySpan<byte> Map(string name) => FileOf(name).Map(name);

    /// <summary>Counts what is not an ordinary number in a tensor.</summary>
    public TensorCensus Census(string name) => FileOf(name).Census(name);

    /// <summary>Strict mode: reads every floating-point tensor and refuses the first with a NaN or an infinity.</summary>
    public void RefuseNonFinite() => _files.ForEach(file => file.RefuseNonFinite());

    /// <summary>Closes every file.</summary>
    public void Dispose() => _files.ForEach(file => file.Dispose());

    /// <summary>
    /// Writes weights into a folder: one file, or, when the data is larger than <paramref name="maxShardBytes"/>, shards filled in
    /// the order given and an index. A tensor larger than a shard gets its own. Weights of an earlier write are removed last.
    /// </summary>
    /// <remarks>
    /// Each file is atomic; a set of shards is not. To replace a sharded model safely against a crash, write into a fresh folder and
    /// publish that (<see cref="Durable.PublishFolder"/>). Providers may read from the weights being replaced.
    /// </remarks>
    public static void Write(string folder, IEnumerable<TensorContent> tensors, IReadOnlyDictionary<string, string>? metadata = null, long maxShardBytes = DefaultShardBytes)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxShardBytes);
        Directory.CreateDirectory(folder);
        var shards = Split(tensors, maxShardBytes);
        HashSet<string> written = new(StringComparer.Ordinal);
        if (shards.Count == 1)
        {
            SafetensorsWriter.Write(System.IO.Path.Combine(folder, SingleName), shards[0], metadata);
            written.Add(SingleName);
        }
        else
        {
            SortedDictionary<string, string> map = new(StringComparer.Ordinal);
            for (var i = 0; i < shards.Count; i++)
            {
                var name = string.Create(CultureInfo.InvariantCulture, $"model-{i + 1:d5}-of-{shards.Count:d5}.safetensors");
                foreach (var tensor in shards[i])
                {
                    if (!map.TryAdd(tensor.Name, name))
                        throw new ArgumentException($"Two tensors are named {Quote.Name(tensor.Name)}.", nameof(tensors));
                }

                written.Add(name);
            }

            foreach (var (shard, name) in shards.Zip(written))
                SafetensorsWriter.Write(System.IO.Path.Combine(folder, name), shard, metadata);
            WriteIndex(System.IO.Path.Combine(folder, IndexName), map, shards.Sum(shard => shard.Sum(tensor => tensor.ByteCount)));
            written.Add(IndexName);
        }

        foreach (var file in Directory.EnumerateFiles(folder).Where(file => IsWeights(System.IO.Path.GetFileName(file)) && !written.Contains(System.IO.Path.GetFileName(file))))
            File.Delete(file);
    }

    private static List<List<TensorContent>> Split(IEnumerable<TensorContent> tensors, long maxShardBytes)
    {
        List<List<TensorContent>> shards = [[]];
        var room = maxShardBytes;
        foreach (var tensor in tensors)
        {
            if (tensor.ByteCount > room && shards[^1].Count > 0)
            {
                shards.Add([]);
                room = maxShardBytes;
            }

            shards[^1].Add(tensor);
            room -= tensor.ByteCount;
        }

        return shards;
    }

    private static void WriteIndex(string path, SortedDictionary<string, string> map, long totalSize) => Durable.WriteFile(path, stream =>
    {
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteStartObject("metadata");
            json.WriteNumber("total_size", totalSize);
            json.WriteEndObject();
            json.WriteStartObject("weight_map");
            foreach (var (tensor, shard) in map)
                json.WriteString(tensor, shard);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
    });

    private static bool IsWeights(string name) => name is SingleName or IndexName || ShardPattern().IsMatch(name);

    [GeneratedRegex(@"^model-\d{5}-of-\d{5}\.safetensors$", RegexOptions.CultureInvariant)]
    private static partial Regex ShardPattern();

    // What a folder without our files holds instead, for the message.
    private static string Instead(string folder)
    {
        var names = Directory.EnumerateFiles(folder).Select(file => System.IO.Path.GetFileName(file)).Order(StringComparer.Ordinal).ToArray();
        if (names.FirstOrDefault(name => name.EndsWith(".safetensors", StringComparison.Ordinal)) is { } other)
            return $"; name the file itself: {System.IO.Path.Combine(folder, other)}";
        return names.FirstOrDefault(name => System.IO.Path.GetExtension(name) is ".bin" or ".pt" or ".pth" or ".ckpt" or ".pkl") is { } pickle
            ? $"; {pickle} is a pickle, which can run code and is not opened: convert it with safetensors.torch.save_file(state_dict, \"{SingleName}\")"
            : "";
    }

    private void AddPath(string path)
    {
        if (path.EndsWith(".json", StringComparison.OrdinalIgnoreCase) && File.Exists(path))
            AddIndex(path);
        else
            Add(SafetensorsFile.Open(path));
    }

    private void Add(SafetensorsFile file)
    {
        _files.Add(file);
        foreach (var (name, entry) in file.Entries)
        {
            if (!_fileByTensor.TryAdd(name, file))
                throw new UserException($"{file.Path}: tensor {Quote.Name(name)}: is also in {System.IO.Path.GetFileName(_fileByTensor[name].Path)}");
            _entries.Add(name, entry);
        }

        foreach (var (key, value) in file.Metadata)
            _metadata.TryAdd(key, value);
    }

    private void AddIndex(string path)
    {
        var (map, totalSize) = ReadIndex(path);
        var folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
        foreach (var shard in map.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            var shardPath = System.IO.Path.Combine(folder, shard);
            if (!File.Exists(shardPath))
                throw new UserException($"{path}: shard {Quote.Name(shard)} is missing; {map.Values.Count(name => name == shard)} tensors are in it");
            Add(SafetensorsFile.Open(shardPath));
        }

        foreach (var (tensor, shard) in map)
        {
            if (!_fileByTensor.TryGetValue(tensor, out var file))
                throw new UserException($"{path}: tensor {Quote.Name(tensor)}: is not in {shard}, nor in any other shard");
            if (System.IO.Path.GetFileName(file.Path) is var actual && actual != shard)
                throw new UserException($"{path}: tensor {Quote.Name(tensor)}: is in {actual}, not in {shard}");
        }

        if (_entries.Keys.FirstOrDefault(name => !map.ContainsKey(name)) is { } extra)
            throw new UserException($"{_entries[extra].File}: tensor {Quote.Name(extra)}: is not in the weight_map of {IndexName}");
        var sum = _entries.Values.Sum(entry => entry.ByteCount);
        if (totalSize is { } said && said != sum)
            throw new UserException($"{path}: total_size is {said}, but the tensors hold {sum} bytes");
    }

    private static (Dictionary<string, string> Map, decimal? TotalSize) ReadIndex(string path)
    {
        using var document = StrictJson.ParseFile(path);
        if (document.RootElement is not { ValueKind: JsonValueKind.Object } root
            || !root.TryGetProperty("weight_map", out var weightMap) || weightMap.ValueKind != JsonValueKind.Object)
            throw new UserException($"{path}: no 'weight_map' of tensor names to files");
        Dictionary<string, string> map = new(StringComparer.Ordinal);
        foreach (var pair in weightMap.EnumerateObject())
        {
            if (pair.Value.ValueKind != JsonValueKind.String || pair.Value.GetString() is not { } shard)
                throw new UserException($"{path}: tensor {Quote.Name(pair.Name)}: its shard is not a file name");
            // Links are followed (Hugging Face's cache is made of them), but the index itself may not point out of the folder.
            if (shard.AsSpan().ContainsAny('/', '\\', '\0') || shard is "." or ".." || System.IO.Path.IsPathRooted(shard))
                throw new UserException($"{path}: tensor {Quote.Name(pair.Name)}: shard {Quote.Name(shard)} is outside the folder");
            if (!shard.EndsWith(".safetensors", StringComparison.Ordinal))
                throw new UserException($"{path}: tensor {Quote.Name(pair.Name)}: shard {Quote.Name(shard)} is not a .safetensors file");
            map.Add(pair.Name, shard);
        }

        decimal? totalSize = null;
        if (root.TryGetProperty("metadata", out var metadata) && metadata.ValueKind == JsonValueKind.Object && metadata.TryGetProperty("total_size", out var total))
        {
            // Some writers give it as 1.2e9; decimal reads both exactly.
            totalSize = total.ValueKind == JsonValueKind.Number && total.TryGetDecimal(out var size)
                ? size
                : throw new UserException($"{path}: total_size is not a number");
        }

        return (map, totalSize);
    }

    private SafetensorsFile FileOf(string name) => _fileByTensor[Entry(name).Name];
}
