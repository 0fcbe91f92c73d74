using System.Buffers.Binary;
using System.Globalization;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Models.Nn;
using Microsoft.Win32.SafeHandles;

namespace Gradus.Models.Families.Llama;

/// <summary>
/// A model of llama2.c in its first format: seven int32 (dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size, seq_len), then
/// float32 weights, each kind of all layers together. A negative vocab_size says that the head has weights of its own.
/// </summary>
/// <remarks>
/// Its rotary positions turn neighbours (2i, 2i + 1); ours, as Hugging Face's, turn (i, i + H / 2). The rows of the query and key
/// weights are put in that order while reading, which changes no attention score.
/// </remarks>
public sealed class Llama2cFile : WeightSource, IDisposable
{
    private const int HeaderBytes = 28;
    private const int NewFormat = 0x616b3432; // "ak42": the later, versioned formats

    private readonly string _path;
    private readonly SafeFileHandle _handle;
    private readonly DType _type;
    private readonly Device _device;
    private readonly Dictionary<string, (long Offset, bool Turned)> _places = new(StringComparer.Ordinal);

    private Llama2cFile(string path, SafeFileHandle handle, DType type, Device device)
    {
        (_path, _handle, _type, _device) = (path, handle, type, device);
        Span<byte> header = stackalloc byte[HeaderBytes];
        var length = RandomAccess.GetLength(handle);
        if (length < HeaderBytes || RandomAccess.Read(handle, header, 0) != HeaderBytes) throw Bad($"{length} bytes are too few for a llama2.c model");
        var numbers = new int[7];
        for (var i = 0; i < numbers.Length; i++) numbers[i] = BinaryPrimitives.ReadInt32LittleEndian(header[(4 * i)..]);
        if (numbers[0] == NewFormat) throw Bad($"llama2.c format version {numbers[1]}; only the first format (export.py --version 0) is read");
        Options = OptionsOf(numbers);
        try
        {
            var expected = Place();
            if (expected != length) throw Bad(string.Create(CultureInfo.InvariantCulture, $"a model of dim {numbers[0]}, hidden_dim {numbers[1]}, {numbers[2]} layers, vocab_size {numbers[5]} and seq_len {numbers[6]} takes {expected} bytes; the file has {length}"));
        }
        catch (OverflowException e)
        {
            throw Bad($"not a llama2.c model: its header ({string.Join(", ", numbers)}) describes more weights than a file can hold", e);
        }
    }

    /// <summary>The shape the header describes.</summary>
    public LlamaOptions Options { get; }

    /// <summary>Opens a file and checks header and size. It stays open until disposed; build the model before.</summary>
    /// <exception cref="UserException">No such file, or not a model of this format.</exception>
    public static Llama2cFile Open(string path, DType type = DType.Float32, Device device = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        SafeFileHandle handle;
        try
        {
            handle = File.OpenHandle(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException($"{path}: {(e is FileNotFoundException or DirectoryNotFoundException ? "no such file" : e.Message)}", e);
        }
        try
        {
            return new Llama2cFile(path, handle, type, device);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    public void Dispose() => _handle.Dispose();

    protected internal override Tensor Make(string name, long[] shape, Init init)
    {
        var (offset, turned) = _places[name];
        return Tensor.Scoped(() =>
        {
            var value = Tensor.Empty(DType.Float32, Device.Cpu, shape);
            var flat = value.View(-1);
            const int piece = 1 << 27;
            for (long at = 0, count = flat.Size(0); at < count; at += piece)
                ReadFull(offset + 4 * at, flat.Narrow(0, at, Math.Min(piece, count - at)).Span<byte>());
            if (turned) value = value.View(-1, Options.HeadWidth / 2, 2, shape[1]).Transpose(1, 2).Reshape(shape);
            return value.To(_type).To(_device);
        });
    }

    private void ReadFull(long offset, Span<byte> into)
    {
        while (into.Length > 0)
        {
            var got = RandomAccess.Read(_handle, into, offset);
            if (got == 0) throw Bad("the file became shorter while it was read");
            offset += got;
            into = into[got..];
        }
    }

    private LlamaOptions OptionsOf(int[] numbers)
    {
        string[] names = ["dim", "hidden_dim", "n_layers", "n_heads", "n_kv_heads", "vocab_size", "seq_len"];
        int[] most = [1 << 20, 1 << 22, 4096, 1 << 16, 1 << 16, 1 << 24, 1 << 24];
        for (var i = 0; i < names.Length; i++)
            if (numbers[i] is int.MinValue || (i == 5 ? Math.Abs(numbers[i]) : numbers[i]) is var n && (n < 1 || n > most[i]))
                throw Bad($"not a llama2.c model: its header has {names[i]} {numbers[i]}; 1 to {most[i]} is possible");
        var options = new LlamaOptions
        {
            HiddenSize = numbers[0], IntermediateSize = numbers[1], NumHiddenLayers = numbers[2], NumAttentionHeads = numbers[3], NumKeyValueHeads = numbers[4],
            VocabSize = Math.Abs(numbers[5]), MaxPositionEmbeddings = numbers[6], TieWordEmbeddings = numbers[5] > 0, RmsNormEps = 1e-5, RopeTheta = 10000,
            // Stories are separated by BOS, at which run.c stops.
            BosTokenId = 1, EosTokenId = [1, 2],
        };
        if (Math.Abs(numbers[5]) <= 2) options = options with { BosTokenId = null, EosTokenId = [] };
        return options.Problems().FirstOrDefault() is { Key: not null } problem ? throw Bad($"{problem.Key}: {problem.Message}") : options;
    }

    // Where each weight lies, and where the file ends.
    private long Place()
    {
        var (o, at) = (Options, (long)HeaderBytes);
        long dim = o.HiddenSize, heads = (long)o.NumAttentionHeads * o.HeadWidth, keys = (long)o.KeyValueHeads * o.HeadWidth, inner = o.IntermediateSize, vocab = o.VocabSize!.Value;
        One("model.embed_tokens.weight", vocab * dim);
        Layers("input_layernorm", dim);
        Layers("self_attn.q_proj", heads * dim, turned: true);
        Layers("self_attn.k_proj", keys * dim, turned: true);
        Layers("self_attn.v_proj", keys * dim);
        Layers("self_attn.o_proj", dim * heads);
        Layers("post_attention_layernorm", dim);
        Layers("mlp.gate_proj", inner * dim);
        Layers("mlp.down_proj", dim * inner);
        Layers("mlp.up_proj", inner * dim);
        One("model.norm.weight", dim);
        at = checked(at + 4L * o.MaxPositionEmbeddings * o.HeadWidth); // cosines and sines of the rotary positions, which we compute
        if (!o.TieWordEmbeddings) One("lm_head.weight", vocab * dim);
        return at;

        void One(string name, long elements, bool turned = false)
        {
            _places[name] = (at, turned);
            at = checked(at + 4 * elements);
        }

        void Layers(string name, long elements, bool turned = false)
        {
            for (var i = 0; i < o.NumHiddenLayers; i++) One(string.Create(CultureInfo.InvariantCulture, $"model.layers.{i}.{name}.weight"), elements, turned);
        }
    }

    private UserException Bad(string message, Exception? inner = null) => new($"{_path}: {message}", inner);
}
