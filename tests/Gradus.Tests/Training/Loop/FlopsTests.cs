using Gradus.Models.Families.Bert;
using Gradus.Models.Families.Llama;
using Gradus.Models.Nn;
using Gradus.Training.Loop;

namespace Gradus.Tests.Training.Loop;

/// <summary>What utilisation is counted by: products, not tables that are looked up.</summary>
public class FlopsTests
{
    [Theory, InlineData(true), InlineData(false)]
    [Row("G15")]
    public void A_decoder_counts_its_matrices_its_head_once_and_its_scores(bool tied)
    {
        var options = new LlamaOptions { VocabSize = 1000, HiddenSize = 64, IntermediateSize = 96, NumHiddenLayers = 3, NumAttentionHeads = 4, NumKeyValueHeads = 2, MaxPositionEmbeddings = 128, TieWordEmbeddings = tied };
        using var model = options.BuildFresh(1);
        // q and o 64 × 64, k and v 32 × 64, gate, up and down 96 × 64; the head 1000 × 64, tied or not; the embedding is a table.
        const double matrices = 3 * (2 * 64 * 64 + 2 * 32 * 64 + 3 * 96 * 64);
        Assert.Equal(6 * (matrices + 1000 * 64) + 12.0 * 3 * 64 * 100, Flops.PerToken(model, 100));
    }

    [Fact]
    [Row("G15")]
    public void A_classifier_does_not_count_the_table_of_its_words()
    {
        var options = new BertOptions { VocabSize = 16000, HiddenSize = 128, IntermediateSize = 256, NumHiddenLayers = 0, NumAttentionHeads = 4, MaxPositionEmbeddings = 64 };
        using var model = options.BuildFresh(1, head: new TaskHead(TaskHead.SequenceClassification, ["bad", "good"]));
        // The pooler 128 × 128, the classifier 2 × 128 and the table of two segments.
        Assert.Equal(6.0 * (128 * 128 + 2 * 128 + 2 * 128), Flops.PerToken(model, 64));
    }
}
