using System.Diagnostics;

namespace Gradus.Text.Data.Pipeline;

/// <summary>How far a pipeline is. Every stage counts alike; within a stage the bytes of the input files are the measure.</summary>
internal sealed class PipelineProgress
{
    private readonly DataPlan _plan;
    private readonly Action<PrepareProgress>? _tell;
    private readonly Lock _gate = new();
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly Dictionary<int, long> _running = [];
    private readonly double _total;
    private double _finished, _textPerByte = 1;
    private double? _startedAt;
    private long _documents, _bytes;
    private int _stage = -1;

    public PipelineProgress(DataPlan plan, Action<PrepareProgress>? tell)
    {
        (_plan, _tell) = (plan, tell);
        _total = Math.Max(1, plan.Partitions.Sum(p => p.Bytes)) * plan.Stages.Count;
    }

    /// <summary>A part that was there already: it is done, but says nothing of the speed.</summary>
    public void Skip(int partition)
    {
        lock (_gate)
            _finished += _plan.Partitions[partition].Bytes;
    }

    public void Add(int stage, int partition, BatchResult batch)
    {
        if (_tell is null)
            return;
        lock (_gate)
        {
            if (stage != _stage)
                (_stage, _documents, _bytes) = (stage, 0, 0);
            _startedAt ??= _finished;
            var bytes = batch.Counts.Length > 0 ? batch.Counts[0].InBytes : batch.Documents.Sum(d => (long)d.Utf8.Length);
            _documents += batch.Counts.Length > 0 ? batch.Counts[0].In : batch.Documents.Count;
            _bytes += bytes;
            _running[partition] = _running.GetValueOrDefault(partition) + bytes;
            var done = _finished + _running.Sum(r => Math.Min(0.99 * _plan.Partitions[r.Key].Bytes, r.Value / _textPerByte));
            var pace = (done - _startedAt.Value) / _watch.Elapsed.TotalSeconds;
            _tell(new PrepareProgress(_documents, _bytes, 0)
            {
                Stage = FormattableString.Invariant($"stage {stage + 1} of {_plan.Stages.Count}"),
                Done = Math.Min(1, done / _total),
                Remaining = pace > 0 ? TimeSpan.FromSeconds(Math.Min(1e7, Math.Max(0, _total - done) / pace)) : null,
            });
        }
    }

    public void Finish(int stage, int partition)
    {
        lock (_gate)
        {
            var bytes = _plan.Partitions[partition].Bytes;
            if (stage == 0 && bytes > 0 && _running.Remove(partition, out var text) && text > 0)
                _textPerByte = (double)text / bytes;
            _running.Remove(partition);
            _finished += bytes;
        }
    }
}
