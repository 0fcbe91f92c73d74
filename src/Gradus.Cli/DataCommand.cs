using System.CommandLine;

namespace Gradus.Cli;

/// <summary><c>gradus data</c>: its verbs, a file each.</summary>
internal static class DataCommand
{
    public static Command Create() => new("data", "Prepares data: reads, cleans, removes duplicates, splits, tokenizes.\n\nExamples:\n  gradus data prepare recipes/data/web.yaml --out data/web\n  gradus data prepare books/*.txt --tokenizer tokenizers/books --out data/books")
    {
        DataPrepareCommand.Create(), DataMergeCommand.Create(), DataDedupCommand.Create(), DataDecontaminateCommand.Create(), DataSplitCommand.Create(),
        DataAuditCommand.Create(), DataDiffCommand.Create(), DataTrainLanguageIdCommand.Create(), DataTrainClassifierCommand.Create(),
        DataPeekCommand.Create(), DataConvertCommand.Create(), DataStatsCommand.Create(),
    };
}
