using System.IO.Enumeration;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Kernels;
using Gradus.Foundation.Recipes;
using Gradus.Models.Nn;

namespace Gradus.Training.Optim;

/// <summary>
/// Momentum orthogonalised by polynomials (Jordan et al., 2024; the best ones for each step, as Amsel et al., 2025, have shown) for the matrices inside the
/// network, AdamW for the rest. Updates are scaled to
/// AdamW's usual size (Liu et al., 2025), so one learning rate and one decay serve both. Learns more from few tokens than AdamW does.
/// </summary>
[Component("muon")]
public sealed record MuonOptions : OptimizerOptions
{
    public MuonOptions() => WeightDecay = 0.01;

    /// <summary>Share of the last direction kept, with Nesterov's look-ahead.</summary>
    [AtLeast(0), Below(1)]
    public double Momentum { get; init; } = 0.95;

    /// <summary>Polynomials that orthogonalise, one after the other: more reach smaller singular values.</summary>
    [AtLeast(1), AtMost(8)]
    public int Iterations { get; init; } = 3;

    /// <summary>Names of parameters that AdamW moves although they are matrices: tables of embeddings and heads.</summary>
    public IReadOnlyList<string> AdamFor { get; init; } = ["*embed*", "*wte*", "*wpe*", "*lm_head*"];

    /// <summary>AdamW's memory of the mean.</summary>
    [AtLeast(0), Below(1)]
    public double Beta1 { get; init; } = 0.9;

    /// <summary>AdamW's memory of the mean square.</summary>
    [AtLeast(0), Below(1)]
    public double Beta2 { get; init; } = 0.95;

    /// <summary>AdamW's term against division by zero.</summary>
    [Above(0), AtMost(1)]
    public double Eps { get; init; } = 1e-8;

    public override Optimizer Build(IReadOnlyList<Parameter> parameters) => new Muon(parameters, this);

    internal bool IsOrthogonalised(Parameter parameter) =>
        parameter.Value.Dims == 2 && !AdamFor.Any(pattern => FileSystemName.MatchesSimpleExpression(pattern, parameter.Name, ignoreCase: false));
}

internal sealed class Muon(IReadOnlyList<Parameter> parameters, MuonOptions o) : Optimizer(parameters, "exp_avg", "exp_avg_sq")
{
    // RMS of an update of AdamW, as measured by Liu et al.; an orthogonal n × m matrix has RMS 1 / sqrt(max(n, m)).
    private const double AdamRms = 0.2;

    // Matrices of one shape are orthogonalised together, up to this many elements: small products are too short to keep several threads busy.
    private const long MostElements = 1 << 23;

    private readonly IReadOnlyList<OrthogonalStep> _steps = OrthogonalStep.Best(o.Iterations);

    protected override void UpdateAll(IReadOnlyList<(Parameter Parameter, Tensor Gradient, Tensor[] Slots)> entries, double rate, double gradientScale)
    {
        base.UpdateAll([.. entries.Where(e => !o.IsOrthogonalised(e.Parameter))], rate, gradientScale);
        foreach (var alike in entries.Where(e => o.IsOrthogonalised(e.Parameter)).GroupBy(e => Wide(e.Gradient).Shape.Aggregate("", (name, size) => $"{name} {size}")))
            foreach (var some in alike.Chunk((int)Math.Max(1, MostElements / alike.First().Gradient.Elements)))
            {
                using var scope = Tensor.Scope();
                var directions = Orthogonalised(Tensor.Stack([.. some.Select(e => Wide(Look(e.Gradient, e.Slots[0], gradientScale)))], 0), _steps);
                for (var i = 0; i < some.Length; i++)
                {
                    var (value, direction) = (some[i].Parameter.Value, directions.Select(0, i));
                    var own = rate * some[i].Parameter.RateScale;
                    if (o.DecayOf(some[i].Parameter) is > 0 and var decay) value.MulInPlace(1 - own * decay);
                    var scale = AdamRms * Math.Sqrt(Math.Max(value.Size(0), value.Size(1)));
                    value.AddInPlace((IsTall(value) ? direction.T() : direction).To(value.DType), -own * scale);
                }
            }
    }

    protected override void Update(Parameter parameter, Tensor gradient, ReadOnlySpan<Tensor> slots, double rate, double gradientScale) =>
        AdamUpdate.Run(parameter, gradient, slots, new AdamWStep
        {
            LearningRate = rate, Beta1 = o.Beta1, Beta2 = o.Beta2, Epsilon = o.Eps, WeightDecay = o.DecayOf(parameter), Step = Steps - parameter.Since, GradientScale = gradientScale, Decoupled = true,
        });

    /// <summary>Moves the momentum and gives the gradient as Nesterov sees it; writes into the gradient.</summary>
    private Tensor Look(Tensor gradient, Tensor momentum, double gradientScale)
    {
        if (gradientScale != 1) gradient.MulInPlace(gradientScale);
        momentum.LerpInPlace(gradient, 1 - o.Momentum);
        gradient.LerpInPlace(momentum, o.Momentum);
        return gradient;
    }

    private static bool IsTall(Tensor matrix) => matrix.Size(0) > matrix.Size(1);

    private static Tensor Wide(Tensor matrix) => IsTall(matrix) ? matrix.T() : matrix;

    /// <summary>
    /// U Vᵀ of the singular value decomposition of each of [n, rows, columns] matrices with rows ≤ columns, roughly: odd quintics
    /// x → a x + b x³ + c x⁵ bring every singular value near 1, which is all the method needs; in bfloat16, as published, where that is the faster type.
    /// </summary>
    internal static Tensor Orthogonalised(Tensor gradients, IReadOnlyList<OrthogonalStep> steps)
    {
        var x = (gradients / (gradients.Pow(2).Sum([1, 2], keepDim: true).Sqrt() + 1e-12)).To(gradients.Device.IsCpu && !Bf16.HasProducts ? DType.Float32 : DType.BFloat16);
        var square = x.MatMul(x.Transpose(1, 2));
        // ‖XXᵀ‖ bounds the largest singular value's square, far closer than ‖X‖² does: for n equal values √n times. The margin is for bfloat16.
        var bound = square.To(DType.Float32).Pow(2).Sum([1, 2], keepDim: true).Sqrt() * 1.02 + 1e-12;
        (x, square) = (x / bound.Sqrt().To(x.DType), square / bound.To(x.DType));
        for (var i = 0; i < steps.Count; i++)
        {
            if (i > 0) square = x.MatMul(x.Transpose(1, 2));
            var (a, b, c) = steps[i];
            x = (x * a).Add((square * b).Add(square.MatMul(square), c).MatMul(x));
        }
        return x;
    }
}
