using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gradus.Foundation.Files;
using Gradus.Text.Data.Sources;

namespace Gradus.Text.Data.Pipeline;

/// <summary>Makes the parts of one stage: for each partition a folder with its documents, their index, and the counts.</summary>
/// <param name="plan">The pipeline.</param>
/// <param name="stage">The stage, from 0.</param>
/// <param name="work">The working folder.</param>
/// <param name="progress">Told of every portion.</param>
/// <param name="cancel">Stops between portions.</param>
internal sealed class PartBuilder(DataPlan plan, int stage, WorkFolder work, PipelineProgress progress, CancellationToken cancel) : IDisposable
{
    public const string IndexName = "index", DroppedName = "dropped.jsonl";

    private static readonly JsonWriterOptions s_row = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private readonly ConcurrentBag<StepWorker> _workers = [];
    private readonly ConcurrentDictionary<uint, DocumentReader> _before = new();

    /// <summary>Makes one part, if it is not there yet.</summary>
    /// <param name="partition">Which.</param>
    /// <param name="threads">Threads for its steps, beside the one that reads.</param>
    public void Build(int partition, int threads)
    {
        var final = work.Part(plan, stage, partition);
        if (Directory.Exists(final))
            return;
        using var building = work.Begin();
        var names = plan.StepNames(stage);
        var counts = names.Select(n => new StepCounts { Step = n }).ToArray();
        using var quarantine = new QuarantineFile(Path.Combine(building.Folder, QuarantineFile.Name));
        var report = new SourceReport { Quarantine = quarantine };
        var read = new Tally();
        using var writer = new DocumentWriter(building.Folder);
        using var index = plan.Stages[stage].Global is null ? null : new EntrySorter(building.Scratch, IndexName);
        using (var dropped = new FileStream(Path.Combine(building.Folder, DroppedName), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 16))
        {
            foreach (var batch in OrderedMap.Run(Batches(Documents(partition, report), read), threads, Work))
            {
                cancel.ThrowIfCancellationRequested();
                Add(batch, counts, writer, index, (uint)partition);
                foreach (var row in batch.Dropped)
                    Write(row, dropped);
                Failpoint.Visit("pipeline.batch");
                progress.Add(stage, partition, batch);
            }
        }

        quarantine.Dispose(); // its bytes are in the file before the folder is made durable
        index?.WriteSorted(Path.Combine(building.Folder, IndexName));
        writer.Finish();
        if (stage == 0)
            DataPlan.CheckUnchanged(plan.Partitions[partition].Files);
        StepCounts.Check(counts, read.Documents, writer.Documents, final);
        new PartRecord
        {
            Version = PartRecord.CurrentVersion,
            Read = read.Documents,
            Documents = writer.Documents,
            TextBytes = writer.TextBytes,
            Sources = stage == 0 ? ReadCounts.Of(report) : null,
            Steps = counts,
        }.Write(building.Folder);
        Failpoint.Visit("pipeline.part");
        building.Publish(final);
        Failpoint.Visit("pipeline.part-done");
        progress.Finish(stage, partition);
    }

    public void Dispose()
    {
        foreach (var reader in _before.Values)
            reader.Dispose();
    }

    private IEnumerable<Incoming> Documents(int partition, SourceReport report)
    {
        if (stage == 0)
        {
            var input = plan.Partitions[partition];
            foreach (var file in input.Files)
                foreach (var document in plan.Options.Sources[input.Source].ReadOne(file.Path, report))
                    yield return new Incoming(document, null);
            yield break;
        }

        using var reader = new DocumentReader(work.Part(plan, stage - 1, partition));
        using var decisions = new DecisionReader(work.Decision(plan, stage - 1), partition);
        var ordinal = 0L;
        foreach (var document in reader.Read())
            yield return new Incoming(document, decisions.Of(ordinal++));
    }

    private static IEnumerable<List<Incoming>> Batches(IEnumerable<Incoming> documents, Tally read)
    {
        var (batch, bytes) = (new List<Incoming>(), 0L);
        foreach (var incoming in documents)
        {
            batch.Add(incoming);
            read.Documents++;
            bytes += incoming.Document.Utf8.Length + 64;
            if (bytes < OrderedMap.BatchBytes)
                continue;
            yield return batch;
            (batch, bytes) = ([], 0);
        }

        if (batch.Count > 0)
            yield return batch;
    }

    private BatchResult Work(List<Incoming> batch)
    {
        var worker = _workers.TryTake(out var idle) ? idle : new StepWorker(plan, stage, stage == 0 ? null : Before);
        var result = worker.Run(batch);
        _workers.Add(worker);
        return result;
    }

    /// <summary>A document of the stage before.</summary>
    private Document Before(uint partition, uint ordinal) => _before.GetOrAdd(partition, p => new DocumentReader(work.Part(plan, stage - 1, (int)p))).Read(ordinal);

    private static void Add(BatchResult batch, StepCounts[] counts, DocumentWriter writer, EntrySorter? index, uint partition)
    {
        for (var i = 0; i < counts.Length; i++)
            counts[i].Add(batch.Counts[i]);
        var entry = 0;
        var entries = CollectionsMarshal.AsSpan(batch.Entries);
        for (var d = 0; d < batch.Documents.Count; d++)
        {
            for (; entry < batch.EntryEnds[d]; entry++)
                index!.Add(entries[entry] with { Partition = partition, Ordinal = checked((uint)writer.Documents) });
            writer.Add(batch.Documents[d]);
        }
    }

    private static void Write(DroppedRow row, FileStream file)
    {
        var buffer = new System.Buffers.ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer, s_row))
        {
            json.WriteStartObject();
            json.WriteString("step", row.Step);
            json.WriteString("rule", row.Rule);
            json.WriteString("origin", row.Origin);
            if (row.Detail is { } detail)
                json.WriteString("detail", detail);
            json.WriteEndObject();
        }

        file.Write(buffer.WrittenSpan);
        file.Write("\n"u8);
    }

    /// <summary>Counted where documents are read, so that the check does not compare a number with itself.</summary>
    private sealed class Tally
    {
        public long Documents;
    }
}
