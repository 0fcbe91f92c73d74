using System.Globalization;
using System.IO.Enumeration;
using System.Text.RegularExpressions;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;

namespace Gradus.Training.Optim;

/// <summary>
/// The <c>layers</c> section: which parts of a model move, when, and how fast. Parts from below: the embeddings, the blocks, then what
/// comes after them (the last norm and the output layer).
/// </summary>
public sealed partial record LayerOptions
{
    /// <summary>Parameters that stay as they are, by name; * stands for anything: <c>*.embeddings.*</c>.</summary>
    public IReadOnlyList<string> Freeze { get; init; } = [];

    /// <summary>Trains only so many of the last blocks and what comes after them; 0: only the latter. Unset: everything.</summary>
    [AtLeast(0)]
    public int? Last { get; init; }

    /// <summary>A part learns this much of the rate of the part above it (discriminative fine-tuning; Howard and Ruder, 2018, have 1 / 2.6).</summary>
    [Above(0), AtMost(1)]
    public double RateDecay { get; init; } = 1;

    /// <summary>Gradual unfreezing (ibid.): first only the top moves, and after every so many steps one part more. 0: all from the start.</summary>
    [AtLeast(0)]
    public long UnfreezeEvery { get; init; }

    /// <summary>Marks a model's parameters, before its optimiser is made.</summary>
    /// <exception cref="UserException">A pattern that fits no parameter, or nothing left to train.</exception>
    public void Apply(ILanguageModel model)
    {
        ArgumentNullException.ThrowIfNull(model);
        foreach (var pattern in Freeze)
        {
            var hit = model.Parameters.Where(p => FileSystemName.MatchesSimpleExpression(pattern, p.Name, ignoreCase: false)).ToList();
            if (hit.Count == 0) throw new UserException($"layers.freeze: '{pattern}' fits no parameter{NearestName.Hint(pattern, model.Parameters.Select(p => p.Name))}; the first is {model.Parameters[0].Name}");
            foreach (var parameter in hit) parameter.Trainable = false;
        }
        var (parts, top) = Parts(model);
        if (Last > top - 1) throw new UserException($"layers.last: {Last} blocks, but the model has {top - 1}");
        for (var i = 0; i < parts.Length; i++)
        {
            var (parameter, below) = (model.Parameters[i], top - parts[i]);
            if (below > Last) parameter.Trainable = false;
            parameter.RateScale = Math.Pow(RateDecay, below);
            parameter.Since = below * UnfreezeEvery;
        }
        if (!model.Parameters.Any(p => p.Trainable)) throw new UserException("layers: every parameter is frozen; nothing is left to train");
    }

    /// <summary>The part each parameter is in, from 0, and the number of the highest.</summary>
    internal static (int[] Parts, int Top) Parts(ILanguageModel model)
    {
        var blocks = model.Parameters.Select(p => BlockNumber().Match(p.Name) is { Success: true } m ? int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture) : -1).ToArray();
        var (first, top) = (Array.FindIndex(blocks, b => b >= 0), blocks.Max() + 2);
        var tied = model.Head.Weight is DenseWeight head && model.Parameters[0] == head.Parameter;
        return ([.. blocks.Select((block, i) => block >= 0 ? block + 1 : IsHead(model.Parameters[i]) || (first >= 0 && i > first) ? top : 0)], top);

        bool IsHead(Parameter p) => p == model.Head.Bias || (!tied && model.Head.Weight is DenseWeight { Parameter: var weight } && weight == p);
    }

    [GeneratedRegex(@"\.([0-9]{1,6})\.", RegexOptions.CultureInvariant)]
    private static partial Regex BlockNumber();
}
