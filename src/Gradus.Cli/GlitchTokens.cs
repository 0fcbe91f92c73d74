using System.Buffers.Binary;
using Gradus.Engine.Files;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;

namespace Gradus.Cli;

/// <summary>
/// Tokens a model never learnt. Training moves the rows it sees; a row it never saw keeps its first length, or shrinks under weight decay,
/// and stands out by its length or by its distance to the mean of all rows (the signs that Land and Bartolo, 2024, found to work best).
/// </summary>
internal static class GlitchTokens
{
    // In robust standard deviations. 6 is beyond what 100,000 rows of one normal distribution show by chance.
    private const double Threshold = 6;
    private static readonly string[] s_names = ["embed_tokens.weight", "wte.weight", "word_embeddings.weight", "tok_embeddings.weight"];

    internal readonly record struct Found(int Id, double Norm, double Distance, double Score);

    /// <summary>The outliers among the first <paramref name="tokens"/> rows, the furthest first; with counts only those never seen.</summary>
    public static List<Found> Find(ReadOnlySpan<float> rows, int width, int tokens, long[]? counts)
    {
        var mean = new double[width];
        for (var i = 0; i < tokens; i++)
            for (var j = 0; j < width; j++)
                mean[j] += rows[(i * width) + j] / (double)tokens;
        var (norms, distances) = (new double[tokens], new double[tokens]);
        for (var i = 0; i < tokens; i++)
        {
            var (norm, distance) = (0.0, 0.0);
            for (var j = 0; j < width; j++)
            {
                double x = rows[(i * width) + j];
                norm += x * x;
                distance += (x - mean[j]) * (x - mean[j]);
            }
            (norms[i], distances[i]) = (Math.Sqrt(norm), Math.Sqrt(distance));
        }

        var (normScale, distanceScale) = (Scale(norms), Scale(distances));
        var found = new List<Found>();
        for (var i = 0; i < tokens; i++)
        {
            var score = Math.Max(Math.Abs(norms[i] - normScale.Middle) / normScale.Deviation, Math.Abs(distances[i] - distanceScale.Middle) / distanceScale.Deviation);
            if (score >= Threshold && (counts is null || counts[i] == 0)) found.Add(new(i, norms[i], distances[i], score));
        }
        found.Sort((a, b) => b.Score != a.Score ? b.Score.CompareTo(a.Score) : a.Id.CompareTo(b.Id));
        return found;
    }

    /// <summary>The embedding matrix of a model folder as float32.</summary>
    public static (float[] Rows, int Width) Embeddings(string model)
    {
        using var weights = WeightFolder.Open(model);
        var name = NameIn(weights, model);
        var entry = weights.Entry(name);
        var bytes = new byte[entry.ByteCount];
        weights.Read(name, bytes);
        return (Floats(entry.DType, bytes, name), (int)entry.Shape[1]);
    }

    internal static string NameIn(WeightFolder weights, string model) =>
        weights.Entries.Keys.FirstOrDefault(key => s_names.Any(end => key == end || key.EndsWith("." + end, StringComparison.Ordinal)) && weights.Entries[key].Shape.Length == 2)
        ?? throw new UserException($"{model}: holds no embedding matrix ({string.Join(", ", s_names)})");

    internal static float[] Floats(DType type, ReadOnlySpan<byte> bytes, string name)
    {
        var floats = new float[bytes.Length / type.ByteSize];
        for (var i = 0; i < floats.Length; i++)
            floats[i] = type switch
            {
                DType.Float32 => BinaryPrimitives.ReadSingleLittleEndian(bytes[(i * 4)..]),
                DType.Float16 => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes[(i * 2)..]),
                DType.BFloat16 => BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadUInt16LittleEndian(bytes[(i * 2)..]) << 16),
                DType.Float64 => (float)BinaryPrimitives.ReadDoubleLittleEndian(bytes[(i * 8)..]),
                _ => throw new UserException($"{name}: is {type.Name}; a matrix of floats is needed"),
            };
        return floats;
    }

    // Median and median absolute deviation: what is looked for must not decide what is normal.
    private static (double Middle, double Deviation) Scale(double[] values)
    {
        var middle = Median(values);
        var spread = Median([.. values.Select(v => Math.Abs(v - middle))]) * 1.4826;
        return (middle, Math.Max(spread, Math.Max(middle * 1e-3, 1e-12)));
    }

    private static double Median(double[] values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
    }
}
