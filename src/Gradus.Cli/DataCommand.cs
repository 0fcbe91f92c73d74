using System.CommandLine;

namespace Gradus.Cli;

/// <summary><c>gradus data</c>: its verbs, a file each.</summary>
internal static class DataCommand
{
    public static Command Create() => new("data", "Prepares data.\n\nExample:\n  gradus data prepare books/*.txt --tokenizer tokenizers/books --out data/books")
    {
        DataPrepareCommand.Create(), DataAuditCommand.Create(), DataDiffCommand.Create(), DataTrainLanguageIdCommand.Create(), DataTrainClassifierCommand.Create(),
    };
}
