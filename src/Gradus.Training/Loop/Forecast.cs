using System.Diagnostics;
using System.Globalization;
using Gradus.Engine.Tensors;
using Gradus.Models.Nn;

namespace Gradus.Training.Loop;

/// <summary>What a run will take, by what its first steps took.</summary>
/// <param name="Steps">Steps of the run, if nothing stops it early.</param>
/// <param name="TargetTokens">Tokens it learns from, by batches all over it.</param>
/// <param name="SecondsPerStep">Measured.</param>
/// <param name="Seconds">Of all steps and validations; samples and checkpoints come on top.</param>
/// <param name="StateBytes">Weights, gradients, optimiser state and copies: known exactly.</param>
/// <param name="PeakBytes">The most memory so far: of the process, or of the device the run is on.</param>
public sealed record Forecast(long Steps, long TargetTokens, double SecondsPerStep, double Seconds, long StateBytes, long PeakBytes)
{
    private const long Looked = 64; // micro-batches that are counted

    /// <summary>The most that tensors took of it, in bytes; 0 where nobody counts. On a small model the process is mostly the program itself, and only this number tells methods apart.</summary>
    public long PeakTensorBytes { get; init; }

    internal static Forecast Of(RunSetup setup, FirstSteps first)
    {
        var o = setup.Recipe.Trainer;
        var steps = o.StepsFor(setup.Rows);
        var validations = o.ValidateEvery == 0 ? 0 : (steps + o.ValidateEvery - 1) / o.ValidateEvery;
        var validated = setup.Validator() is { } validator ? validator.Rows * (validator.Score is null ? 1 : 2) : 0;
        return new(steps, Tokens(setup, steps * o.Accumulate), first.SecondsPerStep, steps * first.SecondsPerStep + validations * validated * first.SecondsPerRow, StateOf(setup), Peak(setup.Model.Device))
        {
            PeakTensorBytes = setup.Model.Device.Memory().Peak,
        };
    }

    /// <summary>Weights, gradients, the optimiser's state and copies in other types, in bytes.</summary>
    internal static long StateOf(RunSetup setup)
    {
        var (model, trainable) = (setup.Model, setup.Model.Parameters.Where(p => p.Trainable).Sum(p => p.Value.Elements));
        var weights = model.Parameters.Sum(p => p.Value.Elements * p.Value.DType.ByteSize)
            + model.Linears.Select(l => l.Weight).OfType<PackedWeight>().Sum(w => w.Stored.Sum(s => s.Value.Elements * s.Value.DType.ByteSize));
        var copies = model.Parameters.Where(p => p.ComputeType != p.Value.DType).Sum(p => p.Value.Elements * p.ComputeType.ByteSize);
        return weights + trainable * 4 + setup.Optimizer.StateBytes + copies;
    }

    /// <summary>The most memory so far: of this process on the CPU, of the device elsewhere.</summary>
    internal static long Peak(Device device)
    {
        if (!device.IsCpu) return device.Memory().Peak;
        using var process = Process.GetCurrentProcess();
        return process.PeakWorkingSet64;
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{Steps:N0} steps, {TargetTokens:N0} learned tokens, about {ProgressLine.Duration(Seconds)} ({SecondsPerStep:G3} s a step, and validation), {PeakBytes / 1e6:N0} MB at the peak ({PeakTensorBytes / 1e6:N0} MB of tensors, {StateBytes / 1e6:N0} MB of it weights, gradients and optimiser state)");

    // Rows differ in how much of them is learned, so batches are counted all over the run, every one where there are few.
    private static long Tokens(RunSetup setup, long batches)
    {
        var (o, looked) = (setup.Recipe.Trainer, Math.Min(batches, Looked));
        var counted = Enumerable.Range(0, (int)looked).Sum(i => setup.Objective.Weight(setup.Rows.Rows(checked((long)((Int128)i * batches / looked) * o.Batch), o.Batch)));
        return (long)Math.Round((double)counted * batches / looked);
    }
}
