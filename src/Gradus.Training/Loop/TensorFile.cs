using Gradus.Engine.Files;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;

namespace Gradus.Training.Loop;

/// <summary>Named tensors to and from safetensors, whatever their size and device.</summary>
internal static class TensorFile
{
    private const long Piece = 64L << 20; // bytes at a time: a tensor may be longer than a span

    public static void Write(string path, IEnumerable<(string Name, Tensor Value)> tensors) =>
        SafetensorsWriter.Write(path, tensors.Select(t => new TensorContent(t.Name, t.Value.DType, t.Value.Shape, stream => Write(stream, t.Value))));

    /// <summary>Holds a file against the tensors that are to be filled from it. Nothing is read yet.</summary>
    /// <exception cref="UserException">A tensor too many, too few, or of another shape or type.</exception>
    public static void Check(SafetensorsFile file, IReadOnlyList<(string Name, Tensor Value)> tensors)
    {
        foreach (var (name, value) in tensors)
        {
            var entry = file.Entry(name);
            if (entry.DType != value.DType || !entry.Shape.AsSpan().SequenceEqual(value.Shape))
                throw new UserException($"{file.Path}: {name} is {entry.DType.Name} {string.Join('x', entry.Shape)}, the run has {value.Describe()}");
        }
        if (file.Entries.Count != tensors.Count)
            throw new UserException($"{file.Path}: holds {file.Entries.Count} tensors, the run has {tensors.Count}; one too many is {file.Entries.Keys.First(n => tensors.All(t => t.Name != n))}");
    }

    public static void Read(SafetensorsFile file, string name, Tensor into)
    {
        using var off = Grad.Off();
        using var scope = Tensor.Scope();
        var flat = into.Detach().View(-1);
        var (elements, size) = (into.Elements, into.DType.ByteSize);
        for (var from = 0L; from < elements;)
        {
            using var inner = Tensor.Scope();
            var count = Math.Min(elements - from, Piece / size);
            var piece = Tensor.Empty(into.DType, Device.Cpu, count);
            file.Read(name, from * size, piece.Span<byte>());
            flat.Narrow(0, from, count).CopyFrom(piece); // a copy, not a write behind libtorch's back: the version must rise
            from += count;
        }
    }

    private static void Write(Stream stream, Tensor value)
    {
        using var off = Grad.Off();
        using var scope = Tensor.Scope();
        var flat = value.Detach().Contiguous().View(-1);
        var (elements, size) = (value.Elements, value.DType.ByteSize);
        for (var from = 0L; from < elements;)
        {
            using var inner = Tensor.Scope();
            var count = Math.Min(elements - from, Piece / size);
            stream.Write(flat.Narrow(0, from, count).To(Device.Cpu).Span<byte>());
            from += count;
        }
    }
}
