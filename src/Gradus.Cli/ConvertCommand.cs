using System.CommandLine;
using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Models.Families;
using Gradus.Text.Tokenizers;

namespace Gradus.Cli;

/// <summary><c>gradus convert IN OUT</c>: brings a model into the Hugging Face layout, or into another element type.</summary>
internal static class ConvertCommand
{
    public static Command Create()
    {
        var input = new Argument<string>("in") { Description = "A llama2.c .bin file, or a Hugging Face folder" };
        var output = new Argument<string>("out") { Description = "The folder to make" };
        var tokenizer = new Option<string?>("--tokenizer") { Description = "Tokenizer to put beside the weights: tokenizer.json, a folder, a .tiktoken or a llama2.c tok.bin", HelpName = "file" };
        var type = new Option<string>("--dtype") { Description = "float32, bfloat16 or float16", DefaultValueFactory = _ => "float32" };
        var force = new Option<bool>("--force") { Description = "Replace a model that is already there" };
        var command = new Command("convert", """
            Converts a model to the Hugging Face layout: config.json, model.safetensors, tokenizer.json.

            Example:
              gradus convert stories260K.bin models/stories --tokenizer tok512.bin
            """) { input, output, tokenizer, type, force };
        command.SetAction(result => Run(result.GetRequiredValue(input), result.GetRequiredValue(output), result.GetValue(tokenizer), result.GetRequiredValue(type), result.GetValue(force)));
        return command;
    }

    private static int Run(string input, string output, string? tokenizerPath, string typeName, bool force)
    {
        if (!DTypes.TryParse(typeName, out var type) || !type.IsFloating) throw new UserException($"--dtype: '{typeName}' is not known; float32, bfloat16 or float16");
        if (File.Exists(Path.Combine(output, ConfigFile.Name)) && !force) throw new UserException($"{output}: a model is already there; --force replaces it");
        if (!File.Exists(input) && !Directory.Exists(input)) throw new UserException($"{input}: no such file or folder");
        var found = tokenizerPath ?? (Directory.Exists(input) ? input : null);
        var tokenizer = found is null ? null : Tokenizer.Load(found);
        var (options, model) = ModelFolder.Load(input);
        using (model)
        {
            if (tokenizer is not null && tokenizer.VocabSize > model.VocabSize) throw new UserException($"{found}: has {tokenizer.VocabSize} tokens, but the model only {model.VocabSize} rows");
            ModelFolder.Save(model, options, output, type);
            tokenizer?.Save(output);
            Terminal.Out($"{output}: {Components(options)}, {model.Parameters.Sum(p => p.Value.Elements):N0} parameters, {type.Name}{(tokenizer is null ? "; no tokenizer (give one with --tokenizer)" : $", tokenizer of {tokenizer.VocabSize} tokens")}");
        }
        return ExitCode.Done;
    }

    private static string Components(ModelOptions options) => Gradus.Foundation.Recipes.Components.KindOf(options.GetType()) ?? options.Architecture;
}
