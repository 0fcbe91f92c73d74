using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;

namespace Gradus.Training.Loop;

/// <summary>The <c>preflight</c> section: what is tried before the first step.</summary>
public sealed record PreflightOptions : IValidated
{
    /// <summary>
    /// Steps made on the first batch at the full learning rate, and then unmade to the bit: the loss must fall, all that trains must move, nothing else
    /// may, and time and memory are measured. 0: none of this.
    /// </summary>
    [AtLeast(0), AtMost(1000)]
    public int OverfitSteps { get; init; } = 20;

    public IEnumerable<(string Key, string Message)> Problems()
    {
        if (OverfitSteps is > 0 and < 5) yield return (nameof(OverfitSteps), $"{OverfitSteps} steps are too few to tell anything; at least 5, or 0 for none");
    }
}

/// <summary>What the preflight came to; <c>run.json</c> keeps it.</summary>
/// <param name="Findings">A line a check.</param>
/// <param name="Forecast">What the run will take; null when no steps were tried.</param>
public sealed record PreflightReport(IReadOnlyList<Finding> Findings, Forecast? Forecast)
{
    /// <exception cref="UserException">A finding stops the run and was not forced: a line each.</exception>
    public void Refuse()
    {
        if (Findings.Where(f => f.Stops).ToArray() is { Length: > 0 } stops)
            throw new UserException(string.Join('\n', stops.Select(f => $"{f.Text} (--force {f.Name} goes on all the same)")));
    }
}

/// <summary>What is checked before the first step of a run: each check is a <see cref="Finding"/>, and those that stop it leave nothing written.</summary>
internal static class Preflight
{
    /// <summary>Checks the names that <c>--force</c> was given.</summary>
    /// <exception cref="UserException">One is no check.</exception>
    public static void CheckNames(IReadOnlyList<string> force)
    {
        if (force.FirstOrDefault(name => !Finding.Names.Contains(name)) is { } wrong)
            throw new UserException($"--force: '{wrong}' is no check of the preflight{NearestName.Hint(wrong, Finding.Names)}");
    }

    /// <summary>What is known as soon as everything is opened.</summary>
    public static PreflightReport Cheap(RunSetup setup, IReadOnlyList<string> force) =>
        new([.. (setup.Records?.Findings ?? []).Select(finding => Forced(finding, force))], null);

    /// <summary>All of it. On by itself where a model is tuned or records are learned from; elsewhere a <c>preflight</c> section asks for it.</summary>
    public static PreflightReport Make(RunSetup setup, IReadOnlyList<string> force, Action<string> say, TimeProvider clock, CancellationToken stop)
    {
        var (recipe, cheap) = (setup.Recipe, Cheap(setup, force));
        var tunes = recipe.Model.From is not null || recipe.Records is not null;
        var steps = (recipe.Preflight ?? (tunes ? new() : null))?.OverfitSteps ?? 0;
        if (steps == 0 || cheap.Findings.Any(finding => finding.Stops)) return cheap;
        say(FormattableString.Invariant($"preflight: {steps} steps on the first batch, which are then unmade"));
        var first = FirstSteps.Make(recipe.Trainer, recipe.Optimizer.LearningRate, setup.Model, setup.Objective, setup.Optimizer, setup.Rows, steps, clock, stop);
        return new([.. cheap.Findings, .. first.Findings.Select(finding => Forced(finding, force))], first.SecondsPerStep > 0 ? Forecast.Of(setup, first) : null);
    }

    private static Finding Forced(Finding finding, IReadOnlyList<string> force) => finding with { Forced = finding.Level == FindingLevel.Stop && force.Contains(finding.Name) };
}
