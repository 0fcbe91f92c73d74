using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;

namespace Gradus.Text.Tokenizers.Formats;

/// <summary>SentencePiece's <c>.model</c> files: spiece.model, tokenizer.model, sentencepiece.bpe.model. They encode exactly as SentencePiece does.</summary>
[Component("sentencepiece")]
internal sealed record SentencePieceFormat : TokenizerFormat
{
    public override int Order => 5;

    public override string Files => "SentencePiece's *.model";

    public override bool Fits(string fileName) => fileName.EndsWith(".model", StringComparison.Ordinal);

    public override Tokenizer Read(string file)
    {
        var content = File.ReadAllBytes(file);
        if (content.AsSpan().StartsWith("IQ== 0\n"u8))
            throw new UserException($"{file}: this is a list of tiktoken ranks, not a SentencePiece model; Llama 3 keeps one under this name: use its tokenizer.json");
        var model = SentencePieceModel.Read(content, file);
        var (before, after) = Frame(file, model);
        return new SentencePieceTokenizer(model, SentencePieceTokenizer.ReadMap(model.Normalization, $"{file}: normalizer_spec.precompiled_charsmap"), before, after);
    }

    /// <summary>A model does not say which control pieces surround a text; <c>tokenizer_config.json</c> beside it does. Without one: none.</summary>
    private static (int[] Before, int[] After) Frame(string file, SentencePieceModel model)
    {
        var path = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(file))!, "tokenizer_config.json");
        if (!File.Exists(path))
            return ([], []);
        using var document = StrictJson.ParseFile(path);
        var config = new JsonField(path, document.RootElement);
        return (Flagged("add_bos_token", model.BosPiece), Flagged("add_eos_token", model.EosPiece));

        int[] Flagged(string name, string piece) => !config[name].Flag() ? []
            : model.IdOf(piece, SentencePieceType.Control) is { } id ? [id]
            : throw config[name].Error($"true, but {file} has no control piece '{piece}'");
    }
}
