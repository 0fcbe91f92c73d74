using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;
using Gradus.Models.Nn;

namespace Gradus.Tests.Training;

/// <summary>The smallest network with everything the trainer meets: embedding, causal attention, dropout, biases, a checkpointed block, an untied head.</summary>
internal sealed class TinyLanguageModel : ILanguageModel
{
    private readonly List<Parameter> _parameters = [];
    private readonly Parameter _embed, _positions;
    private readonly Linear _query, _key, _value, _up, _down;
    private readonly double _dropout;

    public TinyLanguageModel(int vocab = 17, int width = 16, int positions = 32, double dropout = 0, long seed = 1)
    {
        (VocabSize, MaxPositions, _dropout) = (vocab, positions, dropout);
        using var generator = new Generator(seed);
        _embed = Make(generator, "embed.weight", 0.1, vocab, width);
        _positions = Make(generator, "positions.weight", 0.1, positions, width);
        (_query, _key, _value) = (Dense(generator, "layers.0.q", width, width), Dense(generator, "layers.0.k", width, width), Dense(generator, "layers.0.v", width, width));
        (_up, _down) = (Dense(generator, "layers.0.up", width, 2 * width), Dense(generator, "layers.0.down", 2 * width, width));
        Head = new Linear("head", new DenseWeight(Make(generator, "head.weight", 0.1, vocab, width)));
    }

    public IReadOnlyList<Parameter> Parameters => _parameters;
    public int VocabSize { get; }
    public int MaxPositions { get; }
    public Linear Head { get; }

    public Tensor Hidden(Tensor ids, in Step step)
    {
        var places = step.Positions ?? Tensor.Arange(ids.Size(1));
        var x = F.Embedding(_embed.Value, ids) + F.Embedding(_positions.Value, places);
        var (documents, training) = (step.Documents, step.Training);
        return step.Run(x, h =>
        {
            Tensor Heads(Linear linear) => linear.Forward(h).To(DType.Float32).Unsqueeze(2);
            h = h + F.Attention(Heads(_query), Heads(_key), Heads(_value), causal: true, documents).Squeeze(2);
            return h + F.Dropout(_down.Forward(_up.Forward(h).Gelu()), training ? _dropout : 0);
        });
    }

    public KvCache NewCache(int batch, int capacity) => throw new NotSupportedException();

    public void Dispose()
    {
        foreach (var parameter in _parameters) parameter.Dispose();
    }

    /// <summary>All weights, for bitwise comparison.</summary>
    public float[] Weights() => [.. _parameters.SelectMany(p => p.Value.ToArray<float>())];

    /// <summary>All gradients, in the order of the parameters.</summary>
    public float[] Gradients()
    {
        using var scope = Tensor.Scope();
        return [.. _parameters.SelectMany(p => p.Value.Gradient!.ToArray<float>())];
    }

    private Linear Dense(Generator generator, string name, int fanIn, int fanOut) =>
        new(name, new DenseWeight(Make(generator, name + ".weight", 0.1, fanOut, fanIn)), Make(generator, name + ".bias", 0.01, fanOut));

    private Parameter Make(Generator generator, string name, double std, params long[] shape)
    {
        var parameter = new Parameter(name, Tensor.Normal(generator, 0, std, shape));
        _parameters.Add(parameter);
        return parameter;
    }
}
