using Gradus.Engine.Tensors;
using Gradus.Models.Nn;

namespace Gradus.Tests.Models.Families;

public class FiniteDifferenceTests
{
    public static TheoryData<string> Kinds => TinyModels.Kinds;

    [Row("G1"), Theory, MemberData(nameof(Kinds))]
    public void Gradients_of_a_whole_model_are_its_slopes(string kind)
    {
        using var scope = Tensor.Scope();
        using var model = TinyModels.Build(kind, DType.Float64);
        Loss().Backward();
        var worst = 0.0;
        var steepest = model.Parameters.Max(p => p.Value.Gradient!.Norm().Item());
        foreach (var parameter in model.Parameters)
        {
            // Along a random direction of the whole parameter, and along its largest single element.
            var gradient = parameter.Value.Gradient!;
            var largest = gradient.ZerosLike();
            largest.View(-1).Narrow(0, gradient.Abs().View(-1).ArgMax(0).ToArray<long>()[0], 1).Fill(1);
            foreach (var direction in new[] { TinyModels.Noise($"direction {parameter.Name}", 1, DType.Float64, parameter.Value.Shape), largest })
            {
                var expected = Slope(parameter, direction);
                var actual = (gradient * direction).Sum().Item();
                var scale = (gradient.Norm() * direction.Norm()).Item();
                // A bias on keys alone shifts all scores of a query alike: slope and gradient are zero but for rounding, that of the loss over h.
                if (gradient.Norm().Item() < 1e-12 * steepest)
                {
                    Assert.InRange(expected, -1e-9, 1e-9);
                    continue;
                }
                worst = Math.Max(worst, Math.Abs(expected - actual) / scale);
                Assert.True(Math.Abs(expected - actual) <= 1e-6 * scale, $"{parameter.Name}: slope {expected}, gradient {actual}, scale {scale}");
            }
        }
        Assert.True(worst > 0, "the two cannot agree to the last bit: something was not computed");

        Tensor Loss() => ModelContractTests.Loss(model, new Step());

        // Five points: the error of the formula is of order h^4, rounding of 1e-16 / h; h = 1e-3 / |direction| balances them.
        double Slope(Parameter parameter, Tensor direction)
        {
            var h = 1e-3 / direction.Norm().Item();
            double At(double steps) => Grad.Off(() =>
            {
                using var inner = Tensor.Scope();
                parameter.Value.AddInPlace(direction, steps * h);
                var loss = Loss().Item();
                parameter.Value.AddInPlace(direction, -steps * h);
                return loss;
            });
            return (At(-2) - 8 * At(-1) + 8 * At(1) - At(2)) / (12 * h);
        }
    }
}
