using System.Security.Cryptography;
using System.Text;
using Gradus.Engine.Tensors;
using Gradus.Models.Nn;

namespace Gradus.Training.Loop;

/// <summary>What of a model does not train: hashed before a run and after it, to show that not a bit of it moved.</summary>
public static class FrozenWeights
{
    private const long Piece = 64L << 20; // bytes at a time

    /// <summary>SHA-256 over names and bytes, packed weights as they are packed; null when everything trains.</summary>
    public static string? Hash(ILanguageModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        using var off = Grad.Off();
        var (hash, any) = (IncrementalHash.CreateHash(HashAlgorithmName.SHA256), false);
        using (hash)
        {
            foreach (var (name, value) in Of(model))
            {
                any = true;
                hash.AppendData(Encoding.UTF8.GetBytes(name));
                Add(hash, value);
            }
            return any ? Convert.ToHexStringLower(hash.GetHashAndReset()) : null;
        }
    }

    /// <summary>SHA-256 over the bytes of one tensor.</summary>
    internal static string Hash(Tensor value)
    {
        using var off = Grad.Off();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(hash, value);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>What does not train, packed weights as they are packed.</summary>
    internal static IEnumerable<(string Name, Tensor Value)> Of(ILanguageModel model) =>
        model.Parameters.Where(p => !p.Trainable).Select(p => (p.Name, p.Value)).Concat(model.Linears.Select(l => l.Weight).OfType<PackedWeight>().SelectMany(w => w.Stored));

    private static void Add(IncrementalHash hash, Tensor value)
    {
        using var scope = Tensor.Scope();
        var flat = value.Detach().Contiguous().View(-1);
        var (elements, size) = (flat.Size(0), value.DType.ByteSize);
        for (var from = 0L; from < elements; from += Piece / size)
        {
            using var inner = Tensor.Scope();
            hash.AppendData(flat.Narrow(0, from, Math.Min(elements - from, Piece / size)).To(Device.Cpu).Span<byte>());
        }
    }
}
