using Gradus.Foundation.Files;

namespace Gradus.Text.Data.Pipeline;

/// <summary>One of several processes that share the work of a pipeline: <c>2/4</c> does every fourth partition, from the second.</summary>
public readonly record struct Shard(int Number, int Of)
{
    internal bool Has(int partition) => partition % Of == Number - 1;
}

/// <summary>How far the shared work has come.</summary>
/// <param name="Done">Everything is made; what is left is to collect it.</param>
/// <param name="Stage">The stage that waits, from 1.</param>
/// <param name="Missing">Its partitions that other processes have not finished.</param>
public readonly record struct ShardState(bool Done, int Stage, IReadOnlyList<int> Missing);

/// <summary>
/// Runs the stages of a plan in a working folder: each (stage, partition) is made once, published whole under the hash of all it depends on,
/// and found again after a kill. Between two stages stands one decision over all partitions.
/// </summary>
internal sealed class DataPipeline
{
    private readonly DataPlan _plan;
    private readonly WorkFolder _work;
    private readonly PrepareRun _run;
    private readonly PipelineProgress _progress;
    private readonly int _workers;

    public DataPipeline(DataPlan plan, string work, PrepareRun run)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(run.Workers, nameof(run));
        (_plan, _work, _run) = (plan, new WorkFolder(work), run);
        _progress = new PipelineProgress(plan, run.Progress);
        _workers = run.Workers == 0 ? Environment.ProcessorCount : run.Workers;
    }

    /// <summary>Makes everything that is missing.</summary>
    public void Run() => Run(shard: null);

    /// <summary>Makes the partitions of a shard, as far as the others have come; decides where all partitions of a stage are there.</summary>
    public ShardState Run(Shard? shard)
    {
        for (var stage = 0; stage < _plan.Stages.Count; stage++)
        {
            if (stage > 0 && !Directory.Exists(_work.Decision(_plan, stage - 1)))
            {
                if (Missing(stage - 1) is { Count: > 0 } missing)
                    return new ShardState(false, stage, missing);
                if (!Decide(stage - 1, others: shard is not null))
                    return new ShardState(false, stage, []);
            }

            Make(stage, shard);
            if (stage == 0 && Missing(0).Count == 0)
                CheckSources();
        }

        var left = Missing(_plan.Stages.Count - 1);
        return new ShardState(left.Count == 0, _plan.Stages.Count, left);
    }

    /// <summary>Finishes what shards have left: decisions and the stages behind them. A first stage that is not complete is an error.</summary>
    /// <exception cref="UserException">A partition of the first stage is missing.</exception>
    public void Merge()
    {
        if (Missing(0) is { Count: > 0 } missing)
            throw new UserException(FormattableString.Invariant($"partition {missing[0] + 1} of {_plan.Partitions.Count} ({_plan.Partitions[missing[0]].Files[0].Path}) is not there{(missing.Count > 1 ? $", nor are {missing.Count - 1} more" : "")}: run the shard that has it, or data prepare without --shard, which makes what is missing."));
        Run(shard: null);
    }

    /// <summary>The folders of the finished parts in the order of the sources, each with the name of its source.</summary>
    public IReadOnlyList<(string Folder, string Source)> Parts() =>
        [.. Enumerable.Range(0, _plan.Partitions.Count).Select(p => (_work.Part(_plan, _plan.Stages.Count - 1, p), _plan.Options.Sources[_plan.Partitions[p].Source].GroupName))];

    /// <summary>The documents as the steps left them, in the order of the sources.</summary>
    public IEnumerable<Document> Read()
    {
        for (var p = 0; p < _plan.Partitions.Count; p++)
        {
            using var reader = new DocumentReader(_work.Part(_plan, _plan.Stages.Count - 1, p));
            foreach (var document in reader.Read())
                yield return document;
        }
    }

    /// <summary>The files of a name in all parts, in the order of stages and partitions: dropped documents, records that could not be used.</summary>
    public IEnumerable<string> FilesOf(string name)
    {
        for (var stage = 0; stage < _plan.Stages.Count; stage++)
            for (var p = 0; p < _plan.Partitions.Count; p++)
                if (Path.Combine(_work.Part(_plan, stage, p), name) is var path && File.Exists(path))
                    yield return path;
    }

    /// <summary>The counts of all stages and partitions, proven to add up.</summary>
    public DataReport Report()
    {
        var steps = new List<StepCounts>();
        var read = new ReadCounts();
        var (documents, written, bytes) = (0L, 0L, 0L);
        var notes = new SortedDictionary<string, SortedDictionary<string, long>>(StringComparer.Ordinal);
        for (var stage = 0; stage < _plan.Stages.Count; stage++)
        {
            var (stageRead, stageWritten) = (0L, 0L);
            var total = _plan.StepNames(stage).Select(n => new StepCounts { Step = n }).ToList();
            for (var p = 0; p < _plan.Partitions.Count; p++)
            {
                var folder = _work.Part(_plan, stage, p);
                var record = PartRecord.ReadFrom(folder);
                using (var reader = new DocumentReader(folder))
                    StepCounts.Check(record.Steps, record.Read, reader.Documents, folder);
                for (var i = 0; i < total.Count; i++)
                    total[i].Add(record.Steps[i]);
                if (record.Sources is { } sources)
                    read.Add(sources);
                (stageRead, stageWritten) = (stageRead + record.Read, stageWritten + record.Documents);
                bytes += stage == _plan.Stages.Count - 1 ? record.TextBytes : 0;
            }

            StepCounts.Check(total, stageRead, stageWritten, $"stage {stage + 1}");
            if (stage > 0 && stageRead != written)
                throw new InvalidOperationException(FormattableString.Invariant($"stage {stage + 1} read {stageRead} documents, stage {stage} wrote {written}"));
            documents = stage == 0 ? stageRead : documents;
            written = stageWritten;
            steps.AddRange(total);
            for (var i = 0; i < _plan.Stages[stage].Locals.Count; i++)
                if (_plan.Stages[stage].Locals[i].Notes() is { Count: > 0 } noted)
                    notes[_plan.StepName(_plan.Stages[stage].First + i)] = new SortedDictionary<string, long>(noted.ToDictionary(n => n.Key, n => n.Value), StringComparer.Ordinal);
            if (_plan.Stages[stage].Global is not null && DecisionWriter.ReadNotes(_work.Decision(_plan, stage)) is { Count: > 0 } decided)
                notes[_plan.StepName(_plan.Stages[stage].First + _plan.Stages[stage].Locals.Count)] = decided;
        }

        return new DataReport { Read = documents, Sources = read, Steps = steps, Kept = written, KeptBytes = bytes, Notes = notes };
    }

    /// <summary>Deletes what earlier options left in the working folder.</summary>
    public void Prune() => _work.Prune(_plan);

    private void Make(int stage, Shard? shard)
    {
        var todo = new List<int>();
        for (var p = 0; p < _plan.Partitions.Count; p++)
        {
            if (shard is { } mine && !mine.Has(p) || Directory.Exists(_work.Part(_plan, stage, p)))
                _progress.Skip(p);
            else
                todo.Add(p);
        }

        if (todo.Count == 0)
            return;
        // Many partitions: one thread each. Few: the threads share the documents of each.
        using var builder = new PartBuilder(_plan, stage, _work, _progress, _run.Cancel);
        var inner = todo.Count >= _workers ? 1 : (_workers + todo.Count - 1) / todo.Count;
        OrderedMap.For(todo.Count, Math.Min(_workers, todo.Count), i => builder.Build(todo[i], inner));
    }

    private List<int> Missing(int stage) => [.. Enumerable.Range(0, _plan.Partitions.Count).Where(p => !Directory.Exists(_work.Part(_plan, stage, p)))];

    /// <summary>Takes the decision that closes a stage. False when another process is at it.</summary>
    private bool Decide(int stage, bool others)
    {
        RunLock taken;
        try
        {
            taken = RunLock.Take(_work.DecisionLock(_plan, stage));
        }
        catch (UserException) when (others)
        {
            return false;
        }

        using (taken)
        {
            var final = _work.Decision(_plan, stage);
            if (Directory.Exists(final))
                return true;
            using var building = _work.Begin();
            var parts = Enumerable.Range(0, _plan.Partitions.Count).Select(p => _work.Part(_plan, stage, p)).ToList();
            using (var input = new GlobalInput(parts, building.Scratch, _workers, _run.Cancel))
            using (var output = new DecisionWriter(building.Scratch, parts.Count))
            {
                _plan.Stages[stage].Global!.Decide(input, output);
                output.Finish(building.Folder);
            }

            Failpoint.Visit("pipeline.decision");
            building.Publish(final);
            Failpoint.Visit("pipeline.decision-done");
            return true;
        }
    }

    private void CheckSources()
    {
        for (var s = 0; s < _plan.Options.Sources.Count; s++)
        {
            var records = Enumerable.Range(0, _plan.Partitions.Count).Where(p => _plan.Partitions[p].Source == s).Select(p => PartRecord.ReadFrom(_work.Part(_plan, 0, p))).ToList();
            if (records.Sum(r => r.Read) > 0)
                continue;
            var skipped = records.Sum(r => r.Sources!.Skipped);
            var path = _plan.Options.Sources[s].Path;
            throw new UserException(skipped > 0 ? $"{path}: no records left: {skipped} were skipped; the first: {records.SelectMany(r => r.Sources!.SkippedBecause).First()}" : $"{path}: no records.");
        }
    }
}
