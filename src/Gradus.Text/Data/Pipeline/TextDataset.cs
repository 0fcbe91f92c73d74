using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Text.Data.Sources;

namespace Gradus.Text.Data.Pipeline;

/// <summary>One file of a text dataset.</summary>
public sealed record TextShard
{
    /// <summary>Path below the dataset's folder.</summary>
    public required string Name { get; init; }

    /// <summary>Size on disk.</summary>
    public required long Bytes { get; init; }

    /// <summary>Documents in it.</summary>
    public required long Documents { get; init; }

    /// <summary>UTF-8 bytes of their text.</summary>
    public required long TextBytes { get; init; }

    /// <summary>Of the rows before compression: the same whatever version of the compressor wrote the file.</summary>
    public required string Sha256 { get; init; }
}

/// <summary><c>documents.json</c>: what a text dataset is made of.</summary>
public sealed record TextDatasetRecord
{
    /// <summary>Of the format.</summary>
    public required int Version { get; init; }

    /// <summary>SHA-256 over contents and options.</summary>
    public required string Key { get; init; }

    /// <summary>The files it was made from.</summary>
    public required IReadOnlyList<PreparedFile> Files { get; init; }

    /// <summary>Its own files, by split and number.</summary>
    public required IReadOnlyList<TextShard> Shards { get; init; }
}

/// <summary>
/// A clean text dataset: a folder with JSON-lines shards for each split, <c>report.json</c>, <c>dropped.jsonl</c> (what went, and why) and
/// <c>documents.json</c>. It appears whole or not at all.
/// </summary>
public sealed class TextDataset
{
    private const string RecordName = "documents.json";
    private const int FormatVersion = 1;

    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true, NewLine = "\n" };

    private TextDataset(string folder, TextDatasetRecord record, bool cacheHit) => (Folder, Record, CacheHit) = (folder, record, cacheHit);

    /// <summary>Where it is.</summary>
    public string Folder { get; }

    /// <summary>What it is made of.</summary>
    public TextDatasetRecord Record { get; }

    /// <summary>Nothing was made: the folder already held this dataset.</summary>
    public bool CacheHit { get; }

    /// <summary>The counts of the preparation.</summary>
    public DataReport Report() => StrictJson.Read<DataReport>(File.ReadAllBytes(Path.Combine(Folder, DataReport.FileName)), Path.Combine(Folder, DataReport.FileName));

    /// <summary>Prepares into <paramref name="folder"/>, or opens it when it already holds exactly this dataset.</summary>
    /// <exception cref="UserException">Bad sources or steps, or a folder that holds something else.</exception>
    public static TextDataset Prepare(DataOptions options, string folder, PrepareRun? run = null) => Prepare(options, folder, run ?? new PrepareRun(), merge: false);

    /// <summary>As <see cref="Prepare(DataOptions, string, PrepareRun?)"/>, after shards have made the first stage.</summary>
    /// <exception cref="UserException">A shard has not finished.</exception>
    public static TextDataset Merge(DataOptions options, string folder, PrepareRun? run = null) => Prepare(options, folder, run ?? new PrepareRun(), merge: true);

    /// <summary>Does a shard's part of the work, in the working folder that all shards share.</summary>
    public static ShardState PrepareShard(DataOptions options, string folder, Shard shard, PrepareRun? run = null)
    {
        var plan = DataPlan.Make(options);
        if (plan.IsPlain)
            throw new UserException("--shard: this recipe has no steps, so there is nothing to share; run data prepare without it.");
        run ??= new PrepareRun();
        return new DataPipeline(plan, PreparedData.WorkOf(folder, run), run).Run(shard);
    }

    private static TextDataset Prepare(DataOptions options, string folder, PrepareRun run, bool merge)
    {
        ArgumentNullException.ThrowIfNull(options);
        var plan = DataPlan.Make(options);
        var key = Hashing.Sha256(System.Text.Encoding.UTF8.GetBytes($"text {FormatVersion}\n{plan.Key}\n{Foundation.Recipes.RecipeFile.Write(options.Split)}{Foundation.Recipes.RecipeFile.Write(options.Output)}"));
        var work = PreparedData.WorkOf(folder, run);
        return FolderBuild.Make(folder, f => TryOpen(f, key), f => Build(plan, PreparedDocuments.Open(plan, work, run, merge), f, key, run), f => new TextDataset(f, ReadRecord(f), cacheHit: false));
    }

    private static void Build(DataPlan plan, PreparedDocuments documents, string folder, string key, PrepareRun run)
    {
        var writers = new SortedDictionary<DataSplit, TextShardWriter>();
        using var quarantine = plan.IsPlain ? new QuarantineFile(Path.Combine(folder, QuarantineFile.Name)) : null;
        documents.QuarantineTo(quarantine);
        try
        {
            var (count, bytes) = (0L, 0L);
            foreach (var document in documents.Read())
            {
                run.Cancel.ThrowIfCancellationRequested();
                if (!writers.TryGetValue(document.Split!.Value, out var writer))
                    writers[document.Split.Value] = writer = new TextShardWriter(folder, document.Split.Value.ToString().ToLowerInvariant(), plan.Options.Output);
                writer.Add(document);
                (count, bytes) = (count + 1, bytes + document.Utf8.Length);
                if (count % 4096 == 0)
                {
                    Failpoint.Visit("pipeline.output");
                    run.Progress?.Invoke(new PrepareProgress(count, bytes, 0) { Stage = "output" });
                }
            }

            Failpoint.Visit("pipeline.output");
            foreach (var writer in writers.Values)
                writer.Finish();
            if (plan.IsPlain)
                DataPlan.CheckUnchanged(plan.Files);
            var splits = new SortedDictionary<string, SplitCounts>(StringComparer.Ordinal);
            foreach (var (split, writer) in writers)
                splits[split.ToString().ToLowerInvariant()] = new SplitCounts(writer.Documents, writer.TextBytes);
            var report = documents.Report() with { Splits = splits };
            if (report.Written != count)
                throw new InvalidOperationException(FormattableString.Invariant($"{count} documents were written, but {report.Written} came through the steps"));
            File.WriteAllText(Path.Combine(folder, DataReport.FileName), report.ToJson());
            documents.Collect(PartBuilder.DroppedName, folder);
            documents.Collect(QuarantineFile.Name, folder);
            var record = new TextDatasetRecord { Version = FormatVersion, Key = key, Files = plan.Files, Shards = [.. writers.Values.SelectMany(w => w.Shards)] };
            File.WriteAllText(Path.Combine(folder, RecordName), JsonSerializer.Serialize(record, s_json) + "\n");
            if (run.Work is null) // a folder that the user has named may be shared by other recipes
                documents.Prune();
        }
        finally
        {
            foreach (var writer in writers.Values)
                writer.Dispose();
        }
    }

    private static TextDataset? TryOpen(string folder, string key)
    {
        if (!Directory.Exists(folder) || !Directory.EnumerateFileSystemEntries(folder).Any())
            return null;
        if (!File.Exists(Path.Combine(folder, RecordName)))
            throw new UserException($"{folder}: is not empty and holds no {RecordName}; name another folder.");
        var record = ReadRecord(folder);
        if (record.Key != key)
            throw new UserException($"{folder}: holds a dataset prepared from other files or options; name another folder, or delete this one.");
        foreach (var shard in record.Shards)
            if (new FileInfo(Path.Combine(folder, shard.Name)) is not { Exists: true } file || file.Length != shard.Bytes)
                throw new UserException($"{Path.Combine(folder, shard.Name)}: is missing or has another size than it was written with. Delete {folder} and prepare again.");
        return new TextDataset(folder, record, cacheHit: true);
    }

    private static TextDatasetRecord ReadRecord(string folder)
    {
        var path = Path.Combine(folder, RecordName);
        var record = StrictJson.Read<TextDatasetRecord>(File.ReadAllBytes(path), path);
        return record.Version == FormatVersion ? record : throw new UserException($"{path}: version {record.Version} is not known; this build reads version {FormatVersion}. Prepare the data again.");
    }
}
