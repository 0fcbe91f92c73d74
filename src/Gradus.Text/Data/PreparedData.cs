using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gradus.Foundation.Files;
using Gradus.Text.Tokenizers;

namespace Gradus.Text.Data;

/// <summary>Where a preparation stands, for a progress line.</summary>
public readonly record struct PrepareProgress(long Documents, long TextBytes, long Tokens);

/// <summary>What is the caller's choice when preparing, and changes nothing in the result.</summary>
public sealed record PrepareRun
{
    /// <summary>Threads that tokenize; 0 means all processors. The shards are the same bytes whatever the number.</summary>
    public int Workers { get; init; }

    /// <summary>Called now and then, on the calling thread.</summary>
    public Action<PrepareProgress>? Progress { get; init; }

    public CancellationToken Cancel { get; init; }
}

/// <summary>
/// A prepared dataset: a folder with a shard folder for each split that has documents (<c>train</c>, <c>validation</c>, <c>test</c>),
/// the tokenizer, and <c>dataset.json</c>. It appears whole or not at all; the same sources, options and tokenizer are a cache hit.
/// </summary>
public sealed class PreparedData : IDisposable
{
    private const string RecordName = "dataset.json";
    private const int FormatVersion = 1;

    private static readonly JsonSerializerOptions s_json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true, NewLine = "\n" };

    private readonly Dictionary<DataSplit, TokenShards> _splits = [];

    private PreparedData(string folder, PreparedRecord record, bool cacheHit, bool verify)
    {
        (Folder, Record, CacheHit) = (folder, record, cacheHit);
        try
        {
            foreach (var split in Enum.GetValues<DataSplit>())
                if (Directory.Exists(SplitFolder(folder, split)))
                    _splits[split] = TokenShards.Open(SplitFolder(folder, split), verify);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Folder { get; }

    /// <summary>The tokenizer's folder inside: what <see cref="Tokenizer.Load"/> takes.</summary>
    public string TokenizerFolder => Path.Combine(Folder, "tokenizer");

    /// <summary>What was read, kept and left out.</summary>
    public PreparedRecord Record { get; }

    /// <summary>Nothing was made: the folder already held this dataset.</summary>
    public bool CacheHit { get; }

    public TokenShards Train => this[DataSplit.Train];

    /// <summary>One split.</summary>
    /// <exception cref="UserException">It has no documents.</exception>
    public TokenShards this[DataSplit split] => _splits.GetValueOrDefault(split)
        ?? throw new UserException($"{Folder}: the {Name(split)} split is empty; raise data.split.{Name(split)}, or give more documents.");

    /// <summary>Whether a split has documents.</summary>
    public bool Has(DataSplit split) => _splits.ContainsKey(split);

    /// <summary>Opens a prepared folder.</summary>
    public static PreparedData Open(string folder, bool verify = true) => new(folder, ReadRecord(folder), cacheHit: true, verify);

    /// <summary>Prepares into <paramref name="folder"/>, or opens it when it already holds exactly this dataset.</summary>
    /// <exception cref="UserException">Bad sources, an empty split, or a folder that holds something else.</exception>
    public static PreparedData Prepare(DataOptions options, Tokenizer tokenizer, string folder, PrepareRun? run = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(tokenizer);
        var (key, files) = Key(options, tokenizer);
        return Prepare(options, tokenizer, folder, key, files, run ?? new PrepareRun());
    }

    /// <summary>As <see cref="Prepare(DataOptions, Tokenizer, string, PrepareRun?)"/>, into a folder below <paramref name="cache"/> that is named by the content.</summary>
    public static PreparedData PrepareCached(DataOptions options, Tokenizer tokenizer, string cache, PrepareRun? run = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(tokenizer);
        var (key, files) = Key(options, tokenizer);
        return Prepare(options, tokenizer, Path.Combine(cache, key[..16]), key, files, run ?? new PrepareRun());
    }

    public void Dispose()
    {
        foreach (var shards in _splits.Values)
            shards.Dispose();
    }

    private static PreparedData Prepare(DataOptions options, Tokenizer tokenizer, string folder, string key, IReadOnlyList<PreparedFile> files, PrepareRun run)
    {
        folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        if (TryOpen(folder, key) is { } hit)
            return hit;
        // Everything is built beside the final name and renamed at the end; what a killed process left there is cleared first.
        var building = folder + ".building";
        var done = false;
        try
        {
            using var taken = RunLock.Take(building);
            if (TryOpen(folder, key) is { } other) // another process was quicker
                return other;
            var data = Path.Combine(building, "data");
            if (Directory.Exists(data))
                Directory.Delete(data, recursive: true);
            Directory.CreateDirectory(data);
            try
            {
                Build(options, tokenizer, data, key, files, run);
                if (Directory.Exists(folder)) // empty, as TryOpen has seen
                    Directory.Delete(folder);
                Durable.PublishFolder(data, folder);
            }
            finally
            {
                if (Directory.Exists(data))
                    Directory.Delete(data, recursive: true);
                done = true;
            }
        }
        finally
        {
            // Also after a failure: nothing is left beside what was asked for. Not when the lock is another process's.
            if (done)
                Directory.Delete(building, recursive: true);
        }

        return new PreparedData(folder, ReadRecord(folder), cacheHit: false, verify: false);
    }

    private static PreparedData? TryOpen(string folder, string key)
    {
        if (!Directory.Exists(folder) || !Directory.EnumerateFileSystemEntries(folder).Any())
            return null;
        if (!File.Exists(Path.Combine(folder, RecordName)))
            throw new UserException($"{folder}: is not empty and holds no {RecordName}; name another folder.");
        var record = ReadRecord(folder);
        if (record.Key != key)
            throw new UserException($"{folder}: holds data prepared from other files, options or another tokenizer; name another folder, or delete this one.");
        return new PreparedData(folder, record, cacheHit: true, verify: true);
    }

    private static void Build(DataOptions options, Tokenizer tokenizer, string folder, string key, IReadOnlyList<PreparedFile> files, PrepareRun run)
    {
        tokenizer.Save(Path.Combine(folder, "tokenizer"));
        var tokenizerHash = Hashing.Sha256File(Path.Combine(folder, "tokenizer", "tokenizer.json"));
        var report = new SourceReport();
        var writers = new Dictionary<DataSplit, TokenShardWriter>();
        try
        {
            var (documents, bytes, tokens) = (0L, 0L, 0L);
            foreach (var batch in ParallelEncoder.Encode(options, tokenizer, report, run.Workers))
            {
                run.Cancel.ThrowIfCancellationRequested();
                foreach (var document in batch)
                {
                    if (!writers.TryGetValue(document.Split, out var writer))
                        writers[document.Split] = writer = new TokenShardWriter(SplitFolder(folder, document.Split), tokenizer.VocabSize, tokenizer.EosId, options.TokensPerShard);
                    writer.Add(document.Ids, document.TextBytes);
                    (documents, bytes, tokens) = (documents + 1, bytes + document.TextBytes, tokens + document.Ids.Length);
                }

                Failpoint.Visit("data.batch");
                run.Progress?.Invoke(new PrepareProgress(documents, bytes, tokens));
            }

            CheckSplits(options, writers, report);
            foreach (var file in files)
                if (LastWrite(file.Path) != file.LastWrite)
                    throw new UserException($"{file.Path}: changed while it was read. Prepare again.");
            var splits = writers.OrderBy(w => w.Key).Select(w => w.Value.Finish(tokenizerHash, w.Key)).ToList();
            var record = new PreparedRecord
            {
                Version = FormatVersion,
                Key = key,
                Tokenizer = tokenizerHash,
                Files = files,
                Documents = report.Documents,
                TextBytes = report.Bytes,
                Tokens = splits.Sum(s => s.Tokens),
                Skipped = report.Skipped,
                SkippedBecause = report.Reasons,
                Empty = report.Empty,
                Replaced = report.Replaced,
            };
            File.WriteAllText(Path.Combine(folder, RecordName), JsonSerializer.Serialize(record, s_json) + "\n");
        }
        finally
        {
            foreach (var writer in writers.Values)
                writer.Dispose();
        }
    }

    private static void CheckSplits(DataOptions options, Dictionary<DataSplit, TokenShardWriter> writers, SourceReport report)
    {
        foreach (var split in Enum.GetValues<DataSplit>())
        {
            var share = split switch { DataSplit.Train => 1, DataSplit.Validation => options.Split.Validation, _ => options.Split.Test };
            if (share == 0 || writers.ContainsKey(split))
                continue;
            throw new UserException(FormattableString.Invariant(
                $"The {Name(split)} split is empty: {report.Documents} documents are too few for a share of {share} by document. Split the text further (documents: passage), give more, change data.split.{Name(split)} or data.split.seed."));
        }
    }

    /// <summary>The identity of a dataset: contents of the files, options, tokenizer. Names and places of files do not count.</summary>
    private static (string Key, IReadOnlyList<PreparedFile> Files) Key(DataOptions options, Tokenizer tokenizer)
    {
        if (options.Sources.Count == 0)
            throw new UserException("data.sources: name at least one source.");
        var text = new StringBuilder();
        var files = new List<PreparedFile>();
        foreach (var source in options.Sources)
        {
            text.Append(source.GetType().FullName).Append(JsonSerializer.Serialize(source with { Path = "" }, source.GetType())).Append('\n');
            foreach (var path in source.Files())
            {
                var file = new PreparedFile { Path = path, Bytes = new FileInfo(path).Length, LastWrite = LastWrite(path), Sha256 = Hashing.Sha256File(path) };
                files.Add(file);
                text.Append(file.Sha256).Append('\n');
            }
        }

        var temporary = Directory.CreateTempSubdirectory("gradus-tokenizer-").FullName;
        try
        {
            tokenizer.Save(temporary);
            text.Append(Hashing.Sha256File(Path.Combine(temporary, "tokenizer.json"))).Append('\n');
        }
        finally
        {
            Directory.Delete(temporary, recursive: true);
        }

        text.Append(FormattableString.Invariant($"{FormatVersion} {tokenizer.VocabSize} {tokenizer.EosId} {options.TokensPerShard} {JsonSerializer.Serialize(options.Split)}"));
        return (Hashing.Sha256(Encoding.UTF8.GetBytes(text.ToString())), files);
    }

    private static PreparedRecord ReadRecord(string folder)
    {
        var path = Path.Combine(folder, RecordName);
        if (!File.Exists(path))
            throw new UserException($"{folder}: holds no {RecordName}; it is not a prepared dataset.");
        var record = StrictJson.Read<PreparedRecord>(File.ReadAllBytes(path), path);
        return record.Version == FormatVersion ? record : throw new UserException($"{path}: version {record.Version} is not known; this build reads version {FormatVersion}. Prepare the data again.");
    }

    private static DateTime LastWrite(string path) => new FileInfo(path).LastWriteTimeUtc;

    private static string SplitFolder(string folder, DataSplit split) => Path.Combine(folder, Name(split));

    private static string Name(DataSplit split) => split.ToString().ToLowerInvariant();
}

/// <summary><c>dataset.json</c>: what a dataset was made from and what became of it.</summary>
public sealed record PreparedRecord
{
    public required int Version { get; init; }

    /// <summary>SHA-256 over contents, options and tokenizer.</summary>
    public required string Key { get; init; }

    public required string Tokenizer { get; init; }

    public required IReadOnlyList<PreparedFile> Files { get; init; }

    public required long Documents { get; init; }

    public required long TextBytes { get; init; }

    public required long Tokens { get; init; }

    public required long Skipped { get; init; }

    public required IReadOnlyList<string> SkippedBecause { get; init; }

    public required long Empty { get; init; }

    public required long Replaced { get; init; }
}

/// <summary>A file that a dataset was made from.</summary>
public sealed record PreparedFile
{
    public required string Path { get; init; }

    public required long Bytes { get; init; }

    public required string Sha256 { get; init; }

    /// <summary>When the file was last written, seen before it was read: a change in between stops the preparation. Not stored.</summary>
    [JsonIgnore]
    internal DateTime LastWrite { get; init; }
}
