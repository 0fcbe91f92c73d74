using Gradus.Engine.Tensors;
using Gradus.Models.Nn;
using Gradus.Training.Optim;

namespace Gradus.Tests.Training.Optim;

public class MuonTests
{
    [Theory]
    [InlineData(24, 40)]
    [InlineData(40, 24)]
    public void The_iteration_brings_every_singular_value_near_one_and_keeps_the_directions(int rows, int columns)
    {
        using var scope = Tensor.Scope();
        using var random = new Generator(5);
        var gradient = Tensor.Normal(random, 0, 1, rows, columns);
        var o = Orthogonalised(gradient);
        var (u, s, v) = Svd(o);
        Assert.All(s.ToArray<float>(), value => Assert.InRange(value, 0.6f, 1.3f)); // 0.75 to 1.25, and bfloat16's rounding
        var (gu, gs, gv) = Svd(gradient);
        Assert.True(gs.ToArray<float>()[^1] < 0.5f * gs.ToArray<float>()[0], "the gradient itself is far from orthogonal");
        // The nearest orthogonal matrix, exactly: U Vᵀ.
        var exact = gu.MatMul(gv);
        var cosine = (o * exact).Sum().Item() / (o.Norm().Item() * exact.Norm().Item());
        Assert.True(cosine > 0.97, $"cosine {cosine}");
        _ = (u, v);
    }

    [Theory]
    [InlineData(6, 8)]
    [InlineData(24, 40)]
    [InlineData(128, 128)]
    public void No_singular_value_runs_away_when_products_are_rounded(int rows, int columns)
    {
        for (var seed = 0; seed < 30; seed++)
        {
            using var scope = Tensor.Scope();
            using var random = new Generator(seed);
            Assert.InRange((double)Svd(Orthogonalised(Tensor.Normal(random, 0, 1, rows, columns))).S.ToArray<float>()[0], 1 - OrthogonalStep.Tolerance, 1.3); // the band, and bfloat16's rounding of the last product
        }
    }

    [Fact]
    public void Matrices_inside_move_along_the_orthogonalised_momentum_and_tables_and_vectors_as_AdamW_moves_them()
    {
        using var scope = Tensor.Scope();
        using var random = new Generator(7);
        var names = new[] { "model.layers.0.mlp.up_proj.weight", "model.embed_tokens.weight", "model.norm.weight" };
        var starts = new[] { Tensor.Normal(random, 0, 1, 8, 6), Tensor.Normal(random, 0, 1, 8, 6), Tensor.Normal(random, 0, 1, 6) };
        var gradients = new[] { Tensor.Normal(random, 0, 1, 8, 6), Tensor.Normal(random, 0, 1, 8, 6), Tensor.Normal(random, 0, 1, 6) };
        Tensor[] After(OptimizerOptions options)
        {
            var parameters = names.Select((name, i) => new Parameter(name, starts[i].Clone())).ToArray();
            using var optimizer = options.Build(parameters);
            for (var i = 0; i < names.Length; i++) parameters[i].Value.Gradient = gradients[i].Clone();
            optimizer.Apply(0.1);
            var values = parameters.Select(p => p.Value.Detach().Clone()).ToArray();
            foreach (var parameter in parameters) parameter.Dispose();
            return values;
        }
        var muon = After(new MuonOptions { WeightDecay = 0, Beta2 = 0.95 });
        var adam = After(new AdamWOptions { WeightDecay = 0, Beta2 = 0.95 });
        Assert.Equal(adam[1].ToArray<float>(), muon[1].ToArray<float>());
        Assert.Equal(adam[2].ToArray<float>(), muon[2].ToArray<float>());
        // First step: the momentum and its look-ahead both point along the gradient, so the update is its orthogonalised direction.
        var expected = starts[0].Add(Orthogonalised(gradients[0]), -0.1 * 0.2 * Math.Sqrt(8));
        Assert.InRange(Distance(starts[0] - expected, starts[0] - muon[0]), 0, Rounding);
        Assert.True(Distance(starts[0] - expected, starts[0] - adam[0]) > 1, "the control: another direction is far away");
        Assert.True((muon[0] - adam[0]).Abs().Max().Item() > 1e-2, "the control: AdamW goes elsewhere");
    }

    [Fact]
    public void Matrices_of_one_shape_lying_or_standing_get_together_what_each_gets_alone()
    {
        using var scope = Tensor.Scope();
        using var random = new Generator(9);
        (long Rows, long Columns)[] shapes = [(8, 6), (6, 8), (8, 6), (6, 8), (5, 5), (5, 5), (7, 3)];
        var parameters = shapes.Select((shape, i) => new Parameter($"layers.{i}.weight", Tensor.Normal(random, 0, 1, shape.Rows, shape.Columns))).ToArray();
        var starts = parameters.Select(p => p.Value.Detach().Clone()).ToArray();
        var gradients = shapes.Select(shape => Tensor.Normal(random, 0, 1, shape.Rows, shape.Columns)).ToArray();
        using var optimizer = new MuonOptions { WeightDecay = 0 }.Build(parameters);
        for (var i = 0; i < shapes.Length; i++) parameters[i].Value.Gradient = gradients[i].Clone();
        optimizer.Apply(0.1);
        for (var i = 0; i < shapes.Length; i++)
        {
            var expected = starts[i].Add(Orthogonalised(gradients[i]), -0.1 * 0.2 * Math.Sqrt(Math.Max(shapes[i].Rows, shapes[i].Columns)));
            var distance = Distance(starts[i] - expected, starts[i] - parameters[i].Value.Detach());
            Assert.True(distance <= Rounding, $"matrix {i}: {distance}");
        }
        foreach (var parameter in parameters) parameter.Dispose();
    }

    [Theory]
    [InlineData(1, 0.2)]
    [InlineData(3, 0.02)]
    [InlineData(5, 0.001)]
    public void The_polynomials_bring_every_value_down_to_a_small_one_near_one(int count, double least)
    {
        var steps = OrthogonalStep.Best(count);
        double After(double x) => steps.Aggregate(x, (y, s) => y * (s.A + y * y * (s.B + y * y * s.C)));
        for (var x = least; x <= 1; x += (1 - least) / 10_000) Assert.InRange(After(x), 1 - OrthogonalStep.Tolerance - 1e-9, 1 + OrthogonalStep.Tolerance + 1e-9);
        // The control: values far below what so many can reach stay below.
        Assert.True(After(least / 100) < 1 - OrthogonalStep.Tolerance);
        // Fewer of the same kind, or as many of the constants that serve every step (Jordan et al., 2024), do not reach as far.
        Assert.True(Enumerable.Range(0, count).Aggregate(least, (y, _) => y * (3.4445 + y * y * (-4.7750 + y * y * 2.0315))) < After(least));
    }

    /// <summary>
    /// How far two ways to the same direction may end from each other. A scaled copy of a matrix, and one among others, rounds otherwise, and the polynomials
    /// swing: within their band of 0.25 around one a singular value ends anywhere when the number it began as moves by bfloat16's 2e-3. Two values in that band
    /// differ by a quarter of themselves or less on average; in float32 the values do not move. SimdMatrixTests runs this without bfloat16 on every machine.
    /// </summary>
    private static double Rounding => Gradus.Foundation.Kernels.Bf16.HasProducts ? 0.25 : 1e-5;

    /// <summary>‖a − b‖ / ‖a‖.</summary>
    private static double Distance(Tensor a, Tensor b) => (a - b).Norm().Item() / a.Norm().Item();

    private static Tensor Orthogonalised(Tensor matrix)
    {
        var isTall = matrix.Size(0) > matrix.Size(1);
        var direction = Muon.Orthogonalised((isTall ? matrix.T() : matrix).Unsqueeze(0), OrthogonalStep.Best(new MuonOptions().Iterations)).To(DType.Float32).Select(0, 0);
        return isTall ? direction.T() : direction;
    }

    private static (Tensor U, Tensor S, Tensor V) Svd(Tensor a)
    {
        var parts = Gradus.Engine.Ops.Op.Find("aten::linalg_svd", "A, full_matrices").CallMany(a, false);
        return (parts[0], parts[1], parts[2]);
    }
}
