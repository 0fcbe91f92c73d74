using System.Text;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Mixing;
using Gradus.Text.Data.Steps;

namespace Gradus.Text.Data.Pipeline;

/// <summary>Files of one source that are worked on together.</summary>
internal sealed record InputPartition(int Source, IReadOnlyList<PreparedFile> Files)
{
    public long Bytes { get; } = Files.Sum(f => f.Bytes);
}

/// <summary>A run of local steps, closed by a global one except at the end of the pipeline.</summary>
/// <param name="First">Number of the first step in the recipe, from 0.</param>
/// <param name="Locals">The local steps.</param>
/// <param name="Global">The global step that closes the stage, or null.</param>
internal sealed record Stage(int First, IReadOnlyList<LocalStep> Locals, GlobalStep? Global);

/// <summary>
/// What a data section comes to: files, partitions, stages, and the name of each result, which is the hash of everything it depends on.
/// The recipe and the files decide, never the number of workers or machines.
/// </summary>
internal sealed class DataPlan
{
    private const int FormatVersion = 1;

    private readonly string[] _inputKeys;
    private readonly string[] _stageTexts;
    private readonly Dictionary<(int Stage, int Partition), string> _partKeys = [];
    private readonly Dictionary<int, string> _decisionKeys = [];

    private DataPlan(DataOptions options, IReadOnlyList<InputPartition> partitions, IReadOnlyList<Stage> stages, string[] inputKeys, string[] stageTexts)
    {
        (Options, Partitions, Stages, _inputKeys, _stageTexts) = (options, partitions, stages, inputKeys, stageTexts);
        Files = [.. partitions.SelectMany(p => p.Files)];
        var text = new StringBuilder();
        for (var p = 0; p < partitions.Count; p++)
            text.Append(PartKey(stages.Count - 1, p)).Append('\n');
        if (options.Mix is { } mix)
            text.Append(MixText(mix));
        Key = Hashing.Sha256(Encoding.UTF8.GetBytes(text.ToString()));
    }

    public DataOptions Options { get; }

    public IReadOnlyList<InputPartition> Partitions { get; }

    public IReadOnlyList<Stage> Stages { get; }

    /// <summary>Every file that is read, in order.</summary>
    public IReadOnlyList<PreparedFile> Files { get; }

    /// <summary>The identity of the documents: contents of the files, options of sources and steps. Names and places of files do not count.</summary>
    public string Key { get; }

    /// <summary>Nothing happens to the documents between source and use.</summary>
    public bool IsPlain => Options is { Steps.Count: 0, Mix: null };

    /// <exception cref="UserException">No source, a file that is not there, a step that cannot be built.</exception>
    public static DataPlan Make(DataOptions options)
    {
        if (options.Sources.Count == 0)
            throw new UserException("data.sources: name at least one source.");
        var partitions = new List<InputPartition>();
        var keys = new List<string>();
        for (var s = 0; s < options.Sources.Count; s++)
        {
            var identity = RecipeFile.Write(options.Sources[s] with { Path = "" });
            foreach (var files in Group(options.Sources[s].Files(), options.PartitionBytes))
            {
                partitions.Add(new InputPartition(s, files));
                keys.Add(Hash($"input {FormatVersion}\n{identity}\n{string.Join('\n', files.Select(f => f.Sha256))}"));
            }
        }

        var (stages, texts) = Cut(options);
        return new DataPlan(options, partitions, stages, [.. keys], texts);
    }

    /// <summary>Steps in front of the stage's own in its counts: the global one that closed the stage before.</summary>
    public bool StartsWithDecision(int stage) => stage > 0;

    /// <summary>The steps a stage counts, in order: the decision of the stage before, then its local steps.</summary>
    public IReadOnlyList<string> StepNames(int stage)
    {
        var names = new List<string>();
        if (stage > 0)
            names.Add(StepName(Stages[stage].First - 1));
        for (var i = 0; i < Stages[stage].Locals.Count; i++)
            names.Add(StepName(Stages[stage].First + i));
        return names;
    }

    public string StepName(int step) => FormattableString.Invariant($"{step + 1} {Components.KindOf(Options.Steps[step].GetType()) ?? Options.Steps[step].GetType().Name}");

    public string PartKey(int stage, int partition)
    {
        lock (_partKeys)
        {
            if (!_partKeys.TryGetValue((stage, partition), out var key))
                _partKeys[(stage, partition)] = key = Hash($"part {PartRecord.CurrentVersion}\n{(stage == 0 ? _inputKeys[partition] : PartKey(stage - 1, partition) + "\n" + DecisionKey(stage - 1))}\n{_stageTexts[stage]}");
            return key;
        }
    }

    /// <summary>The name of the decision that closes a stage: it depends on every partition.</summary>
    public string DecisionKey(int stage)
    {
        lock (_partKeys)
        {
            if (!_decisionKeys.TryGetValue(stage, out var key))
                _decisionKeys[stage] = key = Hash($"decision {FormatVersion}\n{string.Join('\n', Enumerable.Range(0, Partitions.Count).Select(p => PartKey(stage, p)))}");
            return key;
        }
    }

    /// <exception cref="UserException">A file was written since the plan was made.</exception>
    public static void CheckUnchanged(IEnumerable<PreparedFile> files)
    {
        foreach (var file in files)
            if (new FileInfo(file.Path).LastWriteTimeUtc != file.LastWrite)
                throw new UserException($"{file.Path}: changed while it was read. Prepare again.");
    }

    /// <summary>Neighbouring files together until they reach the size; a file is never cut.</summary>
    private static IEnumerable<IReadOnlyList<PreparedFile>> Group(IReadOnlyList<string> paths, long bytes)
    {
        var (group, size) = (new List<PreparedFile>(), 0L);
        foreach (var path in paths)
        {
            var info = new FileInfo(path);
            var file = new PreparedFile { Path = path, Bytes = info.Length, LastWrite = info.LastWriteTimeUtc, Sha256 = Hashing.Sha256File(path) };
            group.Add(file);
            size += file.Bytes;
            if (size < bytes)
                continue;
            yield return group;
            (group, size) = ([], 0);
        }

        if (group.Count > 0)
            yield return group;
    }

    private static (IReadOnlyList<Stage> Stages, string[] Texts) Cut(DataOptions options)
    {
        var (stages, texts) = (new List<Stage>(), new List<string>());
        var (locals, text, first) = (new List<LocalStep>(), new StringBuilder(), 0);
        for (var i = 0; i < options.Steps.Count; i++)
        {
            var step = options.Steps[i];
            text.Append(step.GetType().FullName).Append(' ').Append(step.Version).Append('\n').Append(RecipeFile.Write(step));
            foreach (var input in step.Inputs())
                text.Append(File.Exists(input) ? Hashing.Sha256File(input) : throw new UserException($"data.steps[{i}]: {input}: there is no such file.")).Append('\n');
            if (step is LocalStep local)
            {
                local.Build(); // what is wrong with it is said before anything is read
                locals.Add(local);
                continue;
            }

            // Documents that stay together take the split of their first: then the split decides too.
            var global = (GlobalStep)step;
            text.Append(RecipeFile.Write(options.Split));
            stages.Add(new Stage(first, locals, global));
            texts.Add(text.ToString());
            (locals, first) = ([], i + 1);
            text.Clear();
        }

        stages.Add(new Stage(first, locals, null));
        texts.Add(text.ToString());
        return (stages, [.. texts]);
    }

    /// <summary>What the order of the documents depends on. A file that is missing or an augmentation that cannot be built is said before anything is read.</summary>
    private static string MixText(MixOptions mix)
    {
        var text = new StringBuilder("mix ").Append(RecipeFile.Write(mix));
        foreach (var augmentation in mix.Augment)
            augmentation.Build();
        foreach (var input in mix.Augment.SelectMany(a => a.Inputs()).Concat(mix is { Order: MixOrder.Curriculum, Difficulty: Difficulty.Perplexity } ? [mix.Reference!] : []))
            text.Append(File.Exists(input) ? Hashing.Sha256File(input) : throw new UserException($"data.mix: {input}: there is no such file.")).Append('\n');
        return text.ToString();
    }

    private static string Hash(string text) => Hashing.Sha256(Encoding.UTF8.GetBytes(text));
}
