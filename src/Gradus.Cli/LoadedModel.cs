using Gradus.Engine.Tensors;
using Gradus.Foundation.Files;
using Gradus.Models.Families;
using Gradus.Models.Nn;
using Gradus.Text.Tokenizers;

namespace Gradus.Cli;

/// <summary>A model folder with its tokenizer: what generate and eval work on. A run folder stands for the model inside it.</summary>
internal sealed record LoadedModel(string Folder, ModelOptions Options, ILanguageModel Model, Tokenizer Tokenizer) : IDisposable
{
    public static LoadedModel Load(string path, string precision = "fp32", string device = "cpu")
    {
        var folder = Locate(path);
        var tokenizer = Tokenizer.Load(folder);
        var (options, model) = ModelFolder.Load(folder, device: ParseDevice(device));
        try
        {
            if (tokenizer.VocabSize > model.VocabSize)
                throw new UserException($"{folder}: the tokenizer has {tokenizer.VocabSize} tokens, the model only {model.VocabSize} rows; one of the two is another model's");
            if (precision == "bf16") ComputeIn(model, DType.BFloat16);
            else if (precision != "fp32") throw new UserException($"precision '{precision}' is not known here; fp32 or bf16");
            return new(folder, options, model, tokenizer);
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    public void Dispose() => Model.Dispose();

    private static string Locate(string path)
    {
        foreach (var folder in new[] { path, Path.Combine(path, "model") })
            if (File.Exists(Path.Combine(folder, ConfigFile.Name)))
                return folder;
        if (File.Exists(path)) throw new UserException($"{path}: is a file; a model is a folder with config.json, model.safetensors and tokenizer.json (gradus convert makes one from a llama2.c .bin)");
        throw new UserException(Directory.Exists(path)
            ? $"{path}: holds no config.json, so it is not a model folder"
            : $"{path}: no such folder; gradus quickstart makes runs/quickstart/model");
    }

    private static Device ParseDevice(string name)
    {
        try { return Device.Parse(name); }
        catch (FormatException e) { throw new UserException(e.Message, e); }
    }

    private static void ComputeIn(ILanguageModel model, DType type)
    {
        foreach (var parameter in model.Parameters)
            if (parameter.Value.Dims == 2)
                parameter.ComputeType = type;
    }
}
