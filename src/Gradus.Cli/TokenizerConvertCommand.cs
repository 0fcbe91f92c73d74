using System.CommandLine;
using Gradus.Foundation.Files;
using Gradus.Text.Tokenizers;

namespace Gradus.Cli;

/// <summary><c>gradus tokenizer convert</c>: a tokenizer in another format.</summary>
internal static class TokenizerConvertCommand
{
    public static Command Create()
    {
        var input = new Argument<string>("tokenizer") { Description = "Any tokenizer file or folder that can be loaded" };
        var output = new Argument<string>("out") { Description = "FILE.model for a SentencePiece model; else a folder, which gets tokenizer.json" };
        var force = new Option<bool>("--force") { Description = "Replace what is already there" };
        var command = new Command("convert", """
            Writes a tokenizer in another format: tokenizer.json, or a SentencePiece model where one gives the same ids (Unigram, BPE of characters).

            Examples:
              gradus tokenizer convert cl100k_base.tiktoken models/cl100k
              gradus tokenizer convert models/t5/tokenizer.json spiece.model
            """) { input, output, force };
        command.SetAction(result => Run(result.GetRequiredValue(input), result.GetRequiredValue(output), result.GetValue(force)));
        return command;
    }

    private static int Run(string input, string output, bool force)
    {
        var tokenizer = Tokenizer.Load(input);
        var toFile = output.EndsWith(".model", StringComparison.Ordinal);
        var there = toFile ? output : Path.Combine(output, "tokenizer.json");
        if (File.Exists(there) && !force) throw new UserException($"{there}: is there already; --force replaces it");
        if (toFile)
        {
            if (Path.GetDirectoryName(Path.GetFullPath(output)) is { } folder) Directory.CreateDirectory(folder);
            tokenizer.SaveSentencePiece(output);
        }
        else
        {
            Output.Folder(output);
            tokenizer.Save(output);
        }
        Terminal.Out($"{output}: {tokenizer.VocabSize:N0} tokens");
        return ExitCode.Done;
    }
}
