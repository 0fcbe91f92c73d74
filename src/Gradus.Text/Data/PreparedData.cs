using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gradus.Foundation.Files;
using Gradus.Text.Data.Pipeline;
using Gradus.Text.Data.Sources;
using Gradus.Text.Tokenizers;

namespace Gradus.Text.Data;

/// <summary>Where a preparation stands, for a progress line.</summary>
/// <param name="Documents">Documents of this stage so far.</param>
/// <param name="TextBytes">Their text.</param>
/// <param name="Tokens">Tokens, where it is tokenized.</param>
public readonly record struct PrepareProgress(long Documents, long TextBytes, long Tokens)
{
    /// <summary>What is going on, when there are several things.</summary>
    public string Stage { get; init; } = "";

    /// <summary>Share of the pipeline that is done, where it can be told.</summary>
    public double? Done { get; init; }

    /// <summary>Time the pipeline still takes at its pace so far.</summary>
    public TimeSpan? Remaining { get; init; }
}

/// <summary>What is the caller's choice when preparing, and changes nothing in the result.</summary>
public sealed record PrepareRun
{
    /// <summary>Threads that tokenize; 0 means all processors. The shards are the same bytes whatever the number.</summary>
    public int Workers { get; init; }

    /// <summary>Where the steps of a pipeline keep what they have finished, so that a later run need not do it again. Unset: beside what is made.</summary>
    public string? Work { get; init; }

    /// <summary>Called now and then, by one thread at a time.</summary>
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
        return Prepare(DataPlan.Make(options), tokenizer, _ => folder, run ?? new PrepareRun());
    }

    /// <summary>As <see cref="Prepare(DataOptions, Tokenizer, string, PrepareRun?)"/>, into a folder below <paramref name="cache"/> that is named by the content.</summary>
    public static PreparedData PrepareCached(DataOptions options, Tokenizer tokenizer, string cache, PrepareRun? run = null)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(tokenizer);
        run ??= new PrepareRun();
        return Prepare(DataPlan.Make(options), tokenizer, key => Path.Combine(cache, key[..16]), run with { Work = run.Work ?? WorkIn(cache) });
    }

    /// <summary>The working folder of the steps of data that is cached here.</summary>
    public static string WorkIn(string cache) => Path.Combine(cache, "work");

    public void Dispose()
    {
        foreach (var shards in _splits.Values)
            shards.Dispose();
    }

    /// <summary>The working folder of what is made in a folder.</summary>
    internal static string WorkOf(string folder, PrepareRun run) => run.Work ?? Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)) + ".work";

    private static PreparedData Prepare(DataPlan plan, Tokenizer tokenizer, Func<string, string> folderOf, PrepareRun run)
    {
        var key = Key(plan, tokenizer);
        var folder = folderOf(key);
        return FolderBuild.Make(folder, f => TryOpen(f, key), f => Build(PreparedDocuments.Open(plan, WorkOf(folder, run), run, merge: false), tokenizer, f, key, run), f => new PreparedData(f, ReadRecord(f), cacheHit: false, verify: false));
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

    private static void Build(PreparedDocuments prepared, Tokenizer tokenizer, string folder, string key, PrepareRun run)
    {
        var options = prepared.Plan.Options;
        tokenizer.Save(Path.Combine(folder, "tokenizer"));
        var tokenizerHash = Hashing.Sha256File(Path.Combine(folder, "tokenizer", "tokenizer.json"));
        var writers = new Dictionary<DataSplit, TokenShardWriter>();
        using var quarantine = prepared.Plan.IsPlain ? new QuarantineFile(Path.Combine(folder, QuarantineFile.Name)) : null;
        prepared.QuarantineTo(quarantine);
        try
        {
            var (documents, bytes, tokens) = (0L, 0L, 0L);
            foreach (var batch in ParallelEncoder.Encode(prepared.ReadRaw(), options.Split, tokenizer, run.Workers))
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

            var report = prepared.Report();
            if (report.Written != documents)
                throw new InvalidOperationException(FormattableString.Invariant($"{documents} documents were tokenized, but {report.Written} came through the steps"));
            CheckSplits(options, writers, documents);
            if (prepared.Plan.IsPlain)
                DataPlan.CheckUnchanged(prepared.Plan.Files);
            else
            {
                File.WriteAllText(Path.Combine(folder, DataReport.FileName), report.ToJson());
                prepared.Collect(PartBuilder.DroppedName, folder);
                prepared.Collect(QuarantineFile.Name, folder);
            }

            var splits = writers.OrderBy(w => w.Key).Select(w => w.Value.Finish(tokenizerHash, w.Key)).ToList();
            var record = new PreparedRecord
            {
                Version = FormatVersion,
                Key = key,
                Tokenizer = tokenizerHash,
                Files = prepared.Plan.Files,
                Documents = documents,
                TextBytes = bytes,
                Tokens = splits.Sum(s => s.Tokens),
                Skipped = report.Sources.Skipped,
                SkippedBecause = report.Sources.SkippedBecause,
                Empty = report.Sources.Empty,
                Replaced = report.Sources.Replaced,
            };
            File.WriteAllText(Path.Combine(folder, RecordName), JsonSerializer.Serialize(record, s_json) + "\n");
        }
        finally
        {
            foreach (var writer in writers.Values)
                writer.Dispose();
        }
    }

    private static void CheckSplits(DataOptions options, Dictionary<DataSplit, TokenShardWriter> writers, long documents)
    {
        foreach (var split in Enum.GetValues<DataSplit>())
        {
            var share = split switch { DataSplit.Train => 1, DataSplit.Validation => options.Split.Validation, _ => options.Split.Test };
            if (share == 0 || writers.ContainsKey(split))
                continue;
            throw new UserException(FormattableString.Invariant(
                $"The {Name(split)} split is empty: {documents} documents are too few for a share of {share} by document. Split the text further (documents: passage), give more, change data.split.{Name(split)} or data.split.seed."));
        }
    }

    /// <summary>The identity of a dataset: contents of the files, options, steps, tokenizer. Names and places of files do not count.</summary>
    private static string Key(DataPlan plan, Tokenizer tokenizer)
    {
        var temporary = Directory.CreateTempSubdirectory("gradus-tokenizer-").FullName;
        try
        {
            tokenizer.Save(temporary);
            var text = FormattableString.Invariant($"{plan.Key}\n{Hashing.Sha256File(Path.Combine(temporary, "tokenizer.json"))}\n{FormatVersion} {tokenizer.VocabSize} {tokenizer.EosId} {plan.Options.TokensPerShard} {JsonSerializer.Serialize(plan.Options.Split)}");
            return Hashing.Sha256(Encoding.UTF8.GetBytes(text));
        }
        finally
        {
            Directory.Delete(temporary, recursive: true);
        }
    }

    private static PreparedRecord ReadRecord(string folder)
    {
        var path = Path.Combine(folder, RecordName);
        if (!File.Exists(path))
            throw new UserException($"{folder}: holds no {RecordName}; it is not a prepared dataset.");
        var record = StrictJson.Read<PreparedRecord>(File.ReadAllBytes(path), path);
        return record.Version == FormatVersion ? record : throw new UserException($"{path}: version {record.Version} is not known; this build reads version {FormatVersion}. Prepare the data again.");
    }

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
