using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;

namespace Gradus.Models.Peft;

/// <summary>BitFit (Ben Zaken et al., 2022): trains the biases the model has, and nothing else. PEFT has no files for it: these keep its layout under a <c>peft_type</c> of their own.</summary>
[Component("bitfit")]
public sealed record BitFitOptions : AdapterOptions
{
    public override string PeftType => "BITFIT";

    internal override void Attach(AdapterBuilder to)
    {
        var biases = to.Model.Parameters.Where(parameter => parameter.Name.EndsWith(".bias", StringComparison.Ordinal)).ToArray();
        if (biases.Length == 0) throw new UserException("adapter: bitfit trains biases, and this model has none; lora or ia3 suit it");
        foreach (var bias in biases) to.Replace(bias);
    }
}
