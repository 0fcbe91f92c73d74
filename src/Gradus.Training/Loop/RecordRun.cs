using System.Buffers.Binary;
using System.Security.Cryptography;
using Gradus.Inference.Tasks;
using Gradus.Models.Nn;
using Gradus.Text.Data;
using Gradus.Text.Data.Records;
using Gradus.Text.Data.Rows;

namespace Gradus.Training.Loop;

/// <summary>Records as rows for the loop: those of a task, or conversations.</summary>
internal abstract class RecordRun
{
    /// <summary>Rows to learn from.</summary>
    public abstract IBatchSource Train { get; }

    /// <summary>Rows to validate on, in order; null: none.</summary>
    public abstract IBatchSource? Held { get; }

    /// <summary>SHA-256 of what is learned from.</summary>
    public abstract string Key { get; }

    /// <summary>What is learned from, for the report.</summary>
    public abstract string Description { get; }

    /// <summary>Where the recipe says how long a row may be.</summary>
    public abstract string LengthKey { get; }

    /// <summary>What the preflight says of the records.</summary>
    public List<Finding> Findings { get; } = [];

    /// <summary>What a model is judged by, the deciding score first; empty: by the loss.</summary>
    public virtual IReadOnlyList<TaskScore> Score(ILanguageModel model, int rowsAtOnce) => [];

    /// <summary>Measures before the first step, into <c>evaluation.json</c>.</summary>
    public abstract void MeasureBefore(RunSetup setup, string folder);

    /// <summary>Measures the exported weights, and returns what the report says of them.</summary>
    public abstract string MeasureAfter(RunSetup setup, string folder);

    /// <summary>Puts beside the exported model what it needs to be used as it was trained.</summary>
    public virtual void Export(string folder)
    {
    }

    /// <summary>Finds held-out records that are learned from as well.</summary>
    /// <param name="train">Learned from.</param>
    /// <param name="held">Held out.</param>
    /// <param name="name">What they are held out for.</param>
    /// <param name="level">What it means: short labelled texts meet by chance, conversations do not.</param>
    protected void FindLeaks(List<DataRecord> train, List<DataRecord> held, string name, FindingLevel level)
    {
        if (held.Count == 0) return;
        var known = train.Select(record => record.SplitKey).ToHashSet(StringComparer.Ordinal);
        var leaks = held.Where(record => known.Contains(record.SplitKey)).ToList();
        Findings.Add(leaks.Count == 0 ? new(Finding.Leaks, FindingLevel.Ok, FormattableString.Invariant($"none of {held.Count:N0} {name} records is among the training records"))
            : new(Finding.Leaks, level, FormattableString.Invariant($"{leaks[0].Place}: this {name} record is among the training records as well{(leaks.Count > 1 ? FormattableString.Invariant($", and {leaks.Count - 1:N0} more of {held.Count:N0} are") : "")}; take it out, or let records.validation_share divide them")));
    }

    protected static string Hash(IReadOnlyList<EncodedRow> rows)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> bytes = stackalloc byte[4];
        foreach (var row in rows)
        {
            Add(row.Ids.Length, hash, bytes);
            foreach (var id in row.Ids) Add(id, hash, bytes);
            foreach (var target in row.Targets) Add(target, hash, bytes);
            foreach (var weight in row.Weights ?? []) Add(BitConverter.SingleToInt32Bits(weight), hash, bytes);
            Add(BitConverter.SingleToInt32Bits(row.Weight), hash, bytes);
            Add(BitConverter.SingleToInt32Bits(row.Value ?? 0), hash, bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());

        static void Add(int value, IncrementalHash hash, Span<byte> bytes)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
            hash.AppendData(bytes);
        }
    }
}
