using Gradus.Engine.Ops;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;

namespace Gradus.Models.Nn;

/// <summary>Elementwise non-linearities under the names that <c>config.json</c> uses.</summary>
public static class Activation
{
    private static readonly SortedDictionary<string, Func<Tensor, Tensor>> s_byName = new(StringComparer.Ordinal)
    {
        ["gelu"] = x => F.Gelu(x),
        ["gelu_new"] = x => F.Gelu(x, tanh: true), // GPT-2's own; the later names are the same formula
        ["gelu_fast"] = x => F.Gelu(x, tanh: true),
        ["gelu_pytorch_tanh"] = x => F.Gelu(x, tanh: true),
        ["relu"] = x => x.Relu(),
        ["sigmoid"] = x => x.Sigmoid(),
        ["silu"] = x => x.Silu(),
        ["swish"] = x => x.Silu(),
        ["tanh"] = x => x.Tanh(),
    };

    public static IReadOnlyCollection<string> Names => s_byName.Keys;

    /// <summary>The function of that name.</summary>
    /// <exception cref="UserException">There is none; the message names the nearest.</exception>
    public static Func<Tensor, Tensor> Of(string name) => Problem(name) is { } problem ? throw new UserException(problem) : s_byName[name];

    /// <summary>For validation: null, or why the name is none.</summary>
    internal static string? Problem(string name) => s_byName.ContainsKey(name) ? null : $"'{name}' is not an activation{NearestName.Hint(name, s_byName.Keys)}";
}
