using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gradus.Engine.Files;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Models.Families;

namespace Gradus.Cli;

/// <summary>A model folder with more rows in its embeddings, and in its head where that is a matrix of its own.</summary>
internal static class GrownModel
{
    /// <summary>Writes weights and configuration into <paramref name="to"/> and gives the number of rows.</summary>
    /// <param name="from">The model.</param>
    /// <param name="to">The folder being made.</param>
    /// <param name="before">Tokens it had: their rows are what the mean is of.</param>
    /// <param name="tokens">Tokens it has now.</param>
    /// <param name="multiple">Rows are a multiple of this.</param>
    public static long Write(string from, string to, int before, int tokens, int multiple)
    {
        ModelFolder.ReadOptions(from); // a model we know, or one line that says why not
        using var weights = WeightFolder.Open(from);
        var embedding = GlitchTokens.NameIn(weights, from);
        var old = weights.Entry(embedding).Shape[0];
        if (old < before) throw new UserException($"{from}: the tokenizer has {before} tokens, the model only {old} rows; one of the two is another model's");
        var rows = Math.Max(old, tokens);
        rows = checked((rows + multiple - 1) / multiple * multiple);
        var grows = weights.Entries.Keys.Where(name => name == embedding || (name is "lm_head.weight" or "lm_head.bias" && weights.Entry(name).Shape[0] == old)).ToHashSet(StringComparer.Ordinal);
        WeightFolder.Write(to, weights.Entries.Values.Select(entry => grows.Contains(entry.Name)
            ? new TensorContent(entry.Name, entry.DType, [rows, .. entry.Shape[1..]], stream => stream.Write(Grown(weights, entry, before, rows)))
            : new TensorContent(entry.Name, entry.DType, entry.Shape, stream => Copy(weights, entry, stream))), weights.Metadata);

        var config = JsonNode.Parse(File.ReadAllBytes(Path.Combine(from, ConfigFile.Name)))!.AsObject();
        config["vocab_size"] = rows;
        Durable.WriteText(Path.Combine(to, ConfigFile.Name), config.ToJsonString(new JsonSerializerOptions { WriteIndented = true, NewLine = "\n" }) + "\n");
        return rows;
    }

    private static void Copy(WeightFolder weights, TensorEntry entry, Stream stream)
    {
        var buffer = new byte[1 << 22];
        for (long at = 0; at < entry.ByteCount; at += buffer.Length)
        {
            var part = buffer.AsSpan(0, (int)Math.Min(buffer.Length, entry.ByteCount - at));
            weights.Read(entry.Name, at, part);
            stream.Write(part);
        }
    }

    /// <summary>The old tokens' rows as they are; every row behind them, spare ones of the file too, is the mean of those.</summary>
    private static byte[] Grown(WeightFolder weights, TensorEntry entry, int before, long rows)
    {
        var rowBytes = checked((int)(entry.ByteCount / entry.Shape[0]));
        var all = new byte[checked(rows * rowBytes)];
        weights.Read(entry.Name, all.AsSpan(0, (int)entry.ByteCount));
        var floats = GlitchTokens.Floats(entry.DType, all.AsSpan(0, before * rowBytes), entry.Name);
        var width = floats.Length / before;
        var mean = new double[width];
        for (var i = 0; i < floats.Length; i++) mean[i % width] += floats[i];
        var row = new byte[rowBytes];
        for (var j = 0; j < width; j++) Put(entry.DType, row.AsSpan(j * entry.DType.ByteSize), mean[j] / before);
        for (long i = before; i < rows; i++) row.CopyTo(all.AsSpan(checked((int)(i * rowBytes))));
        return all;
    }

    private static void Put(DType type, Span<byte> to, double value)
    {
        switch (type)
        {
            case DType.Float32: BinaryPrimitives.WriteSingleLittleEndian(to, (float)value); break;
            case DType.Float64: BinaryPrimitives.WriteDoubleLittleEndian(to, value); break;
            case DType.Float16: BinaryPrimitives.WriteHalfLittleEndian(to, (Half)value); break;
            default:
                var bits = BitConverter.SingleToUInt32Bits((float)value); // bfloat16: the upper half, rounded to even
                BinaryPrimitives.WriteUInt16LittleEndian(to, (ushort)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16));
                break;
        }
    }
}
