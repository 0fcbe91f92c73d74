using System.Text.RegularExpressions;
using Gradus.Engine.Files;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;

namespace Gradus.Models.Nn;

/// <summary>
/// Weights of a Hugging Face folder. Values are converted to the master type. Whatever the file lacks, has too much or has in
/// another shape is gathered and said in one error, with both sides' shapes.
/// </summary>
/// <param name="folder">The open files; the caller closes them.</param>
/// <param name="type">Type of the master weights.</param>
/// <param name="device">Where they go.</param>
/// <param name="prefix">A first name that some files leave out: <c>transformer.</c>.</param>
/// <param name="ignored">Pattern of tensors that are not weights: masks and tables that old files carry.</param>
/// <param name="tied">A tensor that may be there as a copy of another, because the model ties the two: (copy, original).</param>
/// <param name="shapesOnly">Compare names and shapes, read nothing.</param>
public sealed class FolderWeights(WeightFolder folder, DType type = DType.Float32, Device device = default, string prefix = "", Regex? ignored = null,
    (string Copy, string Original)? tied = null, bool shapesOnly = false) : WeightSource
{
    private const int Listed = 6;
    private readonly List<string> _missing = [], _misshapen = [];
    private readonly HashSet<string> _used = new(StringComparer.Ordinal);

    /// <summary>A part of the model that does not come from the file; null: all of it does.</summary>
    internal FreshPart? Replaced { get; init; }

    protected internal override Tensor Make(string name, long[] shape, Init init)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(shape);
        if (Replaced is { } part && part.Names.IsMatch(name) && !(part.Kept?.IsMatch(name) == true && Find(name) is { } kept && kept.Shape.AsSpan().SequenceEqual(shape)))
            return shapesOnly || _missing.Count + _misshapen.Count > 0 ? ShapeOnly(shape) : new FreshWeights(part.Seed, type, device).Make(name, shape, init);
        if (Find(name) is not { } entry)
        {
            _missing.Add($"{name} [{string.Join(", ", shape)}]");
            return ShapeOnly(shape);
        }
        _used.Add(entry.Name);
        if (!entry.Shape.AsSpan().SequenceEqual(shape))
        {
            _misshapen.Add($"{name} is [{string.Join(", ", entry.Shape)}] in the file and [{string.Join(", ", shape)}] in the model");
            return ShapeOnly(shape);
        }
        // Nothing is allocated for a file that does not fit.
        if (shapesOnly || _missing.Count + _misshapen.Count > 0) return ShapeOnly(shape);
        return Read(folder, entry, type).To(device);
    }

    /// <summary>One tensor of a file, converted.</summary>
    public static Tensor Read(WeightFolder folder, TensorEntry entry, DType type)
    {
        ArgumentNullException.ThrowIfNull(folder);
        ArgumentNullException.ThrowIfNull(entry);
        if (!entry.DType.IsFloating) throw new UserException($"{entry.File}: tensor '{entry.Name}': {entry.DType.Name} is not a type of weights; float32, float16, bfloat16 or float64 is");
        return Tensor.Scoped(() =>
        {
            var stored = Tensor.Empty(entry.DType, Device.Cpu, entry.Shape);
            var (flat, width) = (stored.View(-1), entry.DType.ByteSize);
            const int piece = 1 << 27; // elements: a span holds less than 2^31 bytes
            for (long at = 0; at < entry.Count; at += piece)
                folder.Read(entry.Name, at * width, flat.Narrow(0, at, Math.Min(piece, entry.Count - at)).Span<byte>());
            return stored.To(type);
        });
    }

    protected internal override void Complete(IReadOnlyList<Parameter> asked)
    {
        List<string> problems = [.. _misshapen.Take(Listed)];
        if (_misshapen.Count > Listed) problems.Add($"and {_misshapen.Count - Listed} more in other shapes");
        if (_missing.Count > 0) problems.Add($"missing: {List(_missing)}");
        if (tied is { } pair && folder.Entries.TryGetValue(pair.Copy, out var copy) && Find(pair.Original) is { } original)
        {
            _used.Add(copy.Name);
            if (!shapesOnly && !SameBytes(copy, original)) problems.Add($"{copy.Name} differs from {original.Name}, but the configuration ties them (tie_word_embeddings)");
        }
        var extra = folder.Entries.Values.Where(entry => !_used.Contains(entry.Name) && ignored?.IsMatch(entry.Name) != true && Replaced?.Names.IsMatch(entry.Name) != true)
            .OrderBy(entry => entry.Name, StringComparer.Ordinal).Select(entry => $"{entry.Name} [{string.Join(", ", entry.Shape)}]").ToList();
        if (extra.Count > 0) problems.Add($"not in the model: {List(extra)}");
        if (problems.Count > 0) throw new UserException($"{folder.Path}: the weights are not those of the model: {string.Join("; ", problems)}");
    }

    private TensorEntry? Find(string name)
    {
        if (folder.Entries.TryGetValue(name, out var entry)) return entry;
        if (prefix.Length > 0 && name.StartsWith(prefix, StringComparison.Ordinal) && folder.Entries.TryGetValue(name[prefix.Length..], out entry)) return entry;
        return OldName(name) is { } old ? Find(old) : null;
    }

    // The first BERT checkpoints keep TensorFlow's names of a norm's gain and bias.
    private static string? OldName(string name) =>
        name.EndsWith(".LayerNorm.weight", StringComparison.Ordinal) ? name[..^"weight".Length] + "gamma"
        : name.EndsWith(".LayerNorm.bias", StringComparison.Ordinal) ? name[..^"bias".Length] + "beta" : null;

    private bool SameBytes(TensorEntry a, TensorEntry b)
    {
        if (a.StoredType != b.StoredType || !a.Shape.AsSpan().SequenceEqual(b.Shape)) return false;
        var (x, y) = (new byte[1 << 20], new byte[1 << 20]);
        for (long at = 0; at < a.ByteCount; at += x.Length)
        {
            var length = (int)Math.Min(x.Length, a.ByteCount - at);
            folder.Read(a.Name, at, x.AsSpan(0, length));
            folder.Read(b.Name, at, y.AsSpan(0, length));
            if (!x.AsSpan(0, length).SequenceEqual(y.AsSpan(0, length))) return false;
        }
        return true;
    }

    private static string List(List<string> items) => string.Join(", ", items.Take(Listed)) + (items.Count > Listed ? $" and {items.Count - Listed} more" : "");
}

/// <summary>The part of a model that is made fresh while the rest is read: an output layer for another purpose.</summary>
/// <param name="Names">Its tensors, in the model and in the file; the file's are left alone.</param>
/// <param name="Kept">Of those, the ones that are read all the same where the file has them in the right shape.</param>
/// <param name="Seed">Of the fresh ones.</param>
internal sealed record FreshPart(Regex Names, Regex? Kept, ulong Seed);
