using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Gradus.Foundation.Files;
using Gradus.Foundation.Recipes;
using Gradus.Text.Data.Sources;
using Gradus.Text.Tokenizers;
using Gradus.Text.Tokenizers.Trainers;

namespace Gradus.Cli;

/// <summary><c>gradus tokenizer train</c>: every kind of trainer, over one corpus or several languages.</summary>
internal static class TokenizerTrainCommand
{
    public static Command Create()
    {
        var data = new Argument<string[]>("data") { Description = "Texts (.txt, .md) and .jsonl files (field 'text'), folders or globs; compressed ones too", Arity = ArgumentArity.OneOrMore };
        var kind = new Option<string>("--kind") { Description = "What to train: see gradus list tokenizer-trainers", DefaultValueFactory = _ => "bpe" };
        var size = new Option<int>("--vocab-size") { Description = "Tokens in the vocabulary, special ones included", DefaultValueFactory = _ => 8192 };
        var output = new Option<string>("--out") { Description = "The folder to make", Required = true, HelpName = "folder" };
        var pattern = new Option<string?>("--pre-tokenizer") { Description = "For bpe: gpt2 (the default), cl100k or another kind of pre-tokenizers", HelpName = "kind" };
        var special = new Option<string[]>("--special") { Description = "A special token (may be given several times); for bpe <|endoftext|> unless given" };
        var set = new Option<string[]>("--set") { Description = "Overrides an option of the kind: --set character_coverage=0.9999", HelpName = "key=value" };
        var balance = new Option<double?>("--balance") { Description = "Balances languages: a language of n bytes gets a share like n^alpha; 1 leaves all as it is, 0 makes them equal", HelpName = "alpha" };
        var field = new Option<string?>("--language-field") { Description = "With --balance: the field of .jsonl rows that names the language; without it a file's name does", HelpName = "field" };
        var command = new Command("train", "Learns a vocabulary from texts.\n\nExamples:\n  gradus tokenizer train books/*.txt --vocab-size 8192 --out tokenizers/books\n  gradus tokenizer train udhr.jsonl.xz --kind unigram --balance 0.3 --language-field bcp47 --out tokenizers/many")
        {
            data, kind, size, output, pattern, special, set, balance, field,
        };
        command.SetAction(result =>
        {
            var clock = Stopwatch.StartNew();
            var (bytes, documents) = (0L, 0L);
            IEnumerable<ReadOnlyMemory<byte>> Texts()
            {
                foreach (var document in result.GetRequiredValue(data).SelectMany(path => TokenizerCommand.Source(path).Read(new SourceReport())))
                {
                    (bytes, documents) = (bytes + document.Utf8.Length, documents + 1);
                    yield return document.Utf8;
                }
            }
            IEnumerable<ReadOnlyMemory<byte>> Balanced(double alpha)
            {
                var languages = LabelledTexts.Read(result.GetRequiredValue(data), result.GetValue(field)).GroupBy(t => t.Language, t => t.Text).Select(g => new LanguageText(g.Key, [.. g])).ToArray();
                (bytes, documents) = (languages.Sum(l => l.Documents.Sum(d => (long)d.Length)), languages.Sum(l => l.Documents.LongCount()));
                return new LanguageSampling { Alpha = alpha }.Mix(languages);
            }
            Output.Folder(result.GetRequiredValue(output));
            if (Directory.Exists(result.GetRequiredValue(output)) && Directory.EnumerateFiles(result.GetRequiredValue(output), "tokenizer.*").Any())
                throw new UserException($"{result.GetValue(output)}: a tokenizer is already there; name another folder or remove it");
            var options = Options(result.GetRequiredValue(kind), GenerateCommand.AtLeast(2, result.GetValue(size), "--vocab-size"), result.GetValue(pattern), result.GetValue(special) ?? [], result.GetValue(set) ?? []);
            var report = new TrainingReport();
            var tokenizer = options.Train(result.GetValue(balance) is { } alpha ? Balanced(alpha) : Texts(), report);
            tokenizer.Save(result.GetRequiredValue(output));
            Terminal.Out(string.Create(CultureInfo.InvariantCulture, $"{result.GetValue(output)}: {tokenizer.VocabSize:N0} tokens from {documents:N0} documents, {bytes / 1e6:F1} MB, in {clock.Elapsed.TotalSeconds:F1} s"));
            if (report.WordsLeftOut > 0)
                Terminal.Note(string.Create(CultureInfo.InvariantCulture, $"{report.WordsLeftOut:N0} of {report.Words + report.WordsLeftOut:N0} distinct words, those seen {report.LeftOutUpTo:N0} times or less, were left out to stay within {options.MemoryMb:N0} MB (--set memory_mb=…)"));
            return ExitCode.Done;
        });
        return command;
    }

    /// <summary>The flags are the recipe section that <c>--set</c> then changes.</summary>
    internal static TokenizerTrainerOptions Options(string kind, int vocabSize, string? pattern, IReadOnlyList<string> special, IReadOnlyList<string> set)
    {
        var kinds = Components.Of(typeof(TokenizerTrainerOptions)).Select(c => c.Kind).ToArray();
        if (!kinds.Contains(kind, StringComparer.Ordinal))
            throw new UserException($"--kind: '{kind}' is unknown{NearestName.Hint(kind, kinds)}");
        if (pattern is not null && kind != "bpe")
            throw new UserException("--pre-tokenizer: this goes with --kind bpe");
        var known = Components.Of(typeof(PreTokenizerOptions)).Select(c => c.Kind).ToArray();
        if (pattern is not null && !known.Contains(pattern, StringComparer.Ordinal))
            throw new UserException($"--pre-tokenizer: '{pattern}' is not known; {string.Join(", ", known)}{NearestName.Hint(pattern, known)}");
        var section = string.Create(CultureInfo.InvariantCulture, $"kind: {kind}\nvocab_size: {vocabSize}\n");
        if (special.Count > 0)
            section += $"special_tokens: [{string.Join(", ", special.Select(t => System.Text.Json.JsonSerializer.Serialize(t)))}]\n";
        if (pattern is not null)
            section += $"pre_tokenizer: {{ kind: {pattern} }}\n";
        return RecipeFile.Parse<TokenizerTrainerOptions>(section, "command line", set);
    }
}
